"""Random runs, cut at every record or cut twice, come to the end that they would have had."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest
from scripted import (
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    check_ended,
    is_orchestrator,
    results,
    say,
)

import kimi_nb as kn
from kimi_nb.errors import BadRequest, ServerFault
from kimi_nb.events import AgentBegan, AgentEnded, RunEnded, StepEnded, ToolCalled
from kimi_nb.models.base import Message, Reply, ToolCall
from kimi_nb.swarm import attempt
from kimi_nb.trace import Trace

TASKS = ("t0", "t1", "t2", "t2", "bad", "t3")
PLAN = [
    {"one": "t0"},
    {"two words": "t1"},
    {"three": "bad"},
    {"four": "t3", "after": ["one", "two words"]},
    {"five": "t4", "after": ["three"]},
    {"six": "t5", "after": ["four"]},
]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "backoff", lambda *_: 0.0)


class World:
    """A model whose every answer follows from a seed and from the conversation, and two tools.

    Only those with an odd seed send letters: one whose fate is unknown changes what follows.
    """

    def __init__(self, seed: int, *, flaky: bool = True) -> None:
        self.seed = seed
        self.flaky = flaky
        self.effects: list[tuple[str, str]] = []
        self.broken: set[str] = set()
        self.paid = 0

        @kn.tool
        async def look(n: int) -> str:
            "Look at something."
            await asyncio.sleep(0)
            return f"saw {n}"

        @kn.tool(side_effects=True)
        async def send(text: str, context: kn.ToolContext) -> str:
            "Send a letter."
            self.effects.append((context.agent, text))
            await asyncio.sleep(0)
            return "sent"

        self.tools = [look, send]

    def dice(self, messages: list[Message]) -> random.Random:
        turn = sum(m["role"] == "assistant" for m in messages)
        who = "main" if is_orchestrator(messages) else messages[1]["content"]
        return random.Random(f"{self.seed} {who} {turn}")

    def respond(self, messages: list[Message]) -> Reply | BaseException | str:
        key = f"{messages[1]['content']} {len(messages)}"
        answer, breaks = self.answer(messages)

        if breaks and self.flaky and key not in self.broken:
            self.broken.add(key)
            return ServerFault("busy")

        self.paid += not isinstance(answer, BaseException)
        return answer

    def answer(self, messages: list[Message]) -> tuple[Reply | BaseException | str, bool]:
        """What it says, and whether the first attempt at it breaks."""
        dice = self.dice(messages)
        breaks = dice.random() < 0.2
        turn = sum(m["role"] == "assistant" for m in messages)
        made = self.lead if is_orchestrator(messages) else self.work
        return made(messages, turn, dice), breaks

    def lead(self, messages: list[Message], turn: int, dice: random.Random) -> Reply | str:
        if turn == 0:
            made = [call("create_subagent", name=n, system_prompt=f"You are {n}.") for n in "vw"]
            return calls(*made, call("look", n=0), thinking="plan")

        if turn > 2 + self.seed % 2:
            return say(" | ".join(results(messages)))

        made = [self.lead_call(turn, n, dice) for n in range(dice.randint(1, 4))]
        return calls(*made, text=dice.choice(("", "on")), thinking=dice.choice(("", "hm")))

    def lead_call(self, turn: int, n: int, dice: random.Random) -> ToolCall:
        kind = dice.random()

        if kind < 0.5:
            return call("assign_task", agent=dice.choice("vw"), prompt=dice.choice(TASKS))

        if kind < 0.7:
            items = [dice.choice(TASKS) for _ in range(dice.randint(1, 3))]
            return call("map_task", agent=dice.choice("vw"), template="{{item}}", items=items)

        if kind < 0.8:
            return call("look", n=turn)

        if kind < 0.9 and self.seed % 2:
            return call("send", text=f"main {turn} {n}")

        return dice.choice((call("assign_task", agent="nobody", prompt="x"), call("nothing")))

    def work(
        self, messages: list[Message], turn: int, dice: random.Random
    ) -> Reply | BaseException | str:
        task = messages[1]["content"].splitlines()[-1]

        if turn >= len(task) % 3 + self.seed % 2:
            return BadRequest("refused") if task == "bad" else f"{task}: {results(messages)}"

        made = [call("look", n=n) for n in range(dice.randint(1, 3))]

        if dice.random() < 0.3 and self.seed % 2:
            made.append(call("send", text=f"{task} {turn}"))

        return calls(*made, text="so" if dice.random() < 0.3 else "")


class Streaming(Scripted):
    """Breaks only after its calls were heard, where the world says that it breaks."""

    def __init__(self, world: World) -> None:
        super().__init__(world.respond)
        self._world = world

    async def reply(self, request: Any, sink: Any) -> Reply:
        try:
            return await super().reply(request, sink)
        except ServerFault:
            answer, _ = self._world.answer(self.seen[-1])

            for made in getattr(answer, "calls", ())[:-1]:
                sink.on_call(made)

            await asyncio.sleep(0)
            raise


def begin(seed: int, path: Path, mode: str, world: World, **options: Any) -> kn.Run:
    given: dict[str, Any] = {"single": {"single": True}, "plan": {"plan": PLAN}}.get(mode, {})
    return kn.swarm(
        "go", model=Streaming(world), tools=world.tools, trace=path, seed=seed, **given, **options
    )


def resume(path: Path, world: World, **options: Any) -> kn.Replay:
    run = kn.resume(path, model=Streaming(world), tools=world.tools, **options)

    if isinstance(run, kn.Run):
        run.result(50)

    return run


def state(run: kn.Replay) -> Any:
    ends = {r.agent: r.fact for r in run.trace if isinstance(r.fact, AgentEnded)}
    tasks = {r.agent: r.fact.task for r in run.trace if isinstance(r.fact, AgentBegan)}
    found = run.metrics
    return (
        run.status,
        run.answer,
        run.why,
        sorted((tasks[agent], end.outcome, end.text) for agent, end in ends.items()),
        found.agents,
        found.total_steps,
        found.critical_steps,
        found.tool_calls,
        found.tokens_in,
        found.tokens_out,
    )


def paid_in(trace: Trace) -> int:
    return sum(isinstance(r.fact, StepEnded) and r.fact.finish != "failed" for r in trace)


def under_way(trace: Trace) -> set[tuple[str, str]]:
    """(agent, text) of the letters that the process which wrote this may have sent."""
    asked: dict[tuple[str, int], set[tuple[str, str]]] = {}
    sent: set[tuple[str, str]] = set()

    for record in trace:
        match record.fact:
            case ToolCalled(tool="send", step=number, arguments=arguments):
                text = arguments.split('"')[3]
                asked.setdefault((record.agent, number), set()).add((record.agent, text))
            case StepEnded(step=number):
                sent |= asked.get((record.agent, number), set())
            case _:
                pass

    return sent


@pytest.mark.parametrize("part", range(4))  # of the cuts: together they are too long for a test
@pytest.mark.parametrize("mode", ["swarm", "single", "plan"])
@pytest.mark.parametrize("seed", range(6))
def test_cut_at_every_record_it_comes_to_the_same_end(tmp_path, seed, mode, part):
    world = World(seed)
    full = begin(seed, tmp_path / "full.jsonl", mode, world).result(50)
    check_ended(full)
    quiet = not world.effects
    lines = (tmp_path / "full.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "cut.jsonl"

    for count in range(2 + part, len(lines) + 1, 4):
        path.write_bytes(b"".join(lines[:count]))
        cut = kn.read(path)
        again = World(seed, flaky=bool(count % 2))
        run = resume(path, again)
        check_ended(run)
        assert kn.read(path) == run.trace
        assert len(set(again.effects)) == len(again.effects)
        assert not under_way(cut) & set(again.effects), count

        if quiet:
            assert state(run) == state(full), count
            assert again.paid == world.paid - paid_in(cut), count


@pytest.mark.parametrize("seed", range(40))
def test_cut_again_and_again(tmp_path, seed):
    dice = random.Random(seed)
    world = World(seed)
    full = begin(seed, tmp_path / "full.jsonl", "swarm", world).result(50)
    path = tmp_path / "cut.jsonl"
    path.write_bytes((tmp_path / "full.jsonl").read_bytes())
    run: kn.Replay = full

    for _ in range(4):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: dice.randint(2, len(lines))]))
        cut = kn.read(path)
        again = World(seed, flaky=dice.random() < 0.5)
        run = resume(path, again)
        check_ended(run)
        assert not under_way(cut) & set(again.effects)

        if not world.effects:
            assert again.paid == world.paid - paid_in(cut)

    if not world.effects:
        assert state(run) == state(full)


@pytest.mark.parametrize("seed", range(12))
def test_cancelled_and_taken_up_again_and_again(tmp_path, seed):
    world = World(seed)
    full = begin(seed, tmp_path / "full.jsonl", "swarm", world).result(50)
    path = tmp_path / "run.jsonl"
    run: Any = begin(seed, path, "swarm", World(seed))

    for number in range(50):
        stop_at = len(run.trace) + 3 + (seed + number) % 7

        while not run.done and len(run.trace) < stop_at:
            time.sleep(0.0001)

        run.cancel()
        check_ended(run.result(50))

        if run.status == "finished":
            break

        run = kn.resume(path, model=Streaming(World(seed)), tools=world.tools)
    else:
        check_ended(run.result(50))

    if not world.effects:
        assert state(run.result()) == state(full)


@pytest.mark.parametrize("seed", range(8))
def test_when_the_model_answers_otherwise_the_orphans_end_and_nothing_hangs(tmp_path, seed):
    begin(seed, tmp_path / "full.jsonl", "swarm", World(seed)).result(50)
    lines = (tmp_path / "full.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "cut.jsonl"

    for count in range(2, len(lines), 3):
        path.write_bytes(b"".join(lines[:count]))
        run = resume(path, World(seed + 1))
        check_ended(run)
        assert all(agent.ended is not None for agent in run.fold.agents.values())
        assert kn.resume(path, tools=World(seed).tools).answer == run.answer


@pytest.mark.parametrize("early_start", [True, False])
@pytest.mark.parametrize(
    "limit",
    [
        *({"steps": n} for n in (1, 4, 9)),
        *({"critical_steps": n} for n in (1, 3, 5)),
        *({"tokens": n} for n in (900, 2_000, 4_000)),
        *({"usd": n} for n in (0.0006, 0.002)),
        *({"agents": n} for n in (0, 1, 3)),
        {"steps": 9, "tokens": 3_000, "agents": 3},
    ],
    ids=str,
)
def test_no_budget_is_ever_exceeded_and_more_of_it_goes_on(tmp_path, limit, early_start):
    price = {"scripted": kn.Price(1.0, 0.1, 4.0)}

    for seed in range(6):
        path = tmp_path / f"{seed}.jsonl"
        options: dict[str, Any] = {"early_start": early_start, "max_tokens": 300}
        budget = kn.Budget(**limit)
        run = begin(seed, path, "swarm", World(seed), prices=price, budget=budget, **options)
        check_ended(run.result(50))
        within(run, budget)

        if run.status == "finished":
            continue

        same = resume(path, World(seed), prices=price)  # what was spent stays spent
        check_ended(same)
        within(same, budget)
        assert same.status == "over_budget"
        more = kn.Budget(**{name: value + 2 for name, value in limit.items()})
        within(resume(path, World(seed), prices=price, budget=more), more)
        last = resume(path, World(seed), prices=price, budget=kn.Budget())
        check_ended(last)
        assert last.status == "finished"


def within(run: kn.Replay, budget: kn.Budget) -> None:
    found = run.metrics
    launched = found.agents - 1
    spent = {
        "agents": launched,
        "steps": found.total_steps,
        "critical_steps": found.critical_steps,
        "tokens": found.tokens_in + found.tokens_out,
        "usd": found.cost_usd or 0.0,
    }

    for name, value in spent.items():
        limit = getattr(budget, name)
        assert limit is None or value <= limit + 1e-9, name


def test_the_time_of_earlier_processes_counts(tmp_path):
    path = tmp_path / "run.jsonl"
    slow = Scripted(lambda _m: "ok", delay=3600)
    run = kn.swarm("go", model=slow, trace=path, budget=kn.Budget(seconds=0.05)).result(50)
    check_ended(run)
    assert run.status == "over_budget"
    again = kn.resume(path, model=Scripted(lambda _m: "ok", delay=3600))
    assert isinstance(again, kn.Run)
    check_ended(again.result(50))
    assert (again.status, again.why) == ("over_budget", "the budget of 0.05 seconds is used up")
    more = kn.resume(path, model=Scripted(lambda _m: "ok"), budget=kn.Budget(seconds=60))
    assert isinstance(more, kn.Run)
    assert more.result(50).answer == "ok"


def test_two_items_alike_are_two_sub_agents(tmp_path):
    """A repeated turn takes over the one that it had, and may launch no more than is left."""
    broken: list[int] = []

    class Breaking(Scripted):
        async def reply(self, request: Any, sink: Any) -> Reply:
            reply = await super().reply(request, sink)

            if results(self.seen[-1]) and is_orchestrator(self.seen[-1]) and not broken:
                broken.append(1)
                raise ServerFault("the stream broke")

            return reply

    def answer(messages: list[Message]) -> Reply | str:
        if not is_orchestrator(messages):
            return "did"

        match len(results(messages)):
            case 0:
                return calls(call("create_subagent", name="w", system_prompt="Work."))
            case 1:
                items = ["a"] if not broken else ["a", "a", "a"]
                return calls(call("map_task", agent="w", template="{{item}}", items=items))
            case _:
                return say(results(messages)[-1])

    run = kn.swarm("go", model=Breaking(answer), max_agents=2, trace=tmp_path / "run.jsonl")
    check_ended(run.result(50))
    assert "2 more sub-agents were asked for, but only 1 of 2 are left" in run.answer
    assert run.metrics.agents == 2


def test_a_user_s_cancel_of_one_agent_still_holds_after_a_resume(tmp_path):
    holding: list[str] = []

    @kn.tool
    async def hold(context: kn.ToolContext) -> str:
        "Wait for ever."
        holding.append(context.agent)
        await asyncio.sleep(3600)
        return ""

    def answer(messages: list[Message]) -> Reply | str:
        if not is_orchestrator(messages):
            return calls(call("hold"))

        if not results(messages):
            made = [call("assign_task", agent="w", prompt=f"t{n}") for n in range(2)]
            return calls(call("create_subagent", name="w", system_prompt="Work."), *made)

        return say(" | ".join(results(messages)[1:]))

    path = tmp_path / "run.jsonl"
    run = kn.swarm("go", model=Scripted(answer), tools=[hold], trace=path)

    while len(holding) < 2:
        time.sleep(0.001)

    run.cancel("a1")

    while not any(isinstance(r.fact, AgentEnded) for r in run.trace):
        time.sleep(0.001)

    run.cancel()
    check_ended(run.result(50))
    again = kn.resume(path, model=Scripted(answer), tools=[hold])
    assert isinstance(again, kn.Run)

    while len(holding) < 3:
        time.sleep(0.001)

    assert holding[2] == "a2"
    again.cancel()
    check_ended(again.result(50))
    later = [r.fact.text for r in again.trace if isinstance(r.fact, AgentEnded) and r.agent == "a1"]
    assert later == ["cancelled by the user"]
    assert again.fold.agents["a1"].state == "cancelled"
    assert isinstance(again.trace[-1].fact, RunEnded)
