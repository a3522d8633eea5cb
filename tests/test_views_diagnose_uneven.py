"""Stages that waited for few are found, with the reason, and no others."""

from __future__ import annotations

import random

import pytest
from dialogues import GOAL, PLACES, Job, clean, conversation, jobs, only
from traces import Actor, Script, chains

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.diagnosis.findings import Cost


def test_a_straggler_that_took_more_steps() -> None:
    found = only(conversation(GOAL, jobs(6, 30, 4, 7)), "straggler")
    assert found.agents == ("a02",)
    assert found.cost == Cost(steps=23, seconds=23.0)
    assert "it took 30 steps, the others 6" in found.what


def test_twice_the_median_is_no_straggler_yet() -> None:
    only(conversation(GOAL, jobs(10, 10, 10, 21)), "straggler")
    only(conversation(GOAL, jobs(10, 10, 10, 20)), "imbalance")
    clean(conversation(GOAL, jobs(10, 10, 10, 17)))


def team_with(slow: Actor, main: Actor, subs: list[Actor]) -> Trace:
    for sub in subs:
        if sub is not slow:
            for _ in range(3):
                sub.step(2.0)

        sub.end("done")

    main.join(subs)
    main.step().end()
    return main.script.end()


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ({"seconds": 10.0}, "its calls were slower, 10.0 s a step beside 2.0 s"),
        ({"seconds": 2.0, "tools": (("run", {}, 8.0),)}, "its tools ran 24.0 s beside 0.0 s"),
        ({"seconds": 2.0, "fails": ((8.0, 0.0),)}, "3 attempts failed, which took 24.0 s"),
    ],
)
def test_why_a_straggler_was_slow(cause: dict[str, object], why: str) -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:4]))

    for _ in range(3):
        subs[1].step(**cause)  # type: ignore[arg-type]

    found = only(team_with(subs[1], main, subs), "straggler")
    assert why in found.what
    assert found.cost.steps is None
    assert found.cost.seconds in {18.0 if "seconds" not in cause else 24.0, 24.0}


def test_a_wait_that_is_a_finding_already_makes_no_straggler() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:4]))
    subs[1].step(2.0, queued=30.0).step(2.0).step(2.0)
    found = only(team_with(subs[1], main, subs), "limiter-bound")
    assert found.agents == ("a02",)
    assert found.cost == Cost(seconds=30.0)


def test_a_straggler_beside_another_wait_is_a_finding_of_its_own() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(1.0, queued=20.0)
    subs = main.assign(list(PLACES[:4]))
    subs[1].step(10.0).step(10.0).step(10.0)
    found = diagnose(team_with(subs[1], main, subs))
    assert [f.kind for f in found] == ["straggler", "limiter-bound"]


def test_a_wait_on_the_path_that_is_no_finding_may_make_a_straggler() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(200.0)
    subs = main.assign(list(PLACES[:4]))
    subs[1].step(2.0, queued=30.0).step(2.0).step(2.0)
    kinds = {f.kind for f in diagnose(team_with(subs[1], main, subs))}
    assert "limiter-bound" in kinds
    assert "straggler" not in kinds


def test_a_straggler_that_cost_little_is_none() -> None:
    clean(conversation(GOAL, jobs(1, 1, 1, 4, seconds=0.3)))
    only(conversation(GOAL, jobs(1, 1, 1, 5)), "straggler")
    clean(conversation(GOAL, jobs(80, 80, 80), jobs(3, 3, 3, 12)))
    only(conversation(GOAL, jobs(60, 60, 60), jobs(3, 3, 3, 12)), "straggler")


def test_a_straggler_beside_the_critical_path_is_none() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:4]))

    for sub, steps in zip(subs, (3, 30, 3, 3), strict=True):
        for _ in range(steps):
            sub.step()

        sub.end()

    main.step(60.0, tools=(("run", {}, 0.0),))  # it did not wait
    main.end()
    kinds = {f.kind for f in diagnose(script.end())}
    assert "straggler" not in kinds


def test_an_uneven_stage() -> None:
    found = only(conversation(GOAL, jobs(6, 30, 24, 7)), "imbalance")
    assert found.agents == ("a01", "a02", "a03", "a04")
    # the mean is 16.75: a stage that is dealt out evenly takes 17 steps
    assert found.cost == Cost(steps=13, seconds=13.25)


def test_more_than_a_third_of_a_stage_are_no_stragglers() -> None:
    only(conversation(GOAL, jobs(6, 6, 6, 30, 30)), "imbalance")
    assert only(conversation(GOAL, jobs(6, 6, 6, 6, 30, 30)), "straggler").agents == ("a05", "a06")


