"""The connections to one endpoint: sockets, header, time limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kimi_nb._version import __version__
from kimi_nb.errors import ModelError, Unreachable
from kimi_nb.models.faults import one_line
from kimi_nb.models.secret import Secret

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Timeouts", "Transport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for the parts of a call."""

    connect: float = 30.0
    first: float = 120.0
    """Until a stream's first byte."""
    idle: float = 60.0
    """Between two parts of a stream."""
    whole: float = 900.0
    """For a plain answer, of which the first byte comes with the last."""


class Transport:
    """Keeps connections open for later calls, in the event loop that uses them."""

    def __init__(self, base_url: str, key: Secret | None, timeouts: Timeouts) -> None:
        self.host = urlsplit(base_url).netloc
        self.base_url = base_url
        self._key = key
        self.timeouts = timeouts
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    def session(self) -> aiohttp.ClientSession:
        """The session of the running loop."""
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)

        if session is None:
            session = self._sessions[loop] = self._open()

        return session

    async def close(self) -> None:
        """Close all connections."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()

    def convert(self, error: Exception, *, began: bool, first: float | None = None) -> ModelError:
        """What a failed exchange means.

        `began`: some of the answer came; `first`: how long its first byte was awaited.
        """
        if isinstance(error, ModelError):
            return error

        if isinstance(error, TimeoutError) and not str(error):
            limit = self.timeouts.idle if began else first or self.timeouts.first
            what = "stopped in mid-answer" if began else "sent nothing"
            return Unreachable(f"{self.host} {what} for {limit:g} s")

        what = "broke off in mid-answer" if began else "cannot be reached"
        return Unreachable(f"{self.host} {what}: {_why(error)}")

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            headers=_headers(self._key),
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.timeouts.connect),
            proxy=self._proxy(),
        )

    def _proxy(self) -> str | None:
        """The environment's proxy, looked up once: doing it for each call costs too much."""
        from urllib.request import getproxies, proxy_bypass

        url = urlsplit(self.base_url)
        host = url.hostname or ""
        local = host in {"localhost", "127.0.0.1", "::1"}
        return None if local or proxy_bypass(host) else getproxies().get(url.scheme)


def _headers(key: Secret | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",  # a compressed stream comes in lumps
        "User-Agent": f"kimi-nb/{__version__}",
    }
    return headers if key is None else headers | {"Authorization": f"Bearer {key.reveal()}"}


def _why(error: Exception) -> str:
    import aiohttp

    if isinstance(error, aiohttp.ClientPayloadError):
        return "the stream ended early"

    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error

    return one_line(str(error)) or type(error).__name__
