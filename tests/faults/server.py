"""A scripted OpenAI-compatible server: it answers well or badly, as the test says.

    async with FaultServer([refuse(429, retry_after="1"), say("hello")]) as server:
        ... server.base_url, server.requests, server.in_flight, server.peak ...

A script is a list of answers, one a request, or a function from a request's body to its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson
from aiohttp import web

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
DONE = b"data: [DONE]\n\n"
CUT = "cut"
STALL = "stall"
DROPPED = 0
"""As a status: the connection is dropped before anything was written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server does with one request."""

    parts: tuple[bytes | float | str | Callable[[], object], ...] = ()
    """Written one after the other; a number: sleep; a function: wait until it says so;
    CUT: drop the connection; STALL: go silent."""
    plain: bytes = b"{}"
    """The body for a request without streaming, and of every error."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the first byte."""
    ready: Callable[[], object] = lambda: True
    """Nothing is sent before this is so: for an answer that must not overtake something."""

    @property
    def pieces(self) -> int:
        """How many of the parts are bytes."""
        return sum(isinstance(part, bytes) for part in self.parts)

    def after(self, delay: float) -> Answer:
        return replace(self, delay=delay)

    def first(self, count: int, then: str | bytes) -> Answer:
        """The first `count` parts, then something else: CUT, STALL or bytes."""
        return replace(self, parts=(*self.parts[:count], then))


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Script = Iterable[Answer] | Callable[[dict[str, Any]], Answer]


def event(value: object) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": reason}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}


def say(text: str, *, thinking: str = "", size: int = 8, usage: Any = USAGE) -> Answer:
    """An answer in words."""
    return _answer(text, thinking, (), size, usage, "stop")


def call(*calls: tuple[str, Any], text: str = "", size: int = 8, usage: Any = USAGE) -> Answer:
    """An answer that calls tools: (name, arguments), the arguments as an object or as text."""
    return _answer(text, "", calls, size, usage, "tool_calls")


def refuse(status: int, kind: str = "", words: str = "no", retry_after: str = "") -> Answer:
    """An error response as Moonshot sends it."""
    body = orjson.dumps({"error": {"message": words, "type": kind}})
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Answer(plain=body, status=status, headers=headers)


def raw(*parts: bytes | float | str, kind: str = "text/event-stream") -> Answer:
    """Exactly these bytes."""
    return Answer(parts=parts, headers={"Content-Type": kind})


def _answer(
    text: str, thinking: str, calls: Sequence[tuple[str, Any]], size: int, usage: Any, reason: str
) -> Answer:
    wire = [
        {
            "index": index,
            "id": f"{name}:{index}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else orjson.dumps(given).decode(),
            },
        }
        for index, (name, given) in enumerate(calls)
    ]
    chunks = [chunk({"reasoning_content": piece}) for piece in _pieces(thinking, size)]
    chunks += [chunk({"content": piece}) for piece in _pieces(text, size)]

    for whole in wire:
        function = whole["function"]
        start = {**whole, "function": {"name": function["name"], "arguments": ""}}
        chunks.append(chunk({"tool_calls": [start]}))
        chunks += [
            chunk({"tool_calls": [{"index": whole["index"], "function": {"arguments": piece}}]})
            for piece in _pieces(function["arguments"], size)
        ]

    chunks.append(chunk(reason=reason))

    if usage:
        chunks.append({"id": "c1", "choices": [], "usage": usage})

    message: dict[str, Any] = {"role": "assistant", "content": text or None}

    if thinking:
        message["reasoning_content"] = thinking

    if wire:
        message["tool_calls"] = wire

    choice = {"index": 0, "message": message, "finish_reason": reason}
    plain = orjson.dumps({"id": "c1", "choices": [choice], "usage": usage})
    return Answer(parts=(*map(event, chunks), DONE), plain=plain)


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


class FaultServer:
    """Listens on a free port of this machine for as long as the `async with` lasts.

    With a `limit` it answers `beyond` to requests beyond that many at once.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        limit: int | None = None,
        beyond: Answer | None = None,
        models: Sequence[str] = ("kimi-k3",),
    ) -> None:
        self.requests: list[Seen] = []
        self.in_flight = 0
        self.peak = 0
        """The most answers that were under way at once."""
        self.refused = 0
        """Requests beyond the limit."""
        self.base_url = ""
        self._next = script if callable(script) else _one_by_one(script)
        self._limit = limit
        self._beyond = beyond or refuse(429, "rate_limit_reached_error", "too many", "1")
        self._models = models

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    async def _list(self, request: web.Request) -> web.Response:
        self._note(request, {})
        return web.json_response({"object": "list", "data": [{"id": m} for m in self._models]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        self._note(request, body)

        if self._limit is not None and self.in_flight >= self._limit:
            self.refused += 1
            return whole(self._beyond)

        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

        try:
            return await play(request, self._next(body), streaming=body.get("stream", False))
        finally:
            self.in_flight -= 1

    def _note(self, request: web.Request, body: dict[str, Any]) -> None:
        self.requests.append(Seen(request.path, dict(request.headers), body))


def _one_by_one(answers: Iterable[Answer]) -> Callable[[dict[str, Any]], Answer]:
    rest = iter(answers)
    over = refuse(400, "invalid_request_error", "the script is over")
    return lambda _body: next(rest, over)


def whole(answer: Answer) -> web.Response:
    """The answer without streaming, or the error that it is."""
    return web.Response(
        body=answer.plain,
        status=answer.status,
        headers={"Content-Type": "application/json", **answer.headers},
    )


async def due(answer: Answer) -> None:
    """Return when its first byte may go out."""
    await asyncio.sleep(answer.delay)

    while not answer.ready():  # noqa: ASYNC110 -- what is waited for has no event
        await asyncio.sleep(0.002)


async def play(
    request: web.Request,
    answer: Answer,
    *,
    streaming: bool,
    writes: Callable[[], None] = lambda: None,
) -> web.StreamResponse:
    """Do what the answer says; `writes` is told of each part before it goes out."""
    await due(answer)

    if answer.status == DROPPED and request.transport is not None:
        request.transport.abort()
        return web.Response()

    if answer.status != 200 or not streaming:
        return whole(answer)

    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **answer.headers})
    await response.prepare(request)

    for part in answer.parts:
        if isinstance(part, bytes):
            writes()
            await response.write(part)
        elif isinstance(part, float):
            await asyncio.sleep(part)
        elif callable(part):
            while not part():  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.002)
        elif part == CUT and request.transport is not None:
            request.transport.close()  # what was written still goes out
            break
        elif part == STALL:
            await asyncio.sleep(3600)

    return response
