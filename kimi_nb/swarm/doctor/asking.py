"""Small calls through the model's own limiter, and what they cost together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from kimi_nb.errors import ModelError, Overloaded, RateLimited
from kimi_nb.models.base import Conversation, Message, Reply, Request, ToolCall, ToolSpecs, Usage
from kimi_nb.models.limiter import backoff
from kimi_nb.swarm.connect import Connection
from kimi_nb.swarm.doctor.report import Report
from kimi_nb.swarm.reply import sound
from kimi_nb.views.prices import cost_usd

__all__ = ["LONGEST", "Answer", "Caller", "Ear"]

LONGEST = 4_096
"""Tokens of one answer, thinking included."""
LIMITED = 4
"""For how many times its patience a call is tried again that meets a limit."""


class Ear:
    """Notes when what streams in."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self.began = self.ended = self._clock()
        self.pieces = 0
        self.first: float | None = None
        """Seconds until the first piece; None: there was none."""
        self._called: float | None = None

    @property
    def seconds(self) -> float:
        """Until the turn's end."""
        return self.ended - self.began

    @property
    def ahead(self) -> float:
        """Seconds from the first whole tool call to the turn's end."""
        return 0.0 if self._called is None else self.ended - self._called

    def end(self) -> None:
        self.ended = self._clock()

    def on_text(self, text: str) -> None:
        self._note(text)

    def on_thinking(self, text: str) -> None:
        self._note(text)

    def on_call(self, call: ToolCall) -> None:
        self._note(call.name)
        self._called = self._called or self._clock()

    def _note(self, text: str) -> None:
        if text:
            self.pieces += 1
            self.first = self._clock() - self.began if self.first is None else self.first


class Answer(NamedTuple):
    """A reply, and how it came."""

    reply: Reply
    ear: Ear


class Caller:
    """Asks one model, and adds up what that costs."""

    def __init__(self, connection: Connection, report: Report, patience: float) -> None:
        self.model = connection.model
        self.patience = patience
        """Seconds for one answer, once it may be asked for."""
        self._limiter = connection.limiter
        self._report = report
        self._random = random.Random(0)  # noqa: S311 -- jitter, not a secret

    async def ask(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] = ()
    ) -> Answer:
        """The whole answer. A limit of the endpoint is waited for.

        Raises ModelError, and TimeoutError where the answer is not whole in time.
        """
        request = Request(
            conversation=Conversation(messages), tools=ToolSpecs(tools), max_tokens=LONGEST
        )
        clock = asyncio.get_running_loop().time
        limited: float | None = None
        attempt = 0

        while True:
            attempt += 1

            try:
                return await self._once(request)
            except (Overloaded, RateLimited) as error:
                limited = clock() if limited is None else limited

                if clock() - limited > LIMITED * self.patience:
                    raise

                await asyncio.sleep(min(backoff(attempt, error, self._random), self.patience))

    async def _once(self, request: Request) -> Answer:
        tokens = request.estimate_tokens()
        tokens += request.max_tokens
        await self._limiter.acquire(tokens)
        ear = Ear()
        used: int | None = None
        fault: ModelError | None = None

        try:
            async with asyncio.timeout(self.patience):
                reply = sound(await self.model.reply(request, ear))

            ear.end()
            used = reply.usage.tokens_in + reply.usage.tokens_out
            self._charge(reply.usage)
        except ModelError as error:
            fault = error
            self._charge(Usage(tokens_in=error.tokens_in, tokens_out=error.tokens_out), calls=0)
            raise
        finally:
            self._limiter.release(tokens, used, fault)

        return Answer(reply, ear)

    def _charge(self, usage: Usage, calls: int = 1) -> None:
        report = self._report
        report.calls += calls
        report.tokens_in += usage.tokens_in
        report.tokens_out += usage.tokens_out
        report.tokens_cached += usage.tokens_cached

        if not self.model.simulated:
            report.cost_usd = cost_usd(
                self.model.name,
                tokens_in=report.tokens_in,
                tokens_out=report.tokens_out,
                tokens_cached=report.tokens_cached,
            )
