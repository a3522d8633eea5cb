"""How many steps sub-agents took, by what passes by: their requests, and who was assigned when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kimi_nb.models.simulator.memory import Done, text_of

__all__ = ["ASSIGN", "Steps"]

ASSIGN = "assign_task"


class Steps:
    """Of all sub-agents that this process has seen."""

    def __init__(self) -> None:
        self._taken: dict[str, list[int]] = {}
        """By task: the model calls of each sub-agent that had it, in their order."""
        self._seed: int | None = None
        """The first request's: what has another is a retry of what was counted already."""

    def see(self, request: dict[str, Any], *, sub_agent: bool) -> None:
        """Every request of the run, the orchestrator's first one before all others."""
        seed = request.get("seed")
        self._seed = seed if self._seed is None else self._seed

        if not sub_agent or seed != self._seed:
            return

        messages = request["messages"]
        task = next((text_of(m["content"]) for m in messages if m.get("role") == "user"), "")
        before = sum(message.get("role") == "assistant" for message in messages)
        counts = self._taken.setdefault(task, [])
        whose = [at for at, taken in enumerate(counts) if taken == before]

        if whose:
            counts[whose[-1]] += 1
        else:
            counts.append(before + 1)

    def longest(self, done: Iterable[Done], reckoned: Mapping[str, int]) -> int:
        """Of each turn of the orchestrator the longest sub-agent's, summed.

        What one took is as `reckoned`, by task, where nobody has counted: in a run that was taken
        up again.
        """
        assigned = [(each.turn, str(each.arguments.get("prompt", ""))) for each in done]
        later = Counter(task for _, task in assigned)
        found: dict[int, int] = {}

        for turn, task in assigned:
            counts, back = self._taken.get(task, []), later[task]
            steps = counts[-back] if back <= len(counts) else reckoned.get(task, 1)
            found[turn] = max(found.get(turn, 0), steps)
            later[task] -= 1

        return sum(found.values())
