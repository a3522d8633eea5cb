"""Sub-agents whose work came to nothing are found, and no others."""

from __future__ import annotations

import pytest
from dialogues import GOAL, PLACES, Job, clean, conversation, jobs, only, stage
from traces import Script

from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.diagnosis.findings import Cost

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
        (Job("Do it all.", seconds=0.9), Job("Say hello.", seconds=0.2)),
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


def translated(answer: str, *told: str) -> Trace:
    """Six cities in English: four results with figures, two in plain words of their own."""
    cities = ("Vienna", "Paris", "Madrid", "London", "Florence", "Athens")
    row = (Job(f"Research the museums of {c}.", t) for c, t in zip(cities, told, strict=True))
    return conversation("Report on the museums of six cities.", tuple(row), answer=answer)


def test_a_result_that_was_translated_is_not_called_unused() -> None:
    told = (
        "Admission is 21.50 euros; 1,734,512 came; opened late.",
        "Admission is 22.25 euros; 8,737,050 came; crowded halls.",
        "Admission is 15.75 euros; 3,457,057 came; quiet mornings.",
        "Admission is 17.25 euros; 6,479,952 came; helpful staff.",
        "Galleries impress through renaissance painting; visitors praise light, dislike queues.",
        "Antiquity dominates: sculptures, ceramics, jewellery; guides explain mythology.",
    )
    figures = "门票21.50欧元，1734512人；22.25欧元，8737050人；15.75欧元，3457057人；17.25欧元。"
    clean(translated(figures + "画廊以文艺复兴绘画闻名，游客称赞光线；古代雕塑和神话。", *told))
    english = "Admission 21.50, 22.25, 15.75 and 17.25 euros; 1,734,512 and 8,737,050 came."
    found = only(translated(english, *told), "spurious parallelism")
    assert found.agents == ("a05", "a06")
    assert "ranking" in found.advice


def test_one_and_several_are_told_apart_in_words() -> None:
    twice = (Job("Solve the puzzle."), Job("Solve the puzzle."))
    found = only(conversation(GOAL, twice), "spurious parallelism")
    assert "1 sub-agent (a02) had the same task as 1 other (a01)" in found.what
    assert "unless several tries" in found.advice
    pair = (Job("Write a poem.", steps=2, seconds=9.0), Job("Find a title."))
    found = only(split(pair, 6.0), "spurious parallelism")
    assert found.what.startswith("a01 worked 18.0 s and the other of its stage 1.0 s, no more")
    found = only(split((*pair, Job("Find a motto.", seconds=0.2)), 6.0), "spurious parallelism")
    assert "the 2 others together of its stage 1.2 s" in found.what
