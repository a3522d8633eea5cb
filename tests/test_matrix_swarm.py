"""Rows 15 to 20 of the fault matrix: what one agent's bad end means for the others and the run."""

from __future__ import annotations

import orjson
import pytest
from faults import server as wire
from faults.mishaps import filtered, filtered_finish, held, status
from faults.quirks import Quirks
from matrix import GOAL, always, asked_for, facts, in_last, quick  # noqa: F401
from matrix_trial import PATIENCE, Trial, ends, team
from scripted import call, calls, is_orchestrator, results, say

import kimi_nb as kn
from kimi_nb.events import StepEnded, StepRetried, ToolReturned
from kimi_nb.models.base import ToolCall
from kimi_nb.swarm.agent import VAIN_TURNS

pytestmark = pytest.mark.usefixtures("quick")
HUNDRED = [f"t{number:02}" for number in range(100)]
REFUSED = status(400, "the tools of this request are wrong", "invalid_request_error")
WRONG = {
    "no JSON": ToolCall(index=0, id="", name="look", arguments='{"n": 1'),
    "no object": ToolCall(index=0, id="", name="look", arguments="[1]"),
    "a wrong type": call("look", n="many"),
    "one missing": call("look"),
    "one too many": call("look", n=1, m=2),
    "an unknown tool": call("lookup", n=1),
}
by_kind = pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


# 15


@by_kind
def test_fault_15_a_call_that_is_wrong_is_answered_with_an_error_and_can_be_mended(tmp_path, wrong):
    def work(task, got):
        if task == "b" and not got:
            return calls(wrong)

        return (
            say(f"{task}: {got[-1]}")
            if got and "ERROR" not in got[-1]
            else calls(call("look", n=1))
        )

    with Trial(tmp_path, team("a", "b", work=work)) as trial:
        run = trial.run(tools=[look]).result(PATIENCE)
        assert run.answer == "a: saw 1 | b: saw 1"
        told = results(asked_for(trial.server, "b")[-1].messages)
        assert told[0].startswith("ERROR: ")
        assert told[1] == "saw 1"
        assert [fact.ok for fact in facts(run, ToolReturned)].count(False) == 1
        assert trial.server.refused == []  # what goes back is valid, whatever the model wrote


@by_kind
def test_fault_15_one_that_never_learns_is_given_up(tmp_path, wrong):
    def work(task, _got):
        return calls(wrong) if task == "b" else f"did {task}"

    with Trial(tmp_path, team("a", "b", work=work)) as trial:
        run = trial.run(tools=[look]).result(PATIENCE)
        assert run.status == "finished"
        assert run.answer.startswith("did a | ERROR: gave up: no tool call of")
        assert ends(run)["b"][0] == "failed"
        assert len(asked_for(trial.server, "b")) == VAIN_TURNS


# 16


def outcome(run: kn.Replay) -> tuple[str, str, str]:
    """How the model said that it ended, how the agent ended, and with which words."""
    return facts(run, StepEnded)[-1].finish, *ends(run)[GOAL]


def test_fault_16_an_answer_without_words_is_none(tmp_path):
    with Trial(tmp_path, lambda _: "") as trial:
        run = trial.run(single=True).result(PATIENCE)
        assert outcome(run) == ("stop", "failed", "the model answered with nothing 3 times")
        assert (run.status, run.answer) == ("failed", "")


def test_fault_16_an_empty_answer_is_asked_for_again(tmp_path):
    with Trial(tmp_path, lambda messages: "here" if len(messages) > 2 else "") as trial:
        run = trial.run(single=True).result(PATIENCE)
        assert outcome(run) == ("stop", "finished", "here")


def test_fault_16_an_answer_that_is_too_long_says_where_it_was_cut(tmp_path):
    with Trial(tmp_path, lambda _: "word " * 900) as trial:
        run = trial.run(single=True, max_tokens=256).result(PATIENCE)
        finish, how, text = outcome(run)
        assert (finish, how) == ("length", "finished")
        assert text.startswith("word word ")
        assert text.endswith("[cut: the answer reached max_completion_tokens]")


