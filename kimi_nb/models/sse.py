"""Server-sent events, from bytes cut anywhere."""

from __future__ import annotations

__all__ = ["Splitter"]


class Splitter:
    r"""Turns the bytes of an event stream into the data of its events.

    Lines may end in \n or \r\n and be cut anywhere, also inside a letter. Comments (with
    which servers keep a connection alive) and fields other than data are passed over.
    """

    __slots__ = ("_data", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of every event that `chunk` completes."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        events: list[bytes] = []

        for line in lines:
            if line[:5] == b"data:":
                self._data.append(line[5:])
            elif self._data and not line.strip(b"\r"):
                events.append(self._take())

        return events

    def flush(self) -> list[bytes]:
        """What the stream's end completes: an event without the blank line after it."""
        events = self.feed(b"\n")
        return [*events, self._take()] if self._data else events

    def _take(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        return data.strip()
