"""Any order of answers, faults, cancels, deaths and resumes: Hypothesis drives the real engine.

Every model call waits until a rule answers it. The event loop stands still between two rules,
and its time is virtual, so that an example always goes the same way. A process dies when its log
has so many more lines: from there on nothing is written, and nothing that it does counts.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invariants import answered, check_invariants, check_so_far
from scripted import call, calls, check_books, complaints, say
from virtual_time import VirtualLoop

import kimi_nb as kn
from kimi_nb.errors import AccessDenied, BadRequest, Overloaded, ServerFault, Unreachable
from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    RunBegan,
    RunEnded,
    RunResumed,
    StepEnded,
)
from kimi_nb.models.base import Message, Reply, Request, Sink, ToolCall
from kimi_nb.models.limiter import Limiter
from kimi_nb.swarm import engine as engine_module
from kimi_nb.swarm.budget import Account
from kimi_nb.swarm.engine import Engine, Settings, Stop
from kimi_nb.swarm.orchestrate import run_to_end
from kimi_nb.swarm.past import Past
from kimi_nb.swarm.plan import parse_plan
from kimi_nb.tools import Toolset
from kimi_nb.trace import Log

GOAL = "go"
PLAN = [{"one": "p0"}, {"two": "p1"}, {"three": "p2", "after": ["one", "two"]}]
BY_USER = "cancelled by the user"
GAVE_UP = "gave up: no tool call of"
CUT_OFF = {("cancelled", None)}
ENOUGH = 60
"""Turns of the loop after which nothing moves any more without an answer."""
FAULTS: dict[str, Callable[[], BaseException]] = {
    "busy": lambda: ServerFault("busy"),
    "cut": lambda: Unreachable("cut"),
    "overloaded": lambda: Overloaded("too many", retry_after=1.0),
    "refused": lambda: BadRequest("refused"),
    "locked out": lambda: AccessDenied("wrong key"),
    "defect": lambda: ValueError("a defect of the model"),
}


class MortalLog(Log):
    """A log whose process dies when it is about to write one line too many."""

    left: int | None = None
    torn = False
    dead = False

    def _write(self, line: bytes) -> None:
        parts = line.splitlines(keepends=True)

        if self.dead or self.left is None or len(parts) <= self.left:
            if not self.dead:
                self.left = None if self.left is None else self.left - len(parts)
                super()._write(line)

            return

        cut = parts[self.left][: len(parts[self.left]) // 2] if self.torn else b""
        super()._write(b"".join(parts[: self.left]) + cut)
        self.dead = True

    def flush(self) -> None:
        """The machine goes on when a process dies: what was written is there."""


class Numbered(asyncio.Task[Any]):
    """A task whose place in a set does not hang on where it lies in memory."""

    def __init__(self, work: Any, number: int, **more: Any) -> None:
        self._number = number
        super().__init__(work, **more)

    def __hash__(self) -> int:
        return self._number


@dataclass(eq=False)
class Parked:
    """A model call that waits for its answer."""

    task: str
    step: int
    orchestrator: bool
    answer: asyncio.Future[Reply | BaseException | list[ToolCall]]
    heard: list[ToolCall] = field(default_factory=list)
    """Calls of this turn that were complete in the stream already."""


class World:
    """The model, the tools, and what an observer knows of them: it outlives every process."""

    name = "scripted"
    simulated = False

    def __init__(self) -> None:
        self.log: MortalLog | None = None
        self.parked: list[Parked] = []
        self.asked = 0
        self.completed = 0
        self.wrong: list[str] = []
        """What should not have been asked; an exception in a call would only fail its agent."""
        self.effects: Counter[str] = Counter()
        self.fates: dict[str, set[tuple[str, str | None]]] = {}
        """How a task may end, by what was answered since its latest call; None: any text."""
        self.stopping: set[tuple[str, str | None]] = set()
        """How whoever asks now may end as well, since the run is being stopped."""
        self.cancelled: set[str] = set()
        """Tasks that are being cancelled."""
        self.fresh: set[str] = set()
        """Tasks that were answered, or taken up again, since the loop last came to rest."""

        @kn.tool
        async def look(n: int) -> str:
            "Look at something."
            await asyncio.sleep(0)
            return f"saw {n}"

        @kn.tool(side_effects=True)
        async def send(text: str) -> str:
            "Send a letter."
            self.effects.update([text] if self.alive else [])
            await asyncio.sleep(0)
            return "sent"

        self.tools = [look, send]

    @property
    def alive(self) -> bool:
        return self.log is not None and not self.log.dead

    async def reply(self, request: Request, sink: Sink) -> Reply:
        messages = list(request.conversation.messages)
        call = self._asked(messages)
        self.parked.append(call)

        try:
            while True:
                answer = await call.answer

                if isinstance(answer, list):
                    call.answer = asyncio.get_running_loop().create_future()

                    for made in answer:
                        call.heard.append(made)
                        sink.on_call(made)
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    break
        finally:
            self.parked.remove(call)

        self.completed += self.alive

        for made in answer.calls[len(call.heard) :]:
            sink.on_call(made)

        return answer

    async def close(self) -> None: ...

    def may_end(self, task: str, *ways: tuple[str, str | None]) -> None:
        """Forget how a task might have ended; it ends in one of these ways, or is cut off."""
        cut_off = CUT_OFF if task in self.cancelled else set()
        self.fates[task] = {*ways, *self.stopping, *cut_off}

    def _asked(self, messages: list[Message]) -> Parked:
        content = messages[1]["content"].splitlines()[-1]
        task = "main" if content == GOAL else content
        step = 1 + sum(m["role"] == "assistant" for m in messages)
        boss = messages[0]["content"].startswith("You are the orchestrator")

        if self.alive:
            self.asked += 1
            self.wrong += complaints(messages)
            self.wrong += self._repeated(task, step)
            self.wrong += self._misreported(messages) if boss else []
            self.may_end(task)
            self.fresh.discard(task)

        return Parked(task, step, boss, asyncio.get_running_loop().create_future())

    def _repeated(self, task: str, step: int) -> list[str]:
        records = self.log.records if self.log else []
        agents = {
            r.agent for r in records if isinstance(r.fact, AgentBegan) and r.fact.task == task
        }
        agents = {"a0"} if task == "main" else agents
        mine = [r.fact for r in records if r.agent in agents]
        paid = any(
            isinstance(f, StepEnded) and f.step == step and f.finish != "failed" for f in mine
        )
        ends = [(f.outcome, f.text) for f in mine if isinstance(f, AgentEnded)]
        return [
            *([f"step {step} of {task} is paid for"] if paid else []),
            *([f"{task} was cancelled by the user"] if ("cancelled", BY_USER) in ends else []),
            *([f"{task} has finished"] if any(o == "finished" for o, _ in ends) else []),
        ]

    def _misreported(self, messages: list[Message]) -> list[str]:
        """Results of sub-agents that are not what these brought."""
        texts = {m["tool_call_id"]: m["content"] for m in messages if m["role"] == "tool"}
        wrong: list[str] = []

        for message in messages:
            for made in message.get("tool_calls", []):
                if made["function"]["name"] == "assign_task":
                    task = made["function"]["arguments"].split('"')[-2]
                    text = texts[made["id"]]
                    wrong += [] if self._may_report(task, text) else [f"{task}: {text}"]

        return wrong

    def _may_report(self, task: str, text: str) -> bool:
        if text.startswith(("ERROR: the next call", "ERROR: the budget")):
            return True

        if task not in self.fates:
            return "more sub-agents were asked for" in text

        ways = {
            "finished": lambda said: text == said,
            "failed": lambda said: text.startswith(f"ERROR: {said or ''}"),
            "cancelled": lambda _: text == f"ERROR: this sub-agent was {BY_USER}",
        }
        return any(ways[outcome](said) for outcome, said in self.fates[task])


class Machine(RuleBasedStateMachine):
    """The rules. Each ends after a few turns of the loop, or before the first."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        self.path = self.folder / "run.jsonl"
        self.loop = VirtualLoop()
        count = itertools.count()
        self.loop.set_task_factory(
            lambda loop, work, **more: Numbered(work, next(count), loop=loop, **more)
        )
        self.world = World()
        self.engine: Engine | None = None
        self.main: asyncio.Task[None] | None = None
        self.finished = False
        self.names = 0
        self.lost: dict[int, list[ToolCall]] = {}
        """Assignments of each of the orchestrator's turns, should it have to be made again."""

    # Processes

    @initialize(
        mode=st.sampled_from(["swarm"] * 6 + ["single", "plan"]),
        early=st.booleans(),
        agents=st.sampled_from([20, 20, 3]),
        budget=st.sampled_from([{}] * 4 + [{"steps": 6}, {"tokens": 3_000}, {"agents": 2}]),
        ticks=st.sampled_from([0, 1, ENOUGH]),
    )
    def begin(self, mode, early, agents, budget, ticks):
        self.settings = Settings(
            mode=mode,
            early_start=early,
            max_agents=agents,
            max_attempts=3,
            max_tokens=500,
            folder=self.folder,
        )
        self.budget = kn.Budget(**budget)
        began = RunBegan(
            goal=GOAL, model="m", simulated=False, seed=0, started=0.0, version="", options="{}"
        )
        self._start(began)
        self.tick(ticks)

    def _start(self, fact: RunBegan | RunResumed) -> None:
        log = self.world.log = MortalLog(self.path, clock=self.loop.time)
        log.add("", fact)
        self.world.stopping = set()
        self.world.cancelled.clear()
        self.world.fresh = set(self.world.fates)
        self.engine = Engine(
            log=log,
            model=self.world,
            limiter=Limiter(clock=self.loop.time),
            account=Account(self.budget, None),
            tools=Toolset(self.world.tools),
            past=Past(log.records),
            settings=self.settings,
        )
        plan = parse_plan(PLAN) if self.settings.mode == "plan" else []
        self.main = self.loop.create_task(run_to_end(self.engine, GOAL, plan))

    def _drop(self) -> None:
        """The process is no more. Its tasks are cleared away; none of what they do counts."""
        log = self.world.log
        assert log is not None
        log.dead = True
        assert self.main is not None

        if not self.main.done():
            self.main.cancel()
            self.loop.run_until_complete(asyncio.wait({self.main}))

        self._close()

    def _close(self) -> None:
        assert self.world.log is not None
        self._turn(ENOUGH)
        assert asyncio.all_tasks(self.loop) == set()
        assert self.world.parked == []
        self.world.log.close()
        self.world.log = self.engine = self.main = None
        self.world.fresh.clear()

    def _turn(self, count: int) -> None:
        for _ in range(count):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def tick(self, count: int) -> None:
        """Let so many turns of the loop pass; clear away a process that has died or ended.

        In the course of many, all pauses pass as well.
        """
        for place in range(count):
            self.loop.virtual.now += 60.0 if place == ENOUGH // 2 else 0.0
            self._turn(1)
            log = self.world.log

            if log is None:
                break

            if log.dead:
                self._drop()
            elif self.main is not None and self.main.done():
                self._ended()
                self._close()

        if count >= ENOUGH:
            self.world.fresh.clear()

    def _ended(self) -> None:
        """A process has brought the run to its end: the way that its answers allow."""
        assert self.main is not None
        self.main.result()
        trace = kn.read(self.path)
        fates = self.world.fates.get("main", set())
        end = trace[-1].fact
        assert isinstance(end, RunEnded)
        assert (
            self.settings.mode == "plan"
            or end.status == "over_budget"
            or end.why.startswith(GAVE_UP)
            or any(
                {"failed": end.status in {"failed", "partial"}}.get(way, end.status == way)
                and (way != "finished" or end.answer == text)
                for way, text in fates
            )
        ), (end, fates)
        check_invariants(trace, budget=self.budget, server=self.world)
        assert self.engine is not None
        check_books(self.engine, kn.Replay(trace).metrics)
        self.finished = end.status == "finished"

    @property
    def up(self) -> bool:
        return self.engine is not None

    # Answers

    def _parked(self, who: str) -> list[Parked]:
        """The calls that wait: of "any", of the "boss", or of the "workers"."""
        return [
            p
            for p in self.world.parked
            if who == "any" or (p.orchestrator if who == "boss" else p.task != "main")
        ]

    def _pick(self, number: int, who: str = "any") -> Parked:
        parked = self._parked(who)
        return parked[number % len(parked)]

    def _answer(self, parked: Parked, answer: Any, *fates: tuple[str, str | None]) -> None:
        if parked.answer.done():
            return

        parked.answer.set_result(answer)
        self.world.may_end(parked.task, *fates)
        self.world.fresh.add(parked.task)

    def _name(self, what: str) -> str:
        self.names += 1
        return f"{what} {self.names}"

    def _assignments(self, step: int, count: int, *, again: bool) -> list[ToolCall]:
        """New tasks, or those that an earlier try at this very turn had."""
        if again and step in self.lost:
            return self.lost[step]

        made = [call("assign_task", agent="w", prompt=self._name("t")) for _ in range(count)]
        self.lost[step] = made
        return made

    def _new(self, parked: Parked, made: list[ToolCall]) -> list[ToolCall]:
        """Those that this turn has not had yet, behind the creation of the team."""
        team = [call("create_subagent", name="w", system_prompt="Work.")]
        said = {c.arguments for c in parked.heard}
        wanted = [*(team if parked.step == 1 and parked.orchestrator else []), *made]
        return [c for c in wanted if c.arguments not in said]

    def _turned(self, parked: Parked, made: list[ToolCall], text: str = "") -> None:
        self._answer(parked, calls(*parked.heard, *self._new(parked, made), text=text))

    TICKS = st.sampled_from([0, 1, 2, ENOUGH, ENOUGH])
    WHO = st.integers(0, 9)
    AGAIN = st.sampled_from([True, True, False])
    SELDOM = st.sampled_from([False, False, True])

    @precondition(lambda self: self._parked("boss"))
    @rule(who=WHO, count=st.integers(1, 3), again=AGAIN, ticks=TICKS)
    def spawn(self, who, count, again, ticks):
        parked = self._pick(who, "boss")
        self._turned(parked, self._assignments(parked.step, count, again=again))
        self.tick(ticks)

    @precondition(lambda self: self._parked("boss"))
    @rule(who=WHO, count=st.integers(1, 3), ticks=TICKS)
    def spread(self, who, count, ticks):
        items = [self._name("i") for _ in range(count)]
        made = call("map_task", agent="w", template="{{item}}", items=items)
        self._turned(self._pick(who, "boss"), [made], text="on")
        self.tick(ticks)

    @precondition(lambda self: self._parked("boss"))
    @rule(who=WHO, again=AGAIN, ticks=TICKS)
    def hear(self, who, again, ticks):
        """A call is complete in the orchestrator's stream; the turn goes on."""
        parked = self._pick(who, "boss")

        if not parked.answer.done():
            wanted = self._new(parked, self._assignments(parked.step, 1, again=again))
            made = wanted[:2] or [call("assign_task", agent="w", prompt=self._name("t"))]
            parked.answer.set_result(list(calls(*parked.heard, *made).calls[len(parked.heard) :]))

        self.tick(ticks)

    @precondition(lambda self: self._parked("any"))
    @rule(who=WHO, tools=st.lists(st.sampled_from(["look", "send"]), min_size=1), ticks=TICKS)
    def work(self, who, tools, ticks):
        made = [
            call("send", text=self._name("letter")) if tool == "send" else call("look", n=place)
            for place, tool in enumerate(tools[:3])
        ]
        self._turned(self._pick(who), made)
        self.tick(ticks)

    @precondition(lambda self: self._parked("workers"))
    @rule(who=WHO, ticks=TICKS)
    def finish(self, who, ticks):
        self._finish(self._pick(who, "workers"))
        self.tick(ticks)

    @precondition(lambda self: self._parked("any"))
    @rule(who=WHO, really=SELDOM, ticks=TICKS)
    def conclude(self, who, really, ticks):
        """An answer in words, be it the run's, which leaves nothing to try."""
        if really:
            self._finish(self._pick(who))

        self.tick(ticks)

    def _finish(self, parked: Parked) -> None:
        if parked.heard:
            self._turned(parked, [])
            return

        text = self._name(f"{parked.task} did")
        self._answer(parked, say(text), ("finished", text))

    @precondition(lambda self: self._parked("any"))
    @rule(who=WHO, fault=st.sampled_from([*FAULTS, "busy", "cut"]), ticks=TICKS)
    def fail(self, who, fault, ticks):
        parked = self._pick(who)
        self._answer(parked, FAULTS[fault](), ("failed", None))

        if fault == "locked out":
            self._stops("failed")

        self.tick(ticks)

    @precondition(lambda self: any(p.heard for p in self.world.parked))
    @rule(fault=st.sampled_from(["busy", "cut"]), again=AGAIN, ticks=TICKS)
    def break_off(self, fault, again, ticks):
        """A turn breaks off after some of its calls; perhaps it comes again."""
        parked = next(p for p in self.world.parked if p.heard)
        self._answer(parked, FAULTS[fault](), ("failed", None))
        self.tick(ticks)

        if again and self._parked("boss"):
            self.hear(who=0, again=True, ticks=ticks)

    # What comes from outside

    def _stops(self, status: str) -> None:
        """The run is being stopped: whoever has not finished may be cut off."""
        self.world.stopping = {("cancelled", None), (status, None)}

        for task, ways in self.world.fates.items():
            if task in self.world.fresh or not self._has_finished(task):
                ways.update(self.world.stopping)

    def _has_finished(self, task: str) -> bool:
        assert self.world.log is not None
        records = self.world.log.records
        agents = {
            r.agent for r in records if isinstance(r.fact, AgentBegan) and r.fact.task == task
        }
        ends = [r.fact for r in records if r.agent in agents and isinstance(r.fact, AgentEnded)]
        return any(end.outcome == "finished" or end.text == BY_USER for end in ends)

    @precondition(lambda self: self.up)
    @rule(really=SELDOM, ticks=TICKS)
    def cancel(self, really, ticks):
        if really:
            self._cancel()

        self.tick(ticks)

    def _cancel(self) -> None:
        assert self.engine is not None
        self.loop.call_soon(self.engine.stop, Stop("cancelled", "by the user"))
        self.world.fates.setdefault("main", set())
        self._stops("cancelled")

    @precondition(lambda self: self.up and self.engine.tasks)
    @rule(who=WHO, ticks=TICKS)
    def cancel_one(self, who, ticks):
        assert self.engine is not None
        running = [id for id, task in self.engine.tasks.items() if not task.done()]

        if running:
            id = running[who % len(running)]
            task = next(
                r.fact.task
                for r in self.engine.log.records
                if r.agent == id and isinstance(r.fact, AgentBegan)
            )
            self.loop.call_soon(self.engine.cancel_agent, id)
            self.world.cancelled.add(task)
            may_have = task in self.world.fresh or self._has_finished(task)
            self.world.may_end(task, *(self.world.fates[task] if may_have else ()))

        self.tick(ticks)

    @precondition(lambda self: self.up)
    @rule(after=st.integers(0, 8), torn=st.booleans())
    def doom(self, after, torn):
        """The process will die after so many more lines."""
        assert self.world.log is not None
        self.world.log.left, self.world.log.torn = after, torn

    @precondition(lambda self: self.up)
    @rule(really=SELDOM)
    def crash(self, really):
        if really:
            self._drop()

    @precondition(lambda self: not self.up and not self.finished)
    @rule(more=st.booleans(), ticks=TICKS)
    def resume(self, more, ticks):
        if more:
            self.budget = kn.Budget()

        self._start(RunResumed(started=0.0, version=""))
        self.tick(ticks)

    @precondition(lambda self: self.finished)
    @rule()
    def rest(self):
        """There is nothing more to do."""

    @precondition(lambda self: self.up)
    @rule(ticks=TICKS, seconds=st.sampled_from([0.0, 0.3, 60.0]))
    def wait(self, ticks, seconds):
        assert self.engine is not None

        if self.engine.stopped is None:  # else its grace would be over before it could do anything
            self.loop.virtual.now += seconds

        self.tick(ticks)

    # What must hold

    @invariant()
    def all_is_well(self):
        assert self.world.wrong == [], self.world.wrong

        if not self.path.exists() or (self.up and not self.world.alive):
            return

        records = list(_read(self.path))
        assert not self.up or records == self.world.log.records
        check_so_far(records, budget=self.budget, server=self.world)
        self._check_tasks(records)
        self._check_letters(records)

    def _check_tasks(self, records) -> None:
        began = Counter(r.fact.task for r in records if isinstance(r.fact, AgentBegan))
        assert set(began.values()) <= {1}, "a task was begun twice"

    def _check_letters(self, records) -> None:
        assert set(self.world.effects.values()) <= {1}, "a letter was sent twice"

        for _, made, answer in answered(records):
            if made.tool == "send" and answer.ok:
                text = orjson.loads(made.arguments)["text"]
                assert self.world.effects[text] == 1, f"{text} was not sent"

    def teardown(self):
        try:
            if self.path.exists():
                self._bring_to_the_end()
        finally:
            if self.up:
                self._drop()

            self.loop.close()
            shutil.rmtree(self.folder)

    def _bring_to_the_end(self) -> None:
        """Answer all that is asked, until nothing more is: what failed is tried again."""
        if self.world.log is not None:
            self.world.log.left = None

        anew, asked = False, -1

        while not self.finished and not (anew and self.world.asked == asked and not self.up):
            anew, asked = anew or not self.up, self.world.asked

            if not self.up:
                self.budget = kn.Budget()
                self._start(RunResumed(started=0.0, version=""))

            self.tick(ENOUGH)

            for parked in [*self.world.parked]:
                self._finish(parked)

            self.tick(ENOUGH)

        end = kn.read(self.path)[-1].fact
        assert self.finished or self.settings.mode == "plan" or end.why.startswith(GAVE_UP)
        self.all_is_well()
        self._check_outcomes(kn.read(self.path))

    def _check_outcomes(self, trace) -> None:
        """Each agent ended as its answers say; only what was not asked for again was cut off."""
        tasks = {r.agent: r.fact.task for r in trace if isinstance(r.fact, AgentBegan)}
        ends = {r.agent: r.fact for r in trace if isinstance(r.fact, AgentEnded)}
        wanted = "".join(made.arguments for _, made, _ in answered(trace))

        for agent, end in ends.items():
            task = "main" if tasks[agent] == GOAL else tasks[agent]
            ways = self.world.fates.get(task, set()) | {("over_budget", None)}
            ways |= CUT_OFF if task != "main" and f'"{task}"' not in wanted else set()
            ways |= {("failed", end.text)} if end.text.startswith(GAVE_UP) else set()
            assert any(
                end.outcome == outcome and text in {None, end.text} for outcome, text in ways
            ), (task, end, ways)


def _read(path: Path) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kn.read(path)


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is synced in the loop, after one turn of it."""

    async def soon(work: Callable[[], Any]) -> Any:
        await asyncio.sleep(0)
        return work()

    monkeypatch.setattr(engine_module, "in_thread", soon)


@pytest.mark.timeout(300)  # for a failing example to be made small
def test_any_order_of_answers_faults_cancels_deaths_and_resumes():
    enough = settings(
        max_examples=150,
        stateful_step_count=40,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Machine, settings=enough)


def test_who_has_finished_is_not_cancelled_after_a_death_before_the_end_of_the_run():
    state = Machine()

    try:
        state.begin(mode="single", early=True, agents=20, budget={}, ticks=ENOUGH)
        state.doom(after=3, torn=False)  # what it said, the end of its step, its own
        state.conclude(who=0, really=True, ticks=ENOUGH)
        assert not state.up
        state.resume(more=False, ticks=1)
        state.cancel(really=True, ticks=ENOUGH)
        ends = [r.fact.outcome for r in kn.read(state.path) if isinstance(r.fact, AgentEnded)]
        assert ends == ["finished"]
    finally:
        state.teardown()
