"""Which step of an agent its tools and its sub-agents belong to.

A step is a model call. A tool, or a sub-agent, belongs to the call that began last before it and
did not fail. Sub-agents that no tool launched and that begin when those before them have come
back are a stage of their own, without a step of the agent; so are those before any call.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

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
        self.good = [n for n, call in enumerate(calls, start=1) if not call.error]
        self.begins = [calls[n - 1].began for n in self.good]
        self.hinted = {_hint(call, "step"): n for n, call in enumerate(calls, start=1)}
        self.of_tool: dict[int, int] = {}

    def tools(self) -> int:
        """Place the tools; returns how many have no place."""
        lost = 0

        for tool in sorted(self.worker.tools, key=lambda s: (_hint(s, "call") or 0, s.began)):
            number = self._number(tool.began, _hint(tool, "step"))

            if number:
                self.of_tool[id(tool)] = number
                self.groups[number][0].tools.append(tool)
            else:
                lost += 1

        return lost

    def team(self) -> None:
        """Place the sub-agents."""
        for one in sorted(self.worker.team, key=lambda worker: worker.began):
            number = self.of_tool.get(id(one.via))
            hint = _hint(one.span, "stage") if one.span else None
            group = self.groups[number or self._number(one.began, hint)]
            bare = number is None and hint is None

            if not group or (bare and group[-1].team and one.began + SLACK >= group[-1].until):
                group.append(Stage())

            stage = group[0] if number else group[-1]
            stage.team.append(one)
            stage.until = max(stage.until, one.until)

    def _number(self, at: int, hint: int | None) -> int:
        """Which call something belongs to that began then; 0 if it is before any."""
        if hint is not None and hint in self.hinted:
            return self.hinted[hint]

        found = bisect_right(self.begins, at)
        return self.good[found - 1] if found else 0


def _hint(span: Span, what: str) -> int | None:
    """What our own spans say for sure."""
    found = span.attributes.get(f"kimi_nb.{what}")
    return found if isinstance(found, int) and not isinstance(found, bool) else None
