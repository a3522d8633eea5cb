"""Links that lead somewhere, and pictures that can be read out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from building.markup import headings, links

__all__ = ["faults"]

WIDEST = 200


def faults(text: str, page: Path) -> Iterator[tuple[int, str]]:
    """What is wrong with the links of a cell on that page: the row, from 0, and what to do."""
    for row, target, picture, alt in links(text):
        if picture and not alt.strip():
            yield row, f"the picture {target} has no alt text: ![what one sees]({target})"

        if fault := _lost(target, page):
            yield row, fault


def _lost(target: str, page: Path) -> str:
    """Why a link leads nowhere; "" if it leads somewhere, or may, out there."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return f"{target} is no link"

    if parts.scheme or parts.netloc:
        whole = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        return "" if whole and len(target) <= WIDEST else f"{target} is no https://… link"

    if not target or parts.path.startswith("/"):
        return f"{target or 'an empty link'}: links go from the notebook's folder, or to https://"

    there = (page.parent / unquote(parts.path)).resolve() if parts.path else page

    if not there.exists():
        return f"{target}: there is no such file from {page.parent.name}/"

    anchor = unquote(parts.fragment)

    if anchor and there.suffix in {".ipynb", ".md"} and anchor not in _anchors(there):
        return f"{target}: {there.name} has no heading {anchor!r}"

    return ""


@cache
def _anchors(path: Path) -> frozenset[str]:
    """What one can jump to: JupyterLab puts dashes for spaces, GitHub writes small letters, too."""
    text = path.read_text(encoding="utf-8")

    if path.suffix == ".md":
        return frozenset(
            re.sub(r"[^\w\- ]", "", h).replace(" ", "-").lower() for h in headings(text)
        )

    cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")
    found = (heading for cell in cells for heading in headings("".join(cell["source"])))
    return frozenset(heading.replace(" ", "-") for heading in found)
