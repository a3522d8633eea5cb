"""Hundreds of agents under limits that nobody set: the bounds come from the limits themselves."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limited import STYLES, TRAVEL_S, Endpoint, attempt, most_within, new_limiter, swarm
from virtual_time import clock, in_virtual_time

from kimi_nb.errors import Allowed, ModelError, RateLimited
from kimi_nb.models.limiter import Limiter
from kimi_nb.models.pace import HOPELESS_BURSTS, PATIENCE_S
from kimi_nb.models.tiers import TIERS

every_style = pytest.mark.parametrize("style", STYLES)


def ideal(endpoint: Endpoint, calls: int, tokens: int = 100) -> float:
    """The least seconds for so many calls: no schedule can be faster."""
    each = min(endpoint.rpm, endpoint.tpm // tokens if endpoint.tpm < math.inf else math.inf)
    minutes = 60.0 * ((calls - 1) // each) if each < math.inf else 0.0
    alone = endpoint.latency + TRAVEL_S
    return max(minutes + alone, math.ceil(calls / endpoint.concurrency) * endpoint.latency, alone)


def run(endpoint: Endpoint, agents: int, calls: int, tokens: int = 100) -> tuple[float, str]:
    """Seconds, and the limiter's status in the end."""

    async def main() -> tuple[float, str]:
        limiter = new_limiter()
        seconds = await swarm(limiter, endpoint, agents, calls, tokens)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        return seconds, limiter.status()

    return in_virtual_time(main())


def later(endpoint: Endpoint) -> int:
    """Refusals after the first burst, which nothing could have spared."""
    return sum(time > 0.2 for time in endpoint.refusals)


@every_style
def test_300_agents_under_32_at_once(style: str) -> None:
    endpoint = Endpoint(concurrency=32, style=style)
    seconds, _ = run(endpoint, 300, 3)
    assert len(endpoint.taken) == 900
    assert endpoint.peak == 32
    assert seconds <= 1.05 * ideal(endpoint, 900) + 1 + 1  # the pause that is asked for, a ramp
    assert len(endpoint.refusals) - later(endpoint) == 300 - 32
    assert later(endpoint) <= 3


@every_style
@pytest.mark.parametrize("latency", [0.5, 20.0])
def test_200_agents_under_3_a_minute(style: str, latency: float) -> None:
    endpoint = Endpoint(rpm=3, latency=latency, style=style)
    seconds, status = run(endpoint, 200, 1)
    assert len(endpoint.taken) == 200
    assert seconds <= 1.03 * ideal(endpoint, 200)
    assert len(endpoint.refusals) - later(endpoint) == 200 - 3
    assert later(endpoint) <= 12  # one trial in more and more minutes, of 67
    assert "3 requests a minute" in status or "4 requests a minute" in status


@every_style
def test_100_agents_one_at_a_time(style: str) -> None:
    endpoint = Endpoint(concurrency=1, style=style)
    seconds, status = run(endpoint, 100, 2)
    assert seconds <= 1.1 * ideal(endpoint, 200) + 1
    assert later(endpoint) <= 5
    assert "at most 1 at once" in status


@every_style
def test_tokens_a_minute_only(style: str) -> None:
    endpoint = Endpoint(tpm=500_000, style=style)
    seconds, _ = run(endpoint, 40, 3, 20_000)
    assert seconds <= 1.05 * ideal(endpoint, 120, 20_000)
    assert len(endpoint.refusals) <= (40 - 25) + 8


@every_style
@pytest.mark.parametrize(
    ("tier", "agents", "calls", "latency"), [("T0", 30, 2, 5.0), ("T1", 300, 4, 10.0)]
)
def test_all_limits_of_a_tier_together(
    style: str, tier: str, agents: int, calls: int, latency: float
) -> None:
    limits = TIERS[tier]._asdict()
    endpoint = Endpoint(**limits, latency=latency, style=style)
    seconds, _ = run(endpoint, agents, calls, 17_000)
    assert len(endpoint.taken) == agents * calls
    assert seconds <= 1.1 * ideal(endpoint, agents * calls, 17_000)
    assert len(endpoint.refusals) <= agents + 0.05 * agents * calls + 10


def test_who_sets_the_tier_is_refused_nothing() -> None:
    limits = TIERS["T1"]._asdict()
    endpoint = Endpoint(**limits, latency=10.0)

    async def main() -> float:
        return await swarm(new_limiter(**limits), endpoint, 300, 4, 17_000)

    assert in_virtual_time(main()) <= 1.05 * ideal(endpoint, 1200, 17_000)
    assert endpoint.refusals == []


