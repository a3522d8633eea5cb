"""Who worked in a tree of spans: agents, with their model calls, tools and sub-agents.

An agent is a span that says so; or a tool beneath which models are called; or one of several
nodes of a graph that call models side by side. Spans that only wrap another agent are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kimi_nb.views.otel.dialects import Kind, handed_over_by, kind_of, name_of, own, tokens_of
from kimi_nb.views.otel.spans import Span

__all__ = ["SLACK", "Worker", "crew_of"]

SLACK = 1_000_000
"""Nanoseconds by which clocks and writers of spans may be late."""


MOST_COMPARED = 2_000_000
"""Pairs of agents and tools that are looked at to find who launched whom."""


@dataclass(slots=True, eq=False)
class Worker:
    """An agent, as spans show it."""

    span: Span | None
    """What stands for it; None if nothing does."""
    name: str
    boss: Worker | None = None
    via: Span | None = None
    """The tool call of its boss that launched it, if one did."""
    calls: list[Span] = field(default_factory=list[Span])
    tools: list[Span] = field(default_factory=list[Span])
    team: list[Worker] = field(default_factory=list["Worker"])

    @property
    def seen(self) -> list[Span]:
        """All that there is of its own; never empty."""
        around = self.span or (None if self.calls or self.tools else self.via)
        return [*([] if around is None else [around]), *self.calls, *self.tools]

    @property
    def began(self) -> int:
        """When the first of it was seen."""
        return min(span.began for span in self.seen)

    @property
    def until(self) -> int:
        """When the last of it was seen."""
        return max(span.until for span in self.seen)

    def moves_to(self, boss: Worker, via: Span | None) -> None:
        """Somebody else turns out to have launched it."""
        if self.boss is not None:
            self.boss.team.remove(self)

        self.boss, self.via = boss, via
        boss.team.append(self)


def crew_of(spans: list[Span]) -> Worker:
    """The agent at the top, with all others beneath it."""
    tree = _Tree(spans)
    root = tree.workers()
    _find_launchers(root)

    for worker in _all(root):
        _join_names(worker)

    return _unwrapped(root)


class _Tree:
    def __init__(self, spans: list[Span]) -> None:
        self.kinds: dict[str, Kind] = {}
        self.children: dict[str, list[Span]] = {}
        known = {span.id for span in spans}

        for span in sorted(spans, key=lambda s: (s.began, -s.until)):
            if span.id in self.kinds:  # written twice
                continue

            self.kinds[span.id] = kind_of(span)
            parent = span.parent if span.parent in known else ""
            self.children.setdefault(parent, []).append(span)

        self.order = self._walked()
        self.hosts = self._hosting()
        self.branches = {id for group in self.children.values() for id in self._abreast(group)}

    def _walked(self) -> list[tuple[Span, Span | None]]:
        """Each span after its parent. Rings hang from the first of theirs that began."""
        found: list[tuple[Span, Span | None]] = []
        seen: set[str] = set()
        starts = [*self.children.get("", ())]
        starts += [span for group in self.children.values() for span in group]

        for start in starts:
            waiting: list[tuple[Span, Span | None]] = [(start, None)]

            while waiting:
                span, parent = waiting.pop()

                if span.id not in seen:
                    seen.add(span.id)
                    found.append((span, parent))
                    waiting += [(child, span) for child in reversed(self.children.get(span.id, []))]

        return found

    def _hosting(self) -> set[str]:
        """Tools and nodes beneath which models are called without an agent between."""
        hosts: set[str] = set()

        for span, parent in reversed(self.order):
            kind = self.kinds[span.id]
            calls = kind == "call" or span.id in hosts

            if parent is not None and calls and kind != "agent":
                above = self.kinds[parent.id]

                if above == "tool" or (above == "node" and kind != "tool"):
                    hosts.add(parent.id)

        return hosts

    def workers(self) -> Worker:
        """The agents, as the tree of spans has them."""
        tops = [span for span, parent in self.order if parent is None]
        top = tops[0] if len(tops) == 1 else _around(tops)
        root = Worker(top, name_of(top))
        places: dict[str, tuple[Worker, Span | None, Span | None]] = {}

        for span, parent in self.order:
            worker, via, call = places[parent.id] if parent else (root, None, None)

            match self.kinds[span.id]:
                case "call" if call is not None:  # two instrumentations saw the same call
                    if tokens_of(call) is None:
                        call.attributes = span.attributes | call.attributes
                case "call":
                    worker.calls.append(span)
                    call = span
                case "agent":
                    worker = _hired(Worker(span, name_of(span)), worker, via)
                    via = call = None
                case "tool" if via is None:
                    worker.tools.append(span)
                    via, call = span, None

                    if span.id in self.hosts:
                        worker = _hired(Worker(None, self._host_name(span)), worker, span)
                        via = None
                case "node" if span.id in self.branches:
                    worker = _hired(Worker(span, name_of(span)), worker, via)
                    via = None
                case _:
                    pass

            places[span.id] = worker, via, call

        return root

    def _host_name(self, tool: Span) -> str:
        """The only thing that a tool did gives the agent its name, else the tool itself."""
        within = [s for s in self.children.get(tool.id, ()) if self.kinds[s.id] == "node"]
        return name_of(within[0] if len(within) == 1 else tool)

    def _abreast(self, group: list[Span]) -> set[str]:
        """Which nodes among siblings, in the order of their begin, ran side by side."""
        found: set[str] = set()
        longest: Span | None = None

        for span in group:
            if self.kinds[span.id] != "node" or span.id not in self.hosts:
                continue

            if longest is not None and span.began + SLACK < longest.until:
                found |= {span.id, longest.id}

            longest = span if longest is None or span.until > longest.until else longest

        return found


def _around(spans: list[Span]) -> Span:
    """A span for several of one trace whose parent nobody has written."""
    began, until = min(s.began for s in spans), max(s.until for s in spans)
    ended = None if any(s.ended is None for s in spans) else until
    return Span(id="", trace=spans[0].trace, parent="", name="run", began=began, ended=ended)


def _hired(worker: Worker, boss: Worker, via: Span | None) -> Worker:
    worker.moves_to(boss, via)
    return worker


def _all(root: Worker) -> list[Worker]:
    found = [root]

    for worker in found:  # grows while one walks it
        found += worker.team

    return found


def _find_launchers(root: Worker) -> None:
    """Agents that hang beside the one that launched them, for want of a better place."""
    workers = _all(root)
    used = {id(one.via) for one in workers if one.via is not None}
    placed: set[int] = set()

    for top in workers:
        loose = [one for one in top.team if one.via is None and id(one) not in placed]
        free = [one for one in loose if not own(one.span, "role")]  # ours hang where they belong

        if not 1 < len(free) <= MOST_COMPARED / sum(1 + len(one.tools) for one in free):
            continue

        placed |= set(map(id, free))

        for one in sorted(free, key=lambda worker: worker.began):
            earlier = [two for two in free if two.began < one.began]
            giver = handed_over_by(one.span) if one.span else ""
            givers = [two for two in earlier if giver and two.name == giver]

            if givers:  # who has taken over hands on: both work for the first
                before = givers[-1]
                one.moves_to(before.boss if before.boss not in (None, top) else before, None)
            elif found := _tool_around(one, earlier, used):
                one.moves_to(*found)
                used.add(id(found[1]))


def _tool_around(one: Worker, others: list[Worker], used: set[int]) -> tuple[Worker, Span] | None:
    """The tool call during all of which an agent worked, with whose it is; the tightest."""
    around = [
        (tool.until - one.until, n, other, tool)
        for n, other in enumerate(others)
        for tool in other.tools
        if tool.began <= one.began and one.until <= tool.until + SLACK and id(tool) not in used
    ]

    if not around:
        return None

    _, _, boss, tool = min(around, key=lambda found: found[:2])
    return boss, tool


def _join_names(worker: Worker) -> None:
    """Work in a tool without an agent span is that of an agent span beside it without any work."""
    idle = [one for one in worker.team if not (one.calls or one.tools or one.team)]

    if worker.span is None and idle:
        worker.span, worker.name = idle[0].span, idle[0].name
        worker.team = [one for one in worker.team if one is not idle[0]]


def _unwrapped(root: Worker) -> Worker:
    """Without workers who do nothing but employ one other."""
    for worker in reversed(_all(root)):
        if worker.calls or worker.tools or len(worker.team) != 1:
            continue

        (only,) = worker.team

        if only.span is None or own(only.span, "role") == "sub-agent":
            continue  # of an explicit plan: nobody launched it

        worker.span = _both(worker.span, only.span)
        worker.calls, worker.tools, worker.name = only.calls, only.tools, only.name
        worker.team = only.team

        for one in worker.team:
            one.boss = worker

    return root


def _both(outer: Span | None, inner: Span) -> Span:
    """The inner span, with what only the outer says."""
    if outer is None:
        return inner

    about = outer.attributes | inner.attributes
    return replace(inner, error=inner.error or outer.error, attributes=about)
