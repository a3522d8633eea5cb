"""The simulator in this process: no socket, no thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import ModelError, Overloaded, RateLimited, ServerFault, Unreachable
from kimi_nb.models.base import Reply, Request, Sink
from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.respond import respond
from kimi_nb.models.simulator.script import Dropped, Fault, Script
from kimi_nb.models.stream import Assembler

if TYPE_CHECKING:
    from kimi_nb.models.base import Model

__all__ = ["Answer", "Simulator"]

Answer = Callable[[dict[str, Any], Options], Script]
"""What a request is answered with. Raises `errors.ModelError` where it cannot be."""


class Simulator:
    """A `Model` with rules for brains. It sees the messages and tools of a request, no more.

    `name` and `answer`: those of something else that decides without a language model.
    """

    simulated = True

    def __init__(
        self, options: Options | None = None, *, name: str = SIMULATOR, answer: Answer = respond
    ) -> None:
        self.options = options or Options()
        self.name = name
        self._answer = answer

    async def reply(self, request: Request, sink: Sink) -> Reply:
        """Play the script of the answer in its own time.

        Raises what a real endpoint's faults raise, where the options ask for faults.
        """
        assembler = Assembler(sink)

        for event in self._answer(_wire_form(request), self.options):
            await asyncio.sleep(event.delay)

            if isinstance(event.what, Fault):
                raise _error(event.what)

            if isinstance(event.what, Dropped):
                message = "the stream broke off before its end"
                raise Unreachable(message)

            assembler.feed(event.what)

        return assembler.finish(request.estimate_tokens())

    async def close(self) -> None:
        """Nothing is open."""


def _wire_form(request: Request) -> dict[str, Any]:
    """The request as an endpoint would get it."""
    return {
        "model": "simulator",
        "messages": request.conversation.messages,
        "tools": list(request.tools.specs),
        "max_completion_tokens": request.max_tokens,
        "seed": request.seed,
    }


_ERRORS: dict[str, type[ModelError]] = {
    "rate_limit_reached_error": RateLimited,
    "engine_overloaded_error": Overloaded,
    "server_error": ServerFault,
}


def _error(fault: Fault) -> ModelError:
    kind = _ERRORS[fault.type]
    return kind(fault.message, status=fault.status, retry_after=fault.retry_after)


if TYPE_CHECKING:
    _conforms: Model = Simulator()
