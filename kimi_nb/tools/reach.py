"""GET from the hosts of a list, and from nowhere else.

A name is looked up once, every address that it has must be public, and the connection goes to
those addresses: whoever owns a name could let it lead elsewhere between a look and a connection.
A redirect is a new URL and is judged as such.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from kimi_nb._version import __version__
from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.tools.hosts import PORTS, host_of, is_public
from kimi_nb.tools.threads import in_thread

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

__all__ = ["LARGEST", "Got", "Reach"]

LARGEST = 2_000_000
"""Bytes of an answer, unpacked."""
LONGEST = 4_000
"""Characters of a URL."""
REDIRECTS = 5
SECONDS = 30.0
"""For all of it: looking up, redirects, reading."""
HEADERS = {
    "User-Agent": f"kimi_nb/{__version__}",
    "Accept": "text/html, text/plain, application/json, image/*;q=0.8, */*;q=0.5",
    "Accept-Encoding": "gzip",
}

Lookup = Callable[[str, int], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What came back."""

    url: str
    """Where from, after all redirects."""
    type: str
    """MIME type as the server says, in lower case."""
    charset: str
    data: bytes


class Reach:
    """Which hosts can be reached. Raises UsageFault for a list that says none."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        lookup: Lookup | None = None,
        public: Callable[[str], bool] | None = None,
    ) -> None:
        self.names = [hosts] if isinstance(hosts, str) else list(hosts)
        self._hosts = [host_of(entry) for entry in self.names]
        self._lookup = lookup or _addresses
        self._public = public or is_public

        if not self._hosts:
            raise UsageFault(
                "fetch_tool needs at least one host: kn.tools.fetch_tool(['example.org'])"
            )

    async def get(self, url: str) -> Got:
        """What is there. Raises ToolError for all that is not allowed, missing or too large."""
        import aiohttp

        try:
            async with asyncio.timeout(SECONDS):
                return await self._followed(url)
        except TimeoutError:
            raise ToolError(f"no answer within {SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ToolError(f"it cannot be fetched: {type(error).__name__}: {error}") from None

    async def _followed(self, text: str) -> Got:
        url = self._checked(text)

        for _ in range(REDIRECTS + 1):
            found = await self._once(url)

            if isinstance(found, Got):
                return found

            new = self._checked(str(url.join(_url(found))))

            if url.scheme == "https" and new.scheme == "http":
                raise ToolError(f"a redirect leads from https to plain http: {new.host}")

            url = new

        raise ToolError(f"more than {REDIRECTS} redirects")

    def _checked(self, text: str) -> URL:
        """The URL, if its host may be asked."""
        url = _url(text)

        if url.scheme not in PORTS or not url.raw_host:
            raise ToolError("a URL begins with https:// or http:// and names a host")

        if "@" in url.raw_authority:
            raise ToolError("a URL with a user name or password is not fetched")

        name = url.raw_host.rstrip(".").lower()

        if not any(host.allows(name, url) for host in self._hosts):
            raise ToolError(
                f"the host {url.host} (port {url.port}) is not among those that may be asked: "
                f"{', '.join(self.names)}. Whoever owns the run can add it to fetch_tool([…])"
            )

        return url.with_host(name).with_fragment(None)

    async def _once(self, url: URL) -> Got | str:
        """The answer of one request; of a redirect where it leads."""
        import aiohttp

        name, port = str(url.raw_host), cast("int", url.port)
        addresses = list(await in_thread(functools.partial(self._lookup, name, port)))

        if not addresses or not all(map(self._public, addresses)):
            raise ToolError(f"{name} is not on the public internet, so it is not asked")

        connector = aiohttp.TCPConnector(
            resolver=cast("Any", _Pinned(addresses)), use_dns_cache=False, force_close=True
        )

        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                trust_env=False,
                auto_decompress=False,
            ) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status in {301, 302, 303, 307, 308} and "Location" in response.headers:
                return response.headers["Location"]

            if response.status != HTTPStatus.OK:
                raise ToolError(f"{name} answered with HTTP status {response.status}")

            return Got(
                url=str(url),
                type=response.content_type.lower(),
                charset=response.charset or "",
                data=await _body(response),
            )


class _Pinned:
    """A resolver for a name that has been looked up."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        del family
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in self._addresses
        ]

    async def close(self) -> None: ...


def _url(text: str) -> URL:
    from yarl import URL

    if len(text) > LONGEST:
        raise ToolError(f"a URL of {len(text):,} characters; {LONGEST:,} are allowed")

    try:
        return URL(text.strip())
    except ValueError as error:
        raise ToolError(f"that is not a URL: {error}") from None


def _addresses(name: str, port: int) -> list[str]:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """All of it, unpacked as far as is allowed and no further."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    unpack = zlib.decompressobj(wbits=31).decompress if coding in {"gzip", "x-gzip"} else None
    data = bytearray()
    size = 0

    if unpack is None and coding not in {"identity", ""}:
        raise ToolError(f"it is packed as {coding[:40]!r}, which was not asked for")

    async for piece in response.content.iter_any():
        data += piece if unpack is None else _unpacked(unpack, piece)
        size += len(piece)

        if max(size, len(data)) > LARGEST:
            raise ToolError(f"it is larger than {LARGEST / 1e6:.0f} MB")

    return bytes(data)


def _unpacked(unpack: Callable[[bytes, int], bytes], piece: bytes) -> bytes:
    try:
        return unpack(piece, LARGEST + 1)
    except zlib.error:
        raise ToolError("it says that it is packed as gzip, and is not") from None
