"""Whole text views of known runs, kept under tests/golden/.

A `.jsonl` there is a small trace, the `.txt` beside it what the views say of it. After a change
that is meant, write them anew and read the difference:

    KIMI_NB_GOLDEN=write pytest tests/test_views_golden.py && git diff tests/golden
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from traces import Script

from kimi_nb import events as e
from kimi_nb.trace import Trace, read
from kimi_nb.views.critical import metrics
from kimi_nb.views.fold import fold
from kimi_nb.views.live import live_text
from kimi_nb.views.path import critical_path
from kimi_nb.views.summary import summary_text

GOLDEN = Path(__file__).parent / "golden"
TABLE = "| museum | ticket (€) |\n|---|---:|\n| Louvre | 22.00 |\n| Prado | 15.00 |"


def finished() -> Trace:
    """Three stages, the second with four sub-agents of 6, 9, 4 and 7 steps."""
    script = Script(simulated=True, model="simulator")
    main = script.orchestrator()
    main.step(tools=(("list_files", {"path": "data/museums"}, 0.2),))
    main.launch(6, 9, 4, 7)
    main.step(said=TABLE)
    main.end(TABLE)
    return script.end(TABLE)


def partial() -> Trace:
    """One sub-agent failed, one was retried, one had waited."""
    script = Script()
    main = script.orchestrator()
    subs = main.assign(["louvre", "普拉多", "rijks"], seconds=2.0, lead=1.5)
    subs[0].step(1.0, tools=(("read_file", {"path": "louvre.txt"}, 0.5),)).step(0.8).end("22 €")
    subs[1].step(1.5, fails=((0.4, 1.1),)).end("no such file: prado.txt", "failed")
    subs[2].step(1.0, queued=2.5).end("22.50 €")
    main.join(subs).step(1.2, said=TABLE)
    main.end(TABLE)
    return script.end(TABLE, "partial", "1 of 3 sub-agents failed")


def cancelled() -> Trace:
    """Stopped while two sub-agents were out."""
    script = Script()
    main = script.orchestrator()
    subs = main.assign(["a", "b"])
    for sub in subs:
        sub.step(0.5).begin()
        sub.t = 3.0
        sub.end("cancelled", "cancelled")
    main.t = 3.0
    main.end("cancelled", "cancelled")
    return script.end("", "cancelled", "stopped by hand")


def killed() -> Trace:
    """The log of a killed process: it just ends."""
    return partial()[:14]


def resumed() -> Trace:
    """Killed with a call out, then taken up and finished."""
    script = Script()
    main = script.orchestrator()
    (sub,) = main.assign(["a"])
    sub.begin()
    script.add(2.0, "", e.RunResumed(started=1_790_000_100.0, version="0.1.0"))
    sub.t, sub.n = 2.0, 0
    sub.step(1.0).end("done")
    main.join([sub]).step(1.0)
    main.end()
    return script.end()


def plan() -> Trace:
    """Two chains of an explicit plan: 1 then 9 steps, and 9 then 1."""
    script = Script()
    short = script.plan("short", 1)
    long = script.plan("long", 9)
    script.plan("after-short", 9, short)
    script.plan("after-long", 1, long)
    return script.end()


def single() -> Trace:
    """One agent, all alone, over budget."""
    script = Script(options=json.dumps({"mode": "single", "budget": {"steps": 3}}))
    main = script.orchestrator(name="single", role="single")
    for path in ("a.txt", "b.txt", "c.txt"):
        main.step(1.0, tools=(("read_file", {"path": path}, 0.5),))
    main.end("the limit of 3 steps is reached", "over_budget")
    return script.end("", "over_budget", "the limit of 3 steps is reached")


RUNS: tuple[Callable[[], Trace], ...] = (
    finished,
    partial,
    cancelled,
    killed,
    resumed,
    plan,
    single,
)


def said(trace: Trace) -> str:
    state = fold(trace)
    half = fold(trace[: len(trace) // 2])
    parts = [
        summary_text(Trace(trace, path=Path("runs/museums.jsonl"))),
        repr(critical_path(state)),
        json.dumps(metrics(state).as_dict(), indent=1),
        "HALF WAY\n" + live_text(half, half.now, name="museums"),
    ]
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("build", RUNS, ids=lambda build: build.__name__)
def test_golden(build: Callable[[], Trace]) -> None:
    trace_path = GOLDEN / f"{build.__name__}.jsonl"
    text_path = trace_path.with_suffix(".txt")

    if os.environ.get("KIMI_NB_GOLDEN") == "write":
        if not trace_path.exists():  # else it stays a log of the version that wrote it
            build().save(trace_path)

        text_path.write_text(said(build()), encoding="utf-8")

    trace = read(trace_path)
    assert trace == build()
    assert said(trace) == text_path.read_text(encoding="utf-8")