@every_style
def test_a_rate_without_a_word_is_found_by_trial_also_where_calls_take_long(style: str) -> None:
    endpoint = Endpoint(rpm=200, latency=20.0, style=style)
    seconds, _ = run(endpoint, 300, 4)
    assert seconds <= 1.6 * ideal(endpoint, 1200)
    assert len(endpoint.refusals) <= 100 + 0.04 * 1200


def test_two_swarms_share_a_limiter() -> None:
    endpoint = Endpoint(concurrency=20, style="nothing")

    async def main() -> list[float]:
        limiter = new_limiter()
        return await asyncio.gather(*(swarm(limiter, endpoint, 100, 5) for _ in range(2)))

    one, other = in_virtual_time(main())
    assert max(one, other) <= 1.1 * ideal(endpoint, 1000) + 2
    assert min(one, other) >= 0.9 * max(one, other)  # neither was served before the other
    assert later(endpoint) <= 4


@every_style
@pytest.mark.parametrize("latency", [0.5, 5.0])
def test_a_limit_that_drops_from_50_to_5_and_comes_back(style: str, latency: float) -> None:
    endpoint = Endpoint(concurrency=50, latency=latency, style=style)
    calls, drop, back = 40_000 if latency < 1 else 6_000, 30.0, 200.0

    async def main() -> float:
        async def change() -> None:
            await asyncio.sleep(drop)
            endpoint.concurrency = 5
            await asyncio.sleep(back - drop)
            endpoint.concurrency = 50

        changing = asyncio.ensure_future(change())
        seconds = await swarm(new_limiter(), endpoint, 100, calls // 100)
        await changing
        return seconds

    seconds = in_virtual_time(main())
    done = (50 * drop + 5 * (back - drop)) / latency
    assert seconds <= 1.25 * (back + (calls - done) * latency / 50)
    assert len(endpoint.refusals) <= 50 + 50 + 10 + 0.01 * calls


@every_style
def test_no_stampede_after_a_pause(style: str) -> None:
    endpoint = Endpoint(concurrency=100, latency=3.0, style=style, retry_after=5.0)
    run(endpoint, 300, 2)
    first = max(time for time in endpoint.refusals if time < 0.2)
    assert [time for time in endpoint.sent if 0.2 < time < first + 5.0] == []
    after = [time for time in endpoint.sent if time > 0.2]
    assert most_within(after, 0.05) <= 0.3 * 100  # 0.2 of them in a fifth of the ramp


def test_an_endpoint_that_takes_nothing_is_asked_less_and_less() -> None:
    endpoint = Endpoint(concurrency=0, style="nothing", retry_after=None)

    async def main() -> None:
        limiter = new_limiter()
        asking = asyncio.ensure_future(swarm(limiter, endpoint, 300, 1))
        await asyncio.sleep(600)
        assert not limiter.hopeless()
        await asyncio.sleep(PATIENCE_S)
        assert limiter.hopeless()
        asking.cancel()
        await asyncio.wait([asking])

    in_virtual_time(main())
    assert HOPELESS_BURSTS <= later(endpoint) <= (600 + PATIENCE_S) / 30 * 4


def test_hope_is_not_given_up_while_calls_that_went_out_before_are_answered() -> None:
    endpoint = Endpoint(concurrency=0, style="nothing", retry_after=None)

    async def main() -> None:
        limiter = new_limiter()
        assert all(limiter.try_acquire(1) for _ in range(20))
        asking = asyncio.ensure_future(swarm(limiter, endpoint, 30, 1))

        for _ in range(20):
            await asyncio.sleep(60)
            limiter.release(1, 1, None)  # its place is asked for, and refused

        await asyncio.sleep(60)
        assert len(endpoint.refusals) > 30 + HOPELESS_BURSTS
        assert clock() > PATIENCE_S
        assert not limiter.hopeless()
        await asyncio.sleep(PATIENCE_S + 60)
        assert limiter.hopeless()
        asking.cancel()
        await asyncio.wait([asking])

    in_virtual_time(main())


@every_style
@pytest.mark.parametrize("limits", [{"concurrency": 7}, {"rpm": 30}], ids=str)
def test_nobody_starves(style: str, limits: dict[str, int]) -> None:
    endpoint = Endpoint(**limits, style=style)
    ends: list[float] = []

    async def main() -> None:
        limiter = new_limiter()

        async def agent() -> None:
            await attempt(limiter, endpoint.call)
            ends.append(clock())

        await asyncio.gather(*(agent() for _ in range(200)))

    in_virtual_time(main())
    asked = Counter[int]()

    for place, end in enumerate(ends):  # who came first to the queue leaves it first, about
        asked[place // 20] += 1
        assert end <= 1.2 * ideal(endpoint, place + 1) + 65

    assert set(asked.values()) == {20}


def test_who_was_refused_goes_before_who_never_asked() -> None:
    order: list[str] = []

    async def main() -> None:
        limiter = new_limiter(concurrency=1)
        await limiter.acquire(1)

        async def queue(name: str, *, again: bool) -> None:
            await limiter.acquire(1, again=again)
            order.append(name)
            limiter.release(1, 1, None)

        names = [("new", False), ("refused", True), ("newer", False), ("refused later", True)]
        waiting = [asyncio.ensure_future(queue(name, again=again)) for name, again in names]
        await asyncio.sleep(1)
        limiter.release(1, 1, None)
        await asyncio.gather(*waiting)

    in_virtual_time(main())
    assert order == ["refused", "refused later", "new", "newer"]


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 60)), min_size=1, max_size=25),
    st.integers(1, 9),
    st.integers(60, 400),
)
@settings(max_examples=60)
def test_no_minute_holds_more_than_was_told(
    plan: list[tuple[float, int]], rpm: int, tpm: int
) -> None:
    sent: list[tuple[float, int]] = []

    async def main() -> None:
        limiter = new_limiter()
        assert limiter.try_acquire(1)
        limiter.release(1, 1, None, Allowed(rpm=rpm + 1, tpm=tpm + 1))

        async def one(start: float, tokens: int) -> None:
            await asyncio.sleep(start)
            await limiter.acquire(tokens)
            sent.append((clock(), tokens))
            limiter.release(tokens, tokens, None, Allowed(rpm=rpm + 1, tpm=tpm + 1))

        await asyncio.gather(*(one(*item) for item in plan))

    in_virtual_time(main())

    for end, _ in sent:
        minute = [tokens for time, tokens in sent if end - 60 < time <= end]
        assert len(minute) <= rpm + 1
        assert sum(minute) <= tpm + 1


