"""Rows 21 to 25, 35 and 36 of the fault matrix: whatever is limited ends where it should."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest
from faults.mishaps import huge
from matrix_child import look
from matrix_trial import (
    PATIENCE,
    TEAM,
    Trial,
    _warm,  # noqa: F401
    ends,
    stalling,
    team,
    until,
)
from scripted import call, calls, is_orchestrator, results, say
from virtual_time import runs_leap

import kimi_nb as kn
from kimi_nb.events import AgentBegan, ToolReturned
from kimi_nb.models.base import Message
from kimi_nb.swarm import start
from kimi_nb.swarm.runtime import runtime
from kimi_nb.tools.sandbox import WORKERS
from kimi_nb.trace import Log

# 21


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"steps": 7}, "the budget of 7 steps is used up"),
        ({"critical_steps": 4}, "the budget of 4 critical steps is used up"),
        ({"tokens": 8_000}, "does not fit into the budget of 8000 tokens"),
        ({"usd": 0.01}, "does not fit into the budget of 0.01 USD"),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_fault_21_at_a_cap_no_call_goes_out_and_its_agent_says_which(tmp_path, limit, reason):
    with Trial(tmp_path, TEAM) as trial:
        budget = kn.Budget(**limit)
        run = trial.run(tools=[look], budget=budget, max_tokens=4_000).result(PATIENCE)
        assert run.status == "over_budget"
        assert reason in run.why
        capped = [text for outcome, text in ends(run).values() if outcome == "over_budget"]
        assert capped
        assert all(reason in text for text in capped)
        sent = len(trial.server.log)
        again = trial.resume(tools=[look])  # what is spent stays spent
        assert again.status == "over_budget"
        assert len(trial.server.log) == sent


@pytest.mark.parametrize("where", ["max_agents", "budget"])
def test_fault_21_more_agents_than_allowed_are_refused_with_the_reason(tmp_path, where):
    def think(messages: list[Message]) -> object:
        got = results(messages)

        if len(got) == 6:  # the five refused at once; the orchestrator takes what is left
            assert is_orchestrator(messages)
            return say(" | ".join(got[1:]))

        return team("a", "b", "c", "d", "e")(messages)

    options = {"max_agents": 3} if where == "max_agents" else {"budget": kn.Budget(agents=3)}

    with Trial(tmp_path, think) as trial:
        run = trial.run(**options).result(PATIENCE)
        assert run.status == "finished"
        told = run.answer.split(" | ")
        assert told[:3] == ["did a", "did b", "did c"]
        assert [text.count("but only 0 of 3 are left") for text in told[3:]] == [1, 1]
        assert sum(isinstance(r.fact, AgentBegan) for r in run.trace) == 4


@pytest.mark.parametrize(
    "made",
    [
        call("assign_task", agent="w", prompt="b"),
        call("map_task", agent="w", template="{{item}}", items=["b"]),
        call("create_subagent", name="deeper", system_prompt="Work."),
    ],
    ids=lambda made: made.name,
)
def test_fault_21_a_sub_agent_cannot_spawn_and_hears_so(tmp_path, made):
    brain = team("a", work=lambda _task, got: say(got[0]) if got else calls(made))

    with Trial(tmp_path, brain) as trial:
        run = trial.run().result(PATIENCE)
        assert run.status == "finished"
        assert run.answer.startswith(f"ERROR: no tool '{made.name}'")
        assert sum(isinstance(r.fact, AgentBegan) for r in run.trace) == 2
        sub = next(asked for asked in trial.server.log if asked.task == "a")
        assert made.name not in {tool["function"]["name"] for tool in sub.body["tools"]}


def test_fault_21_an_agent_that_never_ends_is_given_up_at_its_steps(tmp_path):
    brain = team("a", "b", work=lambda t, _got: "did b" if t == "b" else calls(call("look", n=1)))

    with Trial(tmp_path, brain) as trial:
        run = trial.run(tools=[look], max_steps=5).result(PATIENCE)
        assert run.status == "finished"
        assert run.answer == "ERROR: did not finish within its 5 steps | did b"


# 22


def test_fault_22_at_the_deadline_all_end_and_what_was_done_is_the_answer(tmp_path, monkeypatch):
    brain = team("a", "b", "slow")
    monkeypatch.setattr(start, "Log", partial(Log, clock=lambda: runtime().loop.time()))  # noqa: PLW0108

    with Trial(tmp_path, brain, faults=stalling("slow")) as trial:
        run = trial.run(budget=kn.Budget(seconds=60))
        until(lambda: ends(run).keys() == {"a", "b"} and trial.server.in_flight == 1)
        runs_leap(60)
        run.result(PATIENCE)
        assert (run.status, run.why) == ("over_budget", "the budget of 60 seconds is used up")
        assert ends(run)["slow"][0] == "cancelled"
        assert ends(run)["go"][0] == "cancelled"
        assert "did a" in run.answer
        assert "did b" in run.answer
        assert run.trace[-1].t >= 60
        until(lambda: trial.server.in_flight == 0)  # the client has let go


# 25


@pytest.mark.parametrize("doing", ["in a call", "in a tool"])
def test_fault_25_one_agent_that_is_cancelled_leaves_its_siblings_alone(tmp_path, doing):
    entered = threading.Event()

    @kn.tool
    async def hold() -> str:
        "Wait for ever."
        entered.set()
        await asyncio.sleep(3600)
        return "at last"

    def work(task: str, _got: list[str]) -> object:
        return calls(call("hold")) if task == "b" and doing == "in a tool" else f"did {task}"

    faults = stalling("b") if doing == "in a call" else ()

    with Trial(tmp_path, team("a", "b", "c", work=work), faults=faults) as trial:
        run = trial.run(tools=[hold])
        until(lambda: entered.is_set() or (faults and any(a.task == "b" for a in trial.server.log)))
        run.cancel(next(r.agent for r in run.trace if getattr(r.fact, "task", "") == "b"))
        run.result(PATIENCE)
        assert run.status == "finished"
        assert run.answer == "did a | ERROR: this sub-agent was cancelled by the user | did c"
        outcomes = {task: outcome for task, (outcome, _) in ends(run).items()}
        assert outcomes == {
            "go": "finished",
            "a": "finished",
            "b": "cancelled",
            "c": "finished",
        }


# 35


@pytest.mark.usefixtures("_warm")
def test_fault_35_more_calls_of_python_than_workers_all_come_back(tmp_path):
    count = 4 * WORKERS

    def think(messages: list[Message]) -> object:
        got = results(messages)
        made = [call("python", code=f"{n} ** 2") for n in range(count)]
        return say(" ".join(got)) if got else calls(*made)

    with Trial(tmp_path, think) as trial:
        run = trial.run(single=True).result(PATIENCE)
        assert run.answer == " ".join(str(n**2) for n in range(count))


@pytest.mark.parametrize("plain", [False, True], ids=["awaited", "in a thread"])
def test_fault_35_swarms_within_a_swarm_share_one_place_and_finish(tmp_path, plain):
    """One call at a time for all, and more callers of plain tools than there are threads."""
    count = 40 if plain else 5

    with Trial(tmp_path, lambda messages: think(messages)) as trial:  # noqa: PLW0108

        def inner(n: int) -> kn.Run:
            return trial.run(f"inner {n}", name=f"inner {n}", trace=tmp_path / f"{n}.jsonl")

        @kn.tool
        async def nest(n: int) -> str:
            "A swarm of its own."
            return (await inner(n)).answer

        @kn.tool(name="nest")
        def nest_plainly(n: int) -> str:
            "A swarm of its own, waited for in a thread."
            return inner(n).result(PATIENCE).answer

        def work(task: str, got: list[str]) -> object:
            if task.startswith("deep"):
                return "deep down"

            return say(got[0]) if got else calls(call("nest", n=int(task)))

        def think(messages: list[Message]) -> object:
            deep = messages[1]["content"].startswith(("inner", "deep"))
            tasks = ["deep"] if deep else [str(n) for n in range(count)]
            return team(*tasks, work=work)(messages)

        limits = kn.Limits(concurrency=1)
        tool = nest_plainly if plain else nest
        outer = trial.run(tools=[tool], max_agents=count, limits=limits).result(3 * PATIENCE)
        assert outer.status == "finished"
        assert outer.answer == " | ".join(["deep down"] * count)
        assert trial.server.peak == 1
        assert len(trial.runs) == count + 1


def test_fault_35_a_hundred_agents_queue_for_one_place_in_order(tmp_path):
    with Trial(tmp_path, team(*(f"t{n}" for n in range(100)))) as trial:
        limits = kn.Limits(concurrency=1)
        run = trial.run(max_agents=100, limits=limits).result(PATIENCE)
        assert run.status == "finished"
        assert run.answer == " | ".join(f"did t{n}" for n in range(100))
        assert trial.server.peak == 1
        assert len(trial.server.log) == 103


# 36


def test_fault_36_a_huge_tool_result_is_cut_and_says_so(tmp_path):
    @kn.tool
    async def dump() -> str:
        "All of it."
        return "line of text\n" * 1_000_000

    brain = team("a", work=lambda _task, got: f"{len(got[0])} came" if got else calls(call("dump")))

    with Trial(tmp_path, brain) as trial:
        run = trial.run(tools=[dump]).result(PATIENCE)
        returned = [r.fact for r in run.trace if isinstance(r.fact, ToolReturned)]
        text = next(fact.text for fact in returned if fact.text.startswith("line"))
        assert len(text) <= 20_000
        assert text.endswith("of 13,000,000 characters; ask for less to see the rest]")
        assert run.answer == f"{len(text)} came"
        assert run.path is not None
        assert run.path.stat().st_size < 100_000


@pytest.mark.parametrize("whose", ["sub-agent", "orchestrator"])
def test_fault_36_an_answer_without_end_is_cut_and_says_so(tmp_path, whose):
    """The endpoint does not keep to max_completion_tokens."""

    def faults(asked: object) -> object:
        last = "did a" in str(asked.messages[-1])
        return huge() if (last if whose == "orchestrator" else asked.task == "a") else None

    with Trial(tmp_path, team("a"), faults=faults) as trial:
        trial.counts = False
        run = trial.run(max_tokens=4_000).result(PATIENCE)
        assert run.status == "finished"
        assert run.path is not None
        assert run.path.stat().st_size < 500_000

        if whose == "sub-agent":
            assert run.answer.startswith("All of it, and once more.")
            assert run.answer.endswith("more characters were cut]")
            assert len(run.answer) < 21_000
            assert "[cut: the answer reached max_completion_tokens]" in ends(run)["a"][1]
        else:
            assert run.answer.endswith("[cut: the answer reached max_completion_tokens]")
            assert len(run.answer) < 200_000

        assert run.fold.estimated


def test_fault_36_what_a_model_asks_of_a_tool_may_be_huge_too(tmp_path):
    measured: list[int] = []

    @kn.tool
    async def measure(text: str) -> str:
        "Its length."
        measured.append(len(text))
        return "measured"

    def work(_task: str, got: list[str]) -> object:
        return say(got[0]) if got else calls(call("measure", text="x" * 5_000_000))

    with Trial(tmp_path, team("a", work=work)) as trial:  # here the platform keeps to the limit
        run = trial.run(tools=[measure], max_tokens=2_000).result(PATIENCE)
        assert run.status == "finished"
        assert measured == []
        assert run.answer.startswith("ERROR: the arguments are not valid JSON")
