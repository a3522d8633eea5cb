"""Budgets are hard stops: each call reserves what it may cost before it is sent.

Checking afterwards overshoots under fan-out: a hundred calls that each fit on their own do not
fit together.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, fields

from kimi_nb.errors import BudgetExceeded, UsageFault
from kimi_nb.models.base import Usage
from kimi_nb.views.prices import Price

__all__ = ["Account", "Budget", "Reservation"]

SMALLEST_ANSWER = 256
"""Tokens below which a shortened answer is not worth its prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one run; None is no limit. Raises UsageFault for a limit below zero."""

    agents: int | None = None
    """Sub-agents launched."""
    steps: int | None = None
    """Model calls of all agents together."""
    critical_steps: int | None = None
    """Kimi K2.5 technical report, section 3."""
    tokens: int | None = None
    """Prompt and answer, of all calls together."""
    usd: float | None = None
    seconds: float | None = None
    """Wall time, the time of earlier processes of a resumed run included."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)

            if value is not None and not value >= 0:  # nan too
                message = f"the budget for {field.name} is {value}; give 0 or more, or leave it out"
                raise UsageFault(message)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one call may cost at most."""

    agent: str
    stage: int
    tokens: int
    max_tokens: int
    usd: float


class Account:
    """What a run has spent and reserved. One event loop only."""

    def __init__(self, budget: Budget, price: Price | None, spent_usd: float | None = 0.0) -> None:
        """`spent_usd`: what earlier processes have spent; None if that is not known."""
        if budget.usd is not None and (price is None or spent_usd is None):
            message = (
                "a budget in USD needs the price of every model, and one is not known; "
                "give it in USD for 1M tokens: --price IN,CACHED,OUT, or "
                "prices={MODEL: kn.Price(tokens_in, tokens_cached, tokens_out)}"
            )
            raise UsageFault(message)

        self.budget = budget
        self.price = price
        self.agents = 0
        self.steps = 0
        self.tokens = 0
        self.usd = spent_usd or 0.0
        self._held_tokens = 0
        self._held_usd = 0.0
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.critical_steps = 0
        """Σ over stages of S_main + max S_sub (TR §3), calls in flight included."""
        self._steps_of: Counter[str] = Counter()
        self._longest: Counter[int] = Counter()
        self._with: Counter[tuple[int, int]] = Counter()
        """By stage and number: how many of its sub-agents have so many steps."""

    @property
    def held(self) -> dict[str, float]:
        """What calls in flight have reserved; their steps count as spent already."""
        return {"tokens": self._held_tokens, "usd": self._held_usd}

    def left(self) -> dict[str, float]:
        """What the budget still holds, by its names, seconds aside; no key: no limit."""
        spent = {
            "agents": self.agents,
            "steps": self.steps,
            "critical_steps": self.critical_steps,
            "tokens": self.tokens + self._held_tokens,
            "usd": self.usd + self._held_usd,
        }
        limits = {name: getattr(self.budget, name) for name in spent}
        return {
            name: max(0, limit - spent[name]) for name, limit in limits.items() if limit is not None
        }

    # Sub-agents

    def agents_left(self, limit: int) -> int:
        """How many more sub-agents may be launched under `limit` and the budget."""
        if self.budget.agents is not None:
            limit = min(limit, self.budget.agents)

        return limit - self.agents

    # Calls

    def try_reserve(
        self, agent: str, stage: int, prompt_tokens: int, max_tokens: int
    ) -> Reservation | None:
        """The reservation for one call, or None if it has to wait for calls in flight.

        Raises BudgetExceeded if it can never be sent. `stage` 0 is the orchestrator.
        """
        self._check_steps(agent, stage)
        room = self._room(prompt_tokens)

        if room is not None and room < max_tokens:
            if self._in_flight:
                return None

            if room < SMALLEST_ANSWER:
                self._refuse_room()

            max_tokens = room

        reservation = self._reservation(agent, stage, prompt_tokens, max_tokens)
        self._count(agent, stage)
        self._held_tokens += reservation.tokens
        self._held_usd += reservation.usd
        self._in_flight += 1
        return reservation

    async def reserve(
        self,
        agent: str,
        stage: int,
        prompt_tokens: int,
        max_tokens: int,
        queued: Callable[[], object],
    ) -> tuple[Reservation, bool]:
        """The reservation for one call, when there is room for it; whether it had to wait.

        `queued` is called once if it has to. Raises as `try_reserve` does.
        """
        waited = False

        while (found := self.try_reserve(agent, stage, prompt_tokens, max_tokens)) is None:
            if not waited:
                queued()
                waited = True

            await self._wait()

        return found, waited

    async def _wait(self) -> None:
        """Return when a call in flight has been settled."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)

        try:
            await future
        finally:
            if not future.done():
                self._waiting.remove(future)

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """Replace a reservation by what was used; None if the call brought no step."""
        self._held_tokens -= reservation.tokens
        self._held_usd -= reservation.usd
        self._in_flight -= 1

        if usage is None:
            self._discount(reservation.agent, reservation.stage)
        else:
            self.charge(usage)

        while self._waiting:
            future = self._waiting.popleft()

            if not future.done():
                future.set_result(None)

    def charge(self, usage: Usage) -> None:
        """Add what a call cost."""
        self.tokens += usage.tokens_in + usage.tokens_out

        if self.price is not None:
            self.usd += self.price.usd(usage.tokens_in, usage.tokens_out, usage.tokens_cached)

    async def check_cover(self) -> None:
        """Raises BudgetExceeded if what was spent leaves no room for what is reserved.

        So it is where an attempt has failed and cost something all the same.
        """
        room = self._room(0)

        if room is not None and room < 0:
            self._refuse_room()

    def replay(self, agent: str, stage: int, usage: Usage) -> None:
        """Count a step that an earlier process paid for; its dollars are in `usd` already."""
        self._count(agent, stage)
        self.recall(usage)

    def recall(self, usage: Usage) -> None:
        """Count tokens that an earlier process paid for."""
        self.tokens += usage.tokens_in + usage.tokens_out

    def _count(self, agent: str, stage: int) -> None:
        self.steps += 1
        self._steps_of[agent] += 1
        steps = self._steps_of[agent]
        self.critical_steps += self._lengthens(stage, steps)
        self._longest[stage] = max(self._longest[stage], steps)
        self._with[stage, steps] += 1
        self._with[stage, steps - 1] -= 1

    def _discount(self, agent: str, stage: int) -> None:
        """Take back a step that did not come about."""
        self.steps -= 1
        steps = self._steps_of[agent]
        self._steps_of[agent] = steps - 1
        self._with[stage, steps - 1] += 1
        self._with[stage, steps] -= 1
        shorter = steps == self._longest[stage] and not self._with[stage, steps]
        self._longest[stage] -= shorter
        self.critical_steps -= shorter or stage == 0

    def _lengthens(self, stage: int, steps: int) -> bool:
        """Whether a step that is an agent's so-manyth is one more critical step."""
        return stage == 0 or steps > self._longest[stage]

    def _check_steps(self, agent: str, stage: int) -> None:
        limit = self.budget.steps

        if limit is not None and self.steps >= limit:
            message = f"the budget of {limit} steps is used up"
            raise BudgetExceeded("steps", message)

        limit = self.budget.critical_steps

        if limit is None:
            return

        more = self._lengthens(stage, self._steps_of[agent] + 1)

        if self.critical_steps + more > limit:
            message = f"the budget of {limit} critical steps is used up"
            raise BudgetExceeded("critical_steps", message)

    def _room(self, prompt_tokens: int) -> int | None:
        """Answer tokens for which tokens and dollars suffice; None without such a limit."""
        rooms: list[int] = []

        if self.budget.tokens is not None:
            rooms.append(self.budget.tokens - self.tokens - self._held_tokens - prompt_tokens)

        if self.budget.usd is not None and self.price is not None:
            left = self.budget.usd - self.usd - self._held_usd - self.price.usd(prompt_tokens, 0)

            if each := self.price.usd(0, 1):
                rooms.append(int(left / each))
            elif left < 0:
                rooms.append(-1)

        return min(rooms, default=None)

    def _refuse_room(self) -> None:
        limits = {
            "tokens": f"{self.budget.tokens} tokens ({self.tokens} used)",
            "usd": f"{self.budget.usd} USD ({self.usd:.4f} used)",
        }
        named = [name for name in limits if getattr(self.budget, name) is not None]
        message = "the next call does not fit into the budget of " + " and ".join(
            limits[name] for name in named
        )
        raise BudgetExceeded(" and ".join(named), message)

    def _reservation(
        self, agent: str, stage: int, prompt_tokens: int, max_tokens: int
    ) -> Reservation:
        usd = 0.0 if self.price is None else self.price.usd(prompt_tokens, max_tokens)
        return Reservation(agent, stage, prompt_tokens + max_tokens, max_tokens, usd)
