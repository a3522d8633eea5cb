"""Which result flowed into which prompt, told from the words."""

from __future__ import annotations

import pytest
from dialogues import Job, conversation, stage
from hostile import HOSTILE, hostile_trace
from hypothesis import given
from hypothesis import strategies as st
from traces import Script, chains, prefixes_of, staged, swarms

from kimi_nb.events import AgentBegan, AgentEnded, Said
from kimi_nb.trace import Trace
from kimi_nb.views.diagnosis.features import LONGEST, STRONG, WEAK, features
from kimi_nb.views.diagnosis.flow import flow, needs
from kimi_nb.views.diagnosis.ledger import CAPACITY, Ledger

GOAL = "Compare the museums of the town."
HOURS = Job("Find the opening hours of the first museum.", "It opens at 9, closed on Tuesdays.")


def second(task: str, result: str, goal: str = GOAL) -> frozenset[str]:
    """What the sub-agent of a second stage needs of the first, a01."""
    first = Job("Look into the first of them.", result)
    return needs(conversation(goal, (first,), (Job(task),)))["a02"]


@pytest.mark.parametrize(
    ("result", "task"),
    [
        ("The capital is Canberra.", "How many people live in Canberra?"),
        ("There are 1,200 seats.", "Who paid for 1200 seats?"),
        ("There are 1200 seats.", "Who paid for 1.2k seats?"),
        ("There are 1.200 Plätze.", "Who paid for 1200 of them?"),
        ("Es kostet 12,50.", "Is 12.5 a fair price?"),
        ("Revenue was 3,400,000.", "What is behind the 3.4 million?"),
        ("收入是 340万。", "340 万是怎么来的?"),
        ("首都是堪培拉。", "堪培拉有多少人?"),
        ("Столица Канберра.", "Сколько людей живёт в Канберре?"),
        ("see shops/north.csv", "Read north.csv and add it up."),
        ("call open_hours first", "What does open_hours do?"),
        ("the roof leaks since spring", "Who mends a leaking roof in springtime?"),
        ("write to info@town.example", "Ask info@town.example for it."),
    ],
)
def test_words_and_numbers_that_a_result_brought_show_where_it_went(result: str, task: str) -> None:
    assert second(task, result) == {"a01"}


@pytest.mark.parametrize(
    ("result", "task"),
    [
        ("No problems found.", "Look into the second of them."),
        ("All done, 3 of 3 files.", "Look into 3 other files."),
        ("The result is a table of 12 rows.", "Return the result as a table."),
        ("It was built in 1998.", "Look into the years 1998 to 2004."),
        ("It takes 100 words.", "Answer in at most 100 words."),
        ("The museum of the town is open.", "Find the museums that are open in town"),
        ("结果是一个表格。", "请返回一个表格作为结果。"),
        ("", "Look into it."),
    ],
)
def test_what_nearly_any_text_has_is_no_need(result: str, task: str) -> None:
    assert second(task, result) == frozenset()


def test_what_the_goal_the_task_or_the_orchestrator_had_is_no_news_of_a_result() -> None:
    result = "Canberra has 431,380 people."
    assert second("Look into Canberra.", result, goal="Compare Canberra and Perth.") == frozenset()
    asked = (Job("Look into Canberra.", "It is Canberra."),)
    assert needs(conversation(GOAL, asked, (Job("Map Canberra."),)))["a02"] == frozenset()
    said = needs(
        conversation(GOAL, "I think of Canberra.", (Job("Go.", result),), (Job("Map Canberra."),))
    )
    assert said["a02"] == frozenset()


def test_what_the_orchestrator_read_itself_is_no_news_of_a_result() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.step(tools=(("read_file", {"path": "a"}, 1.0),))
    main.returned(0, main.t, text="Canberra")
    stage(main, Job("Look.", "It is Canberra."))
    stage(main, Job("Map Canberra."))
    assert needs(script.end())["a02"] == frozenset()


