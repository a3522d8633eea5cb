"""Rows 10 to 14 of the fault matrix: streams that stop, break off or are garbled."""

from __future__ import annotations

import orjson
import pytest
from faults.log import Asked
from faults.mishaps import (
    cut_call,
    cut_text,
    end_text,
    malformed,
    split_utf8,
    stall,
    stall_text,
)
from faults.quirks import Quirks
from matrix import GOAL, always, asked_for, at_first, facts, quick  # noqa: F401
from matrix_trial import PATIENCE, Trial, ends, team, until
from scripted import call, calls, is_orchestrator, results, say
from virtual_time import runs_leap

import kimi_nb as kn
from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    Said,
    StepBegan,
    StepEnded,
    StepRetried,
    ToolCalled,
)
from kimi_nb.views.report import report_html

pytestmark = pytest.mark.usefixtures("quick")
LONG = (
    "It is a long answer, of which the second half matters too: " + "so it goes on, " * 20 + "END"
)


def solo(_messages: object) -> str:
    return LONG


# 10, 11


def broken_once(folder, fault, words):
    """One answer breaks off: repeated whole; what had come is kept, marked, and charged."""
    with Trial(folder, solo, faults=[fault]) as trial:
        run = trial.run(single=True)

        if fault.name == "stall_text":
            until(lambda: trial.server.log and run.draft == words_of(trial.server.log[0]))
            runs_leap(80)

        run.result(PATIENCE)
        first, second = trial.server.log
        until(lambda: first.outcome == "broken")  # the server has noticed that nobody reads on
        assert run.answer == LONG
        assert first.body == second.body  # the whole call, not what is missing
        said = facts(run, Said)
        assert [each.cut for each in said] == [True, False]
        assert 0 < len(said[0].text) < len(LONG)
        assert LONG.startswith(said[0].text)
        kinds = [type(record.fact) for record in run.trace]
        assert kinds[kinds.index(Said) + 1] is StepRetried
        lost, ended = facts(run, StepRetried)[0], facts(run, StepEnded)[0]
        assert words in lost.why
        assert lost.tokens_in == pytest.approx(first.tokens_in, rel=0.1)
        assert lost.tokens_out == pytest.approx(first.tokens_out, rel=0.5)
        assert run.metrics.tokens_in == ended.tokens_in + lost.tokens_in
        assert run.metrics.tokens_out == ended.tokens_out + lost.tokens_out
        assert run._engine.account.tokens == run.metrics.tokens_in + run.metrics.tokens_out
        assert run.metrics.cost_usd == pytest.approx(trial.server.spent_usd, rel=0.5)
        assert "about " in repr(run)


def words_of(asked: Asked) -> str:
    """What is written of an answer before it breaks off."""
    chunks = [orjson.loads(part[6:]) for part in asked.answer.parts if isinstance(part, bytes)]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def test_fault_10_a_stream_that_stops_is_kept_in_part_and_marked(tmp_path):
    broken_once(tmp_path, stall_text(), "stopped in mid-answer for 60 s")


@pytest.mark.parametrize(
    ("fault", "words"), [(cut_text(), "broke off in mid-answer"), (end_text(), "ended early")]
)
def test_fault_11_a_stream_that_breaks_off_is_asked_for_again_and_charged(tmp_path, fault, words):
    broken_once(tmp_path, fault, words)


@pytest.mark.parametrize("fault", [cut_text(), end_text()], ids=["cut", "ended"])
def test_fault_11_a_part_is_never_an_answer_however_often_it_comes(tmp_path, fault):
    brain = team("a", "b", work=lambda task, _got: f"did {task}: {LONG}")

    with Trial(tmp_path, brain, faults=always(fault, "b")) as trial:
        run = trial.run().result(PATIENCE)
        assert run.status == "finished"
        assert ends(run)["b"][0] == "failed"
        assert "did b" not in ends(run)["b"][1]
        assert "did b" not in run.answer
        assert [each.cut for each in facts(run, Said)].count(True) == 6
        told = [result for result in results(trial.server.log[-1].messages) if "did b" in result]
        assert told == []  # nor does the orchestrator see it


def test_fault_11_what_breaks_off_counts_to_the_budget(tmp_path):
    budget = kn.Budget(tokens=4_000)

    with Trial(tmp_path, solo, faults=always(cut_text())) as trial:
        run = trial.run(single=True, budget=budget, max_tokens=500).result(PATIENCE)
        assert run.status == "over_budget"
        assert 1 < len(trial.server.log) < 6
        assert run.metrics.tokens_out > 0


# 12


def effects() -> tuple[list[int], object]:
    """A tool with an effect, and what it has done."""
    done: list[int] = []

    @kn.tool(side_effects=True)
    async def book(n: int, why: str) -> str:
        "Book a place."
        assert why == LONG
        done.append(n)
        return f"booked {n}"

    return done, book


@pytest.mark.parametrize("side_effects", [True, False])
def test_fault_12_a_tool_whose_call_breaks_off_is_not_executed(tmp_path, side_effects):
    done, book = effects()

    if not side_effects:
        book = kn.tool(book.function)

    def think(messages):
        got = results(messages)
        return say(" ".join(got)) if got else calls(*(call("book", n=n, why=LONG) for n in (1, 2)))

    with Trial(tmp_path, think, faults=at_first(cut_call())) as trial:
        run = trial.run(single=True, tools=[book]).result(PATIENCE)
        assert run.answer == "booked 1 booked 2"
        assert [asked.fault for asked in trial.server.log] == ["cut_call", "", ""]
        assert sorted(done) == [1, 2]
        assert all(orjson.loads(fact.arguments)["why"] == LONG for fact in facts(run, ToolCalled))


