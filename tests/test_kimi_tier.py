"""The mock platform's limits, in virtual time, and what it charges."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from faults.cards import K3, K31_PRO, Key
from faults.core import Platform
from faults.log import Asked
from faults.memory import in_memory
from faults.mishaps import cut_text, delay, message_of, overloaded, status
from faults.server import Answer
from faults.tier import TIERS, Gate, Tier
from test_chat import Heard, ask
from virtual_time import clock, in_virtual_time

from kimi_nb.errors import AccessDenied, ModelError, QuotaExhausted, RateLimited, Unreachable


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def hi(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {
        "model": "kimi-k3",
        "messages": [{"role": "user", "content": text}],
        "max_completion_tokens": 100,
        **more,
    }


def gate(**limits: Any) -> tuple[Gate, Clock]:
    time = Clock()
    return Gate(Tier(**limits), time), time


def said(answer: Answer | None) -> str:
    assert answer is not None
    assert answer.status == 429
    assert b'"type":"rate_limit_reached_error"' in answer.plain
    return message_of(answer)


# Limits ----------------------------------------------------------------------------------------


def test_as_many_at_once_as_the_tier_allows() -> None:
    door, _ = gate(concurrency=2)
    assert door.enter(1) is None
    assert door.enter(1) is None
    assert "max organization concurrency: 2, please try again after 1 s" in said(door.enter(1))
    door.leave()
    assert door.enter(1) is None
    assert (door.in_flight, door.peak) == (2, 2)


def test_three_requests_in_any_minute() -> None:
    door, time = gate(rpm=3)

    for _ in range(3):
        assert door.enter(1) is None
        time.now += 10

    assert "organization max RPM: 3, please try again after 1 s" in said(door.enter(1))
    time.now += 29.5  # the first of them was 59.5 s ago
    said(door.enter(1))
    time.now += 0.5
    assert door.enter(1) is None
    said(door.enter(1))


def test_tokens_in_any_minute_and_in_a_day() -> None:
    door, time = gate(tpm=1_000, tpd=2_500)
    assert door.enter(900) is None
    assert "TPM rate limit, current: 1001, limit: 1000" in said(door.enter(101))
    assert door.enter(100) is None
    time.now += 60
    assert door.enter(1_000) is None
    time.now += 60
    assert "TPD rate limit, current: 2501, limit: 2500" in said(door.enter(501))
    assert door.enter(500) is None
    time.now += 86_400
    assert "TPM" in said(door.enter(1_001))


def test_the_tokens_of_a_request_are_its_prompt_and_its_longest_answer() -> None:
    platform = Platform(tier=Tier(tpm=1_000), clock=Clock())
    assert platform.answer(hi(max_completion_tokens=980)).status == 200  # and a prompt of 10
    assert "current: 1001" in message_of(platform.answer(hi(max_completion_tokens=1)))


@pytest.mark.parametrize(("form", "after"), [("seconds", "45"), ("", None)])
def test_retry_after_tells_the_truth(form: str, after: str | None) -> None:
    door, time = gate(rpm=1, retry_after=form)
    door.enter(1)
    time.now += 15.5
    refused = door.enter(1)
    assert refused is not None
    assert refused.headers.get("Retry-After") == after


def test_retry_after_as_a_date() -> None:
    door, _ = gate(rpm=1, retry_after="date")
    door.enter(1)
    refused = door.enter(1)
    assert refused is not None
    ahead = parsedate_to_datetime(refused.headers["Retry-After"]).timestamp() - time.time()
    assert 55 < ahead < 65


def test_headers_in_either_dialect() -> None:
    door, clock = gate(rpm=3, tpm=1_000, headers="moonshot")
    door.enter(400)
    clock.now += 20
    assert door.headers() == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "2",
        "X-RateLimit-Reset": "40",
    }
    door, _ = gate(rpm=3, tpm=1_000, headers="openai")
    door.enter(400)
    assert door.headers() == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "60.000s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "600",
        "x-ratelimit-reset-tokens": "60.000s",
    }
    assert gate(rpm=3)[0].headers() == gate(headers="moonshot")[0].headers() == {}


def test_tiers_as_published() -> None:
    assert (TIERS[0].concurrency, TIERS[0].rpm, TIERS[0].tpm) == (1, 3, 500_000)
    assert (TIERS[5].concurrency, TIERS[5].rpm, TIERS[5].tpm) == (1_000, 10_000, 5_000_000)


def test_the_real_client_meets_the_first_tier_in_virtual_time() -> None:
    async def main() -> float:
        platform = Platform(
            lambda messages: messages[0]["content"], tier=TIERS[0], latency=2.0, clock=clock
        )
        model = in_memory(platform)

        async def one(number: int) -> str:
            while True:
                try:
                    return (await model.reply(ask(f"n{number}"), Heard())).text
                except RateLimited:
                    await asyncio.sleep(7 + number)

        texts = await asyncio.gather(*map(one, range(10)))
        assert texts == [f"n{number}" for number in range(10)]
        assert len(platform.paid) == 10
        assert platform.peak == 1
        assert platform.refused
        assert not platform.paid_twice
        await model.close()
        return clock()

    assert in_virtual_time(main()) > 180  # three in a minute


# What it costs ---------------------------------------------------------------------------------


def test_tokens_and_dollars() -> None:
    platform = Platform(lambda _messages: "x" * 400)
    platform.answer(hi("a" * 4_000))
    first = platform.log[0]
    assert first.tokens_out == 100  # all that the request allows
    assert first.tokens_in == 1_009
    assert first.usd == pytest.approx((first.tokens_in * 3 + first.tokens_out * 15) / 1e6)
    assert platform.tokens == first.tokens
    assert platform.balance == pytest.approx(100 - platform.spent_usd)


def test_what_a_prompt_shares_with_an_earlier_one_is_cached() -> None:
    platform = Platform(lambda _messages: "ok")
    talk = [{"role": "system", "content": "s" * 1_000}, {"role": "user", "content": "one"}]
    other = [talk[0], {"role": "user", "content": "two"}]
    platform.answer(hi(messages=talk))
    platform.answer(hi(messages=other))
    platform.answer(hi(messages=talk, model="kimi-k3.1-pro"))
    platform.answer(hi(messages=[{"role": "user", "content": "x"}, *talk]))
    first, second, third, fourth = platform.log
    assert (first.cached, second.cached, third.cached, fourth.cached) == (0, 256, 0, 0)
    assert second.usd == pytest.approx(
        ((second.tokens_in - 256) * 3 + 256 * 0.3 + second.tokens_out * 15) / 1e6
    )


def test_an_answer_that_broke_off_costs_what_was_written() -> None:
    faults = [cut_text(), None]
    platform = Platform(lambda _messages: "x" * 396, faults=faults)
    asked = platform.begin(hi(stream=True), {"Authorization": f"Bearer {platform.keys[0].secret}"})
    platform.end(asked, asked.answer.pieces)
    platform.answer(hi(stream=True))
    broken, whole = platform.log
    assert (broken.outcome, broken.fault, whole.outcome) == ("broken", "cut_text", "completed")
    assert 0.4 < broken.tokens_out / whole.tokens_out < 0.6
    assert broken.tokens_in == whole.tokens_in
    assert (platform.paid, platform.paid_twice) == ([whole], [])


def test_what_is_paid_twice_is_told() -> None:
    platform = Platform()

    for text in ("a", "b", "a"):
        platform.answer(hi(text))

    platform.answer(hi("a", model="kimi-k3.1-pro"))
    assert [asked.number for asked in platform.paid_twice] == [3]
    assert [asked.attempt for asked in platform.log] == [1, 1, 2, 1]


def test_when_nothing_is_left_every_request_is_refused_for_good() -> None:
    platform = Platform(balance=0.0001)
    assert platform.answer(hi("a" * 400)).status == 200
    refused = platform.answer(hi())
    assert refused.status == 429
    assert b'"type":"exceeded_current_quota_error"' in refused.plain
    assert "please check your account balance" in message_of(refused)


async def test_the_client_tells_the_three_429_apart() -> None:
    for options, kind in (
        ({"balance": 0.0}, QuotaExhausted),
        ({"tier": Tier(rpm=0)}, RateLimited),
        ({"faults": [overloaded(3)]}, ModelError),
    ):
        model = in_memory(Platform(**options))

        with pytest.raises(kind) as caught:
            await model.reply(ask(), Heard())

        assert caught.value.status == 429
        await model.close()


# Keys and models -------------------------------------------------------------------------------

# ruff: noqa: S106 -- keys of no account
MINE = Key(secret="sk-ai", label="mine", closed=(K31_PRO.id,))
THEIRS = Key(secret="sk-cn", label="theirs", platform="cn")


@pytest.mark.parametrize(
    ("header", "model", "status", "kind"),
    [
        ("Bearer sk-ai", K3.id, 200, ""),
        ("Bearer sk-cn", K3.id, 401, "invalid_authentication_error"),
        ("Bearer sk-no", K3.id, 401, "invalid_authentication_error"),
        ("sk-ai", K3.id, 401, "invalid_authentication_error"),
        ("", K3.id, 401, "invalid_authentication_error"),
        ("Bearer sk-ai", K31_PRO.id, 403, "permission_denied_error"),
        ("Bearer sk-ai", "kimi-k2.5", 404, "resource_not_found_error"),
        ("Bearer sk-ai", "gpt-9", 404, "resource_not_found_error"),
    ],
)
def test_keys_and_models(header: str, model: str, status: int, kind: str) -> None:
    platform = Platform(keys=[MINE, THEIRS])
    answer = platform.answer(hi(model=model), {"Authorization": header})
    assert answer.status == platform.log[0].status == status
    assert kind.encode() in answer.plain
    assert platform.log[0].key == ("mine" if header == "Bearer sk-ai" else "")
    assert "sk-" not in repr(platform.log)


async def test_a_model_that_is_retired_is_neither_known_nor_listed() -> None:
    platform = Platform(retired=[K3.id])
    assert platform.answer(hi()).status == 404
    model = in_memory(platform)
    assert K3.id not in [card.id for card in await model.models()]
    await model.close()


async def test_a_key_that_is_replaced_while_the_server_runs() -> None:
    platform = Platform()
    model = in_memory(platform)
    await model.reply(ask(), Heard())
    platform.keys = (MINE,)

    with pytest.raises(AccessDenied):
        await model.reply(ask(), Heard())

    await model.close()


# Scripts ---------------------------------------------------------------------------------------


def test_faults_by_order_by_number_and_by_function() -> None:
    by_order = Platform(faults=[None, status(503)], tier=Tier(rpm=10))
    by_number = Platform(faults={3: status(502)})

    def first_of_b(asked: Asked) -> Any:
        return status(500) if asked.task == "b" and asked.attempt == 1 else None

    by_function = Platform(faults=first_of_b)

    def statuses(platform: Platform) -> list[int]:
        return [platform.answer(hi(text)).status for text in ("a", "b", "b")]

    assert statuses(by_order) == [200, 503, 200]
    assert statuses(by_number) == [200, 200, 502]
    assert statuses(by_function) == [200, 500, 200]
    assert [asked.fault for asked in by_function.log] == ["", "status 500", ""]


def test_a_request_that_is_not_let_in_uses_up_no_fault() -> None:
    platform = Platform(faults=[None, status(503)], tier=Tier(rpm=1), clock=(time := Clock()))
    found: list[int] = []

    for _ in range(3):
        found.append(platform.answer(hi()).status)
        time.now += 30

    assert found == [200, 429, 503]


def test_agents_are_told_apart_by_what_they_were_told() -> None:
    platform = Platform()

    for text in ("a", "b", "a"):
        platform.answer(hi(text))

    one, other, again = (asked.agent for asked in platform.log)
    assert one == again != other


async def test_late_and_unreachable_without_a_socket() -> None:
    platform = Platform(faults=[delay(0.01)])
    model = in_memory(platform)
    assert (await model.reply(ask(), Heard())).text == "You said: hi"
    platform.down()

    with pytest.raises(Unreachable):
        await model.reply(ask(), Heard())

    platform.up()
    assert (await model.reply(ask(), Heard())).text == "You said: hi"
    assert [card.id for card in await model.models()] == list(platform.models)
    await model.close()
