"""A web page as text that can be read, with its headings, lists, tables and links.

Not `html.parser`: a page that is made for it keeps it busy for hours. This looks at no character
more than a few times, whatever the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

__all__ = ["html_text"]

_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*")
_REST = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")
_HREF = re.compile(r"""(?i)(?<![\w-])href\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")
_ALT = re.compile(r"""(?i)(?<![\w-])alt\s*+=\s*+(?:"([^"]*)"|'([^']*)')""")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPACE = re.compile(r"[ \t\r\f\v\u00a0]+")
_UNSEEN = frozenset({"script", "style", "template", "svg", "iframe", "object", "noembed"})
_CLOSED = {name: re.compile(rf"(?i)</{name}\b[^>]*>?") for name in (*_UNSEEN, "pre", "textarea")}
_BLOCK = re.compile(
    r"h[1-6r]|tr|d[dlt]|[ou]l|t(?:able|body|foot|head)|address|article|aside|blockquote|body|br|"
    r"center|details|div|fieldset|figcaption|figure|footer|form|head|header|html|legend|li|main|nav|"
    r"option|p|pre|section|select|summary|textarea|title"
)
_AS_IS = "as it is"
"""Stands for the tag of a text whose lines are its own."""
_BEGIN = {f"h{level}": "#" * level + " " for level in range(1, 7)} | {"li": "- ", "title": "# "}


def html_text(page: str, url: str) -> str:
    """What a reader would see of `page`; links are [text](address), joined to `url`."""
    out = _Lines(url)

    for tag, rest, text in _parts(page):
        out.add(text, as_is=tag == _AS_IS)
        out.mark(tag, rest)

    return out.text()


def _parts(page: str) -> Iterator[tuple[str, str, str]]:
    """Each tag, "/name" where it closes, with its attributes and the text before it."""
    at = done = 0
    strict = True

    while (at := page.find("<", at)) >= 0:
        if page.startswith("<!--", at):
            yield "", "", page[done:at]
            end = page.find("-->", at + 4)
            at = done = end + 3 if end >= 0 else len(page)
            continue

        name = _NAME.match(page, at + 1)

        if name is None and page[at + 1 : at + 2] not in {"!", "?", "/"}:
            at += 1  # a "<" of the text
            continue

        first = name.end() if name else at + 1
        found = _REST.match(page, first) if strict else None
        strict = strict and found is not None  # one look for a quote that never ends, not many
        end = found.end() if found else page.find(">", first) + 1 or len(page)
        tag = page[at + 1 : first].lower()
        yield tag, page[first:end], page[done:at]
        at = done = end

        if closing := _CLOSED.get(tag):
            last = closing.search(page, end)
            at = last.end() if last else len(page)
            within = page[end : last.start() if last else at]
            done = at

            if tag not in _UNSEEN:
                yield _AS_IS, "", within

    yield "", "", page[done:]


class _Lines:
    """The text so far."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pieces: list[str] = ["\n"]
        self._link = ""

    def add(self, text: str, *, as_is: bool) -> None:
        """Text between two tags; `as_is`: its lines are its own."""
        if as_is:
            self._pieces.append(f"\n{html.unescape(_TAG.sub('', text))}\n")
        else:
            self._put(_SPACE.sub(" ", html.unescape(text.replace("\n", " "))))

    def mark(self, tag: str, rest: str) -> None:
        """What a tag shows."""
        name = tag.removeprefix("/")

        if _BLOCK.fullmatch(name):
            self._put("\n")

        if name == "a":
            self._end_link()

        match tag:
            case "a" if found := _HREF.search(rest):
                self._begin_link(next(filter(None, found.groups()), ""))
            case "td" | "th":
                self._put(" | ")
            case "img" if found := _ALT.search(rest):
                self._put(f" {html.unescape(found[1] or found[2] or '')} ")
            case _:
                self._put(_BEGIN.get(tag, ""))

    def text(self) -> str:
        """All of it; no line ends with spaces, no two of them are empty in a row."""
        self._end_link()
        lines = "\n".join(line.rstrip(" ") for line in "".join(self._pieces).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")

    def _put(self, piece: str) -> None:
        if self._pieces[-1].endswith("\n"):
            piece = piece.lstrip(" ")

        if piece:
            self._pieces.append(piece)

    def _begin_link(self, href: str) -> None:
        try:
            address = urljoin(self._url, html.unescape(href).strip())
        except ValueError:
            return

        if address.startswith(("http://", "https://")) and not href.startswith("#"):
            self._link = address
            self._put("[")

    def _end_link(self) -> None:
        if self._link:
            self._put(f"]({self._link})")
            self._link = ""
