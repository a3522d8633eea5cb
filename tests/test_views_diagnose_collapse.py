"""Serial collapse is found, and work that had to be done one after the other is not called so."""

from __future__ import annotations

from itertools import pairwise

import pytest
from dialogues import GOAL, PLACES, Job, clean, conversation, jobs, only, stage
from traces import Script

from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.diagnosis.findings import Cost


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


def rounds(*tasks: tuple[str, ...], steps: int = 3) -> Trace:
    return conversation(GOAL, *(tuple(Job(task, steps=steps) for task in team) for team in tasks))


def test_rounds_of_several_that_need_nothing_of_one_another() -> None:
    tasks = [f"Look into the {place}." for place in PLACES]
    teams = zip(tasks[::2], tasks[1::2], strict=True)
    found = only(rounds(*teams), "serial collapse")
    # three rounds of 1 + 3; in one 1 + 3
    assert found.cost == Cost(steps=8, seconds=8.0)
    assert found.agents == ("a01", "a02", "a03", "a04", "a05", "a06")
    assert "in 3 stages one after the other" in found.what
    assert "1 stage would have done" in found.what
    assert "up to 6 at once" in found.advice


@pytest.mark.parametrize("verbs", [("Draft", "Review", "Revise"), ("起草", "审阅", "修改")])
def test_rounds_in_which_each_works_on_what_the_one_before_left(verbs: tuple[str, ...]) -> None:
    parts = ("preface", "glossary", "appendix")
    clean(rounds(*(tuple(f"{verb} the {part}." for part in parts) for verb in verbs)))


def test_rounds_that_a_long_one_would_hold_up_are_not_merged() -> None:
    first, *rest = (Job(f"Look into the {place}.") for place in PLACES)
    curator = first._replace(result="The curator is Okonkwo.")
    last = Job("Ask Okonkwo.", steps=9), Job("Look into the attic.", steps=10)
    found = diagnose(
        conversation(GOAL, (curator, rest[0]), tuple(rest[1:3]), tuple(rest[3:]), last)
    )
    # two stages would do, of 10 and 9 steps; it took 1 + 1 + 1 + 10
    assert "serial collapse" not in {finding.kind for finding in found}


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


def one_by_one(goal: str, *tasks: str) -> Trace:
    return conversation(goal, *((Job(task, "Done; the tests pass.", steps=5),) for task in tasks))


@pytest.mark.parametrize("goal", ["Write a small Lisp.", "Write a Lisp: tokenizer, parser, shell."])
def test_what_is_built_on_what_another_built_waits_for_it(goal: str) -> None:
    tasks = [
        "Implement the tokenizer in Python.",
        "Implement the parser on top of the tokenizer.",
        "Implement the evaluator on top of the parser.",
        "Write the shell around the evaluator.",
    ]
    clean(one_by_one(goal, *tasks))
    alike = (f"Implement the {part}." for part in ("tokenizer", "parser", "evaluator", "shell"))
    found = only(one_by_one(goal, *alike), "serial collapse")
    assert "1 stage would have done" in found.what


def test_what_is_built_on_what_another_built_waits_for_it_in_chinese_too() -> None:
    tasks = [
        "实现词法分析器。",
        "在词法分析器的基础上实现语法分析器。",
        "在语法分析器的基础上实现求值器。",
    ]
    clean(one_by_one("写一个小型的Lisp解释器。", *tasks))


def test_a_file_that_the_first_writes_goes_through_all_who_name_it() -> None:
    tasks = [
        "Write an article on heat pumps and save it as article.md.",
        "Proofread article.md and mend it in place.",
        "Translate article.md into Chinese.",
        "Lay article.md out as a page.",
    ]
    clean(one_by_one("Write a bilingual article.", *tasks))
    read = [f"Find the {what} in article.md." for what in ("typos", "figures", "claims", "names")]
    only(one_by_one("Check what is there.", *read), "serial collapse")


def test_words_that_prompts_share_by_chance_hide_no_collapse() -> None:
    tasks = [
        "Investigate solid-state batteries: Toyota, density, cost. 300 words with citations.",
        "Investigate sodium-ion batteries: CATL, supply, cold weather. 300 words, five sources.",
        "Look into iron phosphate: patents, blade cells, safety, prices. 300 words.",
        "Study flow batteries for the grid: vanadium prices, membranes. 300 words with citations.",
        "Examine recycling: hydrometallurgy, regulation, second life. 300 words with citations.",
    ]
    found = only(one_by_one("Write an overview of storage.", *tasks), "serial collapse")
    assert found.cost.steps is not None
    assert found.cost.steps >= 10


def test_the_same_call_again_after_each_change_could_not_be_foreseen() -> None:
    def run(command: str) -> Trace:
        script = Script(goal="Mend the failing tests.")
        main = script.orchestrator()

        for n in range(9):
            main.step(3.0, tools=(("run", {"command": command.format(n)}, 5.0),))
            main.step(4.0, tools=(("edit", {"new": f"def handler_{n}(): pass"}, 0.1),))

        main.step(said="Mended.").end()
        return script.end()

    clean(run("pytest -q tests"))
    only(run("pytest -q tests --part {}"), "serial collapse")
