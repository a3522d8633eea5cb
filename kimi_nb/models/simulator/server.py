"""The simulator as an OpenAI-compatible endpoint on this machine."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

import orjson
from aiohttp import web

from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.respond import respond
from kimi_nb.models.simulator.script import Chunk, Dropped, Event, Fault, Script

__all__ = ["application", "serve"]

MODEL = "simulator"
REMEMBERED = 4096
"""Requests whose number of attempts is kept."""
LARGEST = 64 * 2**20
"""Bytes of a request."""


async def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    options: Options | None = None,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until cancelled; `ready` is told the base URL. Port 0 takes a free one.

    Raises OSError if the address cannot be had.
    """
    runner = web.AppRunner(application(options or Options()), access_log=None)
    await runner.setup()

    try:
        await web.TCPSite(runner, host, port).start()
        taken: int = runner.addresses[0][1]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{taken}/v1")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def application(options: Options) -> web.Application:
    """`/v1/chat/completions` (streamed and plain) and `/v1/models`."""
    endpoint = _Endpoint(options)
    app = web.Application(client_max_size=LARGEST, middlewares=[_as_json])
    app.router.add_post("/v1/chat/completions", endpoint.complete)
    app.router.add_get("/v1/models", _models)
    return app


class _Endpoint:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.attempts: OrderedDict[bytes, int] = OrderedDict()

    async def complete(self, http: web.Request) -> web.StreamResponse:
        """Answer one chat request."""
        body = await http.read()
        request = _parsed(body)

        if isinstance(request, str):
            return _error(400, "invalid_request_error", request)

        asked = request.get("model", MODEL)

        if asked != MODEL:  # or an answer could pass for another model's
            what = f"there is no model {asked!r} here, only {MODEL!r}"
            return _error(404, "resource_not_found_error", what)

        if request.get("seed") is None:
            request["seed"] = self._attempt(body)

        script = respond(request, self.options)
        first = script[0]
        await asyncio.sleep(first.delay)

        if isinstance(first.what, Fault):
            fault = first.what
            return _error(fault.status, fault.type, fault.message, fault.retry_after)

        if request.get("stream"):
            wants_usage = _wants_usage(request)
            return await _stream(http, script, wants_usage=wants_usage)

        return await _plain(http, script[1:])

    def _attempt(self, body: bytes) -> int:
        """How often the same request has come before: a client's retry sends no seed."""
        key = hashlib.blake2b(body, digest_size=16).digest()
        number = self.attempts.pop(key, -1) + 1
        self.attempts[key] = number

        if len(self.attempts) > REMEMBERED:
            self.attempts.popitem(last=False)

        return number


def _parsed(body: bytes) -> dict[str, Any] | str:
    """The request, or what is wrong with it."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return f"the body is not JSON: {error}"

    if not isinstance(request, dict):
        return "the body must be a JSON object"

    fields = cast("dict[str, Any]", request)
    messages = fields.get("messages")

    if not isinstance(messages, list) or not messages:
        return "'messages' must be a list with at least one message"

    if not all(isinstance(m, dict) and "role" in m for m in cast("list[object]", messages)):
        return "every message must be an object with a 'role'"

    return fields


def _wants_usage(request: dict[str, Any]) -> bool:
    options: dict[str, Any] = request.get("stream_options") or {}
    return bool(options.get("include_usage"))


async def _stream(http: web.Request, script: Script, *, wants_usage: bool) -> web.StreamResponse:
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(http)
    last = "[DONE]"

    for place, event in enumerate(script):
        if place and event.delay:
            await asyncio.sleep(event.delay)

        if isinstance(event.what, Dropped):
            _drop(http)
            return response

        if isinstance(event.what, dict) and (wants_usage or event.what["choices"]):
            await response.write(b"data: " + orjson.dumps(event.what) + b"\n\n")

    await response.write(f"data: {last}\n\n".encode())
    await response.write_eof()
    return response


def _drop(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.abort()


async def _plain(http: web.Request, script: tuple[Event, ...]) -> web.Response:
    await asyncio.sleep(sum(event.delay for event in script))

    if any(isinstance(event.what, Dropped) for event in script):
        _drop(http)

    chunks = [event.what for event in script if isinstance(event.what, dict)]
    return web.json_response(body=orjson.dumps(_joined(chunks)))


def _joined(chunks: list[Chunk]) -> dict[str, Any]:
    """A whole `chat.completion` from its chunks."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: list[dict[str, Any]] = []
    finish = "stop"
    usage: dict[str, int] = {}

    for chunk in chunks:
        usage = chunk.get("usage") or usage

        for choice in chunk["choices"]:
            _add(choice["delta"], message, calls)
            finish = choice["finish_reason"] or finish

    if calls:
        message["tool_calls"] = calls

    return {
        "id": chunks[-1]["id"] if chunks else "",
        "object": "chat.completion",
        "created": 0,
        "model": chunks[-1]["model"] if chunks else MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }


def _add(delta: Chunk, message: dict[str, Any], calls: list[dict[str, Any]]) -> None:
    for key in ("content", "reasoning_content"):
        if delta.get(key):
            message[key] = message.get(key, "") + delta[key]

    for part in delta.get("tool_calls", ()):
        if part["index"] == len(calls):
            head = {key: part[key] for key in ("id", "type")}
            calls.append({**head, "function": dict(part["function"])})
        else:
            calls[part["index"]]["function"]["arguments"] += part["function"]["arguments"]


async def _models(_: web.Request) -> web.Response:
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "kimi_nb"}
    return web.json_response({"object": "list", "data": [model]})


def _error(status: int, type_: str, message: str, retry_after: float | None = None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    error = {"message": message, "type": type_, "param": None, "code": None}
    return web.json_response({"error": error}, status=status, headers=headers)


@web.middleware
async def _as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors of the server itself as an OpenAI client expects them."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise

        message = f"{request.method} {request.path}: {error.reason}"
        return _error(error.status, "resource_not_found_error", message)
