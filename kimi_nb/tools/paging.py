"""Long texts in answers that a model can read on from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kimi_nb.errors import ToolError

__all__ = ["LINE", "cut", "fitted", "page", "split_lines"]

ROOM = 18_000
"""Characters of an answer: below the limit of a Toolset, so that our own last line survives."""
LINE = 2_000
"""Characters of a line that are shown."""


def page(lines: Sequence[str], offset: int, limit: int, *, what: str = "file") -> str:
    """At most `limit` lines from `offset` on; the last line says how to get the others.

    `what` the lines are of, for a model to read. Raises ToolError for an offset below 0 and a
    limit below 1.
    """
    if offset < 0 or limit < 1:
        raise ToolError(f"offset {offset} must be 0 or more, limit {limit} must be 1 or more")

    if not lines:
        return f"[the {what} is empty]"

    if offset >= len(lines):
        return f"[the {what} has {len(lines)} lines; offset={offset} is past the end]"

    kept = _within_room(lines[offset : offset + limit])
    rest = len(lines) - offset - len(kept)
    more = [f"[… {rest} more lines; call again with offset={offset + len(kept)}]"] if rest else []
    return "\n".join([*kept, *more])


def fitted(lines: Sequence[str], more: str) -> str:
    """The first lines, as many as one answer can hold; `more` has a {} for how many are left."""
    kept = _within_room(lines)
    rest = len(lines) - len(kept)
    return "\n".join([*kept, more.format(rest)] if rest else kept)


def split_lines(text: str) -> list[str]:
    """Lines as editors count them: unlike `splitlines`, form feeds and U+2028 end none."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def cut(line: str, limit: int = LINE) -> str:
    """The line, or its begin and how long it is."""
    return line if len(line) <= limit else f"{line[:limit]}… [{len(line):,} characters]"


def _within_room(lines: Iterable[str]) -> list[str]:
    """The first lines, as many as one answer can hold, and at least one."""
    kept: list[str] = []
    room = ROOM

    for line in lines:
        shown = cut(line)
        room -= len(shown) + 1

        if kept and room < 0:
            break

        kept.append(shown)

    return kept
