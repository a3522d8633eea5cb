"""Model calls of one agent that overlap: branches that the spans do not tell apart.

One agent asks one thing at a time, so calls that ran side by side are shared out among as few
branches as there can be: each goes on with what follows the end of its latest call soonest.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from kimi_nb.views.otel.crew import SLACK, Worker
from kimi_nb.views.otel.spans import Span

__all__ = ["part"]


def part(worker: Worker) -> int:
    """Give overlapping calls to branches of their own in its team; returns how many."""
    calls = set(map(id, worker.calls))
    kept_calls: list[Span] = []
    kept_tools: list[Span] = []
    branches: list[Worker] = []

    for episode in _episodes([*worker.calls, *worker.tools]):
        asked = [span for span in episode if id(span) in calls]
        lanes = _lanes(episode, calls) if _overlap(asked) else []

        if len(lanes) < 2:
            kept_calls += asked
            kept_tools += [span for span in episode if id(span) not in calls]
            continue

        for lane in lanes:
            branch = Worker(None, f"branch {len(branches) + 1}", worker)
            branch.calls = [span for span in lane if id(span) in calls]
            branch.tools = [span for span in lane if id(span) not in calls]
            branches.append(branch)

    worker.calls, worker.tools = kept_calls, kept_tools
    _take_team(worker, branches)
    return len(branches)


def _episodes(spans: list[Span]) -> list[list[Span]]:
    """Groups of spans without a moment of rest."""
    found: list[list[Span]] = []
    until = 0

    for span in sorted(spans, key=lambda s: (s.began, s.until)):
        if not found or span.began > until:
            found.append([])

        found[-1].append(span)
        until = max(until, span.until)

    return found


def _overlap(calls: list[Span]) -> bool:
    until = 0

    for span in calls:
        if span.began + SLACK < until:
            return True

        until = max(until, span.until)

    return False


def _lanes(episode: list[Span], calls: set[int]) -> list[list[Span]]:
    lanes: list[list[Span]] = []
    ends: list[tuple[int, int]] = []
    """When each lane ends, and which it is."""

    for span in episode:
        free = bisect_right(ends, (span.began + SLACK, len(lanes))) - 1

        if free < 0 and (id(span) in calls or not lanes):
            until, number = 0, len(lanes)
            lanes.append([])
        else:  # a tool that no lane is free for belongs to one all the same
            until, number = ends.pop(max(free, 0))

        lanes[number].append(span)
        insort(ends, (max(until, span.until), number))

    return lanes


def _take_team(worker: Worker, branches: list[Worker]) -> None:
    """Who was launched by a tool of a branch goes with it."""
    whose = {id(tool): branch for branch in branches for tool in branch.tools}
    team, worker.team = worker.team, [*branches]

    for one in team:
        one.boss = worker if one.via is None else whose.get(id(one.via), worker)
        one.boss.team.append(one)
