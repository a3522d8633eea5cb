"""Whole runs of the real engine under limits, in virtual time: hours pass in a moment."""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from limited import STYLES, Endpoint, new_limiter
from scripted import Scripted, _no_complaints  # noqa: F401
from test_swarm import fan_out
from virtual_time import clock, in_virtual_time

from kimi_nb.errors import RateLimited
from kimi_nb.events import AgentEnded, RunBegan, RunEnded, RunResumed, StepEnded, StepRetried
from kimi_nb.models.base import Reply, Request, Sink
from kimi_nb.models.faults import fault
from kimi_nb.models.limiter import Limiter
from kimi_nb.models.pace import PATIENCE_S
from kimi_nb.swarm.budget import Account, Budget
from kimi_nb.swarm.engine import Engine, Settings
from kimi_nb.swarm.orchestrate import run_to_end
from kimi_nb.swarm.past import Past
from kimi_nb.swarm.tries import LIMITED_TRIES, Tries
from kimi_nb.tools import Toolset
from kimi_nb.trace import Log

MAX_TOKENS = 1000
DAY_S = 86_400.0
QUOTA = (
    "exceeded_current_quota_error",
    "You exceeded your current token quota, check your balance",
)
DAILY = (
    "rate_limit_reached_error",
    "request reached organization TPD rate limit, current: 1501880, limit: 1500000",
)

every_style = pytest.mark.parametrize("style", STYLES)