def test_what_it_read_itself_is_known_also_where_sub_agents_had_been_called_before() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    stage(main, Job("Look.", "fine"))
    main.step(tools=(("read_file", {"path": "a"}, 1.0),))
    main.returned(0, main.t, text="Canberra")
    stage(main, Job("Look again.", "It is Canberra."))
    stage(main, Job("Map Canberra."))
    assert needs(script.end())["a03"] == frozenset()


def test_siblings_need_nothing_of_one_another_even_if_one_began_after_the_other_had_ended() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.begin()
    early = script.actor(0.5, task="Find the capital.", parent=main.id, stage=1, call=0)
    early.step(0.2).end("It is Canberra.")
    late = script.actor(1.5, task="Map Canberra.", parent=main.id, stage=1, call=1)
    late.step(0.2).end("done")
    assert needs(script.trace())["a02"] == frozenset()


def test_one_plain_word_is_a_doubt_and_no_need() -> None:
    trace = conversation(GOAL, (Job("Look.", "the roof leaks"),), (Job("Mend the leaking door"),))
    found = flow(trace)
    assert found.needs["a02"] == frozenset()
    assert found.doubtful["a02"] == {"a01"}


def test_what_many_results_of_a_stage_say_alike_is_vocabulary() -> None:
    jobs = tuple(Job(f"Look into number {i}.", "Admission is free on Sundays") for i in range(4))
    later = (Job("Is the admission on Sundays free elsewhere?"),)
    assert needs(conversation(GOAL, jobs, later))["a05"] == frozenset()
    assert needs(conversation(GOAL, jobs[:2], later))["a03"] == {"a01", "a02"}


def test_in_a_plan_the_arrows_are_the_needs() -> None:
    found = flow(chains((1, 1), (1,)))
    assert found.needs == {"a00": frozenset(), "a01": {"a00"}, "a02": frozenset()}
    assert "a00" in found.used


def test_the_name_of_a_configuration_that_is_used_again_is_no_need() -> None:
    jobs = [(Job(f"Look into the {place}.", name="scout"),) for place in ("north", "south")]
    assert set(needs(conversation(GOAL, *jobs)).values()) == {frozenset()}


def test_who_takes_over_a_failed_task_needs_that_failure() -> None:
    lost = Job("Look into the north.", "HTTP 500", outcome="failed")
    trace = conversation(GOAL, (lost,), (Job("Look into the north."),))
    assert needs(trace)["a02"] == {"a01"}


def test_a_turn_that_is_retried_leaves_no_calls_behind() -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    main.begin()
    main._add(main.called(0, "read_file", '{"path": "a"}'))
    main.n -= 1
    main.step(fails=((1.0, 0.0),), tools=(("read_file", {"path": "b"}, 1.0),))
    (call,) = flow(script.trace()).own_calls
    assert call.turn == 1


FACTS = {
    "north": "The northern hall holds 1,450 visitors; Wilhelmina founded it; it closes at dusk.",
    "south": "Southbank sells 870 tickets on weekdays, mostly to pupils, says curator Okonkwo.",
    "west": "Westgate lost its roof during storm Ciarán; repairs cost 2.3 million until autumn.",
    "east": "Eastfield is a former brewery with 61,000 exhibits, run by volunteers from Thurso.",
}
JOBS = tuple(Job(f"Look into the {place}.", result) for place, result in FACTS.items())


def test_a_result_that_turns_up_nowhere_is_unused_if_others_show() -> None:
    answer = "Wilhelmina founded one for 1450 visitors; Okonkwo sells 870; Ciarán cost 2.3 million."
    found = flow(conversation(GOAL, JOBS, answer=answer))
    assert found.used == {"a01", "a02", "a03"}
    assert found.unused == {"a04"}


@pytest.mark.parametrize(
    "answer",
    [
        "Two of them are larger than the rest.",  # a free paraphrase
        "Zusammen 3 Häuser und ein Garten.",  # a translation
        "共有六万三千三百二十件展品。",
        "They have 63,320 of them together.",  # a sum
        "Wilhelmina founded one of them.",  # only one of four can be seen
    ],
)
def test_where_words_are_not_taken_over_nobody_is_called_unused(answer: str) -> None:
    assert flow(conversation(GOAL, JOBS, answer=answer)).unused == frozenset()


