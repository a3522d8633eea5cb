"""A connection to an MCP server, in a thread of its own.

The SDK's client must be opened and closed by one and the same task. Tools are called from many
tasks of any event loop, and by the time a run is over its loop may be a different one.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from kimi_nb.errors import ToolError
from kimi_nb.tools.render import clean
from kimi_nb.tools.threads import in_thread

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

__all__ = ["Connection", "Place"]

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds for a server to start: some are downloaded first."""
CALL = 300.0
"""Seconds for one answer."""
SHOWN = 600
"""Characters of what a server complained of before it died."""
MOST_PAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server is: a program to start, or the address of one that runs."""

    command: tuple[str, ...] = ()
    url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """For the program, beside PATH, HOME and the like: it gets nothing else of ours."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def __str__(self) -> str:
        return clean(self.url or self.command[0])


class Connection:
    """Opened when it is first needed; after `close`, or a server's death, opened anew."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._session: _Session | None = None

    def tools(self) -> list[Tool]:
        """All that the server offers. Blocks. Raises ToolError."""
        session = self._opened()
        return session.ask(session.list_tools()).result()

    async def call(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        """What a tool of it answers. Raises ToolError; a cancelled call is cancelled there."""
        session = await in_thread(self._opened)
        return await asyncio.wrap_future(session.ask(session.call(name, arguments)))

    async def close(self) -> None:
        """End the connection, and with it the server if it was started here."""
        await in_thread(self._ended)  # a server may just be starting: that holds the lock for long

    def _ended(self) -> None:
        with self._lock:
            session, self._session = self._session, None

        if session is not None:
            session.end()

    def _opened(self) -> _Session:
        with self._lock:
            if self._session is None or not self._session.alive:
                self._session = _Session(self._place)
                weakref.finalize(self, self._session.end)  # at exit too: no server is left behind

            return self._session


class _Session:
    """One thread, one event loop, one open client."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self._over = asyncio.Event()
        self._asking = threading.Lock()
        self._deaf = False
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(opened,), name="kimi_nb mcp", daemon=True
        )
        self._thread.start()

        try:
            opened.result(PATIENCE)
        except TimeoutError:
            self.end()
            message = f"the MCP server {place} did not answer within {PATIENCE:.0f} s"
            raise ToolError(message) from None

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._over.is_set()

    def ask(self, question: Coroutine[Any, Any, T]) -> Future[T]:
        """Its answer, from any thread. Raises ToolError where nobody is there to give one."""
        with self._asking:
            if self._deaf:
                question.close()
                raise self._closed()

            return asyncio.run_coroutine_threadsafe(question, self._loop)

    def end(self) -> None:
        """Close the client and wait for its thread. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._over.set)

        self._thread.join(timeout=10.0)

    async def list_tools(self) -> list[Tool]:
        found: list[Tool] = []
        cursor: str | None = None

        with self._told("list its tools"):
            for _ in range(MOST_PAGES):
                page = await self._open_client.list_tools(cursor=cursor)
                found += page.tools
                cursor = page.next_cursor

                if not cursor:
                    break

        return found

    async def call(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        with self._told(f"answer {name}"):
            return await self._open_client.call_tool(name, arguments)

    @property
    def _open_client(self) -> Client:
        if self._client is None or self._over.is_set():
            raise self._closed()

        return self._client

    def _closed(self) -> ToolError:
        return ToolError(f"the connection to the MCP server {self._place} is closed; call again")

    @contextlib.contextmanager
    def _told(self, what: str) -> Generator[None]:
        """The SDK's errors as ToolErrors; after one of the connection it is opened anew."""
        from mcp import MCPError

        try:
            yield
        except ToolError:
            raise
        except MCPError as error:
            again = ""

            if "closed" in str(error).lower():
                self._over.set()
                again = "; the next call starts it again"

            message = f"the MCP server {self._place} did not {what}: {clean(str(error))}{again}"
            raise ToolError(message) from None
        except Exception as error:  # noqa: BLE001 -- transports raise what they like
            self._over.set()
            message = f"the MCP server {self._place} did not {what}: {clean(_innermost(error))}"
            raise ToolError(message) from None

    def _run(self, opened: Future[None]) -> None:
        asyncio.set_event_loop(self._loop)

        try:
            self._loop.run_until_complete(self._live(opened))
        finally:
            with self._asking:
                self._deaf = True

            self._loop.run_until_complete(_last_answers())
            self._loop.close()

    async def _live(self, opened: Future[None]) -> None:
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
            try:
                async with _client(self._place, complaints) as client:
                    self._client = client
                    opened.set_result(None)
                    await self._over.wait()
            except Exception as error:  # noqa: BLE001 -- whatever it is, who opened it has to hear it
                if not opened.done():
                    opened.set_exception(self._unopened(error, _tail(complaints)))
            finally:
                self._over.set()

    def _unopened(self, error: BaseException, said: str) -> ToolError:
        place = self._place
        why = clean(_innermost(error))
        more = f"; it said: {said}" if said else ""
        hint = (
            "is it running, and is this its address (often it ends with /mcp)?"
            if place.url
            else f"does {place.command[0]!r} start in a terminal?"
        )
        return ToolError(f"no MCP server at {place}: {why}{more}; {hint}")


@contextlib.asynccontextmanager
async def _client(place: Place, complaints: TextIO) -> AsyncGenerator[Client]:
    from mcp import Client, StdioServerParameters, stdio_client

    if place.url:
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        async with httpx2.AsyncClient(headers=dict(place.headers), timeout=CALL) as http:
            transport = streamable_http_client(place.url, http_client=http)

            async with Client(transport, read_timeout_seconds=CALL) as client:
                yield client

        return

    server = StdioServerParameters(
        command=place.command[0], args=list(place.command[1:]), env=dict(place.environment)
    )

    async with Client(stdio_client(server, complaints), read_timeout_seconds=CALL) as client:
        yield client


async def _last_answers() -> None:
    """Who asked when the connection was closing hears so, and does not wait for ever."""
    await asyncio.sleep(0)
    asked = asyncio.all_tasks() - {asyncio.current_task()}

    for task in asked:
        task.cancel()

    await asyncio.gather(*asked, return_exceptions=True)


def _tail(complaints: TextIO) -> str:
    complaints.seek(0)
    return clean(" ".join(complaints.read().split())[-SHOWN:])


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]

    return str(error) or type(error).__name__
