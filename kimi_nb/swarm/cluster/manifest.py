"""What a folder holds, by content: what is sent instead of the folder itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import fsencode
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote, unquote

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.tools.beneath import SKIPPED
from kimi_nb.tools.steps import Parts, joined

__all__ = [
    "FOLDER",
    "LEFT_OUT",
    "Change",
    "Entry",
    "File",
    "Link",
    "Manifest",
    "above",
    "differences",
    "quoted",
    "steps",
    "unquoted",
]

FOLDER: Final = "folder"
LEFT_OUT = SKIPPED | {".kimi_nb"}
"""Folders that are neither sent nor taken: what programs keep for themselves, logs of runs."""
LONGEST = 4_000
"""Bytes of a path; Linux opens none that is longer."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class File(NamedTuple):
    digest: str
    """SHA-256 of the content, 64 hexadecimal digits."""
    size: int
    """Bytes."""
    executable: bool


class Link(NamedTuple):
    target: str
    """Where it leads in the end: a path of the same manifest."""


Entry = File | Link | Literal["folder"]


class Change(NamedTuple):
    """What became of one path."""

    path: str
    """As in a manifest; `quoted` makes text of it that can be sent."""
    digest: str | None
    """Of the file's content; "folder": it is a folder; None: it is gone."""
    size: int = 0
    """Bytes of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A folder's content. Equal manifests mean equal folders."""

    entries: Mapping[str, Entry]
    """By path from the folder, "a/b", without "." and "..". A name that is no UTF-8 has
    surrogates for its other bytes, as `os.fsdecode` gives it."""
    skipped: Mapping[str, str]
    """What is there and was left out, by path, with the reason."""

    def files(self) -> Iterator[tuple[str, File]]:
        """All files with their paths."""
        for path, entry in self.entries.items():
            if isinstance(entry, File):
                yield path, entry

    def hides(self, path: str) -> bool:
        """Whether it was skipped, or lies in a folder that was."""
        if not self.skipped:
            return False

        return path in self.skipped or any(folder in self.skipped for folder in above(path))

    def packed(self) -> bytes:
        """As ASCII text, to be sent; `Manifest.unpacked` reads it."""
        entries = {quoted(path): entry for path, entry in self.entries.items()}
        links = {path: quoted(e.target) for path, e in entries.items() if isinstance(e, Link)}
        skipped = {quoted(path): why for path, why in self.skipped.items()}
        told = {"entries": {**entries, **links}, "links": [*links], "skipped": skipped}
        return json.dumps(told, separators=(",", ":")).encode()

    @staticmethod
    def unpacked(data: bytes) -> Manifest:
        """What `packed` made. Raises UsageFault for anything else."""
        try:
            told = json.loads(data)
            links = frozenset(told["links"])
            entries: dict[str, Entry] = {
                _path(text): _entry(entry, is_link=text in links)
                for text, entry in told["entries"].items()
            }
            skipped = {_path(text): str(why) for text, why in told["skipped"].items()}
        except (ValueError, TypeError, KeyError, AttributeError, ToolError) as error:
            raise UsageFault(
                f"a list of files came damaged ({error}); install the same kimi-nb on the workers "
                "as in the kernel"
            ) from None

        return Manifest(entries=entries, skipped=skipped)


def quoted(path: str) -> str:
    """A path as ASCII text: names need not be UTF-8, and messages must."""
    return quote(fsencode(path))


def unquoted(text: str) -> str:
    """The path of `quoted`."""
    return unquote(text, errors="surrogateescape")


def steps(path: str) -> Parts:
    """The names of a path. Raises ToolError for one that could lead out or needs guessing."""
    parts = tuple(path.split("/"))

    if any(name in {"", ".", ".."} or "\0" in name for name in parts):
        raise ToolError(f"{joined(parts)!r} is no path below the folder")

    if len(fsencode(path)) > LONGEST:
        raise ToolError(f"a path of more than {LONGEST:,} bytes")

    if any(name.lower() in LEFT_OUT for name in parts):
        raise ToolError(f"{joined(parts)!r} is neither sent nor taken: programs keep it")

    return parts


def above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the innermost first, without the outermost of all."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def differences(old: Manifest, new: Manifest) -> list[Change]:
    """What makes the files and folders of `new` out of those of `old`, in an order that works.

    What is skipped in `new` has no difference: nobody knows what it holds. Nor have links:
    they are made on one side only. Nor has a mere change of the executable bit.
    """
    gone: list[Change] = []
    made: list[Change] = []

    for path, entry in old.entries.items():
        now = new.entries.get(path)

        if not isinstance(entry, Link) and type(now) is not type(entry) and not new.hides(path):
            gone.append(Change(path, None))

    for path, entry in new.entries.items():
        match entry, old.entries.get(path):
            case File(digest=now), File(digest=then) if now == then:
                pass
            case File(digest, size, _), _:
                made.append(Change(path, digest, size))
            case "folder", then if then != FOLDER:
                made.append(Change(path, FOLDER))
            case _:
                pass

    return [*sorted(gone, reverse=True), *sorted(made)]


def _path(text: str) -> str:
    path = unquoted(text)
    steps(path)
    return path


def _entry(told: Any, *, is_link: bool) -> Entry:
    match told:
        case "folder" if not is_link:
            return FOLDER
        case str(target) if is_link:
            return Link(_path(target))
        case [str(digest), int(size), bool(executable)] if _DIGEST.fullmatch(digest) and size >= 0:
            return File(digest, size, executable)
        case _:
            raise ValueError(f"no entry: {str(told)[:80]!r}")