def test_half_as_much_again_as_the_mean_is_even_enough() -> None:
    clean(conversation(GOAL, jobs(10, 30)))
    only(conversation(GOAL, jobs(9, 30)), "imbalance")


def slower(seconds: float = 9.6, written: int = 50, *, fails: bool = False) -> Trace:
    """Four that take three steps each, the second of them these."""
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:4]))

    for sub in subs:
        slow = sub is subs[1]

        for _ in range(3):
            sub.step(seconds if slow else 5.0, tokens=(100, written if slow else 50, 50))

        sub.end(outcome="failed" if slow and fails else "finished")

    main.join(subs)
    main.step().end()
    return script.end()


def test_slower_calls_for_the_same_work_make_no_stage_uneven() -> None:
    clean(slower())
    only(slower(10.1), "straggler")


def test_longer_answers_make_a_stage_uneven() -> None:
    assert only(slower(written=100), "imbalance").agents == ("a01", "a02", "a03", "a04")
    clean(slower(written=90))  # 1.5 times their mean


def dealt(draw: random.Random, *, each: float, token: float, most: int) -> Trace:
    """Fifty that take two to four steps, each of some `each` seconds and `token` a token more.

    They write 100 tokens or so, the last one `most`.
    """
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign([f"Look into {n}." for n in range(50)])

    for sub in subs:
        written = most if sub is subs[-1] else round(draw.uniform(60, 200))
        steps = 4 if sub is subs[-1] else draw.randint(2, 4)

        for step in range(steps):
            out = written if step == steps - 1 else 10
            spent = each * draw.lognormvariate(0.0, 0.4) + token * out
            sub.step(spent, tokens=(100, out, 50))

        sub.end("done")

    main.join(subs)
    main.step().end()
    return script.end()


def test_slow_calls_are_chance_also_for_one_that_wrote_more_where_writing_takes_no_time() -> None:
    draw = random.Random(1)
    found = [f for _ in range(40) for f in diagnose(dealt(draw, each=1.0, token=0.0, most=240))]
    assert [f for f in found if f.kind == "imbalance"] == []


def test_who_has_more_to_write_makes_a_stage_uneven_where_writing_takes_time() -> None:
    draw = random.Random(2)
    found = [f for _ in range(10) for f in diagnose(dealt(draw, each=0.5, token=0.03, most=260))]
    assert [f.kind for f in found] == ["imbalance"] * 10


def test_one_that_was_slow_and_failed_makes_a_stage_uneven() -> None:
    (found,) = (f for f in diagnose(slower(fails=True)) if f.kind == "imbalance")
    assert "it failed in the end" in found.what


def test_a_plan_has_no_stages_that_wait() -> None:
    clean(chains((30,), (3,), (3,), (3,)))


def test_a_stage_in_which_somebody_still_works_is_not_judged() -> None:
    trace = conversation(GOAL, jobs(6, 30, 4, 7))
    ended = next(r.seq for r in trace if r.agent == "a02" and isinstance(r.fact, e.AgentEnded))
    clean(trace[:ended])
    assert [f.kind for f in diagnose(trace[: ended + 1])] == ["straggler"]


def test_a_stage_whose_last_began_late_and_still_works_is_not_judged() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.begin()
    places = [(0.5, 3.0), (0.5, 30.0), (0.5, 3.0), (25.0, 0.0)]
    subs = [
        script.actor(t, task=f"Look into {n}.", parent=main.id, stage=1, call=n)
        for n, (t, _) in enumerate(places)
    ]

    for sub, (_, spent) in zip(subs[:3], places, strict=False):
        sub.step(spent).end("done")

    subs[3].begin()
    main.t = 31.0
    main._turn([], "", (1, 1, 0))
    assert {f.kind for f in diagnose(script.trace())} == {"orchestrator-bound"}


def test_what_was_slow_because_attempts_failed_is_not_to_be_dealt_out() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:6]))

    for sub in subs[1:]:
        sub.step(3.0).step(3.0).end("done")

    subs[0].step(3.0, fails=((4.0, 1.0),)).step(3.0).end("done")
    main.join(subs)
    main.step(said="Done.").end()
    found = only(script.end(), "imbalance")
    assert "the barrier cost 4.2 s: 1 attempt failed, which took 4.0 s." in found.what
    assert "why its attempts failed" in found.advice


def test_one_that_failed_after_long_is_not_asked_for_shorter_answers() -> None:
    slow = Job("Look into the harbour.", "It broke.", seconds=20.0, outcome="failed")
    again = Job("Look into the harbour.", "12 ships.", seconds=1.0)
    found = only(conversation(GOAL, (*jobs(1, 1, 1), slow), (again,)), "straggler")
    assert found.what.endswith("waited 19.0 s: it failed in the end.")
    assert "See why it failed" in found.advice
