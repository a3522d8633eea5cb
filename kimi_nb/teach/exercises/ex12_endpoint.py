"""Notebook 12: what calls cost, and how many minutes an account's limits make of them."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Calls = list[list[int]]


def usd(calls: list[list[int]], price: list[float]) -> float:
    total = 0.0

    for read, cached, written in calls:
        tokens = [read - cached, cached, written]
        total += sum(n * each for n, each in zip(tokens, price, strict=True))

    return total / 1_000_000


def _cached_beside(calls: Calls, price: list[float]) -> float:
    return usd([[read + cached, cached, written] for read, cached, written in calls], price)


def _no_discount(calls: Calls, price: list[float]) -> float:
    return usd([[read, 0, written] for read, _, written in calls], price)


def _dearest_call(calls: Calls, price: list[float]) -> float:
    """They went out at the same time."""
    return max(usd([call], price) for call in calls)


def _per_thousand(calls: Calls, price: list[float]) -> float:
    return usd(calls, price) * 1_000


def _bills(dice: Random) -> list[list[Any]]:
    drawn: list[list[Any]] = []

    for price in ([3.0, 0.3, 15.0], [0.95, 0.16, 4.0], [2.0, 0.2, 10.0]):
        calls: Calls = []

        for _ in range(dice.randint(3, 5)):
            read = dice.randint(4_000, 60_000)
            calls.append([read, dice.randint(1_000, read - 1_000), dice.randint(200, 4_000)])

        drawn.append([calls, price])

    return drawn


COST = Exercise(
    id="ex12.cost",
    title=Text("What did these calls cost?", "这些调用花了多少钱？"),
    task=Text(
        "`calls` has for each call of a swarm `[tokens_in, tokens_cached, tokens_out]`, as an "
        "endpoint reports them: the cached tokens are part of `tokens_in`. `price` has US dollars "
        "for a million tokens, `[in, cached, out]`. Return the cost of all calls in dollars.",
        "`calls` 给出集群每次调用的 `[tokens_in, tokens_cached, tokens_out]`，与接口报告的一致："
        "命中缓存的 token 已包含在 `tokens_in` 里。`price` 是每百万 token 的美元价 "
        "`[in, cached, out]`。返回全部调用的费用，单位为美元。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="usd",
    stub='def usd(calls, price):\n    """US dollars for all calls."""\n    ...',
    cases=_bills,
    solve=usd,
    hints=(
        Text(
            "Which part of `tokens_in` was read for the first time?",
            "`tokens_in` 里有多少是第一次读的？",
        ),
        Text(
            "Three kinds of tokens, three prices: `tokens_in - tokens_cached`, `tokens_cached` and "
            "`tokens_out`. The price is for a million of them.",
            "三种 token、三种价格：`tokens_in - tokens_cached`、`tokens_cached` 和 `tokens_out`。"
            "价格按一百万个计。",
        ),
    ),
    mistakes=(
        Mistake(
            key="beside",
            wrong=_cached_beside,
            says=Text(
                "You paid the cached tokens twice. A request of 1,000 tokens of which 900 were "
                "cached: how many were read anew?",
                "命中缓存的 token 被你付了两次。一次请求有 1,000 个 token，其中 900 个命中缓存："
                "新读的是多少？",
            ),
        ),
        Mistake(
            key="discount",
            wrong=_no_discount,
            says=Text(
                "You paid the full price for what the endpoint had read before. Which price is "
                "there for that?",
                "接口读过的内容，你仍按全价付了。它有没有单独的价格？",
            ),
        ),
        Mistake(
            key="M5",
            wrong=_dearest_call,
            says=Text(
                "You paid for the dearest call alone. The calls went out at the same time; who "
                "pays for the others?",
                "你只付了最贵的那次调用。这些调用是同时发出的，其余的由谁付钱？",
            ),
        ),
        Mistake(
            key="thousand",
            wrong=_per_thousand,
            says=Text(
                "A few pages of text would cost dollars. For how many tokens is the price?",
                "这样算，几页文字就要好几美元。价格是按多少个 token 计的？",
            ),
        ),
    ),
)


def minutes(calls: int, seconds: float, tokens: int, tier: list[int]) -> float:
    concurrency, rpm, tpm = tier
    return max(calls * seconds / 60 / concurrency, calls / rpm, calls * tokens / tpm)


def _all_at_once(calls: int, seconds: float, tokens: int, tier: list[int]) -> float:
    del calls, tokens, tier
    return seconds / 60


def _requests_only(calls: int, seconds: float, tokens: int, tier: list[int]) -> float:
    del seconds, tokens
    return calls / tier[1]


def _one_after_another(calls: int, seconds: float, tokens: int, tier: list[int]) -> float:
    del tokens, tier
    return calls * seconds / 60


def _added(calls: int, seconds: float, tokens: int, tier: list[int]) -> float:
    concurrency, rpm, tpm = tier
    return calls * seconds / 60 / concurrency + calls / rpm + calls * tokens / tpm


def _tiers(dice: Random) -> list[list[Any]]:
    """In the first the requests decide, in the second the calls at once, then the tokens."""
    calls = dice.randint(4, 12) * 100
    return [
        [calls, dice.randint(2, 6), dice.randint(2_000, 6_000), [50, 200, 2_000_000]],
        [calls, dice.randint(40, 90), dice.randint(2_000, 6_000), [100, 500, 3_000_000]],
        [calls, dice.randint(4, 9), dice.randint(70, 130) * 1_000, [50, 200, 2_000_000]],
        [calls, dice.randint(4, 9), dice.randint(20, 40) * 1_000, [400, 5_000, 4_000_000]],
    ]


TIER = Exercise(
    id="ex12.tier",
    title=Text("How many minutes does the account take?", "账号的限额要用多少分钟？"),
    task=Text(
        "A swarm makes `calls` calls; each takes `seconds`, and counts as `tokens` tokens (prompt "
        "and longest answer). `tier` is what the account allows: `[calls at once, requests a "
        "minute, tokens a minute]`. Nothing else slows it down. Return the minutes that it takes "
        "at least: the limit that is slowest decides.",
        "一个集群要做 `calls` 次调用，每次用时 `seconds` 秒，计 `tokens` 个 token"
        "（提示词加最长回答）。`tier` 是账号的限额：`[同时的调用数, 每分钟请求数, "
        "每分钟 token 数]`。没有别的因素拖慢它。返回至少需要的分钟数：由最慢的那条限制决定。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="minutes",
    stub='def minutes(calls, seconds, tokens, tier):\n    """At least, for all calls."""\n    ...',
    cases=_tiers,
    solve=minutes,
    hints=(
        Text(
            "How many minutes would each of the three limits take if it were the only one?",
            "假如只有其中一条限制，分别需要多少分钟？",
        ),
        Text(
            "With `c` calls at once, `c` of them end in `seconds`. Then take the largest of the "
            "three.",
            "同时进行 `c` 次调用时，每 `seconds` 秒完成 `c` 次。最后取三者中最大的。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M10",
            wrong=_all_at_once,
            says=Text(
                "You let all calls go at once, as asyncio would. Who refuses the most of them?",
                "你让所有调用同时发出，asyncio 确实做得到。可谁会拒绝其中的大部分？",
            ),
        ),
        Mistake(
            key="requests",
            wrong=_requests_only,
            says=Text(
                "You looked at requests a minute alone. With calls of 100,000 tokens, what is "
                "used up first?",
                "你只看了每分钟请求数。如果每次调用计 100,000 个 token，先用完的是什么？",
            ),
        ),
        Mistake(
            key="serial",
            wrong=_one_after_another,
            says=Text(
                "You made the calls one after another. How many may be out at the same time?",
                "你让调用一个接一个地做。同时可以有几次在路上？",
            ),
        ),
        Mistake(
            key="added",
            wrong=_added,
            says=Text(
                "You added the three up. While the tokens of a minute are used, do its requests "
                "wait their turn?",
                "你把三条加了起来。一分钟的 token 在用的时候，这一分钟的请求数难道要排在后面？",
            ),
        ),
    ),
)

EXERCISES = (COST, TIER)
