"""The engine with scripted models: stages, failures, budgets, cancelling."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from scripted import (
    Held,
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    is_orchestrator,
    results,
    say,
    tasks_left,
)
from virtual_time import swarms_in_virtual_time

import kimi_nb as kn
from kimi_nb.errors import AccessDenied, BadRequest, ServerFault, UsageFault
from kimi_nb.events import AgentBegan, AgentEnded, RunEnded, StepEnded, ToolReturned
from kimi_nb.models.base import Message, Reply, Usage


@pytest.fixture
def virtual_time() -> Iterator[None]:
    """What takes longer ends later, however busy this machine is."""
    with swarms_in_virtual_time():
        yield


def fan_out(n: int, answer: Any = None) -> Any:
    """An orchestrator that gives n tasks to one configuration and joins the results."""

    def respond(messages: list[Message]) -> Reply | Exception | str:
        if not is_orchestrator(messages):
            task = messages[1]["content"]
            return answer(task, messages) if answer else f"did {task}"

        got = results(messages)

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        if len(got) == 1:
            return calls(*(call("assign_task", agent="w", prompt=f"t{i}") for i in range(n)))

        return say(" | ".join(got[1:]))

    return respond


def start(model: Scripted, tmp_path: Path, **options: Any) -> kn.Run:
    options.setdefault("max_agents", 100)
    return kn.swarm("go", model=model, trace=tmp_path / "run.jsonl", folder=tmp_path, **options)


def facts(run: kn.Replay, kind: type) -> list[Any]:
    return [record.fact for record in run.trace if isinstance(record.fact, kind)]


@pytest.mark.usefixtures("virtual_time")
async def test_results_come_in_the_order_of_the_calls_however_long_each_takes(tmp_path):
    delays = {f"t{i}": (5 - i) * 0.01 for i in range(5)}

    @kn.tool
    async def pause(task: str) -> str:
        "Wait."
        await asyncio.sleep(delays[task])
        return "waited"

    def answer(task: str, messages: list[Message]) -> Reply | str:
        return f"did {task}" if results(messages) else calls(call("pause", task=task))

    run = await start(Scripted(fan_out(5, answer)), tmp_path, tools=[pause])
    assert run.status == "finished"
    assert run.answer == "did t0 | did t1 | did t2 | did t3 | did t4"
    ended = [r.agent for r in run.trace if isinstance(r.fact, AgentEnded)]
    assert ended == ["a5", "a4", "a3", "a2", "a1", "a0"]


async def test_one_turn_is_one_stage_and_counts_critical_steps(tmp_path):
    steps = {"t0": 6, "t1": 9, "t2": 4, "t3": 7}

    @kn.tool
    async def work() -> str:
        "Work."
        return "ok"

    def answer(task: str, messages: list[Message]) -> Reply | str:
        done = len(results(messages)) + 1 == steps[task]
        return "done" if done else calls(call("work"))

    run = await start(Scripted(fan_out(4, answer)), tmp_path, tools=[work])
    # K2.5 report, section 3: three stages of one main step, the second with 6, 9, 4, 7
    assert run.metrics.critical_steps == 1 + (1 + 9) + 1
    assert run.metrics.total_steps == 29
    assert {b.stage for b in facts(run, AgentBegan) if b.role == "sub-agent"} == {2}


@pytest.mark.usefixtures("virtual_time")
async def test_three_hundred_sub_agents_and_four_thousand_tool_calls(tmp_path):
    @kn.tool
    async def tick(n: int) -> int:
        "Count."
        return n

    def answer(task: str, messages: list[Message]) -> Reply | str:
        n = len(results(messages))
        return f"{task}:{n}" if n == 14 else calls(call("tick", n=n))

    model = Scripted(fan_out(300, answer), delay=0.001)
    run = await start(model, tmp_path, tools=[tick], max_agents=300)
    assert run.answer == " | ".join(f"t{i}:14" for i in range(300))
    assert run.metrics.tool_calls == 1 + 300 + 300 * 14
    assert model.most_in_flight == 300
    assert kn.read(tmp_path / "run.jsonl") == run.trace


async def test_a_failed_sub_agent_never_loses_the_run(tmp_path):
    def answer(task: str, _messages: list[Message]) -> Reply | Exception | str:
        return BadRequest("the prompt is not allowed") if task == "t3" else f"did {task}"

    run = await start(Scripted(fan_out(10, answer)), tmp_path)
    assert run.status == "finished"
    assert run.answer.count("did ") == 9
    assert "ERROR: the prompt is not allowed" in run.answer
    assert run.metrics.failed_agents == 1


async def test_a_server_fault_is_tried_again_and_logged(tmp_path):
    failures = {"t1": 2}

    def answer(task: str, _messages: list[Message]) -> Reply | Exception | str:
        if failures.get(task, 0):
            failures[task] -= 1
            return ServerFault("busy", retry_after=0.001)

        return f"did {task}"

    run = await start(Scripted(fan_out(3, answer)), tmp_path)
    assert run.answer == "did t0 | did t1 | did t2"
    assert run.metrics.retries == 2


async def test_a_wrong_key_ends_the_run_and_keeps_what_is_done(tmp_path):
    def answer(task: str, _messages: list[Message]) -> Reply | Exception | str:
        if task == "t0":
            return "did t0"

        return AccessDenied("wrong key; check MOONSHOT_API_KEY")

    model = Scripted(fan_out(20, answer))
    run = await start(model, tmp_path, early_start=False)
    assert run.status == "partial"
    assert run.why == "wrong key; check MOONSHOT_API_KEY"
    assert "did t0" in run.answer
    assert model.in_flight == 0
    unanswered = [f for f in facts(run, ToolReturned) if f.interrupted]
    assert len(unanswered) == 20  # every tool call is answered


async def test_everyone_ends_in_exactly_one_state_after_a_cancel(tmp_path):
    model = Held(fan_out(50), after=2 + 20)
    run = start(model, tmp_path)
    done = 0

    async for record in run:
        done += isinstance(record.fact, AgentEnded)

        if done == 20:
            run.cancel()

    assert run.status == "cancelled"
    assert run.done
    assert model.in_flight == 0
    sent = len(model.seen)
    ended = [r.agent for r in run.trace if isinstance(r.fact, AgentEnded)]
    began = [r.agent for r in run.trace if isinstance(r.fact, AgentBegan)]
    assert sorted(ended) == sorted(began)
    outcomes = Counter(fact.outcome for fact in facts(run, AgentEnded))
    assert outcomes == {"finished": 20, "cancelled": 1 + 30}
    assert isinstance(run.trace[-1].fact, RunEnded)
    assert tasks_left() == []
    assert len(model.seen) == sent


async def test_cancelling_one_sub_agent_leaves_its_siblings(tmp_path):
    @kn.tool
    async def hold() -> str:
        "Wait for ever."
        await asyncio.sleep(3600)
        return ""

    def answer(task: str, _messages: list[Message]) -> Reply | str:
        return calls(call("hold")) if task == "t1" else f"did {task}"

    run = start(Scripted(fan_out(3, answer)), tmp_path, tools=[hold])

    async for record in run:
        if isinstance(record.fact, AgentEnded) and record.agent == "a3":
            run.cancel("a2")

    assert run.status == "finished"
    assert run.answer == "did t0 | ERROR: this sub-agent was cancelled by the user | did t2"


async def test_cancelling_an_unknown_agent_names_the_running_ones(tmp_path):
    run = start(Scripted(fan_out(2, lambda task, _m: say(task)), delay=3600), tmp_path)

    with pytest.raises(UsageFault, match="no sub-agent 'a99' is running"):
        run.cancel("a99")

    run.cancel()
    await run


async def test_invalid_calls_are_answered_and_bounded(tmp_path):
    def respond(_messages: list[Message]) -> Reply | str:
        return calls(call("no_such_tool", x=1))

    run = await start(Scripted(respond), tmp_path)
    assert run.status == "failed"
    assert "no tool call of 8 turns in a row succeeded" in run.why
    assert "no_such_tool" in run.why


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (call("assign_task", agent="nobody", prompt="x"), "no sub-agent 'nobody' was created"),
        (call("assign_task", agent="w"), "assign_task needs 'prompt', a string"),
        (call("map_task", agent="w", template="do", items=["a"]), "the template has no {{item}}"),
        (call("map_task", agent="w", template="{{item}}", items=[]), "at least one item"),
        (call("map_task", agent="w", template="{{item}}", items=[1]), "'items', a list of strings"),
        (call("create_subagent", name="w", system_prompt="Other."), "exists with another prompt"),
    ],
)
async def test_wrong_own_calls_get_an_error_that_says_what_is_wrong(tmp_path, made, complaint):
    def respond(messages: list[Message]) -> Reply | str:
        got = results(messages)

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        return calls(made) if len(got) == 1 else say(got[1])

    run = await start(Scripted(respond), tmp_path)
    assert complaint in run.answer


async def test_map_task_expands_into_the_same_facts(tmp_path):
    def respond(messages: list[Message]) -> Reply | str:
        if not is_orchestrator(messages):
            return messages[1]["content"].upper()

        got = results(messages)

        if not got:
            return calls(
                call("create_subagent", name="w", system_prompt="Work."),
                call("map_task", agent="w", template="read {{item}}!", items=["a", "b", "c"]),
            )

        return say(got[1])

    run = await start(Scripted(respond), tmp_path)
    assert orjson.loads(run.answer) == [
        {"item": "a", "ok": True, "text": "READ A!"},
        {"item": "b", "ok": True, "text": "READ B!"},
        {"item": "c", "ok": True, "text": "READ C!"},
    ]
    began = [f for f in facts(run, AgentBegan) if f.role == "sub-agent"]
    assert [(f.stage, f.call, f.task) for f in began] == [
        (1, 1, "read a!"),
        (1, 1, "read b!"),
        (1, 1, "read c!"),
    ]


async def test_more_sub_agents_than_allowed_are_refused_with_the_reason(tmp_path):
    run = await start(Scripted(fan_out(5)), tmp_path, max_agents=3)
    assert run.answer.count("did ") == 3
    assert run.answer.count("only 0 of 3 are left") == 2


async def test_sub_agents_see_nothing_of_the_orchestrator_and_cannot_spawn(tmp_path):
    def answer(_task: str, messages: list[Message]) -> Reply | str:
        if not results(messages):
            return calls(call("assign_task", agent="w", prompt="more"))

        return results(messages)[0]

    model = Scripted(fan_out(1, answer))
    run = await start(model, tmp_path)
    assert "assign_task" in run.answer
    assert "ERROR" in run.answer
    sub = next(messages for messages in model.seen if not is_orchestrator(messages))
    assert [m["role"] for m in sub] == ["system", "user"]
    assert sub[1]["content"] == "t0"


# Budgets


@pytest.mark.parametrize(
    "budget",
    [
        kn.Budget(steps=7),
        kn.Budget(critical_steps=3),
        kn.Budget(tokens=4_000),
        kn.Budget(usd=0.0009),
        kn.Budget(agents=4),
    ],
    ids=lambda b: next(k for k in b.__slots__ if getattr(b, k) is not None),
)
async def test_budgets_are_never_exceeded(tmp_path, budget):
    @kn.tool
    async def work() -> str:
        "Work."
        return "ok"

    def answer(_task: str, messages: list[Message]) -> Reply | str:
        return "done" if len(results(messages)) > 3 else calls(call("work"))

    price = {"scripted": kn.Price(1.0, 0.1, 4.0)}
    model = Scripted(fan_out(10, answer), delay=0.001)
    run = await start(model, tmp_path, tools=[work], budget=budget, prices=price, max_tokens=500)
    found = run.metrics

    if budget.agents is not None:
        assert found.agents == 1 + budget.agents
        assert run.status == "finished"
        return

    assert run.status == "over_budget"
    assert "budget" in run.why
    assert budget.steps is None or found.total_steps == budget.steps == len(model.seen)
    assert budget.critical_steps is None or found.critical_steps == budget.critical_steps
    assert budget.tokens is None or found.tokens_in + found.tokens_out <= budget.tokens
    assert budget.usd is None or found.cost_usd <= budget.usd


@pytest.mark.usefixtures("virtual_time")
async def test_a_deadline_ends_the_run_and_keeps_what_was_done(tmp_path):
    def answer(task: str, _messages: list[Message]) -> Reply | str:
        return f"did {task}"

    class Slow(Scripted):
        async def reply(self, request, sink):
            if request.conversation.messages[1]["content"] == "t1":
                await asyncio.sleep(3600)

            return await super().reply(request, sink)

    run = await start(Slow(fan_out(2, answer)), tmp_path, budget=kn.Budget(seconds=0.3))
    assert run.status == "over_budget"
    assert run.why == "the budget of 0.3 seconds is used up"
    assert "did t0" in run.answer


def test_a_budget_in_dollars_needs_a_price(tmp_path):
    with pytest.raises(UsageFault, match="prices="):
        start(Scripted(fan_out(1)), tmp_path, budget=kn.Budget(usd=1))


# Early start


async def test_a_sub_agent_starts_before_the_orchestrators_turn_ends(tmp_path):
    early = await start(Scripted(fan_out(20), between_calls=0.001), tmp_path)
    ends = [r.seq for r in early.trace if isinstance(r.fact, StepEnded) and r.agent == "a0"]
    begins = [r.seq for r in early.trace if isinstance(r.fact, AgentBegan) and r.agent == "a1"]
    assert begins[0] < ends[1]
    assert early.metrics.critical_steps == 4
    assert early.answer == " | ".join(f"did t{i}" for i in range(20))


async def test_without_early_start_they_begin_after_the_turn(tmp_path):
    run = await start(Scripted(fan_out(5), between_calls=0.001), tmp_path, early_start=False)
    ends = [r.seq for r in run.trace if isinstance(r.fact, StepEnded) and r.agent == "a0"]
    begins = [r.seq for r in run.trace if isinstance(r.fact, AgentBegan) and r.agent == "a1"]
    assert begins[0] > ends[1]


async def test_a_call_that_changes_after_it_began_is_answered_with_an_error(tmp_path):
    good = fan_out(1)

    class Changing(Scripted):
        async def reply(self, request, sink):
            reply = await super().reply(request, sink)

            if [c.name for c in reply.calls] != ["assign_task"]:
                return reply

            made = reply.calls[0]
            await asyncio.sleep(0.02)  # its sub-agent is under way
            longer = call("assign_task", agent="w", prompt="something else")
            return calls(
                type(made)(index=0, id=made.id, name=made.name, arguments=longer.arguments)
            )

    model = Changing(good, delay=0.01)
    run = await start(model, tmp_path)
    assert "the call changed after it had begun" in run.answer
    tasks = [m[1]["content"] for m in model.seen if not is_orchestrator(m)]
    assert tasks == ["t0"]  # begun once, never run as the other one
    outcomes = {r.agent: r.fact.outcome for r in run.trace if isinstance(r.fact, AgentEnded)}
    assert outcomes["a1"] in {"cancelled", "finished"}


async def test_a_turn_that_breaks_off_hands_its_sub_agents_to_its_repetition(tmp_path):
    broken = 0

    class Breaking(Scripted):
        async def reply(self, request, sink):
            nonlocal broken
            reply = await super().reply(request, sink)

            if len(reply.calls) > 1 and not broken:
                broken += 1
                raise ServerFault("the stream broke", retry_after=0.001)

            return reply

    model = Breaking(fan_out(6))
    run = await start(model, tmp_path)
    assert run.answer == " | ".join(f"did t{i}" for i in range(6))
    tasks = [m[1]["content"] for m in model.seen if not is_orchestrator(m)]
    assert sorted(tasks) == [f"t{i}" for i in range(6)]  # each once
    assert len(facts(run, AgentBegan)) == 7


# Misuse


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"goal": "  "}, "the goal is empty"),
        ({"max_agents": 0}, "max_agents is 0, but it must be at least 1; .*--single"),
        ({"folder": "no/such/folder"}, "does not exist"),
        ({"single": True, "plan": "- a: b"}, "exclude each other"),
        ({"plan": "- a: b\n  after: [c]"}, "comes after 'c', which the plan does not have"),
        ({"plan": "- a: x\n  after: b\n- b: y\n  after: a"}, "round in a circle"),
        ({"plan": "just words"}, "a plan is a list"),
    ],
)
def test_misuse_is_refused_with_what_to_do(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    goal = options.pop("goal", "go")

    with pytest.raises(UsageFault, match=message):
        kn.swarm(goal, **options)

    assert not list(tmp_path.rglob("*.jsonl"))


async def test_alone_and_by_plan(tmp_path):
    alone = kn.swarm(
        "go", model=Scripted(lambda _m: "alone"), single=True, trace=tmp_path / "1.jsonl"
    )
    assert (await alone).answer == "alone"
    assert [f.role for f in facts(alone, AgentBegan)] == ["single"]

    plan = "- rows: Count.\n- prices: Look.\n- report: Join.\n  after: [rows, prices]\n"
    model = Scripted(lambda messages: messages[1]["content"].splitlines()[-1].lower())
    planned = kn.swarm("", model=model, plan=plan, trace=tmp_path / "2.jsonl")
    assert (await planned).answer == "join."
    joined = next(m[1]["content"] for m in model.seen if m[1]["content"].endswith("Join."))
    assert joined == "Result of rows:\ncount.\n\nResult of prices:\nlook.\n\nJoin."
    assert [f.after for f in facts(planned, AgentBegan)] == ["", "", "a1 a2"]


async def test_a_plan_has_no_barriers_and_skips_what_depends_on_a_failure(tmp_path):
    plan = [{"a": "x"}, {"b": "y"}, {"c": "z", "after": "a"}, {"d": "w", "after": "b"}]

    def respond(messages: list[Message]) -> Reply | Exception | str:
        return BadRequest("no") if messages[1]["content"] == "x" else "fine"

    run = await kn.swarm("", model=Scripted(respond), plan=plan, trace=tmp_path / "p.jsonl")
    assert run.status == "partial"
    assert run.why == "a: ERROR: no; c: not begun: a failed"
    assert run.answer == "### d\n\nfine"


async def test_thinking_is_kept_apart_and_echoed(tmp_path):
    def respond(messages: list[Message]) -> Reply | str:
        return say("done") if results(messages) else calls(call("list_files"), thinking="hm")

    model = Scripted(respond)
    run = await kn.swarm("go", model=model, single=True, trace=tmp_path / "t.jsonl")
    assert model.seen[1][2]["reasoning_content"] == "hm"
    assert "content" not in model.seen[1][2]
    assert run.answer == "done"


async def test_an_answer_cut_by_its_length_says_so(tmp_path):
    def respond(_messages: list[Message]) -> Reply:
        return Reply(
            text="half of",
            thinking="",
            thinking_key="",
            calls=(),
            finish="length",
            usage=Usage(tokens_in=1, tokens_out=1),
        )

    run = await kn.swarm("go", model=Scripted(respond), single=True, trace=tmp_path / "t.jsonl")
    assert run.answer.startswith("half of\n[cut:")


def test_tools_that_do_not_fit_beside_the_orchestrators_own():
    made = [kn.tool(name=f"tool_{number}")(lambda: None) for number in range(120)]

    with pytest.raises(kn.UsageFault, match="126 tools are too many: Kimi takes 128"):
        kn.swarm("go", model=Scripted(lambda _messages: "x"), tools=made)

    taken = kn.tool(name="assign_task")(lambda: None)

    with pytest.raises(kn.UsageFault, match="'assign_task': the orchestrator has one"):
        kn.swarm("go", model=Scripted(lambda _messages: "x"), tools=[taken])
