"""The tool that looks at web pages; agents have it only if told so, and of which hosts."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kimi_nb.errors import ToolError
from kimi_nb.media import image_type
from kimi_nb.tools.base import Tool
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.image import Image
from kimi_nb.tools.paging import LINE, page, split_lines
from kimi_nb.tools.threads import in_thread

if TYPE_CHECKING:  # what only those need who fetch, `%load_ext` need not wait for
    from kimi_nb.tools.reach import Got, Reach

__all__ = ["fetch_tool"]

_TEXT = re.compile(r"text/.*|application/(?:.*\+)?(?:json|xml|javascript|yaml|x-ndjson)|")
_HTML = {"text/html", "application/xhtml+xml"}
_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]{1,40})""")
_KNOWN = re.compile(
    r"utf-(?:8|16|32)(?:-[bl]e)?|ascii|iso8859-\d+|(?:mac|koi8|cp|gb|big5|euc|shift).*"
)
"""Codecs of texts: some others of Python take hours over what a stranger wrote."""
ALL = 10_000_000
"""Lines, more than there can be: the room of an answer is what limits them."""
HEAD = 4_096
"""Bytes in which a page says its encoding."""
ONCE = (
    "Fetch before you read files or run code: it is refused to an agent that has taken in both "
    "data of the user and text of strangers."
)


def fetch_tool(hosts: Iterable[str], *, trusted: bool = False) -> Tool:
    """A `fetch` tool: GET from these hosts as text, or an image to look at. Hand it to `tools=`.

    `hosts`: names such as "example.org", "*.example.org" for all names below it,
    "example.org:8080" for another port. What it returns counts as written by strangers, and the
    URL as sent out: an agent that has also taken in the user's own data is refused.
    `trusted`: these hosts may learn what the agents have read, so that they are never refused.

    Raises UsageFault for what is no host.
    """
    from kimi_nb.tools.reach import Reach

    return _tool(Reach(hosts), trusted=trusted)


def _tool(reach: Reach, *, trusted: bool) -> Tool:
    @tool(untrusted=True, outward=not trusted)
    async def fetch(url: str, offset: int = 0) -> str | Image:
        """Get a web page as text with its links, a text file, or an image to look at.

        Args:
            url: Its full address.
            offset: How many lines to skip.
        """
        got = await reach.get(url)

        if image_type(got.data):
            return Image(got.data)

        return page(await in_thread(functools.partial(_lines, got)), offset, ALL, what="page")

    told = f"{fetch.description}\n\nHosts that can be asked: {', '.join(reach.names)}."
    return replace(fetch, description=told if trusted else f"{told}\n{ONCE}")


def _lines(got: Got) -> list[str]:
    """Its text by lines, the overlong in pieces: unlike in a file, nobody counts them."""
    from kimi_nb.tools.html_text import html_text

    if not _TEXT.fullmatch(got.type) or (b"\0" in got.data[:HEAD] and not _is_wide(got.data)):
        raise ToolError(f"{got.url} is neither text nor an image: {got.type or 'of no type'}")

    text = got.data.decode(_encoding(got), "replace")
    text = html_text(text, got.url) if got.type in _HTML else text
    found: list[str] = []

    for line in split_lines(text):
        found += [line[at : at + LINE] for at in range(0, len(line), LINE)] or [""]

    return [f"[{got.url}]", *found]


def _is_wide(data: bytes) -> bool:
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _encoding(got: Got) -> str:
    if _is_wide(got.data):
        return "utf-16"

    stated = _CHARSET.search(got.data[:HEAD])
    name = got.charset or (stated[1].decode() if stated else "")

    try:
        name = codecs.lookup(name).name
    except LookupError:
        name = ""

    return name if _KNOWN.fullmatch(name) else "utf-8-sig"
