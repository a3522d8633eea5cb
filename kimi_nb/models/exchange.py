"""One answer over HTTP, from its bytes to an assembled reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import orjson

from kimi_nb.errors import Allowed, ModelError, UnknownModel, Unreachable
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.base import Reply, Sink
from kimi_nb.models.faults import fault, one_line
from kimi_nb.models.sse import Splitter
from kimi_nb.models.stream import Assembler

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Exchange", "charge"]

LINGER_S = 0.5
"""How long the end of a finished stream is awaited, so that its connection can be used again."""


class Exchange:
    """Reads one answer, streamed or plain, whichever the endpoint chose to send."""

    __slots__ = ("_allowed", "_assembler", "_done", "_idle", "began")

    def __init__(
        self,
        sink: Sink,
        idle: float,
        call_id: Callable[[str, int], str] | None,
        max_tokens: int,
    ) -> None:
        self.began = False
        """Some of the answer has arrived."""
        self._assembler = Assembler(sink, call_id, max_tokens)
        self._allowed = Allowed()
        self._idle = idle
        self._done = False

    @property
    def complete(self) -> bool:
        """The endpoint said that the answer is whole; how the connection ends is no matter."""
        return self._done or self._assembler.ended

    async def read(self, response: aiohttp.ClientResponse, limit: asyncio.Timeout) -> None:
        """Read to the end; `limit` is moved on as the parts arrive.

        Raises ModelError for what is no answer, and what aiohttp raises.
        """
        kind = response.headers.get("Content-Type", "")
        self._allowed = read_allowed(response.headers)

        if "html" in kind:
            message = f"{response.url} answered with a web page; base URLs mostly end in /v1"
            raise UnknownModel(message)

        if "json" in kind:
            self._take_whole(await response.read())
        else:
            await self._read_stream(response.content, limit)

    def finish(self, prompt_estimate: int) -> Reply:
        """The turn. Raises Unreachable if the stream was cut."""
        if not self.complete:
            message = "the stream ended early, without a finish reason"
            raise Unreachable(message)

        reply = self._assembler.finish(prompt_estimate, self._allowed)

        if not self._assembler.ended and not (reply.text or reply.thinking or reply.calls):
            message = "the stream ended early, with nothing in it"
            raise Unreachable(message)

        return reply

    def charge(self, fault: ModelError, prompt_estimate: int) -> None:
        """Note in `fault` what had arrived, and what it is believed to have cost."""
        charge(fault, self._assembler, prompt_estimate)

    async def _read_stream(self, content: aiohttp.StreamReader, limit: asyncio.Timeout) -> None:
        clock = asyncio.get_running_loop().time
        splitter = Splitter()
        deadline = 0.0

        while chunk := await content.readany():
            self.began = True
            now = clock()

            if deadline < now + self._idle:  # moving it for every part would cost more than it
                deadline = now + 1.25 * self._idle
                limit.reschedule(deadline)

            for data in splitter.feed(chunk):
                self._take(data)

            if self._assembler.full:
                return

            if self._done:
                limit.reschedule(now + LINGER_S)

        for data in splitter.flush():
            self._take(data)

    def _take(self, data: bytes) -> None:
        if data == b"[DONE]":
            self._done = True
        elif data:
            self._assembler.feed(_object(data))

    def _take_whole(self, body: bytes) -> None:
        self.began = True
        answer = _object(body)
        self._assembler.feed(answer)

        if not answer.get("choices"):
            raise fault(None, answer.get("error") or f"no choices in {body[:200]!r}")

        self._done = True


def charge(fault: ModelError, assembler: Assembler, prompt_estimate: int) -> None:
    """Note in `fault` what `assembler` has, and what that is believed to have cost.

    An answer that had begun was made, and is billed by most endpoints.
    """
    if assembler.begun:
        fault.partial, usage = assembler.partial(prompt_estimate)
        fault.tokens_in, fault.tokens_out = usage.tokens_in, usage.tokens_out


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(data)
    except ValueError:
        value = None

    if not isinstance(value, dict):
        message = f"malformed data in the stream: {one_line(repr(data[:200]), 120)}"
        raise Unreachable(message)

    return cast("dict[str, Any]", value)