def test_fault_16_thinking_that_uses_up_the_answer_is_a_failure_that_says_so(tmp_path):
    with Trial(tmp_path, lambda _: "here", quirks=Quirks(overthinks=True)) as trial:
        run = trial.run(single=True, max_tokens=256).result(PATIENCE)
        finish, how, text = outcome(run)
        assert (finish, how) == ("length", "failed")
        assert "thinking used up the 512 tokens of an answer; raise max_tokens" in text
        assert len(trial.server.log) == 1


def test_fault_16_an_answer_that_the_filter_cuts_says_so(tmp_path):
    with Trial(tmp_path, lambda _: "first half, second half", faults=[filtered_finish()]) as trial:
        run = trial.run(single=True).result(PATIENCE)
        finish, how, text = outcome(run)
        assert (finish, how) == ("content_filter", "finished")
        assert text.startswith("first half")
        assert text.endswith("[cut: the endpoint's content filter withheld the rest]")


@pytest.mark.parametrize(
    ("fault", "words", "finish"),
    [
        (filtered_finish(), "content filter withheld the answer", "content_filter"),
        (filtered(), "HTTP 400 content_filter: ", "failed"),
    ],
    ids=["an empty answer", "a refusal"],
)
def test_fault_16_what_the_filter_withholds_fails_one_agent(tmp_path, fault, words, finish):
    def work(task, _got):
        return "x" if task == "b" else f"did {task}"

    with Trial(tmp_path, team("a", "b", work=work), faults=always(fault, "b")) as trial:
        run = trial.run().result(PATIENCE)
        assert run.status == "finished"
        assert ends(run)["b"][0] == "failed"
        assert words in ends(run)["b"][1]
        assert finish in {fact.finish for fact in facts(run, StepEnded)}
        assert len(asked_for(trial.server, "b")) == 1
        assert not facts(run, StepRetried)


# 17


def mapped(tasks: list[str]):
    """The same team, by one map_task."""
    items = call("map_task", agent="w", template="{{item}}", items=tasks)

    def think(messages):
        if is_orchestrator(messages) and len(results(messages)) == 1:
            return calls(items)

        return team()(messages)

    return think


def test_fault_17_one_of_a_hundred_fails_and_the_others_are_in_the_orchestrators_hands(tmp_path):
    with Trial(tmp_path, team(*HUNDRED), faults=always(REFUSED, "t37")) as trial:
        run = trial.run(max_agents=100).result(PATIENCE)
        assert run.status == "finished"
        told = results(trial.server.log[-1].messages)[1:]
        good = [f"did {task}" for task in HUNDRED if task != "t37"]
        assert [text for text in told if not text.startswith("ERROR")] == good
        assert told[37].startswith("ERROR: HTTP 400")
        listed = repr(run).split("What did not finish:\n")[1].split("\n\n")[0].splitlines()
        assert len(listed) == 1
        assert "the tools of this request are wrong" in listed[0]


def test_fault_17_so_it_is_with_the_items_of_a_map(tmp_path):
    with Trial(tmp_path, mapped(HUNDRED), faults=always(REFUSED, "t37")) as trial:
        run = trial.run(max_agents=100).result(PATIENCE)
        rows = orjson.loads(results(trial.server.log[-1].messages)[1])
        assert [row["item"] for row in rows] == HUNDRED
        assert [row["item"] for row in rows if not row["ok"]] == ["t37"]
        assert all(row["text"] == f"did {row['item']}" for row in rows if row["ok"])
        assert run.status == "finished"


# 18


