"""One limiter for all who use a cluster: never more in flight, and nothing held by the lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from random import Random
from typing import Any

import pytest
from cluster_parties import at_home, cut, hold, in_workers, party, until
from cluster_processes import Cluster, cluster
from distributed import Client
from virtual_time import in_virtual_time

from kimi_nb.errors import Allowed, ModelError, Overloaded, RateLimited, Unreachable
from kimi_nb.models.limiter import Limiter
from kimi_nb.swarm.cluster import gate as gates
from kimi_nb.swarm.cluster import limits
from kimi_nb.swarm.cluster.gate import RemoteGate
from kimi_nb.swarm.cluster.limits import Limits
from kimi_nb.swarm.cluster.mailbox import pack
from kimi_nb.swarm.cluster.post import install
from kimi_nb.swarm.cluster.switchboard import Switchboard
from kimi_nb.swarm.runtime import runtime

KEY = "https://api.example/v1 1f3a"
PATIENCE_S = 30.0
"""For an answer of the scheduler's; a user waits for a second."""


@pytest.fixture(scope="module")
def processes() -> Iterator[Cluster]:
    with cluster(workers=0) as made:
        yield made


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return runtime().spawn(work).result(50)


class Users:
    """Calls through gates, counted."""

    def __init__(self) -> None:
        self.in_flight = self.peak = self.made = 0
        self.waited: list[bool] = []
        self.queued = 0

    async def call(self, gate: RemoteGate, seconds: float = 0.005) -> None:
        waited = await gate.acquire(10, queued=self._queue)
        self.waited.append(waited)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        await asyncio.sleep(seconds)
        self.in_flight -= 1
        self.made += 1
        gate.release(10, 10, None)

    def _queue(self) -> None:
        self.queued += 1


async def taken(gate: RemoteGate, count: int) -> None:
    for _ in range(count):
        assert not await gate.acquire(1)


async def in_line(gate: RemoteGate, board: Switchboard, count: int) -> list[asyncio.Task[bool]]:
    """So many who wait, the first one first."""
    waiting: list[asyncio.Task[bool]] = []

    for number in range(count):
        waiting.append(asyncio.create_task(gate.acquire(1)))
        await until(lambda number=number: board.gates[KEY].waiting == number + 1)

    return waiting


# The limit -----------------------------------------------------------------------------------


def test_two_clients_share_one_limit(processes: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "FRESH_S", PATIENCE_S)
    users = Users()

    async def main(*clients: Client) -> str:
        parties = [await party(client) for client in clients]
        remote = [RemoteGate(each.post, KEY) for each in parties]
        remote[0].restrict(concurrency=3)
        await parties[0].post.drain()
        await asyncio.gather(*(users.call(gate) for gate in remote for _ in range(40)))
        await asyncio.to_thread(remote[1].status)
        status = await asyncio.to_thread(remote[0].status)
        await asyncio.gather(*(each.post.close() for each in parties))
        return status

    with processes.client() as one, processes.client() as two:
        install(one)
        status = run(main(one, two))

    assert (users.peak, users.made) == (3, 80)
    assert users.queued == sum(users.waited) >= 70
    assert status == "of the whole cluster: 0 calls in flight, 0 waiting; at most 3 at once"


async def test_who_asked_first_goes_first_and_the_refused_before_all() -> None:
    async with at_home() as (client, board):
        one, two = await party(client, "one"), await party(client, "two")
        first, second = RemoteGate(one.post, KEY), RemoteGate(two.post, KEY)
        first.restrict(concurrency=1)
        await taken(first, 1)
        order: list[str] = []

        async def wait(gate: RemoteGate, name: str, *, again: bool = False) -> None:
            assert await gate.acquire(1, again=again)
            order.append(name)
            gate.release(1, 1, None)

        tasks: list[asyncio.Task[None]] = []

        for number, gate in enumerate((first, second, first, second)):
            tasks.append(asyncio.create_task(wait(gate, f"{number}")))
            await until(lambda number=number: board.gates[KEY].waiting == number + 1)

        tasks.append(asyncio.create_task(wait(second, "again", again=True)))
        await until(lambda: board.gates[KEY].waiting == 5)
        first.release(1, 1, None)
        await asyncio.gather(*tasks)
        assert order == ["again", "0", "1", "2", "3"]


