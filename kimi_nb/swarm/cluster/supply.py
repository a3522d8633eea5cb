"""The files of a run on a worker: what it fetches from the kernel, and what it sends back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import shutil
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from kimi_nb.beside import put
from kimi_nb.errors import ToolError
from kimi_nb.swarm.artefacts import keep
from kimi_nb.swarm.cluster.cache import Cache
from kimi_nb.swarm.cluster.copies import Copy
from kimi_nb.swarm.cluster.manifest import FOLDER, Change, Manifest, quoted
from kimi_nb.swarm.cluster.remote import Line
from kimi_nb.swarm.past import PastAgent
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.image import Image
from kimi_nb.tools.threads import in_thread

__all__ = ["Supply", "SupplyingTools"]

TRIES = 3
"""How often files are fetched that change meanwhile; the next sub-agent asks again."""


class Supply:
    """One run's files in one worker process. One event loop only."""

    def __init__(self, folder: Path) -> None:
        """`folder`: the worker process's own."""
        self._cache = Cache(folder / "contents")
        self._root = folder / uuid.uuid4().hex[:12]
        self._copy = Copy(self._cache, self._root / "folder")
        self._lock = asyncio.Lock()
        """The copy is for one thread at a time."""
        self._kept: set[str] = set()
        self.folder = self._copy.path
        """Where the tools work."""
        self.log = self._root / "log"
        """There is none, but what lies beside it does."""
        self.has = ""
        """Digest of the list of files that the copy is equal to."""

    async def update(self, line: Line, packed: bytes) -> None:
        """Bring the copy to that list; b"" is the one that it has. Raises UsageFault."""
        if not packed:
            return

        manifest = Manifest.unpacked(packed)

        async with self._lock:
            lacking = await in_thread(functools.partial(self._copy.missing, manifest))

            for _ in range(TRIES):
                for digest in lacking:
                    await self._fetch(line, digest)

                lacking = await in_thread(functools.partial(self._copy.update, manifest))

                if not lacking:
                    self.has = hashlib.sha256(packed).hexdigest()
                    return

    async def _fetch(self, line: Line, digest: str) -> None:
        with await in_thread(functools.partial(self._cache.receive, digest)) as receiver:
            first = True

            while True:
                asked = {"op": "fetch", "digest": digest, "first": first}

                if not (piece := (await line.ask(asked)).get("data", b"")):
                    break

                receiver.write(piece)
                first = False

            receiver.finish()

    async def push(self, line: Line) -> None:
        """Send what was changed here. What the kernel does not take is undone by an `update`.

        Raises UsageFault, and ToolError that says what was refused.
        """
        async with self._lock:
            changes = await in_thread(self._copy.changes)
            errors = [error for each in changes if (error := await self._send(line, each))]

            if changes:
                self.has = ""

        if errors:
            raise ToolError("; ".join(errors))

    async def _send(self, line: Line, change: Change) -> str:
        path = quoted(change.path)

        if change.digest is None:
            error = (await line.ask({"op": "remove", "path": path})).get("error", "")
        else:
            pieces = iter(()) if change.digest == FOLDER else self._copy.pieces(change)
            error = ""

            async for data, more in _marked(pieces):
                asked = {"op": "put", "path": path, "digest": change.digest, "data": data}
                error = (await line.ask(asked | {"more": more})).get("error", "")

        self._copy.sent(change)
        return error

    async def keep(self, line: Line, images: Iterable[Image]) -> None:
        """Have the kernel keep images beside its log; each once."""
        for name in (await in_thread(functools.partial(keep, self.log, list(images)))).split():
            if name in self._kept:
                continue

            with contextlib.suppress(OSError):
                data = await in_thread((self.log.parent / name).read_bytes)
                await line.ask({"op": "keep", "name": name, "data": data})
                self._kept.add(name)

    async def recall(self, line: Line, past: PastAgent | None) -> None:
        """Fetch the images that a sub-agent has seen in an earlier life."""
        told = past.returns.values() if past else ()

        for name in {name for returned in told for name in returned.artefact.split()}:
            if not (self.log.parent / name).exists():
                reply = await line.ask({"op": "image", "name": name})

                with contextlib.suppress(OSError):
                    if data := reply.get("data"):
                        await in_thread(functools.partial(put, self.log.parent, name, data))

    def close(self) -> None:
        """Remove the copy, and the images."""
        shutil.rmtree(self._root, ignore_errors=True)


async def _marked(pieces: Iterator[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    """Each piece, read in a thread, and whether another follows; b"" alone where there is none."""
    piece = await in_thread(lambda: next(pieces, b""))

    while True:
        following = await in_thread(lambda: next(pieces, b""))
        yield piece, bool(following)

        if not following:
            return

        piece = following


class SupplyingTools(Toolset):
    """Tools whose files and images go to the kernel before their answers do."""

    __slots__ = ("_supply", "lines")

    def __init__(self, tools: Toolset, supply: Supply) -> None:
        super().__init__(tools, output_limit=tools.output_limit)
        self._supply = supply
        self.lines: dict[str, Line] = {}
        """By sub-agent."""

    async def call(self, name: str, arguments: str, context: ToolContext) -> ToolOutcome:
        outcome = await super().call(name, arguments, context)
        line, tool = self.lines[context.agent], self.get(name)

        if outcome.images:
            await self._supply.keep(line, outcome.images)

        if tool is not None and tool.side_effects:
            try:
                await self._supply.push(line)
            except ToolError as error:
                return ToolOutcome(ok=False, text=f"ERROR: {error}")

        return outcome
