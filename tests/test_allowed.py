"""What an endpoint says of its limits: in words, in headers, and by the name of a tier."""

from __future__ import annotations

import math
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

import kimi_nb as kn
from kimi_nb.cli.main import main
from kimi_nb.errors import Allowed, Overloaded, QuotaExhausted, RateLimited, UsageFault
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.faults import fault, read_retry_after
from kimi_nb.models.tiers import TIERS, tier_limits

WHO = "Your account org-3f<ak-7> request reached "
REFUSALS = [
    (
        WHO + "max organization concurrency: 1, please try again after 1 seconds",
        Allowed(concurrency=1),
        1.0,
    ),
    (WHO + "organization max RPM: 3, please try again after 1 seconds", Allowed(rpm=3), 1.0),
    (WHO + "max request: 3, please try again after 1 seconds", Allowed(rpm=3), 1.0),
    (
        WHO + "project TPM rate limit, current: 1410, limit: 100, see https://platform.moonshot.cn",
        Allowed(tpm=100),
        None,
    ),
    ("Organization Rate limit exceeded, please try again after 1 seconds", Allowed(), 1.0),
    (
        "Reached for m on tokens per min (TPM): Limit 30000, Used 9. Please try again in 644ms.",
        Allowed(tpm=30_000),
        0.644,
    ),
    (
        "Rate limit reached on requests per min (RPM): Limit 3, Used 3. Please try again in 20s.",
        Allowed(rpm=3),
        20.0,
    ),
    ("Rate limit reached on tokens per min. Limit: 1,000,000 / min.", Allowed(tpm=1e6), None),
    ("Please try again in 6m0.5s.", Allowed(), 60.0),
    ("slow down", Allowed(), None),
    ("max organization concurrency: 0, please try again after many seconds", Allowed(), None),
    ("", Allowed(), None),
]


@pytest.mark.parametrize("kind", ["rate_limit_reached_error", "rate_limit_error", "requests", ""])
@pytest.mark.parametrize(("words", "allowed", "after"), REFUSALS)
def test_a_refusal_says_what_is_allowed(
    kind: str, words: str, allowed: Allowed, after: float | None
) -> None:
    error = fault(429, {"error": {"type": kind, "message": words}})
    assert type(error) is RateLimited
    assert error.allowed == allowed
    assert error.retry_after == pytest.approx(after)


def test_the_words_name_the_limit_that_was_reached_and_the_header_the_time() -> None:
    told = Allowed(rpm=200, tpm=2_000_000)
    error = fault(429, {"message": "reached organization max RPM: 3"}, retry_after=9, allowed=told)
    assert (error.allowed, error.retry_after) == (Allowed(rpm=3), 9)
    error = fault(429, {"message": "slow down"}, allowed=told)
    assert (error.allowed, error.retry_after) == (told, None)


def test_an_overloaded_engine_and_a_wrong_request_allow_nothing_in_particular() -> None:
    busy = {"type": "engine_overloaded_error", "message": "overloaded, please try again later"}
    assert type(fault(429, {"error": busy})) is Overloaded
    assert fault(429, {"error": busy}).allowed == Allowed()
    wrong = fault(400, {"message": "max RPM: 3, try again after 1 seconds"})
    assert (wrong.allowed, wrong.retry_after) == (Allowed(), None)


@pytest.mark.parametrize(
    ("kind", "words", "advice"),
    [
        (
            "rate_limit_reached_error",
            "reached organization TPD rate limit, current: 1501880, limit: 1500000",
            "wait until tomorrow",
        ),
        ("requests", "Limit reached on requests per day (RPD): Limit 200", "wait until tomorrow"),
        (
            "exceeded_current_quota_error",
            "You exceeded your current token quota: 0, please check your account balance",
            "top it up",
        ),
    ],
)
def test_what_no_waiting_mends_ends_the_run_and_says_what_to_do(
    kind: str, words: str, advice: str
) -> None:
    error = fault(429, {"error": {"type": kind, "message": words}})
    assert type(error) is QuotaExhausted
    assert error.ends_run
    assert not error.retryable
    assert words[:40] in str(error)
    assert f"{advice}" in str(error)
    assert str(error).endswith("then resume the run")