async def test_nobody_passes_one_whose_turn_is_about_to_begin() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    found = Limits(lambda who, message: told.append((who, message)))
    found.hear("a", {"op": "restrict", "gate": KEY, "concurrency": 1, "rpm": None, "tpm": None})
    call = {"op": "acquire", "gate": KEY, "tokens": 1, "again": False}

    # all in one batch: nothing runs in between
    found.hear("a", {**call, "id": "1", "ask": 1})
    found.hear("a", {**call, "id": "2", "ask": 2})
    found.hear("a", {"op": "release", "gate": KEY, "reserved": 1, "used": 1})
    found.hear("b", {**call, "id": "3", "ask": 3})
    await asyncio.sleep(0.01)
    granted = [message["answered"] for _, message in told if "meanwhile" not in message]
    assert granted == [1, 2]


async def test_the_last_wish_is_heard() -> None:
    async with at_home() as (client, board):
        one, two = await party(client, "one"), await party(client, "two")
        first, second = RemoteGate(one.post, KEY), RemoteGate(two.post, KEY)
        first.restrict(concurrency=1, rpm=10, tpm=1000)
        await one.post.drain()
        assert board.gates[KEY].concurrency == 1
        second.restrict(concurrency=2)
        await taken(second, 2)
        waiting = await in_line(first, board, 2)
        assert "2 calls in flight, 2 waiting; at most 2 at once" in board.gates[KEY].status()
        assert "a minute" not in board.gates[KEY].status()
        second.release(1, 1, None)
        assert await waiting[0]


async def test_what_one_learns_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "FRESH_S", PATIENCE_S)

    async with at_home() as (client, board):
        one, two = await party(client, "one"), await party(client, "two")
        first, second = RemoteGate(one.post, KEY), RemoteGate(two.post, KEY)
        other = RemoteGate(one.post, "another endpoint")
        await taken(first, 1)
        there = board.gates[KEY]
        now = there._clock()
        there._clock = lambda: now  # a pause is over when the test says so
        error = RateLimited("429", retry_after=0.2)
        error.allowed = Allowed(concurrency=7, rpm=500.0)
        first.release(1, None, error)
        await one.post.drain()
        status = await asyncio.to_thread(second.status)
        assert "at most 7 at once (told by the endpoint)" in status
        assert "500 requests a minute (told by the endpoint)" in status
        assert "1 of 1 answered 429; paused for 0." in status
        assert not await other.acquire(1)
        (waiting,) = await in_line(second, board, 1)
        now += 0.3
        assert await waiting  # after the pause that the other was asked for
        second.release(1, 1, None, Allowed(tpm=90_000.0))
        await two.post.drain()
        assert "90,000 tokens a minute" in there.status()


@pytest.mark.parametrize(
    "error", [Overloaded("429", retry_after=3.0), RateLimited("429"), Unreachable("cut"), None]
)
async def test_a_release_is_told_as_to_the_limiter_itself(error: ModelError | None) -> None:
    async with at_home() as (client, board):
        here = await party(client)
        gate, own = RemoteGate(here.post, KEY), Limiter(clock=lambda: 100.0)
        gate.restrict()
        await here.post.drain()
        there = board.gates[KEY]
        there._clock = lambda: 100.0

        for each in (gate, own):
            await each.acquire(5)
            await each.acquire(5)
            each.release(5, None if error else 9, error)

        await here.post.drain()
        assert (there.in_flight, there.concurrency) == (own.in_flight, own.concurrency)
        assert own.in_flight == 1
        assert there._pace.paused_until == own._pace.paused_until
        assert there._refused == own._refused == isinstance(error, Overloaded | RateLimited)
        assert there._tokens._total == own._tokens._total


async def test_hopeless_is_told_with_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_home() as (client, board):
        here = await party(client)
        gate = RemoteGate(here.post, KEY)
        await taken(gate, 1)
        assert not gate.hopeless()
        monkeypatch.setattr(board.gates[KEY]._pace, "hopeless", lambda _: True)
        await taken(gate, 1)
        assert gate.hopeless()


# Giving back ---------------------------------------------------------------------------------


async def test_who_is_cancelled_in_the_line_is_no_longer_in_it() -> None:
    async with at_home() as (client, board):
        here = await party(client)
        gate = RemoteGate(here.post, KEY)
        gate.restrict(concurrency=1)
        await taken(gate, 1)
        first, second, third = await in_line(gate, board, 3)
        second.cancel()
        await until(lambda: board.gates[KEY].waiting == 2)
        gate.release(1, 1, None)
        assert await first
        gate.release(1, 1, None)
        assert await third
        gate.release(1, 1, None)
        await until(lambda: board.gates[KEY].in_flight == 0)
        assert second.cancelled()