def test_fault_12_with_every_attempt_cut_no_tool_is_executed_at_all(tmp_path):
    done, book = effects()

    def think(_messages):
        return calls(*(call("book", n=n, why=LONG) for n in (1, 2)))

    with Trial(tmp_path, think, faults=always(cut_call())) as trial:
        run = trial.run(single=True, tools=[book]).result(PATIENCE)
        assert run.status == "failed"
        assert len(trial.server.log) == 6
        assert done == []
        assert not facts(run, ToolCalled)


def test_fault_12_sub_agents_begun_early_are_taken_over_by_the_repeated_turn(tmp_path):
    tasks = [f"t{number} {LONG}" for number in range(4)]

    with Trial(tmp_path, team(*tasks), faults=at_first(cut_call(), GOAL)) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == " | ".join(f"did {task}" for task in tasks)
        assert len([fact for fact in facts(run, AgentBegan) if fact.role == "sub-agent"]) == 4
        assert [len(asked_for(trial.server, task)) for task in tasks] == [1] * 4
        begun = [r.fact.task for r in run.trace if isinstance(r.fact, AgentBegan)]
        cut = [isinstance(r.fact, StepRetried) for r in run.trace].index(True, 1)
        assert begun[1:] == tasks
        assert cut


def test_fault_12_sub_agents_that_the_repeated_turn_does_not_want_are_cancelled(tmp_path):
    turns = []

    def think(messages):
        if is_orchestrator(messages) and len(results(messages)) == 1:
            turns.append(1)
            tasks = ("old 1", "old 2") if len(turns) == 1 else ("new 1", "new 2")
            return calls(*(call("assign_task", agent="w", prompt=task) for task in tasks))

        return team()(messages)

    def find(asked):
        if asked.task.startswith("old"):
            return stall()

        return cut_call() if asked.task == GOAL and len(asked.messages) == 4 else None

    with Trial(tmp_path, think, faults=lambda a: find(a) if a.attempt == 1 else None) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == "did new 1 | did new 2"
        assert {task: outcome for task, (outcome, _) in ends(run).items() if task != GOAL} == {
            "old 1": "cancelled",
            "new 1": "finished",
            "new 2": "finished",
        }
        assert asked_for(trial.server, "old 2") == []  # its call was never whole
        assert run.fold.agents["a1"].outcome == "not asked for again"  # nor did the user cancel it
        kinds = [(r.agent, type(r.fact)) for r in run.trace]
        next_step = max(place for place, kind in enumerate(kinds) if kind == ("a0", StepBegan))
        assert kinds.index(("a1", AgentEnded)) < next_step  # at once, not with the run


# 13


@pytest.mark.parametrize("done", [True, False])
def test_fault_13_without_usage_it_is_estimated_and_said_so(tmp_path, done):
    with Trial(tmp_path, team("a", "b"), quirks=Quirks(usage="none", done=done)) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == "did a | did b"
        assert all(fact.estimated for fact in facts(run, StepEnded))
        assert run.metrics.tokens_in == pytest.approx(trial.server.tokens, rel=0.1)
        assert run._engine.account.tokens == run.metrics.tokens_in + run.metrics.tokens_out
        assert "about " in repr(run)
        assert "about " in run._repr_html_()
        assert "about " in report_html(run.trace)
        assert "about " in run.progress()


def test_fault_13_without_done_a_finish_reason_is_an_end(tmp_path):
    with Trial(tmp_path, team("a", "b"), quirks=Quirks(done=False)) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == "did a | did b"
        assert not facts(run, StepRetried)
        assert not any(fact.estimated for fact in facts(run, StepEnded))
        assert run.metrics.tokens_in + run.metrics.tokens_out == trial.server.tokens


# 14


def test_fault_14_a_malformed_stream_is_a_typed_error_and_is_asked_for_again(tmp_path):
    with Trial(tmp_path, team("a", "b"), faults=at_first(malformed())) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == "did a | did b"
        retried = facts(run, StepRetried)
        assert {fact.error for fact in retried} == {"Unreachable"}
        assert all("malformed data in the stream" in fact.why for fact in retried)
        assert len(retried) == len(facts(run, StepBegan)) == 5


def test_fault_14_one_that_is_always_malformed_fails_its_agent_alone(tmp_path):
    with Trial(tmp_path, team("a", "b"), faults=always(malformed(), "b")) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer.startswith("did a | ERROR: malformed data in the stream")
        assert ends(run)["b"][0] == "failed"


@pytest.mark.parametrize("crlf", [True, False])
def test_fault_14_letters_cut_in_the_middle_arrive_whole(tmp_path, crlf):
    text = "数据 αβγ żółć 👩‍🚀🧪 naïve"
    brain = team(text, work=lambda task, _got: f"{task} — fertig")
    quirks = Quirks(crlf=crlf, comments=True, piece=3)

    with Trial(tmp_path, brain, quirks=quirks, faults=always(split_utf8())) as trial:
        run = trial.run().result(PATIENCE)
        assert run.answer == f"{text} — fertig"
        assert not facts(run, StepRetried)
        assert {asked.fault for asked in trial.server.log} == {"split_utf8"}