@given(
    st.lists(st.tuples(st.floats(0, 90), st.floats(0, 90)), max_size=15), st.sampled_from(STYLES)
)
@settings(max_examples=40)
def test_cancelled_waiters_leave_nothing_behind(
    plan: list[tuple[float, float]], style: str
) -> None:
    endpoint = Endpoint(concurrency=2, rpm=4, latency=1.0, style=style)

    async def main() -> None:
        limiter = new_limiter()

        async def one(start: float, patience: float) -> None:
            await asyncio.sleep(start)
            task = asyncio.ensure_future(attempt(limiter, endpoint.call))
            await asyncio.wait([task], timeout=patience)
            task.cancel()
            await asyncio.wait([task])

        await asyncio.gather(*(one(*item) for item in plan))
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        await asyncio.wait_for(attempt(limiter, endpoint.call), 130)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)

    in_virtual_time(main())


# What it says of itself ----------------------------------------------------------------------


def told(limiter: Limiter, **allowed: Any) -> str:
    """The status after one refusal that says so."""
    error: ModelError = RateLimited("429", retry_after=0.0)
    error.allowed = Allowed(**allowed)
    assert limiter.try_acquire(100)
    limiter.release(100, None, error)
    return limiter.status().split("; 1 of 1")[0]


def test_status_says_where_a_limit_comes_from() -> None:
    async def main() -> None:
        idle = "0 calls in flight, 0 waiting; "
        assert told(new_limiter(), rpm=3) == idle + "3 requests a minute (told by the endpoint)"
        assert (
            told(new_limiter(), tpm=9e5) == idle + "900,000 tokens a minute (told by the endpoint)"
        )
        assert told(new_limiter(), concurrency=7) == (
            idle + "at most 7 at once (told by the endpoint)"
        )
        assert told(new_limiter()) == idle[:-2]
        limiter = new_limiter(rpm=2, tpm=1000)
        limiter.release(0, 0, None, Allowed(rpm=3, tpm=500))
        assert "2 requests a minute; 500 tokens a minute (told by the endpoint)" in limiter.status()

    in_virtual_time(main())


def test_a_rate_is_told_from_a_crowd() -> None:
    """A refusal for the rate leaves the number at once as it is."""

    async def main() -> None:
        limiter = new_limiter()
        error = RateLimited("429", retry_after=0.0)
        error.allowed = Allowed(rpm=60)
        assert all(limiter.try_acquire(1) for _ in range(100))

        for _ in range(40):
            limiter.release(1, None, error)

        assert limiter.concurrency is None
        assert "60 requests a minute" in limiter.status()

    in_virtual_time(main())


def test_it_tries_more_ever_more_rarely() -> None:
    endpoint = Endpoint(rpm=10, style="nothing")
    run(endpoint, 100, 10)
    trials = [time for time in endpoint.refusals if time > 300]
    gaps = [b - a for a, b in itertools.pairwise(trials) if b - a > 5]
    assert gaps
    assert all(gap > 60 for gap in gaps)
    assert max(gaps) > 600
