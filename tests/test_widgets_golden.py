"""What a page is told of known runs, kept for the tests of the page in widgets/test/golden/.

Each file has the messages of a run that was looked at several times, all of it as one message,
and the state of every agent at some times, as folding the log up to then gives it. After a change
that is meant, write them anew, read the difference, and run vitest:

    KIMI_NB_GOLDEN=write pytest tests/test_widgets_golden.py && git diff widgets/test/golden
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from crowds import crowd, until
from test_views_golden import cancelled, partial
from traces import Script

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.fold import fold
from kimi_nb.views.scene import Scene

GOLDEN = Path(__file__).parents[1] / "widgets" / "test" / "golden"
BATCHES = 5
TIMES = 12
MOST = 150_000
"""Bytes of all files together."""


def live() -> Trace:
    """In the middle: some are at work, some wait, one is about to be asked again."""
    script = Script()
    main = script.orchestrator()
    subs = main.assign(["louvre", "prado", "rijks", "met"], lead=0.5)
    subs[0].step(1.0, tools=(("read_file", {"path": "a.txt"}, 0.5),)).step(0.7).end("22 €")
    subs[1].step(0.4).begin(queued=1.0)
    subs[2].step(1.2, tools=(("grep", {"path": "b.txt"}, 4.0),))
    subs[3].begin()
    subs[3].t += 1.5
    retried = e.StepRetried(step=1, attempt=1, error="Overloaded", why="too many", wait=5.0)
    subs[3]._add(retried)
    return until(script.trace(), 4.0)


def resumed() -> Trace:
    """Stopped with a call, a wait and a tool out; then taken up, one agent of another step."""
    script = Script()
    main = script.orchestrator()
    subs = main.assign(["a", "b", "c"])
    subs[0].begin()
    subs[1].step(0.5, fails=((0.4, 0.3),)).begin()
    subs[2].step(0.6).begin()

    for sub in subs:
        sub.t = 4.0
        sub.end("cancelled", "cancelled")

    main.t = 4.0
    main.end("cancelled", "cancelled")
    script.add(4.0, "", e.RunEnded(status="cancelled", answer="", why="stopped by hand"))
    script.add(9.0, "", e.RunResumed(started=1_790_000_100.0, version="0.1.0"))

    for sub in subs:
        sub.t, sub.n = 9.5, sub.n - 1
        sub.step(1.0).end("done")

    main.t = 9.0
    main.join(subs).step(1.0).end()
    return script.end()


def plan() -> Trace:
    """Two chains that meet."""
    script = Script()
    short = script.plan("short", 1)
    long = script.plan("long", 3)
    script.plan("both", 2, short, long)
    return script.end()


def crowd_3() -> Trace:
    return crowd(3)


def crowd_20() -> Trace:
    return crowd(20, calls=50)


RUNS: tuple[Callable[[], Trace], ...] = (
    *(crowd_3, crowd_20, plan, partial, cancelled, resumed, live),
)


def told(trace: Trace) -> dict[str, Any]:
    """The messages of several looks at a run, all in one, and what was so at some times."""
    scene = Scene("museums")
    batches: list[dict[str, Any]] = []

    for number in range(BATCHES):
        upto = len(trace) * (number + 1) // BATCHES
        scene.add(trace[scene.count : upto])
        batches.append(scene.changes(trace[upto - 1].t, measured=number % 2 == 0))

    states = {str(t): _states(trace, t) for t in times(trace)}
    whole = scene.whole(trace[-1].t)
    return {"batches": batches, "whole": whole, "states": states}


def times(trace: Trace) -> list[float]:
    """Some at which something happened, some between, the end, and a moment before."""
    dice = random.Random(0)
    happened = dice.sample([record.t for record in trace], TIMES // 2)
    between = [round(dice.uniform(0.0, trace[-1].t), 3) for _ in happened]
    return sorted({*happened, *between, trace[-1].t, round(trace[-1].t - 0.001, 6)})


def _states(trace: Trace, t: float) -> dict[str, str]:
    return {agent.id: agent.state_at(t) for agent in fold(until(trace, t)).agents.values()}


@pytest.mark.parametrize("build", RUNS, ids=lambda build: build.__name__)
def test_the_page_is_tested_with_what_it_is_told(build: Callable[[], Trace]) -> None:
    path = GOLDEN / f"{build.__name__}.json"
    found = orjson.dumps(told(build()))

    if os.environ.get("KIMI_NB_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found + b"\n")

    assert json.loads(found) == json.loads(path.read_bytes())


def test_the_files_are_those_of_the_runs_and_stay_small() -> None:
    files = list(GOLDEN.glob("*.json"))
    assert {path.stem for path in files} == {build.__name__ for build in RUNS}
    assert sum(path.stat().st_size for path in files) < MOST