# Headers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, Allowed()),
        ({"X-RateLimit-Limit": "3"}, Allowed(rpm=3)),
        ({"X-RateLimit-Limit": "3", "X-RateLimit-Reset": "41"}, Allowed(rpm=3)),
        ({"X-RateLimit-Limit": "3", "X-RateLimit-Reset": f"{time.time() + 3000}"}, Allowed(rpm=3)),
        ({"X-RateLimit-Limit": "9", "X-RateLimit-Reset": "1"}, Allowed()),
        ({"X-RateLimit-Limit": "9", "X-RateLimit-Reset": f"{time.time() + 0.2}"}, Allowed()),
        (
            {"x-ratelimit-limit-requests": "500", "x-ratelimit-limit-tokens": "30000"},
            Allowed(rpm=500, tpm=30_000),
        ),
        ({"x-ratelimit-limit-requests": "500", "X-RateLimit-Limit": "7"}, Allowed(rpm=500)),
        ({"x-ratelimit-limit-requests": "0", "x-ratelimit-limit-tokens": "-1"}, Allowed()),
        ({"x-ratelimit-limit-requests": "unlimited"}, Allowed()),
        ({"x-ratelimit-limit-requests": "nan", "x-ratelimit-limit-tokens": "inf"}, Allowed()),
        ({"x-ratelimit-limit-tokens": "9223372036854775807"}, Allowed()),
        ({"x-ratelimit-limit-tokens": " 1,000 "}, Allowed(tpm=1000)),
        ({"X-RateLimit-Limit": "100, 100;w=60"}, Allowed()),
    ],
)
def test_headers_say_what_is_allowed(headers: dict[str, str], allowed: Allowed) -> None:
    assert read_allowed(CIMultiDict(headers)) == allowed


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_no_header_and_no_words_are_believed_blindly(limit: str, reset: str, words: str) -> None:
    headers = CIMultiDict({"X-RateLimit-Limit": limit, "X-RateLimit-Reset": reset})
    said = fault(429, {"message": f"max RPM: {words}, try again in {limit}"})

    for allowed in (read_allowed(headers), said.allowed):
        assert allowed.rpm is None or 1 <= allowed.rpm < math.inf

    assert said.retry_after is None or 0 <= said.retry_after <= 60


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "644"}, 0.644),
        ({"retry-after-ms": "120000", "Retry-After": "1"}, 60.0),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2.0),
        ({"Retry-After": formatdate(time.time() + 9000, usegmt=True)}, 60.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "whenever"}, None),
        ({}, None),
    ],
)
def test_the_time_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(CIMultiDict(headers)) == seconds


# Tiers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["T1", "t1", "1", " T1 ", "tier 1", 1], ids=repr)
def test_a_tier_has_many_names(name: str | int) -> None:
    assert tier_limits(name) == TIERS["T1"] == kn.Limits(tier=name).numbers()


def test_numbers_go_before_the_tiers() -> None:
    limits = kn.Limits(tier="T1", concurrency=8)
    assert limits.numbers() == TIERS["T1"]._replace(concurrency=8)
    assert kn.Limits(rpm=9).numbers() == Allowed(rpm=9)


@pytest.mark.parametrize("name", ["T6", "gold", "", "-1", True])
def test_a_tier_that_there_is_not(name: str) -> None:
    with pytest.raises(UsageFault, match="T0, T1, T2, T3, T4, T5"):
        kn.Limits(tier=name)


def test_a_limit_that_is_no_number() -> None:
    with pytest.raises(UsageFault, match="the limit rpm is nan"):
        kn.Limits(rpm=math.nan)


def test_the_command_line_takes_a_tier(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "Say hello", "--model", "simulator", "--tier", "T9"]) == 2
    assert "there is no tier 'T9'" in capfd.readouterr().err
