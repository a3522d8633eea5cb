"""Tools that look at the files of the working folder, and at nothing else."""

from __future__ import annotations

import fnmatch
import time

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import ToolContext
from kimi_nb.tools.beneath import SKIPPED, Entry, Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.paging import cut, fitted, page, split_lines
from kimi_nb.tools.text import decoded

__all__ = ["grep", "list_files", "read_file"]

MATCH_LINE = 300
LARGEST_READ = 50_000_000
LARGEST_SEARCHED = 5_000_000
SEARCH_SECONDS = 10.0
NOT_UTF8 = "[not UTF-8: undecodable bytes shown as U+FFFD]"


@tool(private=True, untrusted=True)
def list_files(
    context: ToolContext,
    folder: str = ".",
    pattern: str = "*",
    recursive: bool = False,  # noqa: FBT001, FBT002 - a model gives it by name
) -> str:
    """List the files of a folder: one line for each, its path, a tab and its size in bytes.

    Folders are listed as path/ without a size.

    Args:
        folder: A folder in the working folder; "." is the working folder itself.
        pattern: Which names, as in a shell: *.csv; upper and lower case are the same.
        recursive: List what is in its folders, too.
    """
    deep = recursive or pattern.startswith("**/")
    wanted = pattern.removeprefix("**/")

    with Folder(context.folder) as root:
        parts = root.parts(folder)
        found = sorted(root.walk(parts) if deep else root.entries(parts), key=lambda e: e.path)
        depth = len(parts)
        lines = [_listed(entry) for entry in found if _matches(entry, wanted, depth)]

        if not lines:
            there = ", ".join(entry.path for entry in root.entries(parts)[:20]) or "nothing"
            return f"[no files match {pattern!r} in {folder!r}; the folder has: {there}]"

    return fitted(lines, "[… {} more; narrow the pattern or name a folder]")


@tool(private=True, untrusted=True)
def read_file(context: ToolContext, path: str, offset: int = 0, limit: int = 400) -> str:
    """Read lines of a text file. If more remain, the last line says how to get them.

    Args:
        path: The file, from the working folder.
        offset: How many lines to skip.
        limit: How many lines to give at most.
    """
    with Folder(context.folder) as root:
        text, valid = decoded(root.read(root.parts(path), LARGEST_READ), path)

    shown = page(split_lines(text), offset, limit)
    return shown if valid else f"{NOT_UTF8}\n{shown}"


@tool(private=True, untrusted=True)
def grep(
    context: ToolContext,
    pattern: str,
    path: str = ".",
    ignore_case: bool = False,  # noqa: FBT001, FBT002 - a model gives it by name
) -> str:
    """Search text files line by line. Each match is a line path:line: text.

    The last line counts matching lines and files. Binary files are left out.

    Args:
        pattern: A regular expression as in Python's re.
        path: A file, or a folder to search with all its folders.
        ignore_case: Take upper and lower case as the same.
    """
    search = _Search(pattern, ignore_case=ignore_case)

    with Folder(context.folder) as root:
        start = root.entry(root.parts(path))

        for entry in root.walk(start.parts) if start.is_folder else [start]:
            if not entry.is_folder and not SKIPPED.intersection(entry.parts[:-1]):
                search.file(root, entry)

    return search.report()


class _Search:
    """One search over many files, within a bound of time.

    The engine is the `regex` package: its patterns are those of `re`, it lets go of the
    interpreter's lock while it searches, and it can be told when to give up. `re` cannot:
    (a+)+$ on one bad line would hold a core, and the lock, for ever.
    """

    __slots__ = ("_deadline", "_pattern", "files", "matches", "skipped")

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        import regex

        try:
            self._pattern = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
        except regex.error as error:
            raise ToolError(
                f"{pattern!r} is not a regular expression: {error}; to search for it as it "
                f"stands, put \\ before each of . * + ? ( ) [ ] {{ }} ^ $ | \\"
            ) from error

        self._deadline = time.monotonic() + SEARCH_SECONDS
        self.matches: list[str] = []
        self.skipped: list[str] = []
        self.files = 0

    def file(self, root: Folder, entry: Entry) -> None:
        """Search one file."""
        if entry.size > LARGEST_SEARCHED:
            self.skipped.append(f"[not searched: {entry.path}, {entry.size / 1e6:.0f} MB]")
            return

        try:
            text, _ = decoded(root.read(entry.parts, LARGEST_SEARCHED), entry.path)
        except ToolError:
            return  # binary, unreadable or gone by now

        found = [
            f"{entry.path}:{number}: {cut(line.strip(), MATCH_LINE)}"
            for number, line in enumerate(split_lines(text), 1)
            if self._has(line)
        ]
        self.matches += found
        self.files += bool(found)

    def report(self) -> str:
        """All matches, what was not searched, and the counts."""
        lines = fitted(self.matches, "[… {} more matches; narrow the pattern or the path]")
        total = f"[{len(self.matches)} matches in {self.files} files]"
        return "\n".join(filter(None, [lines, *self.skipped[:20], total]))

    def _has(self, line: str) -> bool:
        try:
            left = max(self._deadline - time.monotonic(), 0.001)
            return self._pattern.search(line, timeout=left) is not None
        except TimeoutError as error:
            raise ToolError(
                f"the search took longer than {SEARCH_SECONDS:.0f} s; search fewer files, or "
                f"simplify the pattern: repetitions within repetitions, as in (a+)+, take for ever"
            ) from error


def _listed(entry: Entry) -> str:
    return entry.path if entry.is_folder else f"{entry.path}\t{entry.size}"


def _matches(entry: Entry, pattern: str, depth: int) -> bool:
    path = entry.path.rstrip("/").split("/")
    shown = "/".join(path[depth:]) if "/" in pattern else path[-1]
    return fnmatch.fnmatchcase(shown.lower(), pattern.lower())