async def test_a_permit_that_crosses_a_cancellation_is_given_back() -> None:
    async with at_home() as (client, board):
        here = await party(client)
        gate = RemoteGate(here.post, KEY)

        for seconds in (0.0, 0.001, 0.002, 0.004, 0.008, 0.016):
            calls = [asyncio.create_task(gate.acquire(1)) for _ in range(10)]
            await asyncio.sleep(seconds)

            for call in calls:
                if not call.cancel():  # it has its permit
                    gate.release(1, 1, None)

        await here.post.drain()
        await until(lambda: board.gates[KEY].in_flight == 0)
        assert board.gates[KEY].waiting == 0


async def test_what_is_asked_again_after_a_break_is_asked_once() -> None:
    async with at_home() as (client, board):
        here = await party(client)
        life = board._boxes[here.name].life
        call = {"op": "acquire", "gate": KEY, "tokens": 1, "again": False}

        for number in (1, 1, 2, 2, 1):
            body = pack([{**call, "id": f"{number}", "ask": number}])
            await board.send(here.name, life, "", number, body, 1, len(body))

        assert board.gates[KEY].in_flight == 2


def test_comms_that_break_lose_no_permit(processes: Cluster) -> None:
    users, random = Users(), Random(5)

    def in_flight(dask_scheduler: Any) -> int:
        return dask_scheduler.plugins["kimi_nb"].gates["cut"].in_flight

    async def main(client: Client) -> None:
        here = await party(client)
        gate = RemoteGate(here.post, "cut")
        gate.restrict(concurrency=3)
        broken = 0

        async def use() -> None:
            await users.call(gate)

            while broken <= 20:
                await users.call(gate)

        using = asyncio.gather(*(use() for _ in range(50)))

        while not using.done():
            await asyncio.sleep(0.01)
            broken += await cut(client, random)

        await here.post.drain()

    with processes.client() as client:
        install(client)
        run(main(client))
        assert client.run_on_scheduler(in_flight) == 0

    assert users.peak == 3
    assert users.made == len(users.waited) >= 50


async def test_who_fails_when_told_to_wait_holds_nothing() -> None:
    async with at_home() as (client, board):
        here = await party(client)
        gate = RemoteGate(here.post, KEY)
        gate.restrict(concurrency=1)
        await taken(gate, 1)

        with pytest.raises(ZeroDivisionError):
            await gate.acquire(1, queued=lambda: 1 // 0)

        await until(lambda: board.gates[KEY].waiting == 0)
        gate.release(1, 1, None)
        assert not here.post.lost.done()
        await taken(gate, 1)


def test_a_killed_worker_gives_back_what_it_held(processes: Cluster) -> None:
    worker = processes.start_worker()
    processes.wait_for_workers(1)

    def inside(dask_scheduler: Any) -> tuple[int, int]:
        limiter = dask_scheduler.plugins["kimi_nb"].gates["held"]
        return limiter.in_flight, limiter.waiting

    with processes.client() as client:
        install(client)
        here = run(party(client))
        gate = RemoteGate(here.post, "held")
        gate.restrict(concurrency=3)
        run(here.post.drain())
        in_workers(client, hold, "held", 3)
        assert client.run_on_scheduler(inside) == (3, 1)
        mine = runtime().spawn(gate.acquire(1))
        run(until(lambda: client.run_on_scheduler(inside) == (3, 2)))
        worker.kill()
        assert mine.result(50)
        run(until(lambda: client.run_on_scheduler(inside) == (1, 0)))
        run(here.post.close())
        assert client.run_on_scheduler(inside) == (0, 0)


async def test_a_lost_post_is_told_to_who_waits() -> None:
    async with at_home() as (client, board):
        here = await party(client)
        gate = RemoteGate(here.post, KEY)
        gate.restrict(concurrency=1)
        await taken(gate, 1)
        (waiting,) = await in_line(gate, board, 1)
        await here.post.close()

        with pytest.raises(ConnectionError, match="closed"):
            await waiting

        with pytest.raises(ConnectionError, match="closed"):
            await gate.acquire(1)

        gate.release(1, 1, None)
        assert gate.status() == "the cluster is lost: this post was closed"
        assert board.gates[KEY].in_flight == 0


# What one sees -------------------------------------------------------------------------------


async def test_who_looks_sees_the_whole_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "FRESH_S", 0.02)

    async with at_home() as (client, board):
        one, two = await party(client, "one"), await party(client, "two")
        busy, looks = RemoteGate(one.post, KEY), RemoteGate(two.post, KEY)
        assert looks.status() == "of the whole cluster: not yet known"
        busy.restrict(concurrency=2)
        await taken(busy, 2)
        waiting = await in_line(busy, board, 3)
        await until(lambda: looks.waiting == 3)
        assert looks.status() == (
            "of the whole cluster: 2 calls in flight, 3 waiting; at most 2 at once"
        )

        for each in waiting:
            each.cancel()

        await until(lambda: looks.waiting == 0)


