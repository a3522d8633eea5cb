"""Text that a model may send to do harm, and what a page or a terminal may contain."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

from traces import Script

from kimi_nb.trace import Trace

__all__ = ["HOSTILE", "Page", "hostile_trace", "unsafe_characters"]

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='alert(1)",
    "[click](javascript:alert(1)) ![x](https://evil.example/leak.png)",
    "</style></title></pre></td><iframe src=//evil.example>",
    "\x1b[2J\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "NUL \x00 BEL \x07 BS \x08 DEL \x7f CSI \x9b31m",
    "\u202egnp.exe\u202c \u2066isolated\u2069 \u200f",
    "| a | <b onmouseover=alert(1)>b</b> |\n|---|---|\n| `<svg onload=alert(1)>` | **<i>** |",
    "```\n</pre><script>alert(1)</script>\n```",
    "&lt;script&gt; &#x3c;script&#x3e; <br onload=alert(1)>",
    "\r\nline\rover \u2028 sep \ud800 surrogate",
)

TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "section",
        "div",
        "p",
        "span",
        "br",
    ),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "code", "strong", "em"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "details", "summary"),
    *("svg", "g", "rect", "path", "line", "circle", "text"),
}
ATTRIBUTES = {
    *("class", "style", "scope", "title", "lang", "charset", "http-equiv", "name", "content"),
    *("role", "aria-label", "aria-hidden", "viewbox", "preserveaspectratio"),
    *(
        "width",
        "height",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "cx",
        "cy",
        "r",
        "d",
        "dx",
        "dy",
        "colspan",
    ),
}
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Reads HTML; notes what it must not contain, and whether its elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"not closed: {tag}" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

        if tag not in TAGS:
            self.faults.append(f"element {tag}")

        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.faults.append(f"attribute {name}={value}")

            if name == "style" and not (value or "").startswith("text-align:"):
                self.faults.append(f"style {value}")

        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return

        if not self._open or self._open.pop() != tag:
            self.faults.append(f"does not nest: {tag}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def unsafe_characters(text: str) -> set[str]:
    """Characters in `text` that control something, or that cannot be encoded."""
    bad = {c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"}
    return bad | {c for c in text if unicodedata.bidirectional(c) in BIDI or c in "\u200e\u200f"}


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def hostile_trace(text: str, status: str = "partial") -> Trace:
    """A run in which `text` is everything that a model, a tool or a person can write."""
    script = Script(goal=text, model=text, simulated=True, options=f'{{"budget": {{"{0}": 1}}}}')
    main = script.orchestrator(name=text)
    main.step(tools=((text, {text: text}, 1.0),), said=text)
    good, bad, open_ = main.assign([text, text, text])
    good.step(said=text).end(text)
    bad.step(fails=((0.5, 0.5),)).end(text, "failed")
    open_.begin()
    open_._turn([(text, {"x": text})], text, (1, 1, 0))
    return script.end(text, status, why=text)
