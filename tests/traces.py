"""Synthetic traces: a small language to write them in, and Hypothesis strategies for any.

    script = Script()
    main = script.orchestrator()
    main.step(1.0)                      # a model call of one second
    subs = main.launch(6, 9, 4, 7)      # a step that assigns four; each takes that many steps
    main.step(1.0)
    trace = script.end("done")

Every agent has its own clock; the records are sorted by time at the end. Nothing is random
unless a strategy draws it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from kimi_nb import events as e
from kimi_nb.trace import Record, Trace

__all__ = ["Actor", "Script", "chains", "staged", "swarms"]


@dataclass
class Script:
    """A trace in the making."""

    goal: str = "Compare the museums."
    model: str = "kimi-k3"
    simulated: bool = False
    options: str = "{}"
    facts: list[tuple[float, str, e.Fact]] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)

    def __post_init__(self) -> None:
        began = e.RunBegan(
            goal=self.goal,
            model=self.model,
            simulated=self.simulated,
            seed=0,
            started=1_790_000_000.0,
            version="0.1.0",
            options=self.options,
        )
        self.add(0.0, "", began)

    def add(self, t: float, agent: str, fact: e.Fact) -> None:
        self.facts.append((round(t, 6), agent, fact))

    def orchestrator(self, name: str = "orchestrator", role: str = "orchestrator") -> Actor:
        return self.actor(0.0, role=role, name=name, task=self.goal)

    def actor(
        self,
        t: float,
        *,
        role: str = "sub-agent",
        name: str = "worker",
        task: str = "",
        parent: str = "",
        stage: int = 0,
        call: int = -1,
        after: tuple[Actor, ...] = (),
    ) -> Actor:
        actor = Actor(self, f"a{len(self.actors):02d}", t)
        self.actors.append(actor)
        began = e.AgentBegan(
            role=role,
            name=name,
            task=task,
            parent=parent,
            stage=stage,
            call=call,
            after=" ".join(a.id for a in after),
        )
        self.add(t, actor.id, began)
        return actor

    def plan(self, name: str, steps: int, *after: Actor, seconds: float = 1.0) -> Actor:
        """A sub-agent of an explicit plan: it begins when those `after` have ended."""
        t = max((a.t for a in after), default=0.0)
        actor = self.actor(t, name=name, task=f"Do {name}.", after=after)

        for _ in range(steps):
            actor.step(seconds)

        return actor.end(f"{name} done")

    def end(self, answer: str = "All done.", status: str = "finished", why: str = "") -> Trace:
        t = max(t for t, _, _ in self.facts)
        self.add(t, "", e.RunEnded(status=status, answer=answer, why=why))
        return self.trace()

    def trace(self, path: Path | None = None) -> Trace:
        ordered = sorted(self.facts, key=lambda item: item[0])  # stable: order of writing holds
        return Trace((Record(i, t, a, f) for i, (t, a, f) in enumerate(ordered)), path=path)


@dataclass
class Actor:
    """One agent of a script, with its own clock `t`."""

    script: Script
    id: str
    t: float
    n: int = 0
    """Its latest step."""

    def _add(self, fact: e.Fact) -> None:
        self.script.add(self.t, self.id, fact)

    def step(
        self,
        seconds: float = 1.0,
        *,
        queued: float = 0.0,
        fails: tuple[tuple[float, float], ...] = (),
        tools: tuple[tuple[str, dict[str, object], float], ...] = (),
        said: str = "",
        tokens: tuple[int, int, int] = (100, 20, 50),
        finish: str = "",
    ) -> Actor:
        """One turn: `fails` are (seconds, wait) of attempts before the one that counts; `tools`
        are (name, arguments, seconds), all begun when the turn ends."""
        self.begin(queued)

        for attempt, (spent, wait) in enumerate(fails, start=1):
            self.t += spent
            retried = e.StepRetried(
                step=self.n, attempt=attempt, error="Overloaded", why="too many at once", wait=wait
            )
            self._add(retried)
            self.t += wait

        self.t += seconds
        calls = [(name, arguments) for name, arguments, _ in tools]
        self._turn(calls, said, tokens, finish)

        for call, (_, _, spent) in enumerate(tools):
            self.returned(call, self.t + spent)

        self.t += max((spent for _, _, spent in tools), default=0.0)
        return self

    def begin(self, queued: float = 0.0) -> Actor:
        """Begin a turn and leave it open."""
        self.n += 1
        self._add(e.StepBegan(step=self.n))

        if queued:
            self._add(e.StepQueued(step=self.n))
            self.t += queued
            self._add(e.StepSent(step=self.n))

        return self

    def _turn(
        self,
        calls: list[tuple[str, dict[str, object]]],
        said: str,
        tokens: tuple[int, int, int],
        finish: str = "",
    ) -> None:
        for call, (name, arguments) in enumerate(calls):
            text = json.dumps(arguments, ensure_ascii=False)
            self._add(self.called(call, name, text))

        if said:
            self._add(e.Said(step=self.n, text=said))

        ended = e.StepEnded(
            step=self.n,
            finish=finish or ("tool_calls" if calls else "stop"),
            tokens_in=tokens[0],
            tokens_out=tokens[1],
            tokens_cached=tokens[2],
        )
        self._add(ended)

    def called(self, call: int, tool: str, arguments: str) -> e.ToolCalled:
        return e.ToolCalled(
            step=self.n, call=call, call_id=f"{tool}:{call}", tool=tool, arguments=arguments
        )

    def returned(self, call: int, t: float, *, ok: bool = True, text: str = "ok") -> None:
        self.script.add(t, self.id, e.ToolReturned(step=self.n, call=call, ok=ok, text=text))

    def assign(self, names: list[str], *, seconds: float = 1.0, lead: float = 0.0) -> list[Actor]:
        """A turn that launches sub-agents. They begin `lead` seconds before it ends (early
        start). Nothing returns yet: see `join`."""
        self.begin()
        start = self.t + seconds - lead
        subs = [
            self.script.actor(
                start,
                name=name,
                task=f"Look into {name}.",
                parent=self.id,
                stage=self.n,
                call=call,
            )
            for call, name in enumerate(names)
        ]
        self.t += seconds
        calls: list[tuple[str, dict[str, object]]] = [
            ("assign_task", {"agent": name, "prompt": f"Look into {name}."}) for name in names
        ]
        self._turn(calls, "", (100, 20, 50))
        return subs

    def join(self, subs: list[Actor]) -> Actor:
        """Hand the results of ended sub-agents back to this agent."""
        self.t = max([self.t, *(sub.t for sub in subs)])

        for call in range(len(subs)):
            self.returned(call, self.t)

        return self

    def launch(self, *steps: int, seconds: float = 1.0, lead: float = 0.0) -> list[Actor]:
        """A stage: one sub-agent for each number, taking that many steps; all finish."""
        subs = self.assign([f"w{i}" for i in range(len(steps))], seconds=seconds, lead=lead)

        for sub, count in zip(subs, steps, strict=True):
            for _ in range(count):
                sub.step(seconds)

            sub.end(f"{sub.id} done")

        self.join(subs)
        return subs

    def end(self, text: str = "done", outcome: str = "finished") -> Actor:
        self._add(e.AgentEnded(outcome=outcome, text=text))
        return self


def staged(*stages: tuple[int, ...], seconds: float = 1.0) -> Trace:
    """An orchestrator whose stages launch sub-agents of that many steps; () is a bare step."""
    script = Script()
    main = script.orchestrator()

    for stage in stages:
        if stage:
            main.launch(*stage, seconds=seconds)
        else:
            main.step(seconds)

    main.end("All done.")
    return script.end()


def chains(*lengths: tuple[int, ...]) -> Trace:
    """An explicit plan of independent chains of sub-agents, each of that many steps."""
    script = Script()

    for row, chain in enumerate(lengths):
        before: tuple[Actor, ...] = ()

        for column, steps in enumerate(chain):
            before = (script.plan(f"t{row}.{column}", steps, *before),)

    return script.end()


SECONDS = st.integers(0, 400).map(lambda n: n / 100)
FAILS = st.lists(st.tuples(SECONDS, SECONDS), max_size=2).map(tuple)
TOOLS = st.lists(
    st.tuples(st.sampled_from(["read_file", "grep"]), st.just({"path": "a"}), SECONDS), max_size=3
).map(tuple)


@st.composite
def swarms(draw: st.DrawFn, *, prefixes: bool = True) -> Trace:
    """A valid trace: an orchestrator, a single agent or a plan, with queues, retries, failures,
    early starts, tools and, unless `prefixes` is off, cut anywhere."""
    script = Script()
    kind = draw(st.sampled_from(["swarm", "swarm", "single", "plan"]))

    if kind == "plan":
        _draw_plan(draw, script)
    else:
        _draw_main(draw, script, "single" if kind == "single" else "orchestrator")

    trace = script.end(status=draw(st.sampled_from(["finished", "partial", "cancelled"])))
    return trace[: draw(st.integers(0, len(trace)))] if prefixes else trace


def _draw_step(draw: st.DrawFn, actor: Actor) -> None:
    actor.step(
        draw(SECONDS),
        queued=draw(SECONDS),
        fails=draw(FAILS),
        tools=draw(TOOLS),
        finish=draw(st.sampled_from(["", "", "", "failed"])),
    )


def _draw_agent(draw: st.DrawFn, actor: Actor) -> None:
    for _ in range(draw(st.integers(0, 3))):
        _draw_step(draw, actor)

    outcome = draw(st.sampled_from(["finished", "finished", "failed", "cancelled"]))

    if outcome != "finished" and draw(st.booleans()):
        actor.begin(draw(SECONDS))  # cut in the middle of a turn
        actor.t += draw(SECONDS)

    actor.end("it broke" if outcome == "failed" else "done", outcome)


def _draw_main(draw: st.DrawFn, script: Script, role: str) -> None:
    main = script.orchestrator(role=role)

    for _ in range(draw(st.integers(0, 3))):
        if role == "single" or draw(st.booleans()):
            _draw_step(draw, main)
            continue

        seconds = draw(SECONDS)
        lead = draw(st.sampled_from([0.0, seconds, seconds / 2]))
        names = [f"w{i}" for i in range(draw(st.integers(1, 4)))]
        subs = main.assign(names, seconds=seconds, lead=lead)

        for sub in subs:
            sub.t += draw(st.sampled_from([0.0, 0.5]))  # it may wait before its first step
            _draw_agent(draw, sub)

        main.join(subs)

    main.end()


def _draw_plan(draw: st.DrawFn, script: Script) -> None:
    done: list[Actor] = []

    for i in range(draw(st.integers(1, 5))):
        before = tuple(draw(st.lists(st.sampled_from(done), max_size=2))) if done else ()
        start = max((a.t for a in before), default=0.0)
        actor = script.actor(start, name=f"t{i}", task=f"Do t{i}.", after=before)
        _draw_agent(draw, actor)
        done.append(actor)


def prefixes_of(trace: Trace) -> Iterator[Trace]:
    """Every prefix, from the empty one to the whole."""
    return (trace[:n] for n in range(len(trace) + 1))
