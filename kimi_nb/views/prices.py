"""What a token costs: one dated table, overridable wherever it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["PRICES", "Price", "cost_usd", "total_usd", "typed_price"]


class Price(NamedTuple):
    """US dollars for a million tokens."""

    tokens_in: float
    tokens_cached: float
    tokens_out: float

    def usd(self, tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> float:
        """What that many tokens cost, in US dollars; the cached ones are part of `tokens_in`."""
        cached = min(tokens_cached, tokens_in)
        fresh = tokens_in - cached
        micro = fresh * self.tokens_in + cached * self.tokens_cached + tokens_out * self.tokens_out
        return micro / 1e6


PRICES: Mapping[str, Price] = {
    "kimi-k3.1-pro": Price(2.0, 0.20, 10.0),
    "kimi-k3": Price(3.0, 0.30, 15.0),
    "kimi-k2.7-code": Price(0.95, 0.19, 4.0),
    "kimi-k2.6": Price(0.95, 0.16, 4.0),
}
"""As the platform's price page had them in November 2026. Prices change: pass your own."""


def typed_price(text: str) -> Price:
    """The price in a text such as "3,0.3,15" or "3,15": in, cached if it costs less, out.

    Raises ValueError for any other text.
    """
    numbers = [float(part) for part in text.split(",")]

    if not 2 <= len(numbers) <= 3 or not all(0 <= number < float("inf") for number in numbers):
        message = f"{text!r} is not IN,CACHED,OUT in US dollars for a million tokens"
        raise ValueError(message)

    return Price(numbers[0], numbers[-2], numbers[-1])


def cost_usd(
    model: str,
    *,
    tokens_in: int,
    tokens_out: int,
    tokens_cached: int,
    prices: Mapping[str, Price] = PRICES,
) -> float | None:
    """What that many tokens cost, in US dollars; None if the model has no known price.

    `tokens_cached` are part of `tokens_in`.
    """
    price = prices.get(model)

    if price is None:
        return None

    return price.usd(tokens_in, tokens_out, tokens_cached)


def total_usd(
    tokens_of: Mapping[str, tuple[int, int, int]], prices: Mapping[str, Price] = PRICES
) -> float | None:
    """What the tokens (in, out, cached) of each model cost; None if one has no known price."""
    costs = [
        cost_usd(
            model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            tokens_cached=tokens_cached,
            prices=prices,
        )
        for model, (tokens_in, tokens_out, tokens_cached) in tokens_of.items()
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