class Limited(Scripted):
    """Answers by a function, behind an endpoint with limits and, if given, a quota of calls."""

    def __init__(
        self, n: int, endpoint: Endpoint, *, quota: float = math.inf, end: tuple[str, str] = QUOTA
    ) -> None:
        super().__init__(fan_out(n))
        self.paid: Counter[str] = Counter()
        """Calls that were answered, by what they asked."""
        self._endpoint = endpoint
        self._quota = quota
        self._end = end

    async def reply(self, request: Request, sink: Sink) -> Reply:
        if len(self._endpoint.taken) >= self._quota:
            kind, words = self._end
            raise fault(429, {"error": {"type": kind, "message": words}})

        asked = request.conversation.wire.decode()
        self.paid[asked] += 1  # until it is refused or broken off

        try:
            await self._endpoint.call(len(asked) // 4 + request.max_tokens)
        except BaseException:
            self.paid[asked] -= 1
            raise

        return await super().reply(request, sink)


def engine_for(model: Limited, log: Log, limiter: Limiter, n: int) -> Engine:
    return Engine(
        log=log,
        model=model,
        limiter=limiter,
        account=Account(Budget(), None),
        tools=Toolset(()),
        past=Past(log.records),
        settings=Settings(max_agents=n, max_tokens=MAX_TOKENS, folder=Path.cwd()),
    )


def go(model: Limited, n: int, *, path: Path | None = None, **limits: Any) -> tuple[Log, Limiter]:
    """The log of a run with n sub-agents, and the limiter it leaves behind."""

    async def main() -> tuple[Log, Limiter]:
        log = Log(path, clock=clock)

        if not log.records:
            began = RunBegan(
                goal="go", model="m", simulated=False, seed=0, started=0, version="", options={}
            )
            log.add("", began)
        else:
            log.add("", RunResumed(started=0, version=""))

        limiter = new_limiter(**limits)

        async with asyncio.timeout(DAY_S):
            await run_to_end(engine_for(model, log, limiter, n), "go", ())

        log.close()
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        return log, limiter

    return in_virtual_time(main())


def end_of(log: Log) -> RunEnded:
    assert isinstance(log.records[-1].fact, RunEnded)
    return log.records[-1].fact


def count(log: Log, kind: type) -> int:
    return sum(isinstance(record.fact, kind) for record in log.records)


def check_complete(log: Log, n: int) -> float:
    """Seconds that the run took, after a look at whether all of it is there."""
    ended = end_of(log)
    assert ended.status == "finished"
    assert ended.answer == " | ".join(f"did t{i}" for i in range(n))
    outcomes = Counter(r.fact.outcome for r in log.records if isinstance(r.fact, AgentEnded))
    assert outcomes == {"finished": n + 1}
    assert count(log, StepEnded) == n + 3
    return log.records[-1].t


@every_style
def test_300_sub_agents_under_32_at_once(style: str) -> None:
    endpoint = Endpoint(concurrency=32, latency=5.0, style=style)
    log, _ = go(Limited(300, endpoint), 300)
    ideal = (3 + math.ceil(300 / 32)) * 5.0
    assert check_complete(log, 300) <= 1.3 * ideal
    assert endpoint.peak == 32
    assert len(endpoint.refusals) <= 300 - 32 + 6


@every_style
def test_200_sub_agents_under_3_a_minute(style: str) -> None:
    endpoint = Endpoint(rpm=3, latency=5.0, style=style)
    log, _ = go(Limited(200, endpoint), 200)
    calls = 200 + 3
    assert check_complete(log, 200) <= 1.05 * ((calls - 1) // 3 * 60 + 5.0)
    assert len(endpoint.refusals) <= 200 + 15
    assert count(log, StepRetried) == len(endpoint.refusals)


@every_style
def test_50_sub_agents_one_at_a_time(style: str) -> None:
    endpoint = Endpoint(concurrency=1, latency=5.0, style=style)
    log, _ = go(Limited(50, endpoint), 50)
    assert check_complete(log, 50) <= 1.15 * 53 * 5.0
    assert len(endpoint.refusals) <= 50 + 12


def test_200_sub_agents_that_were_told_the_tier_are_refused_nothing() -> None:
    endpoint = Endpoint(concurrency=50, rpm=200, tpm=100_000, latency=5.0)
    log, _ = go(Limited(200, endpoint), 200, concurrency=50, rpm=200, tpm=100_000)
    least = (200 * MAX_TOKENS // 100_000 - 1) * 60
    assert least <= check_complete(log, 200) <= least + 2 * 61 + 30
    assert endpoint.refusals == []
    assert count(log, StepRetried) == 0


def test_an_endpoint_that_refuses_for_ten_minutes_loses_nothing() -> None:
    endpoint = Endpoint(latency=5.0, style="nothing", retry_after=None)

    async def outage() -> None:
        await asyncio.sleep(11.0)  # the orchestrator has made its two calls
        endpoint.concurrency = 0
        await asyncio.sleep(600.0)
        endpoint.concurrency = math.inf

    class Failing(Limited):
        task: asyncio.Task[None] | None = None

        async def reply(self, request: Request, sink: Sink) -> Reply:
            self.task = self.task or asyncio.ensure_future(outage())
            return await super().reply(request, sink)

    log, _ = go(Failing(40, endpoint), 40)
    check_complete(log, 40)
    assert len(endpoint.refusals) <= 40 + 600 / 30 * 4 + 20


def test_one_that_refuses_for_good_ends_the_run_with_one_message() -> None:
    endpoint = Endpoint(concurrency=0, style="nothing", retry_after=None)
    log, _ = go(Limited(5, endpoint), 5)
    ended = end_of(log)
    assert ended.status == "failed"
    assert "refused every call for 15 minutes" in ended.why
    assert "resume" in ended.why
    assert PATIENCE_S <= log.records[-1].t <= 2 * PATIENCE_S


def test_one_call_is_given_up_after_many_refusals_and_a_long_time_not_after_one_of_both() -> None:
    async def main() -> None:
        engine = engine_for(Limited(1, Endpoint()), Log(), new_limiter(), 1)
        often, long = Tries(100), Tries(100)

        for _ in range(2 * LIMITED_TRIES):
            assert not often.count(RateLimited("429"), engine)

        assert not long.count(RateLimited("429"), engine)
        await asyncio.sleep(PATIENCE_S)

        for _ in range(LIMITED_TRIES - 2):
            assert not long.count(RateLimited("429"), engine)

        for tries in (often, long):
            with pytest.raises(RateLimited):
                tries.count(RateLimited("429"), engine)

    in_virtual_time(main())


def test_a_call_that_no_minute_can_hold_is_given_up_and_says_why() -> None:
    endpoint = Endpoint(tpm=500, latency=1.0)
    log, _ = go(Limited(5, endpoint), 5)
    ended = end_of(log)
    assert ended.status == "failed"
    assert "more than a minute holds: give fewer max_tokens" in ended.why
    assert len(endpoint.refusals) == Settings().max_attempts


@pytest.mark.parametrize(
    ("end", "says"),
    [(QUOTA, "top it up, then resume"), (DAILY, "wait until tomorrow, then resume")],
)
def test_a_quota_that_ends_in_mid_run(end: tuple[str, str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = Limited(40, Endpoint(concurrency=8, latency=5.0), quota=20, end=end)
    log, _ = go(first, 40, path=path)
    ended = end_of(log)
    assert ended.status == "partial"
    assert ended.why.count(says) == 1
    done = sum(first.paid.values()) - 2  # two were the orchestrator's
    assert len(set(re.findall(r"did t\d+", ended.answer))) == done > 0

    second = Limited(40, Endpoint(concurrency=8, latency=5.0))
    log, _ = go(second, 40, path=path)
    assert end_of(log).status == "finished"
    assert end_of(log).answer == " | ".join(f"did t{i}" for i in range(40))
    paid = first.paid + second.paid
    assert len(paid) == 40 + 3
    assert set(paid.values()) == {1}