@pytest.mark.parametrize("fault", [REFUSED, status(500)], ids=["refused", "given up"])
def test_fault_18_all_fail_and_the_run_says_so_once(tmp_path, fault):
    def find(asked):
        return fault if asked.task != GOAL or len(asked.messages) > 4 else None

    with Trial(tmp_path, team(*HUNDRED), faults=find) as trial:
        run = trial.run(max_agents=100).result(PATIENCE)
        assert run.status == "failed"
        assert run.answer == ""
        assert set(dict(ends(run).values())) == {"failed"}
        assert len(ends(run)) == 101
        assert len(run.why) <= 500
        assert "\n" not in run.why
        shown = repr(run)
        assert "Traceback" not in shown + run._repr_html_()
        assert "more" in shown.split("What did not finish:\n")[1]
        assert len(shown) < 15_000
        assert len(shown.splitlines()) < 100


def test_fault_18_the_orchestrator_is_told_in_one_line_for_each(tmp_path):
    with Trial(tmp_path, team(*HUNDRED), faults=always(REFUSED, *HUNDRED)) as trial:
        run = trial.run(max_agents=100).result(PATIENCE)
        assert run.status == "finished"  # what to make of it is the orchestrator's to say
        told = results(trial.server.log[-1].messages)[1:]
        assert len(told) == 100
        assert all(text.startswith("ERROR: ") and "\n" not in text for text in told)
        assert max(map(len, told)) < 600


def test_fault_18_a_plan_of_which_all_fails_says_so_in_a_sentence(tmp_path):
    plan = [{"name": task, "prompt": task} for task in HUNDRED]

    with Trial(tmp_path, team(), faults=always(REFUSED, *HUNDRED)) as trial:
        run = trial.run(plan=plan, max_agents=100).result(PATIENCE)
        assert run.status == "failed"
        assert len(run.why) <= 500
        assert "\n" not in run.why


# 19


def test_fault_19_the_orchestrator_fails_last_and_its_results_are_kept(tmp_path):
    tasks = HUNDRED[:10]

    with Trial(tmp_path, team(*tasks), faults=in_last(status(502), attempts=6)) as trial:
        run = trial.run().result(PATIENCE)
        assert run.status == "partial"
        assert "HTTP 502" in run.why
        assert all(f"did {task}" in run.answer for task in tasks)
        before = len(trial.server.log)
        assert [len(asked_for(trial.server, task)) for task in tasks] == [1] * 10

        again = trial.resume()
        assert again.status == "finished"
        assert again.answer == " | ".join(f"did {task}" for task in tasks)
        assert [asked.task for asked in trial.server.log[before:]] == [GOAL]
        assert trial.server.paid_twice == []


# 20


def dear(messages):
    """A team whose members use far more tokens than anybody could foresee."""
    if is_orchestrator(messages):
        return team(*HUNDRED[:10])(messages)

    usage = {"prompt_tokens": 70_000, "completion_tokens": 10, "total_tokens": 70_010}
    return wire.call(("look", {"n": 1}), usage=usage)


@pytest.mark.parametrize("concurrency", [10, 2])
def test_fault_20_a_budget_crossed_in_mid_flight_lets_no_call_go(tmp_path, concurrency):
    budget = kn.Budget(tokens=60_000)

    all_out = held(lambda: len(trial.server.log) >= 2 + concurrency)

    with Trial(tmp_path, dear, faults=always(all_out, *HUNDRED)) as trial:
        run = trial.run(
            tools=[look],
            budget=budget,
            max_tokens=1_000,
            limits=kn.Limits(concurrency=concurrency),
        ).result(PATIENCE)
        assert run.status == "over_budget"
        assert "budget of 60000 tokens" in run.why
        assert len(trial.server.log) == 2 + concurrency  # the first round, and nothing after it
        assert run.metrics.tokens_in >= 70_000 * concurrency
        assert run._engine.account.tokens == run.metrics.tokens_in + run.metrics.tokens_out
        assert {how for task, (how, _) in ends(run).items() if task != GOAL} == {"over_budget"}
