"""The little Markdown that answers are made of, as HTML in which nothing of theirs is live.

Headings, paragraphs, lists, pipe tables, fenced code, `code`, **bold**, _emphasis_. Everything is
escaped first; links and images stay text, so that nothing is fetched and nothing can be clicked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kimi_nb.views.text import clean, escape

__all__ = ["markdown_html"]

HEADING = re.compile(r"(#{1,6})\s+(.*)")
ITEM = re.compile(r"\s*([-*+]|\d{1,9}[.)])\s+(.*)")
RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
PIPE = re.compile(r"(?<!\\)\|")
FENCE = "```"
BOLD = re.compile(r"\*\*(\S(?:.*?\S)?)\*\*")
NUMBER = re.compile(r"[-+−]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?\s?%?|–|")
EMPHASIS = re.compile(r"(?<!\w)_([^\s<_](?:[^<]*?[^\s<])?)_(?!\w)")  # never across another tag


def markdown_html(text: str) -> str:
    """`text` as HTML of a few harmless elements, without attributes but `style` and `scope`."""
    return "\n".join(_blocks(clean(text).split("\n")))


def _blocks(lines: list[str]) -> Iterator[str]:
    at = 0

    while at < len(lines):
        end, block = _block(lines, at)
        at = end

        if block:
            yield block


def _block(lines: list[str], at: int) -> tuple[int, str]:
    """Where the block at that line ends, and its HTML."""
    line = lines[at]

    if not line.strip():
        return at + 1, ""

    if line.lstrip().startswith(FENCE):
        return _fenced(lines, at)

    if heading := HEADING.fullmatch(line):
        level = min(len(heading[1]) + 2, 6)  # the page has its own first two
        return at + 1, f"<h{level}>{_inline(heading[2])}</h{level}>"

    if _begins_table(lines, at):
        return _table(lines, at)

    return _list(lines, at) if ITEM.fullmatch(line) else _paragraph(lines, at)


def _fenced(lines: list[str], at: int) -> tuple[int, str]:
    end = at + 1

    while end < len(lines) and not lines[end].lstrip().startswith(FENCE):
        end += 1

    body = escape("\n".join(lines[at + 1 : end]))
    return end + 1, f"<pre>{body}</pre>"


def _paragraph(lines: list[str], at: int) -> tuple[int, str]:
    end = at + 1

    while end < len(lines) and _continues(lines, end):
        end += 1

    body = "<br>".join(_inline(line.strip()) for line in lines[at:end])
    return end, f"<p>{body}</p>"


def _continues(lines: list[str], at: int) -> bool:
    line = lines[at]
    other = HEADING.fullmatch(line) or ITEM.fullmatch(line) or line.lstrip().startswith(FENCE)
    return bool(line.strip()) and not other and not _begins_table(lines, at)


def _list(lines: list[str], at: int) -> tuple[int, str]:
    first = ITEM.fullmatch(lines[at])
    tag = "ol" if first and first[1][0].isdigit() else "ul"
    items: list[str] = []
    end = at

    while end < len(lines) and (item := ITEM.fullmatch(lines[end])):
        items.append(f"<li>{_inline(item[2])}</li>")
        end += 1

    return end, f"<{tag}>{''.join(items)}</{tag}>"


def _begins_table(lines: list[str], at: int) -> bool:
    below = lines[at + 1] if at + 1 < len(lines) else ""
    return "|" in lines[at] and "-" in below and RULE.fullmatch(below) is not None


def _table(lines: list[str], at: int) -> tuple[int, str]:
    head = _cells(lines[at])
    rules = _cells(lines[at + 1])
    end = at + 2

    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1

    rows = [_cells(line) for line in lines[at + 2 : end]]
    sides = [_side(rules[i] if i < len(rules) else "", rows, i) for i in range(len(head))]
    body = "".join(f"<tr>{_row('td', row[: len(head)], sides)}</tr>" for row in rows)
    top = f"<thead><tr>{_row('th', head, sides)}</tr></thead>"
    return end, f"<table>{top}<tbody>{body}</tbody></table>"


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = re.sub(r"(?<!\\)\|$", "", inner)
    return [cell.strip().replace("\\|", "|") for cell in PIPE.split(inner)]


def _side(rule: str, rows: list[list[str]], column: int) -> str:
    """As the rule below the head says; where it says nothing, numbers stand to the right."""
    if rule.endswith(":"):
        return "center" if rule.startswith(":") else "right"

    cells = [row[column] for row in rows if column < len(row)]
    numbers = any(cells) and all(NUMBER.fullmatch(cell) for cell in cells)
    return "right" if numbers and not rule.startswith(":") else "left"


def _row(tag: str, cells: list[str], sides: list[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    padded = cells + [""] * (len(sides) - len(cells))
    return "".join(
        f'<{tag}{scope} style="text-align:{side}">{_inline(cell)}</{tag}>'
        for cell, side in zip(padded, sides, strict=False)
    )


def _inline(text: str) -> str:
    safe = re.sub(r"&lt;br\s*/?&gt;", "<br>", escape(text))
    parts = re.split(r"(`[^`]+`)", safe)
    return "".join(
        f"<code>{part[1:-1]}</code>" if part.startswith("`") and len(part) > 1 else _stressed(part)
        for part in parts
    )


def _stressed(safe: str) -> str:
    return EMPHASIS.sub(r"<em>\1</em>", BOLD.sub(r"<strong>\1</strong>", safe))
