"""A run as tasks: what `measures` and `what_if` reckon with. Values, made from the run's graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

from kimi_nb.trace import Record
from kimi_nb.views.fold import Fold
from kimi_nb.views.graph import graph

__all__ = ["CURRENCIES", "After", "Currency", "Task", "ends_of", "tasks"]

Currency = Literal["steps", "seconds", "tokens"]
CURRENCIES: tuple[Currency, ...] = get_args(Currency)


class After(NamedTuple):
    """What has to end before a task begins."""

    id: str
    lead: float = 0.0
    """Seconds before that end from which the task may begin, as a sub-agent that is launched
    while its orchestrator still writes. Steps and tokens know no lead."""

    def ready(self, ended: float, currency: Currency) -> float:
        """From when on the task may begin if the other ends at `ended`."""
        return ended - self.lead if currency == "seconds" else ended


class Task(NamedTuple):
    """A sub-agent, or one step of a main agent."""

    id: str
    """As the nodes of `graph`: a sub-agent's id, or a step of a main agent as "a00/3"."""
    agent: str
    role: str
    stage: int
    steps: float = 0.0
    seconds: float = 0.0
    """Of work; waiting is none."""
    tokens: float = 0.0
    """In and out."""
    after: tuple[After, ...] = ()

    def amount(self, currency: Currency) -> float:
        """What it takes, in that currency."""
        return {"steps": self.steps, "seconds": self.seconds, "tokens": self.tokens}[currency]


def tasks(run: Fold | Iterable[Record]) -> list[Task]:
    """The tasks of a trace, or of a fold at its latest record.

    In the order in which they began, so that each stands behind those that it came after.
    """
    import networkx as nx

    found = graph(run)
    place: dict[str, tuple[float, int]] = {
        node: (found.nodes[node]["began"], i) for i, node in enumerate(found)
    }
    listed: list[Task] = []

    for node in nx.lexicographical_topological_sort(found, key=place.__getitem__):
        about = found.nodes[node]
        before = [After(name, edge["lead"]) for name, edge in found.pred[node].items()]
        parts = (about[name] for name in ("agent", "role", "stage", *CURRENCIES))
        listed.append(Task(node, *parts, after=tuple(before)))

    return listed


def ends_of(listed: Sequence[Task], currency: Currency) -> dict[str, float]:
    """When each task ends if it waits for nothing but those before it."""
    ends: dict[str, float] = {}

    for task in listed:
        ready = (before.ready(ends[before.id], currency) for before in task.after)
        ends[task.id] = max(ready, default=0.0) + task.amount(currency)

    return ends
