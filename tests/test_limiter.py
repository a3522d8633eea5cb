"""Who may call now, in virtual time: minutes pass in milliseconds, and always the same way."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from faults.server import Answer, FaultServer, refuse, say
from hypothesis import given
from hypothesis import strategies as st
from limited import Endpoint, attempt, new_limiter, swarm
from virtual_time import clock, in_virtual_time, leap

from kimi_nb.errors import ModelError, Overloaded, RateLimited, ServerFault
from kimi_nb.models.base import Conversation, Reply, Request, ToolCall, ToolSpecs
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.limiter import Limiter, backoff, limiter_for
from kimi_nb.models.window import Window

# What the endpoint teaches -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [RateLimited, Overloaded])
def test_a_hundred_agents_under_a_limit_of_32(kind: type[ModelError]) -> None:
    server = Endpoint(concurrency=32, refusal=lambda: kind("429", retry_after=1.0))

    async def main() -> float:
        return await swarm(limiter := new_limiter(), server, 100, 4) + limiter.in_flight

    seconds = in_virtual_time(main())
    assert len(server.taken) == 400
    assert seconds <= 1.2 * 7.25 - 1.0  # two calls of an orchestrator come on top
    first = [time for time in server.refusals if time < 0.1]
    assert len(first) == 68
    assert len(server.refusals) - len(first) <= 3


def test_without_a_header_all_finish_too() -> None:
    server = Endpoint(concurrency=32, refusal=lambda: Overloaded("429"))
    limiters: list[Limiter] = []

    async def main() -> float:
        limiters.append(new_limiter())
        return await swarm(limiters[0], server, 100, 10)

    assert in_virtual_time(main()) < 1.3 * (1000 * 0.5 / 32)
    assert limiters[0].concurrency in {31, 32, 33}
    assert len(server.refusals) < 100


def test_it_probes_rarely_and_by_one() -> None:
    server = Endpoint(concurrency=32, style="nothing")

    async def main() -> None:
        await swarm(new_limiter(), server, 100, 60)

    in_virtual_time(main())
    later = [time for time in server.refusals if time > 0.1]
    assert len(later) <= 5
    assert all(b - a > 5 for a, b in itertools.pairwise(later))
    assert server.peak == 32


def test_nothing_is_sent_while_the_server_asked_to_wait() -> None:
    server = Endpoint(
        concurrency=2, latency=0.1, refusal=lambda: RateLimited("429", retry_after=20.0)
    )
    sent: list[float] = []

    async def main() -> None:
        limiter = new_limiter()

        async def call() -> None:
            sent.append(clock())
            await server.call()

        await asyncio.gather(*(attempt(limiter, call) for _ in range(6)))

    in_virtual_time(main())
    assert [time for time in sent if 0.01 < time < 20.0] == []
    assert len(server.taken) == 6


def test_after_the_pause_they_do_not_all_come_at_once() -> None:
    server = Endpoint(
        concurrency=50, latency=2.0, refusal=lambda: RateLimited("429", retry_after=5.0)
    )
    sent: list[float] = []

    async def main() -> None:
        limiter = new_limiter()

        async def call() -> None:
            sent.append(clock())
            await server.call()

        await asyncio.gather(*(attempt(limiter, call) for _ in range(100)))

    in_virtual_time(main())
    again = [time for time in sent if time > 1]
    assert len(again) == 50
    assert again[-1] - again[0] >= 0.2
    assert max(again.count(time) for time in again) == 1


def test_it_recovers_when_the_endpoint_takes_more_again() -> None:
    server = Endpoint(concurrency=4, style="nothing")

    async def main() -> int | None:
        limiter = new_limiter()

        async def relent() -> None:
            await asyncio.sleep(30)
            server.concurrency = 64

        await asyncio.gather(relent(), swarm(limiter, server, 100, 50))
        return limiter.concurrency

    limit = in_virtual_time(main())
    assert limit is not None
    assert limit >= 32
    assert server.peak == 64


def test_a_short_outage_does_not_leave_it_at_one() -> None:
    server = Endpoint(concurrency=0, refusal=lambda: Overloaded("429", retry_after=1.0))

    async def main() -> float:
        limiter = new_limiter()

        async def relent() -> None:
            await asyncio.sleep(3)
            server.concurrency = 10**9

        _, seconds = await asyncio.gather(relent(), swarm(limiter, server, 100, 4))
        return seconds

    assert in_virtual_time(main()) < 30
    assert len(server.refusals) < 300


def test_one_at_once() -> None:
    server = Endpoint(concurrency=1, latency=0.2, style="nothing")

    async def main() -> float:
        return await swarm(new_limiter(), server, 10, 3)

    assert in_virtual_time(main()) < 30 * 0.205 * 1.5 + 1
    assert len(server.refusals) <= 12


def test_three_a_minute_learned_from_refusals() -> None:
    server = Endpoint(rpm=3, latency=1.0, refusal=lambda: RateLimited("429", retry_after=20.0))

    async def main() -> float:
        return await swarm(new_limiter(), server, 5, 3)

    assert in_virtual_time(main()) < 6 * 60
    assert len(server.refusals) < 25


# What the user sets --------------------------------------------------------------------------


def test_three_a_minute_are_never_exceeded() -> None:
    server = Endpoint(rpm=3, latency=1.0)

    async def main() -> float:
        return await swarm(new_limiter(rpm=3), server, 5, 2)

    assert in_virtual_time(main()) < 3 * 61 + 2
    assert server.refusals == []


def test_tokens_a_minute() -> None:
    sent: list[tuple[float, int]] = []

    async def main() -> None:
        limiter = new_limiter(tpm=1000)

        async def one(tokens: int) -> None:
            await limiter.acquire(tokens)
            sent.append((clock(), tokens))
            limiter.release(tokens, tokens // 2, None)

        await asyncio.gather(*(one(400) for _ in range(6)), one(5000))

    in_virtual_time(main())
    assert [round(time) for time, _ in sent] == [0, 0, 60, 60, 121, 121, 182]


def test_more_tokens_than_reserved_count() -> None:
    async def main() -> float:
        limiter = new_limiter(tpm=1000)
        await limiter.acquire(100)
        limiter.release(100, 950, None)
        await limiter.acquire(100)
        return clock()

    assert in_virtual_time(main()) == pytest.approx(60, abs=1)


def test_a_ceiling_holds_and_keeps_the_order() -> None:
    order: list[int] = []
    server = Endpoint(latency=0.1)

    async def main() -> None:
        limiter = new_limiter(concurrency=4)

        async def call(number: int) -> None:
            order.append(number)
            await server.call()

        await asyncio.gather(*(attempt(limiter, lambda n=n: call(n)) for n in range(40)))

    in_virtual_time(main())
    assert order == list(range(40))
    assert server.peak == 4


def test_nobody_overtakes_who_waits() -> None:
    async def main() -> None:
        limiter = new_limiter(concurrency=1)
        assert limiter.try_acquire(1)
        waiter = asyncio.ensure_future(limiter.acquire(1))
        await asyncio.sleep(0)
        assert (limiter.in_flight, limiter.waiting) == (1, 1)
        limiter.release(1, 1, None)
        assert not limiter.try_acquire(1)  # the place is the waiter's, though it has not run yet
        await waiter
        limiter.release(1, 1, None)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        assert limiter.try_acquire(1)

    in_virtual_time(main())


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 3), st.booleans()), max_size=12))
def test_cancelled_waiters_leave_nothing_taken(plan: list[tuple[float, float, bool]]) -> None:
    async def main() -> None:
        limiter = new_limiter(concurrency=2, rpm=1000, tpm=100_000)
        server = Endpoint(concurrency=2, latency=1.0)

        async def one(start: float, patience: float, give_up: bool) -> None:  # noqa: FBT001
            await asyncio.sleep(start)
            task = asyncio.ensure_future(attempt(limiter, server.call))

            if give_up:
                await asyncio.sleep(patience)
                task.cancel()

            await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(*(one(*item) for item in plan))
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        assert server.refusals == []
        assert limiter.try_acquire(1)

    in_virtual_time(main())


def test_let_go_and_cancelled_in_the_same_moment() -> None:
    async def main() -> None:
        limiter = new_limiter(concurrency=1, rpm=2)
        await limiter.acquire(1)
        waiters = [asyncio.ensure_future(limiter.acquire(1)) for _ in range(2)]
        await asyncio.sleep(0)
        limiter.release(1, 1, None)
        waiters[0].cancel()
        await asyncio.wait(waiters)
        assert waiters[0].cancelled()
        assert clock() == 0  # what the cancelled one did not use of the minute is the other's
        assert (limiter.in_flight, limiter.waiting) == (1, 0)

    in_virtual_time(main())


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(1, 5)), max_size=30))
def test_no_minute_holds_more_than_the_window(steps: list[tuple[float, int]]) -> None:
    window, now = Window(), 0.0
    window.ceiling = 5
    spent: list[tuple[float, int]] = []

    for pause, amount in steps:
        now += pause
        now += window.delay(amount, now)
        assert window.delay(amount, now) == 0
        window.spend(amount, now)
        spent.append((now, amount))
        assert sum(n for time, n in spent if time > now - 60) <= 5


def test_status_is_one_line() -> None:
    async def main() -> None:
        limiter = new_limiter(concurrency=8, rpm=500, tpm=3_000_000)
        assert limiter.status() == (
            "0 calls in flight, 0 waiting; at most 8 at once; "
            "500 requests a minute; 3,000,000 tokens a minute"
        )
        assert all(limiter.try_acquire(1) for _ in range(4))
        limiter.release(1, None, RateLimited("429", retry_after=90))
        assert limiter.status() == (
            "3 calls in flight, 0 waiting; at most 3 at once (learned from its refusals); "
            "500 requests a minute; 3,000,000 tokens a minute; "
            "1 of 4 answered 429; paused for 60.0 s"
        )

    in_virtual_time(main())


def test_other_errors_teach_nothing() -> None:
    async def main() -> None:
        limiter = new_limiter()
        assert limiter.try_acquire(1)
        limiter.release(1, None, ServerFault("500"))
        assert limiter.concurrency is None

    in_virtual_time(main())


def test_one_limiter_for_an_endpoint() -> None:
    assert limiter_for("a") is limiter_for("a")
    assert limiter_for("a") is not limiter_for("b")


# Waiting between attempts ----------------------------------------------------------------------


@given(st.integers(1, 100), st.integers())
def test_backoff_doubles_its_bound(attempt: int, seed: int) -> None:
    wait = backoff(attempt, ServerFault("500"), Random(seed))
    assert 0 <= wait <= min(30, 0.5 * 2**attempt)


@given(st.floats(0, 1000), st.integers(1, 9))
def test_backoff_obeys_the_server(seconds: float, attempt: int) -> None:
    wait = backoff(attempt, RateLimited("429", retry_after=seconds), Random(1))
    assert min(seconds, 60) <= wait <= 1.1 * min(seconds, 60) + 0.1


# Over a socket ----------------------------------------------------------------------------------


class Deaf:
    def on_text(self, text: str) -> None: ...
    def on_thinking(self, text: str) -> None: ...
    def on_call(self, call: ToolCall) -> None: ...


async def test_32_at_once_over_http() -> None:
    limiter = Limiter(clock=clock)
    beyond = refuse(429, "engine_overloaded_error", "busy", retry_after="30")

    crowd = True

    def answer(body: dict[str, Any]) -> Answer:
        return replace(say(body["messages"][0]["content"]), ready=lambda: not crowd)

    async def let_go_on() -> None:
        """No answer comes before all others know that they are refused, however slow that is."""
        nonlocal crowd

        while limiter.waiting < 68:  # noqa: ASYNC110 -- there is no event for it
            await asyncio.sleep(0.005)

        crowd = False
        leap(30)

    async with FaultServer(answer, limit=32, beyond=beyond) as server:
        model = ChatModel("m", base_url=server.base_url, key=None)

        async def agent(number: int) -> list[str]:
            said: list[str] = []

            for turn in range(3):
                conversation = Conversation([{"role": "user", "content": f"{number}.{turn}"}])
                request = Request(conversation=conversation, tools=ToolSpecs(), max_tokens=9)
                reply: Reply = await attempt(limiter, lambda r=request: model.reply(r, Deaf()))
                said.append(reply.text)

            return said

        *said, _ = await asyncio.gather(*(agent(number) for number in range(100)), let_go_on())
        await model.close()

    assert said == [[f"{number}.{turn}" for turn in range(3)] for number in range(100)]
    assert server.peak <= 32
    assert len(server.requests) == 300 + server.refused
    assert 68 <= server.refused <= 150
    assert (limiter.in_flight, limiter.waiting) == (0, 0)
