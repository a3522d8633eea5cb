"""What a page was told of a run and what does not change any more, as the JSON that it was.

A snapshot of a long run is put together of these bytes: to make all of its rows anew would take
longer the longer the run is, and a list for each of them would cost four times the memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

__all__ = ["Kept"]


class Kept:
    """Rows of agents, their stretches of time, and tool calls, each encoded once."""

    def __init__(self) -> None:
        self.agents: dict[str, bytes] = {}
        """By id: as it was told of last."""
        self.had: dict[str, int] = {}
        """How many stretches of each agent are kept."""
        self.size = 0
        """Bytes of all, nearly."""
        self._spans: dict[str, bytes] = {}
        self._ticks = bytearray()

    def take(self, id: str, row: dict[str, Any], spans: list[list[Any]]) -> None:
        """An agent as it is told of now, with those of its stretches that are new."""
        data = orjson.dumps(row)
        self.size += len(data) - len(self.agents.get(id, b""))
        self.agents[id] = data

        if spans:
            known = self._spans.get(id)
            more = orjson.dumps(spans)[1:-1]
            self._spans[id] = more if known is None else b"%b,%b" % (known, more)
            self.had[id] = self.had.get(id, 0) + len(spans)
            self.size += len(more)

    def tick(self, rows: list[list[Any]]) -> None:
        """Tool calls that have returned since."""
        if rows:
            more = orjson.dumps(rows)[1:-1]
            self._ticks += b"," * bool(self._ticks) + more
            self.size += len(more)

    def told(
        self,
        ids: Iterable[str],
        fresh: dict[str, tuple[dict[str, Any], list[list[Any]]]],
        ticks: list[list[Any]],
    ) -> dict[str, orjson.Fragment]:
        """All rows of these agents; what is `fresh` or in `ticks` is not kept yet."""
        agents: list[bytes] = []
        spans: list[bytes] = []

        for id in ids:
            known, more = self.agents.get(id, b""), b""

            if (new := fresh.get(id)) is not None:
                known, more = orjson.dumps(new[0]), orjson.dumps(new[1])[1:-1]

            agents.append(known)
            spans += filter(None, (self._spans.get(id), more))

        returned = filter(None, (bytes(self._ticks), orjson.dumps(ticks)[1:-1]))
        parts = {"agents": agents, "spans": spans, "ticks": returned}
        return {name: orjson.Fragment(b"[%b]" % b",".join(rows)) for name, rows in parts.items()}
