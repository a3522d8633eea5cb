"""A diagnosis of any run: it never raises, its evidence exists, its costs stay within the run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from dialogues import Job, conversation, jobs
from hostile import HOSTILE, hostile_trace, unsafe_characters
from hypothesis import given, settings
from hypothesis import strategies as st
from test_views_diagnose_bound import bound, waiting
from test_views_diagnose_collapse import listing
from traces import prefixes_of, swarms

from kimi_nb.trace import Trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.diagnose import Diagnosis, diagnose
from kimi_nb.views.diagnosis.findings import KINDS
from kimi_nb.views.fold import fold

PLAIN = "Compare the museums of the town."


def check(trace: Trace) -> Diagnosis:
    """The diagnosis, after all that holds for any run."""
    found = diagnose(trace)
    state = fold(trace)
    whole = metrics(state)
    weights: list[float] = []

    for finding in found:
        assert finding.kind in KINDS
        assert finding.records
        assert list(finding.records) == sorted(set(finding.records))
        assert {trace[n].agent for n in finding.records} <= set(finding.agents)
        assert set(finding.agents) <= state.agents.keys()
        weights.append(_share(finding.cost, whole))

        for text in (finding.what, finding.advice):
            assert text == " ".join(text.split())
            assert len(text) < 600
            assert unsafe_characters(text) == set()

    assert weights == sorted(weights, reverse=True)
    json.dumps(found.as_rows()).encode()
    assert unsafe_characters(repr(found)) == set()
    repr(found).encode()
    return found


def _share(cost, whole) -> float:
    limits = (
        (cost.steps, whole.total_steps, whole.total_steps),
        (cost.seconds, max(whole.wall_s, whole.work_s), whole.wall_s),
        (cost.tokens, whole.tokens_in + whole.tokens_out, whole.tokens_in + whole.tokens_out),
    )

    for part, most, _ in limits:
        assert part is None or 0 < part <= most + 1e-5

    return max((part / of for part, _, of in limits if part and of), default=0.0)


@settings(max_examples=200)
@given(swarms())
def test_any_run_can_be_judged(trace: Trace) -> None:
    check(trace)


@settings(max_examples=100)
@given(swarms(), st.sampled_from([0.0, 1000.0]))
def test_any_run_can_be_judged_however_slow_it_is(trace: Trace, factor: float) -> None:
    check(Trace(replace(record, t=record.t * factor) for record in trace))


@settings(max_examples=30)
@given(swarms(prefixes=False))
def test_a_running_agent_is_neither_unused_nor_failed(trace: Trace) -> None:
    for part in prefixes_of(trace):
        state = fold(part)
        open_ = {agent.id for agent in state.agents.values() if agent.ended is None}

        for finding in check(part):
            if finding.kind in {"spurious parallelism", "straggler", "imbalance"}:
                assert open_.isdisjoint(finding.agents)


JOB = st.builds(
    Job,
    task=st.sampled_from([*HOSTILE, "Look into the north.", "Look into the south.", "Sum it up."]),
    result=st.sampled_from([*HOSTILE, "", "It is Okonkwo with 1,450 men", "ok", "a" * 20_001]),
    steps=st.integers(0, 12),
    seconds=st.sampled_from([0.0, 0.5, 3.0]),
    outcome=st.sampled_from(["finished", "finished", "finished", "failed", "cancelled"]),
    name=st.sampled_from(["worker", HOSTILE[5]]),
)


@settings(max_examples=150)
@given(
    st.lists(st.lists(JOB, min_size=1, max_size=5).map(tuple), max_size=6),
    st.sampled_from([PLAIN, *HOSTILE]),
    st.sampled_from(["All done.", "Ask Okonkwo about the 1450.", *HOSTILE]),
    st.integers(0, 400),
)
def test_any_talk_can_be_judged(
    stages: list[tuple[Job, ...]], goal: str, answer: str, cut: int
) -> None:
    trace = conversation(goal, *stages, answer=answer)
    check(trace)
    check(trace[:cut])


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_of_a_models_text_moves_a_terminal(evil: str) -> None:
    for part in prefixes_of(hostile_trace(evil)):
        check(part)

    lost = Job(evil * 50, evil * 50, outcome="failed")
    found = check(conversation(evil, (lost,), answer=evil))
    assert len(found) == 1
    twins = check(conversation(evil, (Job(evil), Job(evil)), answer=evil))
    assert any("same task" in finding.what for finding in twins)


def test_every_kind_of_finding_comes_up_in_these_checks() -> None:
    """Else they would say nothing about it."""
    seen: set[str] = set()

    @settings(max_examples=400, database=None)
    @given(st.lists(st.lists(JOB, min_size=1, max_size=5).map(tuple), max_size=6))
    def look(stages: list[tuple[Job, ...]]) -> None:
        seen.update(f.kind for f in diagnose(conversation(PLAIN, *stages)))

    look()
    assert {"spurious parallelism", "straggler", "imbalance", "context overflow"} <= seen


@pytest.mark.parametrize(
    "trace",
    [
        conversation(PLAIN, *((job,) for job in jobs(3, 5, 4, 4))),
        listing(12),
        bound(3.0, tool=4.0),
        waiting(4.0, fails=2),
    ],
    ids=["one by one", "alone", "orchestrator", "limiter"],
)
def test_so_does_every_other_at_some_time_of_a_run(trace: Trace) -> None:
    assert any(list(map(check, prefixes_of(trace))))
