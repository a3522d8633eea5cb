"""The real client against the mock platform without a socket, so that time may be virtual.

    platform = Platform(brain, tier=TIERS[0], latency=2.0, clock=loop.time)
    model = in_memory(platform)
    await model.reply(request, sink)

Everything but the connection is what a run uses. The client believes that it talks to
Moonshot, and keeps Moonshot's own rules.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self

import aiohttp
import orjson
from faults.core import Platform
from faults.log import Asked
from faults.server import CUT, DROPPED, STALL, Answer, due
from multidict import CIMultiDict

from kimi_nb.models.chat import ChatModel
from kimi_nb.models.secret import Secret

BASE_URL = "https://api.moonshot.ai/v1"


def in_memory(
    platform: Platform, model: str = "kimi-k3", *, key: str = "", **options: Any
) -> ChatModel:
    """A model whose calls reach this platform; without a key with its first one."""
    secret = key or platform.keys[0].secret
    chat = ChatModel(model, base_url=BASE_URL, key=Secret(secret), **options)
    headers = {"Authorization": f"Bearer {secret}"}
    chat._transport._open = lambda: _Session(platform, headers)
    return chat


class _Session:
    """As much of aiohttp's session as the client uses."""

    def __init__(self, platform: Platform, headers: dict[str, str]) -> None:
        self._platform = platform
        self._headers = headers

    def post(self, _url: str, *, data: Any, **_how: Any) -> _Exchange:
        body = orjson.loads(data if isinstance(data, bytes) else data.read())
        return _Exchange(self._platform, self._headers, "", body)

    def get(self, url: str, **_how: Any) -> _Exchange:
        return _Exchange(self._platform, self._headers, url.removeprefix(BASE_URL), {})

    async def close(self) -> None:
        pass


class _Exchange:
    """One request and its response, which is its own body."""

    _asked: Asked | None = None
    _answer: Answer
    _written = 0
    _place = 0

    def __init__(
        self, platform: Platform, headers: dict[str, str], path: str, body: dict[str, Any]
    ) -> None:
        self._platform = platform
        self._sent = headers
        self._path = path
        self._body = body
        self.url = BASE_URL + path

    @property
    def content(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        if not self._platform.reachable:
            raise ConnectionRefusedError

        if self._path:
            self._answer = self._platform.look(self._path, self._sent, self._body)
        else:
            self._asked = self._platform.begin(self._body, self._sent)
            self._answer = self._asked.answer

        try:
            await self._begin()
        except BaseException:
            await self.__aexit__()
            raise

        return self

    async def _begin(self) -> None:
        await due(self._answer)

        if self._answer.status == DROPPED:
            raise aiohttp.ServerDisconnectedError

        kind = {"Content-Type": "application/json"}
        self.status = self._answer.status
        self.headers = CIMultiDict({**kind, **self._answer.headers})
        self._parts = self._answer.parts if self.status == 200 and not self._path else ()
        self._parts = self._parts or (self._answer.plain,)

    async def __aexit__(self, *exc: object) -> None:
        if self._asked is not None:
            self._platform.end(self._asked, self._written)

    async def readany(self) -> bytes:
        """What there is until the next pause; nothing at the end."""
        ready: list[bytes] = []

        while self._place < len(self._parts):
            part = self._parts[self._place]

            if isinstance(part, bytes):
                ready.append(part)
                self._written += 1
            elif ready:
                break
            elif part == CUT:
                raise aiohttp.ClientPayloadError
            else:
                await asyncio.sleep(3600 if part == STALL else float(part))

            self._place += 1

        return b"".join(ready)

    async def read(self, _size: int = -1) -> bytes:
        pieces: list[bytes] = []

        while piece := await self.readany():
            pieces.append(piece)

        return b"".join(pieces)
