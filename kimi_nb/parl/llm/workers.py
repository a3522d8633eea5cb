"""Who the frozen sub-agents are: the world's own chances, or a model behind an endpoint."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kimi_nb.errors import ModelError
from kimi_nb.models.base import Conversation, Model, Reply, Request, Sink, ToolCall, ToolSpecs
from kimi_nb.models.limiter import Limiter, backoff

__all__ = ["TRIES", "Behind", "Job", "Report", "Simulated", "Workers"]

TRIES = 5
"""Of one call; a sub-agent whose model does not answer then has failed."""
MAX_TOKENS = 2_048
"""Of a sub-agent's report, its thinking included."""
MAX_REPORT = 2_000
"""Characters of a report that the orchestrator gets: they fill its context."""


@dataclass(frozen=True, slots=True)
class Job:
    """One assignment, of a part that can be done now."""

    system_prompt: str
    prompt: str
    material: str
    """What the part needs; the orchestrator does not see it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a sub-agent brings back."""

    ok: bool
    """It answered; whether it is right is not said."""
    text: str
    unheard: ModelError | None = None
    """Why there is no answer, where that is the endpoint's fault and not the request's."""


class Workers(Protocol):
    """Those who carry out the assignments of one stage, side by side."""

    async def reports(self, jobs: Sequence[Job]) -> list[Report] | None:
        """What each brings back; None where chance decides, as the world has it."""
        ...

    async def close(self) -> None: ...


class Simulated:
    """Frozen sub-agents of the world: they cost no call, and chance decides."""

    async def reports(self, jobs: Sequence[Job]) -> list[Report] | None:
        """None."""
        del jobs

    async def close(self) -> None:
        """Nothing is open."""


class Behind:
    """A model behind any OpenAI-compatible endpoint; all calls of a stage are made at once.

    A model that fails fails its sub-agent and nobody else, unless it would fail them all. A wrong
    key or an unknown model raises ModelError; so does an endpoint from which, after all tries,
    nobody of a stage has an answer: who learned from that would learn to work alone.
    """

    def __init__(self, model: Model, limiter: Limiter | None = None) -> None:
        self._model = model
        self._limiter = limiter or Limiter()
        self._random = random.Random()  # noqa: S311 -- waits, no secrets

    async def reports(self, jobs: Sequence[Job]) -> list[Report] | None:
        """What the model says to each, in their order. Raises ModelError."""
        calls = [asyncio.ensure_future(self._report(job)) for job in jobs]

        try:
            found = await asyncio.gather(*calls)
        finally:
            for call in calls:  # where one fault ends all, the others would go on trying
                call.cancel()

        unheard = [report.unheard for report in found if report.unheard is not None]

        if unheard and len(unheard) == len(found):
            raise unheard[0]

        return found

    async def close(self) -> None:
        """Close the model's connections."""
        await self._model.close()

    async def _report(self, job: Job) -> Report:
        messages = (
            {"role": "system", "content": job.system_prompt or "You are a sub-agent."},
            {"role": "user", "content": f"{job.prompt}\n\n{job.material}"},
        )
        request = Request(
            conversation=Conversation(messages), tools=ToolSpecs(), max_tokens=MAX_TOKENS
        )

        try:
            text = (await self._asked(request)).text.strip()
        except ModelError as error:
            if error.ends_run:
                raise

            text = f"ERROR: {' '.join(str(error).split())[:MAX_REPORT]}"
            return Report(ok=False, text=text, unheard=error if error.retryable else None)

        return Report(ok=bool(text), text=text[:MAX_REPORT] or "ERROR: it said nothing")

    async def _asked(self, request: Request) -> Reply:
        for attempt in range(1, TRIES):
            try:
                return await self._once(request, again=attempt > 1)
            except ModelError as error:
                if not error.retryable:
                    raise

                await asyncio.sleep(backoff(attempt, error, self._random))

        return await self._once(request, again=True)

    async def _once(self, request: Request, *, again: bool) -> Reply:
        tokens = request.estimate_tokens() + request.max_tokens
        await self._limiter.acquire(tokens, again=again)
        used, refused, allowed = None, None, None

        try:
            reply = await self._model.reply(request, _DEAF)
            used, allowed = reply.usage.tokens_in + reply.usage.tokens_out, reply.allowed
        except ModelError as error:
            refused = error
            raise
        finally:
            self._limiter.release(tokens, used, refused, allowed)

        return reply


class _Deaf:
    """Hears nothing of a reply while it streams."""

    def on_text(self, text: str) -> None: ...
    def on_thinking(self, text: str) -> None: ...
    def on_call(self, call: ToolCall) -> None: ...


_DEAF: Sink = _Deaf()
