"""The files of a run on a worker: what it fetches from the kernel, and what it sends back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import shutil
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kimi_nb.beside import put
from kimi_nb.swarm.artefacts import keep
from kimi_nb.swarm.cluster.cache import Cache
from kimi_nb.swarm.cluster.copies import Copy
from kimi_nb.swarm.cluster.mailbox import Message
from kimi_nb.swarm.cluster.manifest import FOLDER, Change, Manifest, quoted
from kimi_nb.swarm.cluster.remote import Life
from kimi_nb.swarm.past import PastAgent
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.image import Image
from kimi_nb.tools.threads import in_thread

__all__ = ["Supply", "SupplyingTools"]

TRIES = 3
"""Lists of files that are tried where files change meanwhile; the next sub-agent tries again."""


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

    async def update(self, life: Life, packed: bytes) -> None:
        """Bring the copy to that list; b"" is the one that it has. Raises UsageFault."""
        async with self._lock:
            if not packed or hashlib.sha256(packed).hexdigest() == self.has:
                return  # whoever began just before has brought it

            self.has = ""

            for _ in range(TRIES):
                if await self._is_equal(life, Manifest.unpacked(packed)):
                    self.has = hashlib.sha256(packed).hexdigest()
                    return

                packed = (await life.ask({"op": "files"})).get("files", packed)

    async def _is_equal(self, life: Life, manifest: Manifest) -> bool:
        """Whether the copy is now as the list says; files may have changed since it was made."""
        for digest in await in_thread(functools.partial(self._copy.missing, manifest)):
            await self._fetch(life, digest)

        return not await in_thread(functools.partial(self._copy.update, manifest))

    async def _fetch(self, life: Life, digest: str) -> None:
        with await in_thread(functools.partial(self._cache.receive, digest)) as receiver:
            first = True

            while True:
                asked = {"op": "fetch", "digest": digest, "first": first}

                if not (piece := (await life.ask(asked)).get("data", b"")):
                    break

                receiver.write(piece)
                first = False

            receiver.finish()

    async def push(self, life: Life) -> str:
        """Send what was changed here; returns what the kernel does not take, in words, or "".

        That is undone by the next `update`. Raises UsageFault.
        """
        async with self._lock:
            changes = await in_thread(self._copy.changes)
            errors = [error for each in changes if (error := await self._send(life, each))]

            if changes:
                self.has = ""

        return f"[not kept in the run's folder: {'; '.join(errors)}]" if errors else ""

    async def _send(self, life: Life, change: Change) -> str:
        path = quoted(change.path)

        if change.digest is None:
            error = (await life.ask({"op": "remove", "path": path})).get("error", "")
        else:
            pieces = iter(()) if change.digest == FOLDER else self._copy.pieces(change)
            asked: Message = {"op": "put", "path": path, "digest": change.digest, "first": True}
            error = ""

            async for data, more in _marked(pieces):
                error = (await life.ask(asked | {"data": data, "more": more})).get("error", "")

                if error:
                    break

                asked["first"] = False

        self._copy.sent(change)
        return error

    async def keep(self, life: Life, images: Iterable[Image]) -> None:
        """Have the kernel keep images beside its log; each once."""
        for name in (await in_thread(functools.partial(keep, self.log, list(images)))).split():
            if name in self._kept:
                continue

            with contextlib.suppress(OSError):
                data = await in_thread((self.log.parent / name).read_bytes)
                await life.ask({"op": "keep", "name": name, "data": data})
                self._kept.add(name)

    async def recall(self, life: Life, past: PastAgent | None) -> None:
        """Fetch the images that a sub-agent has seen in an earlier life."""
        told = past.returns.values() if past else ()

        for name in {name for returned in told for name in returned.artefact.split()}:
            if not (self.log.parent / name).exists():
                reply = await life.ask({"op": "image", "name": name})

                with contextlib.suppress(OSError):
                    if data := reply.get("data"):
                        await in_thread(functools.partial(put, self.log.parent, name, data))

    def close(self) -> None:
        """Remove the copy, and the images. For a thread: there may be thousands."""
        self._copy.close()
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

    __slots__ = ("_supply", "lives")

    def __init__(self, tools: Toolset, supply: Supply) -> None:
        super().__init__(tools, output_limit=tools.output_limit)
        self._supply = supply
        self.lives: dict[str, Life] = {}
        """By sub-agent."""

    async def call(self, name: str, arguments: str, context: ToolContext) -> ToolOutcome:
        life, tool = self.lives[context.agent], self.get(name)  # not a later life's, afterwards
        outcome = await super().call(name, arguments, context)

        if outcome.images:
            await self._supply.keep(life, outcome.images)

        if tool is None or not tool.side_effects or not (refused := await self._supply.push(life)):
            return outcome

        return replace(outcome, text=f"{outcome.text}\n{refused}")
