"""The kernel's files for its workers: those of the working folder, and those beside the log."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import Iterator

from kimi_nb.beside import is_name, put
from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.swarm.cluster.folder import MOST_BYTES, Folder
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.manifest import unquoted
from kimi_nb.swarm.engine import Engine
from kimi_nb.tools.threads import in_thread
from kimi_nb.views.artefact import artefact

__all__ = ["Store"]


class Store:
    """Sends and takes contents by their hash. One event loop only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._folder = Folder(engine.settings.folder, engine.log.path)
        self._lock = asyncio.Lock()
        """The folder is for one thread at a time."""
        self._looked = -1.0
        """Loop time at which the last look at the folder began."""
        self._manifest = b""
        self._reading: dict[tuple[str, str], Iterator[bytes]] = {}
        self._coming: dict[tuple[str, str], bytearray] = {}

    async def refresh(self) -> None:
        """Look at the folder, unless somebody begins to just now. Raises UsageFault."""
        loop = asyncio.get_running_loop()
        asked = loop.time()

        async with self._lock:
            if self._looked < asked:
                self._looked = loop.time()
                self._manifest = (await in_thread(self._folder.manifest)).packed()

    async def manifest(self, has: str) -> bytes:
        """What the folder holds now; b"" for a worker that has just this list already."""
        await self.refresh()
        return b"" if has == hashlib.sha256(self._manifest).hexdigest() else self._manifest

    def forget(self, party: str) -> None:
        """That worker is lost: what it was sending or fetching is void."""
        for transfers in (self._reading, self._coming):
            for key in [key for key in transfers if key[0] == party]:
                del transfers[key]

    async def reply(self, sender: str, message: Message) -> Message:
        """The answer to a worker that fetches or sends a file, or a piece of it."""
        try:
            return await self._reply(sender, message)
        except (ToolError, UsageFault, OSError) as error:
            return {"error": str(error)}

    async def _reply(self, sender: str, message: Message) -> Message:
        match message["op"]:
            case "files":
                return {"files": await self.manifest("")}
            case "fetch":
                return {
                    "data": await self._piece((sender, message["digest"]), first=message["first"])
                }
            case "put":
                return await self._put((sender, message["path"]), message)
            case "remove":
                return await self._remove(unquoted(message["path"]))
            case "image":
                return {"data": artefact(self._engine.log.path, message["name"]).data}
            case "keep":
                return await self._keep(message["name"], message["data"])
            case op:
                raise UsageFault(f"nobody here knows what {op!r} is")

    async def _piece(self, key: tuple[str, str], *, first: bool) -> bytes:
        """The next piece of a content; b"" at its end, and where it is gone."""
        async with self._lock:
            if first:
                self._reading[key] = self._folder.pieces(key[1])

            pieces = self._reading.get(key, iter(()))
            piece = await in_thread(lambda: next(pieces, b""))

        if not piece:
            self._reading.pop(key, None)

        return piece

    async def _put(self, key: tuple[str, str], message: Message) -> Message:
        if message["first"]:  # who sent it before may have been cancelled in the middle
            self._coming[key] = bytearray()

        coming = self._coming[key]
        coming += message["data"]

        if len(coming) > MOST_BYTES:
            del self._coming[key]
            return {"error": f"{message['path']} is larger than {MOST_BYTES / 1e6:.0f} MB"}

        if message["more"]:
            return {}

        data = bytes(self._coming.pop(key))

        async with self._lock:
            path = unquoted(message["path"])
            await in_thread(functools.partial(self._folder.take, path, message["digest"], data))

        return {}

    async def _remove(self, path: str) -> Message:
        async with self._lock:
            await in_thread(functools.partial(self._folder.remove, path))

        return {}

    async def _keep(self, name: str, data: bytes) -> Message:
        """An image of a tool, beside the log. Where it cannot be written, the run goes on."""
        log = self._engine.log.path

        if (
            log is not None
            and is_name(name)
            and hashlib.sha256(data).hexdigest().startswith(name.partition(".")[0])
        ):
            with contextlib.suppress(OSError):
                await in_thread(functools.partial(put, log.parent, name, data))

        return {}