def test_a_result_with_few_new_words_cannot_be_told() -> None:
    jobs = (*JOBS[:3], Job("Look into the cellar.", "No problems found there."))
    answer = "Wilhelmina founded one for 1450; Okonkwo sells 870; Ciarán cost 2.3 million."
    assert flow(conversation(GOAL, jobs, answer=answer)).unused == frozenset()


PLAIN = " ".join(f"{a}{b}{c}ul" for a in "bdfgkm" for b in "aiou" for c in "nsrt")


def test_in_a_long_result_a_few_plain_words_turn_up_by_chance() -> None:
    jobs = (*JOBS[:3], Job("Look into the cellar.", PLAIN))
    known = "Wilhelmina founded one for 1450; Okonkwo sells 870; Ciarán cost 2.3 million. "
    words = PLAIN.split()

    def unused(*more: str) -> frozenset[str]:
        return flow(conversation(GOAL, jobs, answer=known + " ".join(more))).unused

    assert unused(*words[:2]) == {"a04"}
    assert unused(*words[:10]) == frozenset()


def test_one_name_of_a_long_result_is_no_chance() -> None:
    jobs = (*JOBS[:3], Job("Look into the cellar.", f"{PLAIN} Rotterwald"))
    answer = (
        "Wilhelmina founded one for 1450; Okonkwo sells 870; Ciarán cost 2.3 million; Rotterwald."
    )
    assert "a04" in flow(conversation(GOAL, jobs, answer=answer)).used


def test_a_result_whose_subject_is_named_later_is_not_called_unused() -> None:
    answer = "Wilhelmina founded one for 1450; Okonkwo sells 870; Ciarán cost 2.3 million. "
    jobs = (*JOBS[:3], Job("Look into the Eastfield brewery.", FACTS["west"][::-1]))
    assert flow(conversation(GOAL, jobs, answer=answer)).unused == {"a04"}
    assert (
        flow(conversation(GOAL, jobs, answer=answer + "Eastfield is fine.")).unused == frozenset()
    )


@pytest.mark.parametrize("where", ["said", "thought", "argument", "prompt", "answer"])
def test_a_result_is_used_wherever_the_orchestrator_takes_it_over(where: str) -> None:
    script = Script(goal=GOAL)
    main = script.orchestrator()
    stage(main, *JOBS)

    if where == "said":
        main.step(said="So Okonkwo sells them.")
    elif where == "thought":
        main.begin()
        main._add(Said(step=main.n, text="", thinking="So Okonkwo sells them."))
    elif where == "argument":
        main.step(tools=(("write", {"text": "a\nOkonkwo"}, 0.1),))
    elif where == "prompt":
        stage(main, Job("Ask Okonkwo."))

    found = flow(script.end("Okonkwo" if where == "answer" else "done"))
    assert found.used == {"a02"}


@pytest.mark.parametrize(
    ("text", "feature", "weight"),
    [
        ("12.5", "#12.5", STRONG),
        ("1 234", "#234", STRONG),
        ("1\u00a0234", "#1234", STRONG),
        ("1'234'567", "#1234567", STRONG),
        ("１２３４", "#1234", STRONG),
        ("99", "#99", WEAK),
        ("2024", "#2024", WEAK),
        ("500", "#500", WEAK),
        ("closed", "clos", WEAK),
        ("close", "clos", WEAK),
        ("leaking", "leak", WEAK),
        ("museums", "museum", WEAK),
        ("Populations", "populat", STRONG),
        ("UNO", "uno", WEAK),
        ("chapter-7.md", "chapter-7.md", STRONG),
        ("self-portrait", "portrai", WEAK),
        ("a/b_c.py", "b_c.py", STRONG),
        ("東京都", "東京", WEAK),
    ],
)
def test_what_is_telling_in_a_text(text: str, feature: str, weight: int) -> None:
    assert features(text)[feature] == weight


