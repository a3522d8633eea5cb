"""Each kind of finding in a trace made for it, and nothing in its twin just below the threshold."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from dialogues import Job, conversation, stage
from traces import Actor, Script, chains, staged

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import Diagnosis, Finding, diagnose
from kimi_nb.views.findings import KINDS, MOST_RECORDS, Cost

GOAL = "Compare the museums of the town."
PLACES = ("north", "south", "west", "east", "centre", "harbour")


def jobs(*steps: int, seconds: float = 1.0) -> tuple[Job, ...]:
    """Sub-agents with a place each, which take so many steps."""
    return tuple(
        Job(f"Look into the {place}.", steps=n, seconds=seconds)
        for place, n in zip(PLACES, steps, strict=False)
    )


def only(trace: Trace, kind: str) -> Finding:
    """The one finding about a trace."""
    found = diagnose(trace)
    assert [f.kind for f in found] == [kind], found
    _sound(trace, found)
    return found[0]


def clean(trace: Trace) -> None:
    found = diagnose(trace)
    assert not found, found


def _sound(trace: Trace, found: Diagnosis) -> None:
    for finding in found:
        assert finding.records
        assert list(finding.records) == sorted(set(finding.records))
        assert finding.records[-1] < len(trace)
        assert set(finding.agents) <= {record.agent for record in trace}
        assert {trace[n].agent for n in finding.records} <= set(finding.agents)
        assert finding.what.endswith(".")
        assert finding.advice.endswith(".")
        assert finding.kind in KINDS


@pytest.mark.parametrize(
    "trace",
    [
        staged((), (6, 9, 4, 7), ()),
        staged((), (7, 7, 6, 6), ()),
        staged((), (), ()),
        staged((), (1,), ()),
        chains((1, 9), (9, 1)),
        chains((1,), (50,)),
        Trace(),
    ],
)
def test_nothing_is_found_in_the_clean_worked_examples(trace: Trace) -> None:
    clean(trace)
    assert repr(diagnose(trace)).startswith("No finding")


# Serial collapse.


def test_one_by_one_assignments_that_need_nothing_of_one_another() -> None:
    trace = conversation(GOAL, *((job,) for job in jobs(3, 5, 4)))
    found = only(trace, "serial collapse")
    assert found.agents == ("a01", "a02", "a03")
    # three stages of 1 + 3, 1 + 5 and 1 + 4 steps; in one stage 1 + 5
    assert found.cost == Cost(steps=9, seconds=9.0)
    assert "3 sub-agents" in found.what
    assert "1 stage " in found.what


def test_two_in_a_row_may_be_an_afterthought() -> None:
    clean(conversation(GOAL, *((job,) for job in jobs(9, 9))))


def test_what_one_needs_of_another_counts_in_a_row() -> None:
    first, *rest = jobs(3, 3, 3, 3)
    first = first._replace(result="The curator is Okonkwo.")
    found = only(conversation(GOAL, (first,), *((job,) for job in rest)), "serial collapse")
    assert found.cost.steps == 12
    asked = rest[0]._replace(task="Ask Okonkwo about the south.")
    found = only(
        conversation(GOAL, (first,), (asked,), *((job,) for job in rest[1:])), "serial collapse"
    )
    # a02 has to wait for a01: two stages of the four are too many, two of 1 + 3 are left
    assert found.cost == Cost(steps=8, seconds=8.0)


def test_a_chain_in_which_each_needs_the_one_before_is_clean() -> None:
    names = ("Okonkwo", "Wilhelmina", "Thurso", "Rotterwald")
    row = [Job("Who is the curator?", f"It is {names[0]}.", 5)]
    row += [Job(f"Who comes before {a}?", f"It was {b}.", 5) for a, b in pairwise(names)]
    clean(conversation(GOAL, *((job,) for job in row)))


def test_a_doubt_is_enough_to_say_nothing() -> None:
    first, second, third = jobs(5, 5, 5)
    first = first._replace(result="the roof leaks")
    second = second._replace(task="Look into the leaking south.")
    clean(conversation(GOAL, (first,), (second,), (third,)))


@pytest.mark.parametrize(
    "tasks",
    [
        ("Write report.md.", "Check report.md.", "Print it."),
        ("Run the checks.", "Mend the roof.", "Run the checks."),
    ],
)
def test_what_may_build_on_files_that_another_left_is_not_called_independent(
    tasks: tuple[str, ...],
) -> None:
    clean(conversation(GOAL, *((Job(task, steps=5),) for task in tasks)))


def test_a_file_that_all_of_a_row_name_or_the_goal_does_is_nobodys() -> None:
    row = [Job(f"Read north.csv for the {place}.", steps=5) for place in PLACES[:3]]
    only(conversation(GOAL, *((job,) for job in row)), "serial collapse")
    row[2] = Job("Look into the rest.", steps=5)
    clean(conversation(GOAL, *((job,) for job in row)))
    only(conversation("See north.csv and the rest.", *((job,) for job in row)), "serial collapse")


def test_a_turn_of_own_tools_in_between_may_have_been_needed() -> None:
    def trace(*, tools: bool) -> Trace:
        script = Script(goal=GOAL)
        main = script.orchestrator()

        for job in jobs(4, 4, 4):
            stage(main, job)
            main.step(tools=(("read_file", {"path": "x"}, 0.1),) if tools else ())

        main.end()
        return script.end()

    clean(trace(tools=True))
    only(trace(tools=False), "serial collapse")


def test_who_comes_after_a_failure_may_make_up_for_it() -> None:
    row = list(jobs(3, 3, 3))
    row[1] = row[1]._replace(outcome="failed", result="HTTP 500")
    found = diagnose(conversation(GOAL, *((job,) for job in row)))
    assert "serial collapse" not in {f.kind for f in found}


def test_a_stage_of_several_ends_a_row() -> None:
    a, b, c, d, e, f = jobs(4, 4, 4, 4, 4, 4)
    clean(conversation(GOAL, (a,), (b,), (c, d), (e,), (f,)))


def listing(turns: int, *, chained: bool = False, mode: str = "orchestrator") -> Trace:
    """One agent that lists files and then reads them, a turn each."""
    script = Script(goal="Sum up the files.")
    main = script.orchestrator(role=mode)
    names = [f"part-{n}.txt" for n in range(1, turns + 1)]
    main.step(tools=(("list_files", {}, 0.0),))
    main.returned(0, main.t, text=names[0] if chained else "\n".join(names))

    for name, after in zip(names, [*names[1:], "the end"], strict=True):
        main.step(2.0, tools=(("read_file", {"path": name}, 1.0),))
        main.returned(0, main.t, text=f"see {after}" if chained else "plain words")

    main.step(said="All read.")
    main.end("All read.")
    return script.end("All read.")


def test_an_orchestrator_that_did_by_itself_what_it_could_have_given_away() -> None:
    found = only(listing(10), "serial collapse")
    assert found.agents == ("a00",)
    assert len(found.records) == 10
    # ten turns of 3 s; side by side one turn to launch and two of a sub-agent
    assert found.cost == Cost(steps=7, seconds=21.0)


def test_a_small_job_needs_no_sub_agents() -> None:
    clean(listing(7))
    only(listing(8), "serial collapse")


def test_calls_that_build_on_the_one_before_could_not_go_side_by_side() -> None:
    clean(listing(18, chained=True))


def test_calls_that_nobody_could_foresee_could_not_go_side_by_side() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()

    for i in range(12):
        main.step(2.0, tools=(("python", {"code": f"step_{i}()"}, 1.0),))

    main.end()
    clean(script.end())


@pytest.mark.parametrize("both", [False, True])
def test_a_turn_had_to_wait_for_the_latest_of_what_it_asked_for(*, both: bool) -> None:
    script = Script(goal="Read " + ", ".join(f"part-{i}.txt" for i in range(12)))
    main = script.orchestrator()

    for i in range(12):
        calls = [("read_file", {"path": f"part-{i}.txt"}, 1.0)]
        calls += [("read_file", {"path": f"note-{i}.md"}, 1.0)] if both else []
        main.step(2.0, tools=tuple(calls))
        main.returned(0, main.t, text=f"see note-{i + 1}.md")

    main.end()
    found = diagnose(script.end())
    assert bool(found) is not both


def test_an_orchestrator_that_launched_somebody_did_not_do_all_by_itself() -> None:
    script = Script(goal="Read " + ", ".join(f"part-{i}.txt" for i in range(12)))
    main = script.orchestrator()

    for i in range(12):
        main.step(2.0, tools=(("read_file", {"path": f"part-{i}.txt"}, 1.0),))

    stage(main, *jobs(1))
    main.end()
    assert not diagnose(script.end())


def test_to_set_up_a_team_is_no_work_of_its_own() -> None:
    script = Script(goal="Ask " + ", ".join(f"reader-{i}" for i in range(12)))
    main = script.orchestrator()

    for i in range(12):
        main.step(2.0, tools=(("create_subagent", {"name": f"reader-{i}"}, 0.0),))

    main.end()
    clean(script.end())


def test_a_single_agent_was_asked_to_work_alone() -> None:
    clean(listing(18, mode="single"))


# Spurious parallelism.

FACTS = (
    "The northern hall holds 1,450 visitors; Wilhelmina founded it; it closes at dusk.",
    "Southbank sells 870 tickets on weekdays, mostly to pupils, says curator Okonkwo.",
    "Westgate lost its roof during storm Ciarán; repairs cost 2.3 million until autumn.",
    "Eastfield is a former brewery with 61,000 exhibits, run by volunteers from Thurso.",
)
TOLD = tuple(job._replace(result=fact) for job, fact in zip(jobs(3, 3, 3, 3), FACTS, strict=True))
USED = "Wilhelmina founded one for 1450; Okonkwo sells 870; Ciarán cost 2.3 million."


def test_a_result_that_nobody_used() -> None:
    found = only(conversation(GOAL, TOLD, answer=USED), "spurious parallelism")
    assert found.agents == ("a04",)
    assert found.cost == Cost(steps=3, seconds=3.0, tokens=360)
    assert "turns up in" in found.what


def test_a_result_of_which_one_name_is_used_is_used() -> None:
    clean(conversation(GOAL, TOLD, answer=USED + " Volunteers came from Thurso."))


@pytest.mark.parametrize("status", ["cancelled", "over_budget", "failed", "partial"])
def test_a_run_that_was_stopped_had_no_time_to_use_its_results(status: str) -> None:
    trace = conversation(GOAL, TOLD, answer=USED)
    ended = trace[-1]
    stopped = e.RunEnded(status=status, answer=USED, why="stopped")
    clean(Trace([*trace[:-1], type(ended)(ended.seq, ended.t, "", stopped)]))
    clean(trace[:-1])


def test_two_sub_agents_with_one_task() -> None:
    team = (*jobs(3, 3), Job("Please look into the NORTH!", steps=4))
    found = only(conversation(GOAL, team), "spurious parallelism")
    assert found.agents == ("a01", "a03")
    assert found.cost == Cost(steps=4, seconds=4.0, tokens=480)
    assert "same task" in found.what


def test_a_copy_that_nobody_used_is_said_once() -> None:
    other = FACTS[3].replace("Eastfield", "Northwick").replace("Thurso", "Wick")
    found = diagnose(conversation(GOAL, (*TOLD, TOLD[3]._replace(result=other)), answer=USED))
    assert sorted(f.agents for f in found) == [("a04",), ("a04", "a05")]


def test_a_copy_with_the_same_result_is_said_once() -> None:
    text = " ".join(f"{a}{b}{c}ul" for a in "bdfgkm" for b in "aeiou" for c in "ns")
    twin = Job("Look into the north.", text)
    only(conversation(GOAL, (twin, twin)), "spurious parallelism")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Job("Check chapter 3."), Job("Check chapter 4.")),
        (Job("Check part A."), Job("Check part B.")),
        (Job("Translate C into C++"), Job("Translate C++ into C")),
        (Job("检查第三章。"), Job("检查第四章。")),
        (Job("Judge it.", name="optimist"), Job("Judge it.", name="pessimist")),
        (Job("Judge it.", "HTTP 500", outcome="cancelled"), Job("Judge it.")),
    ],
)
def test_tasks_that_differ_in_one_sign_are_two(first: Job, second: Job) -> None:
    clean(conversation(GOAL, (first, second)))


def test_the_same_task_in_a_later_stage_is_another() -> None:
    clean(conversation(GOAL, jobs(2, 2), jobs(2, 2)))


def test_the_same_prompt_after_other_tasks_of_a_plan_is_another() -> None:
    def trace(*, apart: bool) -> Trace:
        script = Script(goal=GOAL)
        before = [script.plan(f"t{i}", 2) for i in range(2)]

        for i in range(2):
            after = (before[i if apart else 0],)
            script.actor(before[0].t, name=f"sum{i}", task="Sum it up.", after=after).step().end()

        return script.end()

    clean(trace(apart=True))
    only(trace(apart=False), "spurious parallelism")


def test_two_results_that_are_nearly_the_same() -> None:
    def trace(one: str, other: str) -> Trace:
        first, second = jobs(3, 3)
        return conversation(GOAL, (first._replace(result=one), second._replace(result=other)))

    text = " ".join(f"{a}{b}{c}ul" for a in "bdfgkm" for b in "aeiou" for c in "ns")
    found = only(trace(text, text + " and Okonkwo."), "spurious parallelism")
    assert found.agents == ("a01", "a02")
    assert "nearly the same" in found.what
    words = text.split()
    clean(trace(text, " ".join([*words[:50], *(word + "x" for word in words[50:])])))
    clean(trace(" ".join(words[:29]), " ".join(words[:29])))


def test_results_that_only_repeat_their_tasks_are_not_nearly_the_same() -> None:
    text = " ".join(f"{a}{b}{c}ul" for a in "bdfgkm" for b in "aeiou" for c in "ns")
    team = tuple(Job(f"Look into the {p}: {text}", f"{p}: {text}") for p in PLACES[:2])
    clean(conversation(GOAL, team))


def test_a_sub_agent_that_reported_nothing() -> None:
    first, second = jobs(3, 3)
    found = only(
        conversation(GOAL, (first, second._replace(result=" …\n"))), "spurious parallelism"
    )
    assert found.agents == ("a02",)
    assert "nothing to report" in found.what
    clean(conversation(GOAL, (first, second._replace(result="no"))))


def test_a_failed_sub_agent_whose_place_no_other_took() -> None:
    first, second = jobs(3, 3)
    lost = second._replace(outcome="failed", result="HTTP 500: out of order")
    found = only(conversation(GOAL, (first, lost)), "spurious parallelism")
    assert found.agents == ("a02",)
    assert "out of order" in found.what
    assert found.cost == Cost(steps=3, seconds=3.0, tokens=360)


@pytest.mark.parametrize("task", ["Look into the south.", "Once more: what about the SOUTH?"])
def test_a_failed_sub_agent_whose_place_another_took_is_no_finding(task: str) -> None:
    first, second = jobs(3, 3)
    lost = second._replace(outcome="failed", result="HTTP 500: out of order")
    clean(conversation(GOAL, (first, lost), (Job(task, steps=3),)))


def test_a_failure_may_still_be_made_up_for_while_the_run_goes_on_or_was_stopped() -> None:
    first, second = jobs(3, 3)
    trace = conversation(GOAL, (first, second._replace(outcome="failed", result="HTTP 500")))
    clean(trace[:-1])
    stopped = e.RunEnded(status="cancelled", answer="", why="stopped")
    clean(Trace([*trace[:-1], type(trace[-1])(trace[-1].seq, trace[-1].t, "", stopped)]))
    partial = e.RunEnded(status="partial", answer="", why="one failed")
    only(
        Trace([*trace[:-1], type(trace[-1])(trace[-1].seq, trace[-1].t, "", partial)]),
        "spurious parallelism",
    )


def test_two_that_failed_at_one_task_are_replaced_by_one() -> None:
    lost = Job("Look into the north.", "HTTP 500", outcome="failed")
    clean(conversation(GOAL, (lost, lost), (Job("Look into the north."),)))


def test_only_what_a_failed_task_alone_was_about_tells_who_took_its_place() -> None:
    hall = "Check all exhibits of hall {} in the old town museum."
    lost = Job(hall.format(4), "HTTP 500", outcome="failed")
    team = (Job(hall.format(3)), lost)
    only(conversation(GOAL, team, (Job(hall.format(5)),)), "spurious parallelism")
    clean(conversation(GOAL, team, (Job("Hall 4 once more."),)))


def test_another_that_began_before_it_or_had_another_task_takes_no_place() -> None:
    north, south, west = jobs(3, 3, 3)
    lost = south._replace(outcome="failed", result="HTTP 500")
    only(conversation(GOAL, (south,), (north, lost)), "spurious parallelism")
    only(conversation(GOAL, (north, lost), (west,)), "spurious parallelism")


def test_a_split_that_saved_no_time() -> None:
    team = (Job("Do it all.", steps=20), Job("Say hello.", seconds=0.2), Job("Wave.", seconds=0.2))
    found = only(split(team, seconds=1.0), "spurious parallelism")
    assert found.agents == ("a01", "a02", "a03")
    assert found.cost == Cost(steps=2, seconds=0.4, tokens=240)
    assert "saved no time" in found.what


@pytest.mark.parametrize(
    "team",
    [
        (Job("Do it all.", steps=20), Job("Say hello.", seconds=0.4), Job("Wave.", seconds=0.4)),
        (Job("Do it all.", steps=20), Job("Say hello.", steps=2, seconds=0.1)),
        (Job("Do it all.", steps=4), Job("Say hello.", seconds=0.2)),
    ],
)
def test_a_split_that_saved_some_is_none(team: tuple[Job, ...]) -> None:
    found = diagnose(split(team, seconds=1.0))
    assert "spurious parallelism" not in {f.kind for f in found}


def test_the_tools_of_a_turn_are_no_part_of_what_it_took_to_launch() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(["north", "south"])
    began = next(f for _, a, f in script.facts if a == main.id and isinstance(f, e.StepEnded))
    place = [f for _, _, f in script.facts].index(began)
    script.facts.insert(place, (1.0, main.id, main.called(2, "run", "{}")))

    for sub, steps in zip(subs, (20, 1), strict=True):
        for _ in range(steps):
            sub.step()

        sub.end("done")

    main.returned(2, 20.0)
    main.join(subs)
    main.step().end()
    kinds = {f.kind for f in diagnose(script.end())}
    assert "spurious parallelism" not in kinds


def split(team: tuple[Job, ...], seconds: float) -> Trace:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step()
    stage(main, *team, seconds=seconds)
    main.step().end()
    return script.end()


# Stragglers and imbalance.


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
    clean(conversation(GOAL, jobs(1, 1, 1, 5)))
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


# What else held it up.


def bound(turn: float, *, tool: float = 0.0, idle: int = 2) -> Trace:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(turn)
    stage(main, *jobs(10, 10), seconds=turn)

    for _ in range(idle):
        main.step(turn, tools=(("run", {}, tool),) if tool else ())

    main.step(turn).end()
    return script.end()


def test_an_orchestrator_that_took_most_of_the_time() -> None:
    found = only(bound(3.0), "orchestrator-bound")
    assert found.agents == ("a00",)
    assert found.cost == Cost(steps=2, seconds=6.0, tokens=240)
    assert "15.0 s of 25.0 s (60%)" in found.what
    assert "single agent" in found.advice


def test_an_orchestrator_whose_own_tools_took_most_of_the_time() -> None:
    found = only(bound(1.0, tool=5.0), "orchestrator-bound")
    assert found.cost.seconds == 12.0
    assert "10.0 s of it tools" in found.what
    assert "call those tools" in found.advice


def test_half_the_time_is_not_most_of_it() -> None:
    clean(bound(2.0))


def test_a_short_run_is_bound_by_nobody() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(2.0)
    stage(main, *jobs(2, 2), seconds=2.0)
    main.step(2.0).step(2.0).end()
    clean(script.end())


def test_an_orchestrator_without_sub_agents_holds_up_nobody() -> None:
    clean(staged(*[()] * 40))


def waiting(
    queued: float, *, fails: int = 0, error: str = "RateLimited", wait: float = 0.0
) -> Trace:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:2]))

    for sub in subs:
        sub.step(5.0, queued=queued, fails=((0.0, wait),) * fails)
        sub.step(5.0, queued=queued).end("done")

    main.join(subs)
    main.step().end()
    trace = script.end()
    records = (
        type(r)(r.seq, r.t, r.agent, _with(r.fact, error))
        if isinstance(r.fact, e.StepRetried)
        else r
        for r in trace
    )
    return Trace(records)


def _with(fact: e.StepRetried, error: str) -> e.StepRetried:
    return e.StepRetried(
        step=fact.step, attempt=fact.attempt, error=error, why=fact.why, wait=fact.wait
    )


def test_waiting_for_the_limiter() -> None:
    found = only(waiting(4.0, fails=2), "limiter-bound")
    assert found.cost == Cost(seconds=8.0)
    assert len(found.agents) == 1
    assert "8.0 s of 20.0 s (40%)" in found.what
    assert "8.0 s in the queue and 0.0 s after failed attempts" in found.what
    assert "refused 4 calls" in found.what
    assert "tier" in found.advice


def test_waiting_because_too_many_are_out_at_once() -> None:
    found = only(waiting(4.0, fails=2, error="Overloaded"), "limiter-bound")
    assert "fewer sub-agents at once" in found.advice
    assert "tier" not in found.advice


def test_waiting_after_attempts_that_failed_otherwise() -> None:
    found = only(waiting(0.0, fails=2, error="ServerFault", wait=4.0), "limiter-bound")
    assert found.cost == Cost(seconds=8.0)
    assert "0.0 s in the queue and 8.0 s after failed attempts" in found.what
    assert "why the attempts failed" in found.advice


def test_a_short_wait_is_no_finding() -> None:
    clean(waiting(2.4))
    clean(conversation(GOAL, *(" " for _ in range(80))))


def test_a_wait_beside_the_critical_path_is_no_finding() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:2]))
    subs[0].step(8.0, queued=12.0).end("done")
    subs[1].step(11.0).step(11.0).end("done")
    main.join(subs)
    main.step().end()
    clean(script.end())


# Context overflow.


@pytest.mark.parametrize(
    "why",
    [
        "HTTP 400 invalid_request_error: Your request exceeded model token limit: 8192",
        "HTTP 400: This model's maximum context length is 32768 tokens",
        "HTTP 400: the input is too long for this model",
        "HTTP 400: prompt is too long: 300000 tokens",
        "thinking used up the 4096 tokens of an answer; raise max_tokens",
        "HTTP 400: 输入超出了模型的上下文长度",
    ],
)
def test_a_sub_agent_that_failed_because_its_prompt_or_answer_did_not_fit(why: str) -> None:
    first, second = jobs(3, 3)
    lost = second._replace(outcome="failed", result=why)
    found = only(conversation(GOAL, (first, lost)), "context overflow")
    assert found.agents == ("a02",)
    assert found.cost == Cost(steps=3, seconds=3.0, tokens=360)


@pytest.mark.parametrize(
    "why",
    [
        "one call reserves 9,000 tokens, more than a minute holds: give fewer max_tokens",
        "HTTP 401: the key is wrong",
        "did not finish within its 50 steps",
    ],
)
def test_other_failures_are_no_overflow(why: str) -> None:
    first, second = jobs(3, 3)
    lost = second._replace(outcome="failed", result=why)
    only(conversation(GOAL, (first, lost)), "spurious parallelism")


def test_a_result_about_windows_is_no_overflow() -> None:
    first, second = jobs(3, 3)
    clean(conversation(GOAL, (first, second._replace(result="Its context window has 8192."))))


def test_an_orchestrator_whose_window_was_full() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    stage(main, *jobs(2, 2))
    main.step(finish="failed").end("Your request exceeded model token limit: 8192", "failed")
    found = only(script.end(status="failed"), "context overflow")
    assert found.agents == ("a00",)


def test_a_turn_that_was_cut_off_by_its_most_tokens() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    subs = main.assign(list(PLACES[:2]))
    subs[0].step(3.0).end("whole")
    subs[1].step(1.0)
    subs[1].step(2.0, tools=(("run", {}, 1.0),), finish="length", tokens=(70, 30, 0)).end("cut")
    main.join(subs)
    main.step().end()
    trace = script.end()
    found = only(trace, "context overflow")
    assert found.agents == ("a02",)
    assert found.cost == Cost(steps=1, seconds=2.0, tokens=100)
    assert trace[found.records[0]].fact.finish == "length"


def test_a_result_that_was_cut_before_anybody_read_it() -> None:
    def trace(size: int) -> Trace:
        first, second = jobs(3, 3)
        return conversation(GOAL, (first, second._replace(result="a" * size)))

    found = only(trace(20_001), "context overflow")
    assert found.agents == ("a02",)
    assert found.cost == Cost()
    clean(trace(20_000))


# The list.


def test_the_most_costly_comes_first_whatever_it_is_measured_in() -> None:
    first, second, third, fourth = jobs(6, 60, 4, 7)
    small = fourth._replace(outcome="failed", result="HTTP 500")
    found = diagnose(conversation(GOAL, (first, second, third, small)))
    assert [f.kind for f in found] == ["straggler", "spurious parallelism"]
    large = second._replace(outcome="failed", result="HTTP 500")
    found = diagnose(conversation(GOAL, (first, large, third, fourth)))
    assert [f.kind for f in found] == ["spurious parallelism", "straggler"]


def test_rows_are_json() -> None:
    found = diagnose(conversation(GOAL, *((job,) for job in jobs(3, 5, 4))))
    (row,) = json.loads(json.dumps(found.as_rows()))
    assert row["cost"] == {"steps": 9, "seconds": 9.0, "tokens": None}
    assert row["kind"] == "serial collapse"
    assert row["agents"] == ["a01", "a02", "a03"]
    assert row["records"] == list(found[0].records)
    assert row.keys() == {"kind", "agents", "records", "cost", "what", "advice"}


def test_the_text_has_all_that_a_row_has() -> None:
    text = repr(diagnose(conversation(GOAL, *((job,) for job in jobs(3, 5, 4)))))
    assert "1. serial collapse · cost: 9 steps, 9.0 s" in text
    assert "→ Launch" in text
    assert "records 3, " in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_run_that_goes_on_is_judged_so_far() -> None:
    trace = conversation(GOAL, *((job,) for job in jobs(3, 5, 4)))
    assert repr(diagnose(trace[:3])).startswith("No finding so far")
    assert repr(diagnose(trace[:-1])).startswith("1 finding so far")


def test_a_finding_about_many_names_few() -> None:
    team = tuple(Job(f"Look into hall number {i}.", "…", steps=2) for i in range(200))
    found = only(conversation(GOAL, team), "spurious parallelism")
    assert len(found.agents) == 200
    assert len(found.records) == MOST_RECORDS
    assert "a001, a002" in found.what or "a01, a02, a03, a04 and 196 more" in found.what
    assert Diagnosis((found,))[0] is found
