"""The one tool that changes files of the working folder; agents have it only if told so."""

from __future__ import annotations

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.shadows import check_no_module

__all__ = ["write_file"]

LARGEST = 5_000_000
"""Bytes of a file that is written."""


# No side effects in the sense of `tool`: the same call twice leaves the same file, so a resumed
# run may simply make it again. What another agent wrote meanwhile, it might have overwritten
# without any interruption just as well: both calls were under way at once.
@tool
def write_file(context: ToolContext, path: str, text: str) -> str:
    """Write a text file, in place of what it had. Folders on the way are made.

    Args:
        path: The file, from the working folder.
        text: All that the file is to have; it ends as this does, so end it with a newline.
    """
    data = text.encode("utf-8", "replace")

    if len(data) > LARGEST:
        size, most = len(data) / 1e6, LARGEST / 1e6
        raise ToolError(f"that is {size:.1f} MB, and {most:.0f} MB can be written to one file")

    with Folder(context.folder) as root:
        parts = root.parts(path)

        if not parts or path.endswith("/"):
            raise ToolError(f"{path!r} is a folder; name a file in it")

        check_no_module(context.folder, parts)
        had = root.write(parts, data)

    before = "a new file" if had is None else f"it had {had:,}"
    return f"wrote {'/'.join(parts)}: {len(data):,} bytes ({before})"
