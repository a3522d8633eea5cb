"""What workers ask the kernel and tell it: the log, the budget and the files are kept here."""

from __future__ import annotations

import asyncio
import functools
import pickle
from collections.abc import Coroutine
from typing import Any

from kimi_nb.errors import BudgetExceeded, UsageFault
from kimi_nb.events import AgentPlaced, StepBegan, StepQueued
from kimi_nb.models.base import Usage
from kimi_nb.models.secret import Secret
from kimi_nb.swarm.assignment import Outcome
from kimi_nb.swarm.budget import Reservation
from kimi_nb.swarm.cluster.baggage import Baggage, Kit
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.post import LARGEST, Post
from kimi_nb.swarm.cluster.private import is_private
from kimi_nb.swarm.cluster.seat import Seat
from kimi_nb.swarm.cluster.store import Store
from kimi_nb.swarm.engine import Engine, Stop
from kimi_nb.swarm.subagent import one_line
from kimi_nb.trace import Record, decode, encode

__all__ = ["Books"]

GONE: Message = {"gone": True}
"""The answer to a life that does not count any more."""


class Books:
    """Answers for one run."""

    def __init__(
        self, engine: Engine, post: Post, seats: dict[str, Seat], kit: Kit, key: Secret | None
    ) -> None:
        """`key`: what workers are told of it; None: they have their own, or need none."""
        self._engine = engine
        self._post = post
        self._seats = seats
        self._kit = kit
        self._key = key
        self._crews: set[str] = set()
        """Worker processes that have opened the run."""
        self._unable: set[str] = set()
        """Addresses of workers that cannot take part."""
        self.workers = 0
        """How many there were when sub-agents were last given to Dask."""
        self._store = Store(engine)
        self._baggage = b""
        self._read = 0
        self._records: dict[str, list[Record]] = {}
        """The first so many of the log, by agent: for thousands it is not looked through each."""

    async def open(self) -> None:
        """Look at the folder and pack what every worker needs. Raises UsageFault."""
        await self._store.refresh()
        engine = self._engine
        baggage = Baggage(
            kit=self._kit,
            settings=engine.settings,
            budget=engine.account.budget,
            cache_key=engine.cache_key,
            facts=self._facts_of(""),
        )
        self._baggage = pickle.dumps(baggage)

        if len(self._baggage) > LARGEST // 2:
            raise UsageFault(
                f"the tools and the model are {len(self._baggage) / 1e6:,.0f} MB large, and "
                f"{LARGEST / 2e6:.0f} MB can be sent to the workers: let a tool read its data from "
                "a file of the folder"
            )

    def close(self) -> None:
        """Tell all workers that the run is over."""
        for party in self._crews:
            self._post.send(party, {"op": "close"})

    def hear(self, sender: str, message: Message) -> None:
        """Take in one message, from a worker or from the switchboard."""
        match message["op"]:
            case "open":
                self._crews.add(sender)
                reply: Message = {"baggage": self._baggage}
                self._post.answer(sender, message, reply | self._key_for(sender))
            case "lost":
                self._lost(message["party"])
            case "unable":
                seat = self._seats.get(message["agent"])

                if seat is not None and seat.party in {"", sender}:
                    seat.fail(message["why"])

                self._unable.add(sender.partition("#")[0])

                if len(self._unable) >= self.workers:  # no other would fare better
                    self._engine.stop(Stop("failed", message["why"]))
            case "begin":
                self._begin(sender, message)
            case _:
                self._of_a_life(sender, message)

    def _key_for(self, party: str) -> Message:
        """The scheduler may be near, and yet this worker far from it."""
        private = is_private(party.partition("#")[0])
        return {} if self._key is None or not private else {"key": self._key.reveal()}

    def _lost(self, party: str) -> None:
        self._crews.discard(party)
        self._store.forget(party)

        for seat in self._seats.values():
            if seat.party == party:
                seat.leave(self._engine.account)
                self._engine.log.add(seat.id, AgentPlaced(where="", number=seat.number))

    def _begin(self, sender: str, message: Message) -> None:
        """Another life of a sub-agent begins, with all that its lives before have paid for."""
        seat, engine = self._seats.get(message["agent"]), self._engine

        if seat is None or seat.ended.done():
            self._post.answer(sender, message, GONE)
            return

        seat.begin(sender, engine.account)
        new = seat.number == 1 and engine.past.agent(seat.id) is None
        records = b"" if new else self._facts_of(seat.id)
        engine.log.add(seat.id, AgentPlaced(where=message["where"], number=seat.number))
        self._ask(seat, sender, message, self._welcome(message["has"], seat, records))

    def _facts_of(self, agent: str) -> bytes:
        """All that is known of an agent, as lines of a log."""
        news = self._engine.log.records[self._read :]
        self._read += len(news)

        for record in news:
            self._records.setdefault(record.agent, []).append(record)

        return b"".join(map(encode, self._records.get(agent, ())))

    async def _welcome(self, has: str, seat: Seat, records: bytes) -> Message:
        number = seat.number

        try:
            files = await self._store.manifest(has)
        except UsageFault as error:
            seat.fail(str(error))
            return GONE

        return {
            "number": number,
            "t": self._engine.log.now,
            "work": pickle.dumps(seat.work),
            "records": records,
            "files": files,
        }

    def _of_a_life(self, sender: str, message: Message) -> None:
        """What a sub-agent says or asks, if it is the one that counts."""
        seat = self._seats.get(message["agent"])

        if seat is None or not seat.is_of(sender, message["number"]):
            if "ask" in message:
                self._post.answer(sender, message, GONE)

            return

        match message["op"]:
            case "facts":
                self._log(seat, message["facts"])
            case "settle":
                self._settle(seat, message["usage"])
            case "charge":
                self._engine.account.charge(Usage(**message["usage"]))
            case "ended":
                self._end(seat, message)
            case "reserve":
                self._ask(seat, sender, message, self._reserve(message, seat))
            case "cover":
                self._ask(seat, sender, message, self._cover())
            case "sync":
                self._ask(seat, sender, message, self._sync())
            case _:
                self._ask(seat, sender, message, self._store.reply(sender, message))

    def _log(self, seat: Seat, lines: bytes) -> None:
        facts = [decode(line).fact for line in lines.splitlines()]

        for fact in facts:
            if isinstance(fact, StepBegan):
                seat.step = fact.step

        self._engine.log.add(seat.id, *facts)

    def _settle(self, seat: Seat, usage: dict[str, Any] | None) -> None:
        if seat.held is not None:
            self._engine.account.settle(seat.held, Usage(**usage) if usage else None)
            seat.held = None

    def _end(self, seat: Seat, message: Message) -> None:
        if stop := message["stop"]:
            self._engine.stop(Stop(*stop))

        seat.end(Outcome(message["kind"], message["text"], frozenset(message["labels"])))
        seat.empty.set()

    def _ask(
        self, seat: Seat, sender: str, message: Message, answering: Coroutine[Any, Any, Message]
    ) -> None:
        task = asyncio.create_task(answering)
        seat.asking.add(task)
        task.add_done_callback(functools.partial(self._answer, seat, sender, message))

    def _answer(
        self, seat: Seat, sender: str, message: Message, task: asyncio.Task[Message]
    ) -> None:
        """Whatever comes of it: who has asked waits for an answer, and would for ever."""
        seat.asking.discard(task)
        reply = GONE

        if not task.cancelled():
            if (error := task.exception()) is None:
                reply = task.result()
            else:
                seat.fail(f"{type(error).__name__}: {one_line(error)}")

        self._post.answer(sender, message, reply)

    async def _reserve(self, message: Message, seat: Seat) -> Message:
        engine = self._engine

        try:
            engine.check(seat.id)
            seat.held, waited = await engine.account.reserve(
                seat.id,
                seat.work.stage,
                message["prompt"],
                message["max"],
                queued=lambda: engine.log.add(seat.id, StepQueued(step=seat.step)),
            )
        except BudgetExceeded as error:
            return _exceeded(error)

        return {"waited": waited, "left": engine.account.left(), **_as_dict(seat.held)}

    async def _cover(self) -> Message:
        try:
            await self._engine.account.check_cover()
        except BudgetExceeded as error:
            return _exceeded(error)

        return {}

    async def _sync(self) -> Message:
        await self._engine.sync()
        return {}


def _exceeded(error: BudgetExceeded) -> Message:
    return {"exceeded": error.what, "why": str(error)}


def _as_dict(held: Reservation) -> Message:
    return {"tokens": held.tokens, "max": held.max_tokens}
