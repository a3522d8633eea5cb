"""A proxy for a class in this process, before an endpoint that does as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from kimi_nb.proxy.keys import Who, mint
from kimi_nb.proxy.serve import running
from kimi_nb.proxy.sheet import Sheet, read_sheet

ASKED = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 500}


def chunk(text: str = "", finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "choices": [choice], **more}


def usage(sent: int, made: int, cached: int = 0) -> dict[str, int]:
    return {"prompt_tokens": sent, "completion_tokens": made, "cached_tokens": cached}


class Endpoint:
    """Answers every call at once, unless told otherwise."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refuse: list[web.Response] = []
        """Answers to the next calls."""
        self.usage: dict[str, int] | None = usage(100, 20)
        self.gate: asyncio.Event | None = None
        """Each answer waits for it."""
        self.texts = ["one", "two"]
        self.inside = self.most = self.cancelled = 0

    async def complete(self, http: web.Request) -> web.StreamResponse:
        body = orjson.loads(await http.read())
        self.bodies.append(body)
        self.headers.append(dict(http.headers))
        self.inside += 1
        self.most = max(self.most, self.inside)

        try:
            if self.refuse:
                return self.refuse.pop(0)

            return await (self._stream(http) if body.get("stream") else self._whole())
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1

    async def _whole(self) -> web.Response:
        if self.gate is not None:
            await self.gate.wait()

        message = {"role": "assistant", "content": "".join(self.texts)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": self.usage})

    async def _stream(self, http: web.Request) -> web.StreamResponse:
        out = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await out.prepare(http)

        for text in self.texts:
            await out.write(b"data: " + orjson.dumps(chunk(text)) + b"\n\n")

        if self.gate is not None:
            await self.gate.wait()

        await out.write(b"data: " + orjson.dumps(chunk(finish="stop")) + b"\n\n")

        if self.usage:
            last = {"id": "x", "choices": [], "usage": self.usage}
            await out.write(b"data: " + orjson.dumps(last) + b"\n\n")

        await out.write(b"data: [DONE]\n\n")
        return out


@contextlib.asynccontextmanager
async def served(endpoint: Endpoint) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", endpoint.complete)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()

    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def sheet(folder: Path, base_url: str, classes: str, upstream: str = "") -> Sheet:
    path = folder / "class.yml"
    (folder / "real.key").write_text("sk-the-real-key-0123456789abcdef\n")
    path.write_text(
        f"upstream: {{base_url: '{base_url}', models: [kimi-k3], key_file: real.key, {upstream}}}\n"
        f"contact: Ms Li\nclasses: {classes}\n"
    )
    return read_sheet(path)


class Learner:
    def __init__(self, url: str, key: str, session: aiohttp.ClientSession) -> None:
        self.url, self.key, self.session = url, key, session
        self.headers = {"Authorization": f"Bearer {key}"}

    def post(self, **more: Any):
        url = f"{self.url}/chat/completions"
        return self.session.post(url, json={**ASKED, **more}, headers=self.headers)

    async def ask(self, **more: Any) -> tuple[int, Any]:
        """Status, and the JSON or text of the body."""
        async with self.post(**more) as response:
            if response.content_type == "application/json":
                return response.status, await response.json()

            return response.status, await response.text()


@contextlib.asynccontextmanager
async def classroom(sheet: Sheet, *names: str) -> AsyncIterator[list[Learner]]:
    """The proxy with these learners of its first class."""
    group = next(iter(sheet.groups))
    keys = mint(sheet, [Who(group, name) for name in names])

    async with running(sheet) as url, aiohttp.ClientSession() as session:
        yield [Learner(url, key, session) for key in keys.values()]


async def until(true) -> None:
    """Return when `true()` is."""
    while not true():  # noqa: ASYNC110 -- what is waited for lies on the disk
        await asyncio.sleep(0.005)