async def test_an_unused_limiter_is_forgotten_one_in_use_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_home() as (client, board):
        here = await party(client)
        used, unused = RemoteGate(here.post, "used"), RemoteGate(here.post, "unused")
        await taken(used, 1)
        await taken(unused, 1)
        unused.release(1, 1, None)
        await here.post.drain()
        await taken(RemoteGate(here.post, "next"), 1)
        assert set(board.gates) == {"used", "unused", "next"}  # what they learnt is kept for now
        monkeypatch.setattr(limits, "KEEP_S", -1.0)
        await taken(RemoteGate(here.post, "last"), 1)
        assert set(board.gates) == {"used", "next", "last"}
        assert {gate for _, gate in board._limits._held} == {"used", "next", "last"}
        await here.post.close()
        assert set(board.gates) == set()
        assert not board._limits._held


# All at once ---------------------------------------------------------------------------------


class Fuzz:
    """Parties that ask, give up, end and die at random, and what they hold by their own count."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.limits = Limits(self._told)
        self.holds: Counter[str] = Counter()
        self.open: dict[tuple[str, int], str] = {}
        """Questions that were not answered yet, with the names that they have."""
        self.asked = 0
        self.most = 0
        self.granted = 0

    def _told(self, who: str, message: dict[str, Any]) -> None:
        if "meanwhile" in message:
            return

        # who has cancelled has a permit on its way back: the switchboard hears of it in order
        if self.open.pop((who, message["answered"]), None) is not None:
            self.holds[who] += 1
            self.granted += 1
            self.most = max(self.most, self.holds.total())

    def step(self) -> None:
        who = self.random.choice("abc")
        what = self.random.choices(("acquire", "release", "cancel", "leave"), (8, 6, 3, 0.3))[0]

        match what:
            case "acquire":
                self.asked += 1
                self.open[who, self.asked] = f"{self.asked}"
                call = {"op": "acquire", "gate": KEY, "id": f"{self.asked}", "ask": self.asked}
                again = self.random.random() < 0.2
                self.limits.hear(who, {**call, "tokens": 1, "again": again})
            case "release" if self.holds[who]:
                self.holds[who] -= 1
                self.limits.hear(who, {"op": "release", "gate": KEY, "reserved": 1, "used": 1})
            case "cancel":
                mine = [key for key in self.open if key[0] == who]

                if mine:
                    name = self.open.pop(self.random.choice(mine))
                    self.limits.hear(who, {"op": "cancel", "gate": KEY, "id": name, "tokens": 1})
            case "leave":
                self.holds.pop(who, None)
                self.open = {key: name for key, name in self.open.items() if key[0] != who}
                self.limits.leave(who)
            case _:
                pass


@pytest.mark.parametrize("seed", range(8))
def test_no_permit_is_lost_or_doubled_whoever_gives_up_or_dies(seed: int) -> None:
    async def main() -> None:
        fuzz = Fuzz(seed)
        limit = {"concurrency": 4, "rpm": None, "tpm": None}
        fuzz.limits.hear("a", {"op": "restrict", "gate": KEY, **limit})
        limiter = fuzz.limits.limiters[KEY]

        for _ in range(3000):
            fuzz.step()

            if fuzz.random.random() < 0.3:
                await asyncio.sleep(0)

            assert limiter.in_flight <= 4

        for _ in range(5):
            await asyncio.sleep(0)

        assert limiter.in_flight == fuzz.holds.total()
        assert limiter.waiting == len(fuzz.open)
        assert fuzz.most == 4
        assert fuzz.granted > 300

        for who in "abc":
            fuzz.limits.leave(who)

        for _ in range(5):
            await asyncio.sleep(0)

        assert (limiter.in_flight, limiter.waiting) == (0, 0)

    in_virtual_time(main())


def test_a_question_that_no_limiter_knows_is_refused() -> None:
    found = Limits(lambda *_: None)

    with pytest.raises(ValueError, match="no limiter does 'dance'"):
        found.hear("a", {"op": "dance", "gate": KEY})
