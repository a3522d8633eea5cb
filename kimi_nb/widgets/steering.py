"""What the page of the playground is told, and what its sliders and buttons do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import cast

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.learning import came_to, schedule_of, schedules_line
from kimi_nb.views.rewards import Rewards, gaps
from kimi_nb.views.reweigh import misfit, progress_of, reweigh
from kimi_nb.widgets.messages import Message, answered, told
from kimi_nb.widgets.recorded import training_of
from kimi_nb.widgets.sent import BEGIN, schedule_sent
from kimi_nb.widgets.source import Source, Steered, Trainer

__all__ = ["Steering"]

EARLIER = 4
"""Trainings of the session that are kept for comparison."""
PAUSE = 1.0
"""Seconds at least between two snapshots of what is going on."""
SHARE = 20.0
"""They take at most one part in so many of the time; the processor's counts, not the clock's."""


class Steering:
    """A training, or one after the other, under the schedules that a page sets. For one thread."""

    def __init__(
        self,
        source: Source | None,
        trainer: Trainer | None = None,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self.source = source
        self.schedules = dict(BEGIN)
        """As the sliders stand, by reward."""
        self.rewards = Rewards()
        self.ended = source is None or source.done
        """Nothing is going on."""
        self.number = int(source is not None)
        """Which training of the session it is; 0 before the first."""
        self.earlier: list[Message] = []
        self.snapshot: Message | None = None
        """All of it, where some time has passed since the last; else None."""
        self._trainer = trainer
        self._wake = wake
        self._awaited: dict[str, Schedule] = {}
        """Set, and not yet heard of from the training."""
        self._told = self._seen = 0
        self._next = 0.0
        self._take(done=self.ended)

    @property
    def running(self) -> bool:
        return self.source is not None and not self.ended

    def beat(self) -> list[Message]:
        """What has happened since the last beat."""
        if self.source is None:
            return []

        done = self.source.done  # before its records are read
        began, worked = time.monotonic(), time.thread_time()
        moved = self._take(done=done)
        ends = done and not self.ended
        self.ended = done
        found = [self._whole() if ends else self._rows()]

        if moved and not ends:
            found.append(self._set())

        self.snapshot = self._whole() if ends or began >= self._next else None

        if self.snapshot is not None:
            self._next = began + max(PAUSE, (time.thread_time() - worked) * SHARE)

        return found

    def _take(self, *, done: bool) -> bool:
        """Read on; whether a schedule was set by somebody else. `done`: nothing comes after it."""
        fresh = self.source.records[self._seen :] if self.source is not None else ()
        self._seen += len(fresh)
        moved = False

        for record in fresh:
            moved |= self._add(record)

        if done and self.rewards.status == "running":
            self.rewards.status, self.rewards.why = "partial", "Its log ends before its end."

        return moved

    def _add(self, record: Record) -> bool:
        had = len(self.rewards.schedules)
        self.rewards.add(record)

        if len(self.rewards.schedules) == had:
            return False

        row = self.rewards.schedules[-1]
        found, awaited = schedule_of(row), self._awaited.get(row.reward)

        if found == awaited:
            self._awaited.pop(row.reward, None)

        if found is None or awaited is not None or row.reward not in self.schedules:
            return False

        if row.since > 1 and self.source is not None and self.source.done:
            return False  # a log's sliders begin as the training did

        self.schedules[row.reward] = found
        return True

    def answer(self, question: Message) -> list[Message]:
        """What the page is told in return: never an exception, whatever it sends."""
        return answered(self, question)

    def _on_sync(self, _question: Message) -> list[Message]:
        return [self._whole()]

    def _on_set(self, question: Message) -> list[Message]:
        wanted = _sent(question["schedules"])

        for reward, schedule in wanted.items():
            if self.running and schedule != self.schedules[reward]:
                self._steer(reward, schedule)

            self.schedules[reward] = schedule

        return [self._set()]

    def _steer(self, reward: str, schedule: Schedule) -> None:
        steered = cast("Steered", self.source)

        if not hasattr(steered, "set"):
            message = "this training cannot be steered: it has no method set(reward, schedule)"
            raise UsageFault(message)

        steered.set(reward, schedule)
        self._awaited[reward] = schedule

    def _on_stop(self, _question: Message) -> list[Message]:
        if not self.running or self.source is None:
            return [told("no training is running")]

        self.source.cancel()
        return [told("stopping after the iteration that is under way; what was learned is kept")]

    def _on_train(self, question: Message) -> list[Message]:
        if self._trainer is None:
            return [told("there is no trainer here: type kn.playground(trainer=train)")]

        if self.running:
            return [told("a training is running: stop it first")]

        schedules = self.schedules | _sent(question.get("schedules", {}))

        try:
            source = training_of(self._trainer(dict(schedules)))
        except KimiNbError:
            raise
        except Exception as error:  # it is the user's: whatever it raises, the page stays usable
            logging.getLogger("kimi_nb").exception("the trainer of the playground failed")
            return [told(f"the trainer failed: {type(error).__name__}: {error}")]

        self._keep()
        self.source, self.schedules, self.rewards = source, schedules, Rewards()
        self._told = self._seen = 0
        self._awaited, self._next = {}, 0.0
        self.number += 1
        self.ended = False

        if self._wake is not None:
            self._wake()

        return [self._whole()]

    def _keep(self) -> None:
        """The training so far is one of the earlier ones from now on."""
        if self.rewards.rows:
            kept = {
                "run": self.number,
                "label": self._recorded(),
                "came_to": _by_name(came_to(self.rewards)),
                "rewards": self.rewards.since(0),
            }
            self.earlier = [*self.earlier, kept][-EARLIER:]

    def _recorded(self) -> str:
        return schedules_line(self.rewards.schedules)

    def _rows(self) -> Message:
        since, self._told = self._told, len(self.rewards.rows)
        return {
            "kind": "rows",
            "run": self.number,
            "from": since,
            "to": self._told,
            "recorded": self._recorded(),
            "came_to": _by_name(came_to(self.rewards)),
            "rewards": self.rewards.since(since),
        }

    def _whole(self) -> Message:
        """Everything that the page shows."""
        self._told = len(self.rewards.rows)
        return {
            **self._set(),
            "kind": "all",
            "to": self._told,
            "running": self.running,
            "trains": self._trainer is not None,
            "recorded": self._recorded(),
            "misfit": round(misfit(self.rewards.rows), 6),
            "came_to": _by_name(came_to(self.rewards)),
            "earlier": self.earlier,
            "rewards": self.rewards.since(0) if self.source is not None else None,
        }

    def _set(self) -> Message:
        """The schedules, and what they make of the iterations: all λ, and the totals of an end."""
        rows = self.rewards.rows
        one, two = self.schedules["parallel"], self.schedules["finish"]
        parts = progress_of(rows, self.rewards.iterations if self.running else 0)
        again = () if self.running else reweigh(rows, one, two)
        return {
            "kind": "set",
            "run": self.number,
            "schedules": {
                name: [s.start, s.end, s.shape, s.until] for name, s in self.schedules.items()
            },
            "lambdas": [[one.at(p), two.at(p)] if 0 <= p <= 1 else None for p in parts],
            "totals": gaps(found.total for found in again),
        }


def _by_name(values: Mapping[str, float]) -> Message:
    return dict(zip(values, gaps(values.values()), strict=True))


def _sent(schedules: object) -> dict[str, Schedule]:
    """What a page sent, by reward; all of it is checked before any is used. Raises UsageFault."""
    if not isinstance(schedules, dict):
        message = "schedules are sent by the name of their reward"
        raise UsageFault(message)

    rows = cast("dict[object, object]", schedules)
    return {str(name): schedule_sent(str(name), row) for name, row in rows.items()}
