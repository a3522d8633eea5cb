"""The facts that spans of agents amount to, in the order that readers of a trace rely on.

A trace knows one level of sub-agents: those whom a sub-agent launched stand beside it, in its
stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

import orjson

from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    Fact,
    Said,
    StepBegan,
    StepEnded,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.views.otel import wording
from kimi_nb.views.otel.crew import Worker
from kimi_nb.views.otel.dialects import finish_of, name_of, own, tokens_of
from kimi_nb.views.otel.spans import Span, text_of
from kimi_nb.views.otel.stages import Stage, stages_of

__all__ = ["Retold", "retell"]

OUTCOMES = frozenset({"finished", "failed", "cancelled", "over_budget"})


@dataclass(slots=True)
class Retold:
    """What came of it."""

    facts: list[tuple[int, str, Fact]] = field(default_factory=list[tuple[int, str, Fact]])
    """Nanoseconds since the epoch, agent, fact; in order wherever times are the same."""
    agents: int = 0
    nested: int = 0
    """Sub-agents that sub-agents launched."""
    lost: int = 0
    """Tool calls before any model call, which belong to no step."""
    running: bool = False
    """The agent at the top had not ended."""
    goal: str = ""
    answer: str = ""


def retell(root: Worker) -> Retold:
    """The facts of an agent and of all beneath it."""
    told = Retold()
    roles = {own(one.span, "role") for one in root.team}

    if roles == {"sub-agent"} and not root.calls and not root.tools:
        _tell_plan(root, told)
    else:
        launches = root.team or own(root.span, "role") == "orchestrator"
        role = "orchestrator" if launches else "single"
        told.goal = _task(root)
        _Teller(
            told,
            root,
            AgentBegan(role=role, name=root.name, task=told.goal, parent="", stage=0, call=-1),
        ).tell()

    return told


def _tell_plan(root: Worker, told: Retold) -> None:
    """Sub-agents that nobody launched: links say what had to end before each."""
    by_span = {one.span.id: one for one in root.team if one.span}
    before = {
        name: [k for k in one.span.links if k in by_span] if one.span else []
        for name, one in by_span.items()
    }
    names: list[str] = sorted(by_span, key=lambda name: by_span[name].began)

    if root.span is not None:
        told.running = root.span.ended is None
        told.goal, told.answer = wording.question_of(root.span), wording.answer_of(root.span)

    ids: dict[str, str] = {}

    try:
        names = list(TopologicalSorter({name: before[name] for name in names}).static_order())
    except CycleError:
        before = {}

    for name in names:
        one = by_span[name]
        after = " ".join(ids[other] for other in before.get(name, ()))
        began = AgentBegan(
            role="sub-agent",
            name=one.name,
            task=_task(one),
            parent="",
            stage=0,
            call=-1,
            after=after,
        )
        ids[name] = _Teller(told, one, began).tell()


class _Teller:
    """Tells one agent; times of an agent never decrease."""

    def __init__(self, told: Retold, worker: Worker, began: AgentBegan, floor: int = 0) -> None:
        self.told = told
        self.worker = worker
        self.began = began
        self.id = f"a{told.agents}"
        self.clock = max(floor, worker.began)
        self.since = self.clock
        """When its latest step began: whom that launched did not begin before."""
        self.hired: dict[int, list[Worker]] = {}
        """Whom a tool launched."""
        told.agents += 1

        for one in worker.team:
            if one.via is not None:
                self.hired.setdefault(id(one.via), []).append(one)

    def tell(self) -> str:
        """Tell it all; returns the id of the agent."""
        self._add(self.clock, self.began)
        stages, lost = stages_of(self.worker)
        self.told.lost += lost

        for number, (stage, before) in enumerate(
            zip(stages, _next_begins(stages), strict=True), start=1
        ):
            ended = stage.call is None or self._step(number, stage.call, stage.tools, before)

            if self.began.role != "sub-agent":
                self._tell_team(number, stage)

            if ended:
                self._return(number, stage.tools, before)

        self._end()
        return self.id

    def _add(self, at: int, fact: Fact) -> None:
        self.clock = max(self.clock, at)
        self.told.facts.append((self.clock, self.id, fact))

    def _step(self, number: int, call: Span, tools: list[Span], before: int | None) -> bool:
        """Tell a step; returns whether its tools were called."""
        self._add(call.began, StepBegan(step=number))
        self.since = self.clock
        ends = [at for at in (call.ended, before) if at is not None]
        failed = bool(call.error) or call.ended is None  # none has seen its answer

        if not ends:
            return False

        at = max(self.clock, min(ends))

        for place, tool in enumerate([] if failed else tools):
            self._add(at, self._called(number, place, tool))

        if said := wording.answer_of(call):
            self._add(at, Said(step=number, text=said, cut=failed))

        self._add(at, _ended(number, call, failed=failed, calls=bool(tools)))
        return not failed

    def _called(self, step: int, call: int, tool: Span) -> ToolCalled:
        """A tool call. One that launched agents is known as such: waiting for them is no work."""
        name, arguments = name_of(tool), wording.arguments_of(tool)
        hired = self.hired.get(id(tool), [])

        if len(hired) == 1:
            name = "assign_task"
            arguments = _json({"agent": hired[0].name, "prompt": _task(hired[0])})
        elif hired:
            name = "map_task"
            items = [_task(one) for one in hired]
            arguments = _json({"agent": hired[0].name, "template": "{{item}}", "items": items})

        given = text_of(tool.attributes.get("gen_ai.tool.call.id"))[:200] or f"{name}:{call}"
        return ToolCalled(step=step, call=call, call_id=given, tool=name, arguments=arguments)

    def _tell_team(self, stage: int, found: Stage) -> None:
        places = {id(tool): n for n, tool in enumerate(found.tools)}
        free = len(places)

        for one in found.team:
            call = places.get(id(one.via), free)
            free += call == free
            self._tell_one(one, stage, call)
            beneath = [*one.team]

            for other in beneath:  # grows while one walks it
                beneath += other.team
                self.told.nested += 1
                self._tell_one(other, stage, free)
                free += 1

    def _tell_one(self, one: Worker, stage: int, call: int) -> None:
        began = AgentBegan(
            role="sub-agent",
            name=one.name,
            task=_task(one),
            parent=self.id,
            stage=stage,
            call=call,
        )
        _Teller(self.told, one, began, self.since).tell()

    def _return(self, step: int, tools: list[Span], before: int | None) -> None:
        back = [(tool.ended, n, tool) for n, tool in enumerate(tools) if tool.ended is not None]

        for ended, call, tool in sorted(back, key=lambda found: found[:2]):
            at = ended if before is None else min(ended, before)
            text = wording.result_of(tool) or tool.error
            self._add(at, ToolReturned(step=step, call=call, ok=not tool.error, text=text))

    def _end(self) -> None:
        worker, span = self.worker, self.worker.span
        main = self.began.role != "sub-agent"
        ended = span.ended if span else None if any(s.ended is None for s in worker.seen) else 0

        if ended is None:
            self.told.running = self.told.running or main
            return

        last = max(worker.calls, key=lambda call: call.until, default=None)
        error = (span or last or worker.seen[0]).error or (worker.via.error if worker.via else "")
        given = own(span, "status")
        outcome = given if given in OUTCOMES else "failed" if error else "finished"
        text = error

        if outcome == "finished":
            text = wording.answer_of(span) if span else ""
            text = text or (wording.result_of(worker.via) if worker.via else "")
            text = text or (wording.answer_of(last) if last else "")

        if main:
            self.told.answer = text if outcome == "finished" else ""

        self._add(worker.until, AgentEnded(outcome=outcome, text=text))


def _next_begins(stages: list[Stage]) -> list[int | None]:
    """For each stage when the next call begins: by then the tools of this one have answered."""
    found: list[int | None] = []
    following = None

    for stage in reversed(stages):
        found.append(following)
        following = stage.call.began if stage.call else following

    return found[::-1]


def _ended(step: int, call: Span, *, failed: bool, calls: bool) -> StepEnded:
    tokens = tokens_of(call)
    went_in, came_out, cached = tokens or (0, 0, 0)
    guessed = call.attributes.get("kimi_nb.usage_estimated") is True
    return StepEnded(
        step=step,
        finish="failed" if failed else finish_of(call, calls=calls),
        tokens_in=went_in,
        tokens_out=came_out,
        tokens_cached=cached,
        estimated=guessed or (tokens is None and not failed),
    )


def _task(worker: Worker) -> str:
    """What an agent was told to do; "" if the spans do not say."""
    told = wording.task_of(worker.via) if worker.via else ""
    told = told or (wording.question_of(worker.span) if worker.span else "")
    first = min(worker.calls, key=lambda call: call.began, default=None)
    return told or (wording.question_of(first) if first else "")


def _json(value: dict[str, object]) -> str:
    return orjson.dumps(value).decode()