@pytest.mark.parametrize(
    "text", ["7", "the table of results", "of", "的结果", "", "<>|", "\x00\x1b[2J"]
)
def test_what_tells_nothing(text: str) -> None:
    assert features(text) == {}


def test_what_one_reads_as_thousands_another_reads_as_a_fraction() -> None:
    assert features("1.200").keys() == {"#1200", "#1.2"}
    assert features("1,200.5").keys() == {"#1200.5"}


@pytest.mark.parametrize("size", [200_000, 2_000_000])
def test_only_the_part_that_is_read_of_one_message_counts(size: int) -> None:
    assert "late" not in "".join(features("a" * size + " latecomer"))


def test_the_end_of_a_long_answer_shows_what_was_used() -> None:
    rows = "\n".join(f"| item {i} | 1 |" for i in range(5_000))
    assert 50_000 < len(rows) < LONGEST
    answer = "Wilhelmina founded one for 1450 visitors; Okonkwo sells 870; Ciarán cost 2.3 million."
    whole = flow(conversation(GOAL, JOBS, answer=answer))
    assert whole.used
    assert flow(conversation(GOAL, JOBS, answer=f"{rows}\n{answer}")).used == whole.used


def test_of_an_answer_too_long_to_be_read_nobody_is_told_unused() -> None:
    short = "Wilhelmina founded one for 1450 visitors; Okonkwo sells 870."
    assert flow(conversation(GOAL, JOBS, answer=short)).unused
    assert not flow(conversation(GOAL, JOBS, answer=short + " a" * LONGEST)).unused


def test_a_ledger_that_is_full_tells_nobody_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_nb.views.diagnosis.ledger.CAPACITY", 20)
    answer = "Wilhelmina founded one for 1450 visitors; Okonkwo sells 870; Ciarán cost 2.3 million."
    assert flow(conversation(GOAL, JOBS, answer=answer)).unused == frozenset()
    book = Ledger()
    book.learn(" ".join(f"word{i}x" for i in range(100)))
    assert book.full
    assert len(book._words) == 20 < CAPACITY


TEXTS = st.sampled_from([*HOSTILE, *FACTS.values(), "ok", "", "9" * 50, "1,234.5k"]) | st.text(
    max_size=30
)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6), TEXTS)
def test_any_text_can_be_read(pairs: list[tuple[str, str]], answer: str) -> None:
    trace = conversation(GOAL, *((Job(task, result),) for task, result in pairs), answer=answer)
    found = flow(trace)
    assert found.used.isdisjoint(found.unused)
    _check(trace)


@given(swarms())
def test_needs_point_back_to_what_had_ended(trace: Trace) -> None:
    _check(trace)


def test_needs_of_a_prefix_stay_as_they_are() -> None:
    trace = conversation(GOAL, JOBS, (Job("Ask Okonkwo."),), (Job("Map Thurso."),))
    whole = needs(trace)
    assert whole["a05"] == {"a02"}
    assert whole["a06"] == {"a04"}

    for part in prefixes_of(trace):
        assert needs(part).items() <= whole.items()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_read_like_any_other(text: str) -> None:
    _check(hostile_trace(text))


def test_the_worked_example_needs_nothing() -> None:
    assert set(needs(staged((), (6, 9, 4, 7), ())).values()) == {frozenset()}


def _check(trace: Trace) -> None:
    began = {r.agent: r.seq for r in trace if isinstance(r.fact, AgentBegan)}
    ended = {r.agent: r.seq for r in trace if isinstance(r.fact, AgentEnded)}
    subs = {r.agent for r in trace if isinstance(r.fact, AgentBegan) and r.fact.role == "sub-agent"}
    found = needs(trace)
    assert found.keys() == subs

    for agent, others in found.items():
        assert all(ended[other] < began[agent] for other in others)
