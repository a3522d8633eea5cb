"""What an orchestrator is paid: the published forms, and the rewards of a real run's log."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import (
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    is_orchestrator,
    results,
    say,
)

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.errors import BadRequest, UsageFault
from kimi_nb.parl.reward import (
    Components,
    Reward,
    blog,
    of_trace,
    r_finish,
    r_parallel,
    r_perf,
    report,
)
from kimi_nb.trace import Log, Trace
from kimi_nb.views.anneal import Schedule

if TYPE_CHECKING:
    from pathlib import Path

PART = st.floats(0, 1)
EIGHT = 8


def test_each_reward_in_its_closed_form() -> None:
    assert r_parallel([0, 1, 4, 8, 100]).tolist() == [0, 0.125, 0.5, 1, 1]
    assert r_finish([0, 0, 3, 4], [0, 2, 4, 4]).tolist() == [0, 0, 0.75, 1]
    assert r_perf([True, False, True], [0.5, 0.9, 0]).tolist() == [0.5, 0, 0]


@given(PART, PART, PART, PART, PART)
def test_both_published_forms(p: float, f: float, q: float, one: float, two: float) -> None:
    of = Components(p, f, q)
    assert math.isclose(blog(of, one), one * p + (1 - one) * q)
    assert math.isclose(report(of, one, two), one * p + two * f + q)
    assert blog(of, 0) == report(of, 0, 0) == q


def test_progress_decides_the_weights_and_nothing_is_counted() -> None:
    fall = Schedule(0.4, 0.0, "linear", 0.5)
    paid = Reward(parallel=fall, finish=Schedule(0.2, 0.2, "constant", 1))
    of = Components(np.array([1.0, 0.0]), np.array([0.5, 0.0]), np.array([0.0, 1.0]))

    for _ in range(2):  # the same progress, the same reward, however often it is asked
        assert np.allclose(paid.total(of, 0.25), [0.2 + 0.1, 1.0])

    assert np.allclose(paid.total(of, 0.75), [0.1, 1.0])
    assert np.allclose(Reward(form="blog", parallel=fall).total(of, 0.25), [0.2, 0.8])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"form": "sum"}, "one of 'report', 'blog'"),
        ({"form": "blog", "finish": Schedule(0.1, 0, "linear", 1)}, "no r_finish"),
        ({"form": "blog", "parallel": Schedule(2, 0, "linear", 1)}, "at most 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        Reward(**fields)


def log_of(*ends: str) -> Trace:
    """A run whose sub-agents ended like that; "" is one that is still at work."""
    log = Log()
    began = {"goal": "g", "model": "m", "simulated": False, "seed": 0, "started": 0.0}
    log.add("", e.RunBegan(**began, version="1", options="{}"))
    main = {"role": "orchestrator", "name": "o", "task": "g", "parent": "", "stage": 0}
    log.add("a00", e.AgentBegan(**main, call=-1))
    log.add("a00", e.StepBegan(step=1))

    for at, end in enumerate(ends, start=1):
        sub = {"role": "sub-agent", "name": "s", "task": "t", "parent": "a00", "stage": 1}
        log.add(f"a{at:02}", e.AgentBegan(**sub, call=at - 1))

        if end:
            log.add(f"a{at:02}", e.AgentEnded(outcome=end, text=""))

    return log.trace()


def test_of_a_log_sub_agents_count_and_those_that_finished() -> None:
    trace = log_of("finished", "failed", "finished", "", "over_budget")
    assert of_trace(trace, success=True, quality=0.5) == (5 / EIGHT, 2 / 5, 0.5)
    assert of_trace(trace, success=False, quality=0.5).r_perf == 0
    assert of_trace(log_of(), success=True, quality=1) == (0, 0, 1)
    assert of_trace(log_of(*["finished"] * 9), success=True, quality=1) == (1, 1, 1)


def test_every_prefix_of_a_log_has_its_rewards() -> None:
    trace = log_of("finished", "finished")
    rewards = [of_trace(trace[:n], success=False, quality=0) for n in range(len(trace) + 1)]
    assert [r.r_parallel * EIGHT for r in rewards] == [0, 0, 0, 0, 1, 1, 2, 2]
    assert [r.r_finish for r in rewards] == [0, 0, 0, 0, 0, 1, 0.5, 1]


async def test_of_a_real_run_in_which_one_of_four_fails(tmp_path: Path) -> None:
    def respond(messages):
        if not is_orchestrator(messages):
            return BadRequest("no") if messages[1]["content"] == "t2" else "done"

        got = results(messages)

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        if len(got) == 1:
            return calls(*(call("assign_task", agent="w", prompt=f"t{i}") for i in range(4)))

        return say(" | ".join(got))

    run = kn.swarm("go", model=Scripted(respond), trace=tmp_path / "run.jsonl", folder=tmp_path)
    await run
    assert of_trace(run.trace, success=True, quality=0.8) == (4 / EIGHT, 3 / 4, 0.8)
    assert of_trace(kn.read(tmp_path / "run.jsonl"), success=True, quality=0.8).r_finish == 3 / 4


@pytest.mark.parametrize("quality", [-0.1, 1.1, math.nan])
def test_a_quality_is_a_part_of_the_whole(quality: float) -> None:
    with pytest.raises(UsageFault, match="0 to 1"):
        of_trace(log_of(), success=True, quality=quality)


def test_a_training_is_no_run() -> None:
    log = Log()
    fields = {"what": "w", "seed": 0, "iterations": 1, "started": 0.0, "version": "1"}
    log.add("", e.TrainingBegan(**fields, options="{}"))

    with pytest.raises(UsageFault, match="log of a training"):
        of_trace(log.trace(), success=True, quality=1)
