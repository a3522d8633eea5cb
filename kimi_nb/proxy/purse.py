"""Budgets of learners and classes: hard, so each call reserves what it may cost."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

from kimi_nb.errors import BudgetExceeded
from kimi_nb.proxy.sheet import Allowance
from kimi_nb.views.prices import Price

__all__ = ["Hold", "Purse", "reserve"]

SMALLEST_ANSWER = 256
"""Tokens below which a shortened answer is not worth its prompt."""
DAILY = "_per_day"


class Purse:
    """What a learner or a class has spent, and holds for calls in flight. One event loop only."""

    def __init__(self, allowance: Allowance, whose: str, today: Callable[[], dt.date]) -> None:
        named = asdict(allowance)
        names = ("usd", "tokens", "usd_per_day", "tokens_per_day")
        self.limits: dict[str, float] = {name: named[name] for name in names if named[name]}
        """By the names of an allowance; what is missing has no limit."""
        self.spent: dict[str, float] = dict.fromkeys(names, 0)
        self._held: dict[str, float] = {"usd": 0.0, "tokens": 0}
        self._calls = 0
        """In flight."""
        self._whose = whose
        self._today = today
        self._day = today()
        self._waiting: set[asyncio.Future[None]] = set()

    def spend(self, tokens: int, usd: float, day: dt.date | None = None) -> None:
        """Count what was paid, now or on an earlier `day`."""
        self._turn_page()

        for unit, amount in (("usd", usd), ("tokens", tokens)):
            self.spent[unit] += amount

            if day is None or day == self._day:
                self.spent[unit + DAILY] += amount

    def left(self, *, at_best: bool = False) -> dict[str, float]:
        """What each limit leaves after what is held; `at_best`: if all that came back."""
        self._turn_page()
        held = dict.fromkeys(self._held, 0.0) if at_best else self._held
        return {
            name: limit - self.spent[name] - held[name.removesuffix(DAILY)]
            for name, limit in self.limits.items()
        }

    def room(self, prompt: int, price: Price | None, *, at_best: bool = False) -> float:
        """Answer tokens for which there is enough after `prompt`; infinite without a limit."""
        return min(self._rooms(prompt, price, at_best=at_best).values(), default=math.inf)

    def hold(self, tokens: int, usd: float) -> None:
        """Reserve that much for a call."""
        self._held["tokens"] += tokens
        self._held["usd"] += usd
        self._calls += 1

    def let_go(self, tokens: int, usd: float) -> None:
        """End a reservation."""
        self._held["tokens"] -= tokens
        self._held["usd"] -= usd
        self._calls -= 1
        waiting, self._waiting = self._waiting, set()

        for future in waiting:
            if not future.done():
                future.set_result(None)

    @property
    def busy(self) -> bool:
        """Whether calls in flight may give something back."""
        return self._calls > 0

    async def changed(self) -> None:
        """Return when a reservation has ended."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)

        try:
            await future
        finally:
            self._waiting.discard(future)

    def refusal(self, prompt: int, price: Price | None) -> BudgetExceeded:
        """Names the limit that has the least room for a call."""
        rooms = self._rooms(prompt, price)
        name = min(rooms, key=rooms.__getitem__)
        daily = name.endswith(DAILY)
        unit = ("USD" if name.startswith("usd") else "tokens") + (" per day" if daily else "")
        advice = "wait until tomorrow, or " if daily else ""
        message = (
            f"{self._whose} has used {self.spent[name]:,.6g} of {self.limits[name]:,.6g} {unit}, "
            f"and the next call may need more than the rest: {advice}"
        )
        return BudgetExceeded(name, message.rstrip())

    def _rooms(
        self, prompt: int, price: Price | None, *, at_best: bool = False
    ) -> dict[str, float]:
        return {
            name: _answer(left, prompt, price) if name.startswith("usd") else left - prompt
            for name, left in self.left(at_best=at_best).items()
        }

    def _turn_page(self) -> None:
        if (today := self._today()) != self._day:
            self._day = today
            self.spent["usd_per_day"] = self.spent["tokens_per_day"] = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """What one call may cost at most, in every purse that pays for it."""

    purses: tuple[Purse, ...]
    tokens: int
    usd: float
    max_tokens: int
    """Of the answer."""

    def settle(self, tokens: int, usd: float) -> None:
        """End it; that much was paid."""
        for purse in self.purses:
            purse.spend(tokens, usd)
            purse.let_go(self.tokens, self.usd)


async def reserve(
    purses: tuple[Purse, ...], prompt: int, max_tokens: int, price: Price | None
) -> Hold:
    """Hold what a call may cost, once there is room; where little is left, for a shorter answer.

    Raises BudgetExceeded where there is no room, and no call in flight that may give some back.
    """
    while True:
        tight = min(purses, key=lambda purse: purse.room(prompt, price))
        room = tight.room(prompt, price)

        if room >= max_tokens:
            break

        if not tight.busy or tight.room(prompt, price, at_best=True) < SMALLEST_ANSWER:
            if room < SMALLEST_ANSWER:
                raise tight.refusal(prompt, price)

            max_tokens = int(room)
            break

        await tight.changed()

    usd = price.usd(prompt, max_tokens) if price else 0.0

    for purse in purses:
        purse.hold(prompt + max_tokens, usd)

    return Hold(purses, prompt + max_tokens, usd, max_tokens)


def _answer(usd: float, prompt: int, price: Price | None) -> float:
    """Answer tokens that so many dollars pay after the prompt."""
    if price is None:
        return math.inf

    left, each = usd - price.usd(prompt, 0), price.usd(0, 1)
    return left / each if each else math.copysign(math.inf, left)
