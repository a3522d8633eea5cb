"""Greedy list scheduling (Graham 1969): tasks on workers, one after another, none interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.views.tasks import Currency, Task

__all__ = ["Row", "schedule"]

TICKS = 1_000_000
"""In one second, step or token. Whole numbers end together exactly where sums of floats miss."""
FREE, READY = 0, 1


class Row(NamedTuple):
    """One task in a schedule. Times are amounts of the schedule's currency since its begin."""

    task: str
    worker: int
    """From 1."""
    began: float
    ended: float


class _Crew:
    """The workers, and the tasks that are ready for them: by their place in the list."""

    def __init__(self, workers: int | None, pinned: Mapping[int, int]) -> None:
        self._pinned = pinned
        self._own: dict[int, list[int]] = {worker: [] for worker in pinned.values()}
        """By worker: the ready tasks that are pinned to it."""
        self._touched: set[int] = set()
        """Workers that may be able to begin one of those."""
        self._ready: list[int] = []
        self._busy: set[int] = set()
        self._kept = frozenset(self._own) if workers is None else frozenset[int]()
        """Workers that take only what is pinned to them."""
        self._free: list[int] = []
        """Workers that became free; one may be busy again, or be here twice."""
        numbers: Iterable[int] = count(1) if workers is None else range(1, workers + 1)
        self._fresh = (number for number in numbers if number not in self._kept)

    def offer(self, task: int) -> None:
        """The task is ready."""
        worker = self._pinned.get(task)

        if worker is None:
            heappush(self._ready, task)
        else:
            heappush(self._own[worker], task)
            self._touched.add(worker)

    def release(self, worker: int) -> None:
        """The worker is free."""
        self._busy.discard(worker)

        if worker in self._own:
            self._touched.add(worker)

        if worker not in self._kept:
            heappush(self._free, worker)

    def take(self) -> Iterator[tuple[int, int]]:
        """Each task that begins now, with its worker; what is pinned to a worker comes first."""
        for worker in sorted(self._touched):
            if self._own[worker] and worker not in self._busy:
                self._busy.add(worker)
                yield heappop(self._own[worker]), worker

        self._touched.clear()

        while self._ready and (worker := self._hire()):
            self._busy.add(worker)
            yield heappop(self._ready), worker

    def _hire(self) -> int:
        """A free worker; 0 if there is none."""
        while self._free:
            worker = heappop(self._free)

            if worker not in self._busy:
                return worker

        return next((number for number in self._fresh if number not in self._busy), 0)


def schedule(
    listed: Sequence[Task],
    currency: Currency = "seconds",
    *,
    workers: int | None = None,
    pinned: Mapping[str, int] | None = None,
) -> list[Row]:
    """When and by whom each task is done, in the order in which they begin.

    Whenever a worker is free it takes the first ready task of the list. `workers`: how many
    there are; None: as many as are ready. `pinned`: tasks that only the worker of that number
    does; it does those before others, and with `workers` None nothing else. Each task costs a
    logarithm, each dependency nothing more.

    Raises UsageFault where tasks wait for each other in a ring.
    """
    amounts = [_ticks(task.amount(currency)) for task in listed]
    place = {task.id: index for index, task in enumerate(listed)}
    waits = [len(task.after) for task in listed]
    ready = [0] * len(listed)
    behind: list[list[tuple[int, int]]] = [[] for _ in listed]

    for index, task in enumerate(listed):
        for before in task.after:
            lead = _ticks(before.lead) if currency == "seconds" else 0
            behind[place[before.id]].append((index, lead))

    crew = _Crew(workers, {place[name]: number for name, number in (pinned or {}).items()})
    events = [(0, READY, index) for index, missing in enumerate(waits) if not missing]
    heapify(events)
    rows: list[Row] = []

    while events:
        now = events[0][0]

        while events and events[0][0] == now:
            _, kind, number = heappop(events)
            crew.offer(number) if kind == READY else crew.release(number)

        for index, worker in crew.take():
            end = now + amounts[index]
            rows.append(Row(listed[index].id, worker, now / TICKS, end / TICKS))
            heappush(events, (end, FREE, worker))

            for other, lead in behind[index]:
                ready[other] = max(ready[other], now, end - lead)
                waits[other] -= 1

                if not waits[other]:
                    heappush(events, (ready[other], READY, other))

    if len(rows) < len(listed):
        raise UsageFault(_ring(listed, {row.task for row in rows}))

    return rows


def _ticks(amount: float) -> int:
    return round(amount * TICKS)


def _ring(listed: Sequence[Task], done: set[str]) -> str:
    """Says which tasks wait for each other, found by going back from one that never began."""
    stuck = {task.id: task for task in listed if task.id not in done}
    name = next(iter(stuck))
    way: list[str] = []

    while name not in way:
        way.append(name)
        name = next(before.id for before in stuck[name].after if before.id in stuck)

    ring = " → ".join([*reversed(way[way.index(name) :]), way[-1]])
    return f"these wait for each other: {ring}; take one dependency out with without=[(…, …)]"
