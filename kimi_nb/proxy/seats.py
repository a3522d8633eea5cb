"""All classes of a sheet at work: who may call, and what each has left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kimi_nb.models.limiter import Limiter
from kimi_nb.proxy.keys import Keyring, Who
from kimi_nb.proxy.ledger import Entry
from kimi_nb.proxy.purse import Purse
from kimi_nb.proxy.sheet import Group, Sheet
from kimi_nb.proxy.turnstile import Turnstile

__all__ = ["Room", "Seat", "Seats"]

Today = Callable[[], dt.date]


@dataclass(frozen=True, slots=True)
class Room:
    """A class at work."""

    group: Group
    purse: Purse
    gate: Turnstile


@dataclass(frozen=True, slots=True)
class Seat:
    """A learner at work."""

    who: Who
    room: Room
    purse: Purse
    concurrency: int | None

    @property
    def purses(self) -> tuple[Purse, Purse]:
        """All that pay for a call of this learner."""
        return self.purse, self.room.purse


class Seats:
    """Every learner's seat, made when it is first asked for. What was paid before is counted."""

    def __init__(self, sheet: Sheet, past: Iterable[Entry], today: Today = dt.date.today) -> None:
        self.rooms = {name: _room(group, today) for name, group in sheet.groups.items()}
        self._sheet = sheet
        self._today = today
        self._keyring = Keyring(sheet.keys)
        self._seats: dict[Who, Seat] = {}

        for entry in past:
            if entry.group in self.rooms:
                day = dt.datetime.fromtimestamp(entry.at).astimezone().date()

                for purse in self.of(Who(entry.group, entry.student)).purses:
                    purse.spend(entry.tokens_in + entry.tokens_out, entry.usd, day)

    def at(self, key: str) -> Seat | None:
        """The seat of the learner with this key; None: nobody in a class has it."""
        who = self._keyring.whose(key)
        return self.of(who) if who and who.group in self.rooms else None

    def of(self, who: Who) -> Seat:
        """A learner's seat. Raises KeyError for a class that there is not."""
        seat = self._seats.get(who)

        if seat is None:
            room = self.rooms[who.group]
            allowance = room.group.students.get(who.student, room.group.each)
            purse = Purse(allowance, who.student, self._today)
            seat = self._seats[who] = Seat(who, room, purse, allowance.concurrency)

        return seat

    def everybody(self) -> list[Seat]:
        """All who have a key or have spent something."""
        known = {who for who in self._keyring.learners() if who.group in self.rooms}
        return [self.of(who) for who in sorted(known | self._seats.keys())]

    def closed(self, seat: Seat) -> bool:
        """Whether the class is over."""
        until = seat.room.group.until
        return until is not None and self._today() > until


def _room(group: Group, today: Today) -> Room:
    limiter = Limiter(**group.limits._asdict())
    return Room(group, Purse(group.whole, f"class {group.name}", today), Turnstile(limiter))
