"""Which step of an agent its tools and its sub-agents belong to.

A step is a model call. A tool, or a sub-agent, belongs to the call that began last before it and
did not fail. Sub-agents that no tool launched and that begin when those before them have come
back are a stage of their own, without a step of the agent; so are those before any call.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from kimi_nb.views.otel.crew import SLACK, Worker
from kimi_nb.views.otel.spans import Span

__all__ = ["Stage", "stages_of"]


@dataclass(slots=True)
class Stage:
    """One model call with what came of it, or a launch without a call."""

    call: Span | None = None
    tools: list[Span] = field(default_factory=list[Span])
    """In the order in which they were asked for."""
    team: list[Worker] = field(default_factory=list[Worker])
    until: int = 0
    """When the last of the team had come back."""


def stages_of(worker: Worker) -> tuple[list[Stage], int]:
    """The stages of an agent in order, and how many of its tools belong to none."""
    placed = _Placing(worker)
    lost = placed.tools()
    placed.team()
    return [stage for group in placed.groups for stage in group], lost


class _Placing:
    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        calls = sorted(worker.calls, key=lambda s: (s.began, _hint(s, "step") or 0, s.until))
        self.groups: list[list[Stage]] = [[], *([Stage(call)] for call in calls)]
        """For each call its stage and those after it without one; first those before any call."""
        self.begins = [call.began for call in calls]
        good = (n if not call.error else 0 for n, call in enumerate(calls, start=1))
        self.good = [0, *accumulate(good, max)]
        """For each call the latest up to there that did not fail; first for before any."""
        numbered = ((_hint(call, "step"), n) for n, call in enumerate(calls, start=1))
        self.hinted: dict[int | None, int] = {hint: n for hint, n in numbered if hint is not None}
        """Our own spans say for sure which step they are."""
        self.of_tool: dict[int, int] = {}

    def tools(self) -> int:
        """Place the tools; returns how many have no place."""
        lost = 0

        for tool in sorted(self.worker.tools, key=lambda s: (_hint(s, "call") or 0, s.began)):
            number = self._number(tool)

            if number:
                self.of_tool[id(tool)] = number
                self.groups[number][0].tools.append(tool)
            else:
                lost += 1

        return lost

    def team(self) -> None:
        """Place the sub-agents."""
        for one in sorted(self.worker.team, key=lambda worker: worker.began):
            hint = _hint(one.span, "stage") if one.span else None
            number = self.of_tool.get(id(one.via)) or self.hinted.get(hint)
            stage = self.groups[number][0] if number else self._bare(one)
            stage.team.append(one)
            stage.until = max(stage.until, one.until)

    def _bare(self, one: Worker) -> Stage:
        """The stage of a sub-agent that nothing says who launched."""
        group = self.groups[bisect_right(self.begins, one.began)]
        latest = group[-1] if group else None

        if latest is None or _failed(latest) or (latest.team and one.began + SLACK >= latest.until):
            latest = Stage()
            group.append(latest)

        return latest

    def _number(self, tool: Span) -> int:
        """Which call asked for a tool; 0 if none did."""
        if number := self.hinted.get(_hint(tool, "step")):
            return number

        return self.good[bisect_right(self.begins, tool.began)]


def _failed(stage: Stage) -> bool:
    return stage.call is not None and bool(stage.call.error)


def _hint(span: Span, what: str) -> int | None:
    """What our own spans say for sure."""
    found = span.attributes.get(f"kimi_nb.{what}")
    return found if isinstance(found, int) and not isinstance(found, bool) else None
