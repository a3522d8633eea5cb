"""What an answer may not do: show the target's pixels instead of drawing it."""

from __future__ import annotations

import ast
import re

__all__ = ["LONGEST", "refused_code", "refused_page"]

LONGEST = 12_000
"""Characters of a file: a picture of the targets' size does not fit in as pixels of its own."""
LONGEST_TEXT = 200
"""Characters of one text in the code; a PNG of a target has 3,000 and more."""
MOST_TEXT = 2_000
MOST_NUMBERS = 800
PIXELS = frozenset(
    {
        *("imread", "imshow", "matshow", "figimage", "pcolor", "pcolormesh", "pcolorfast", "spy"),
        *("AxesImage", "FigureImage", "BboxImage", "OffsetImage", "image", "contourf", "PIL"),
        *("open", "fromfile", "frombuffer", "memmap", "load", "loadtxt", "genfromtxt"),
        *("eval", "exec", "compile", "getattr", "__import__", "importlib", "base64", "zlib"),
    }
)
"""Names that read files, place pixels, or hide either."""
NO_PICTURES = re.compile(
    r"(?i)<\s*(?:img|image|picture|video|canvas|iframe|object|embed|link|base)\b"
    r"|\burl\s*\(|\bimage-set\s*\(|\bdata\s*:[a-z]+/|\bblob\s*:|@import|@font-face|\bsrc(?:set)?\s*="
)


def refused_code(text: str) -> str:
    """Why this is no drawing by code; "" if it may be run."""
    if len(text) > LONGEST:
        return f"{len(text)} characters of code, {LONGEST} are allowed"

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"it is no Python: {error}"

    names = {name for node in ast.walk(tree) for name in _names(node)} & PIXELS

    if names:
        return f"{', '.join(sorted(names))}: a picture is to be drawn, not to be shown"

    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts = [len(value) for value in values if isinstance(value, str | bytes)]

    if sum(texts) > MOST_TEXT or max(texts, default=0) > LONGEST_TEXT:
        return f"{sum(texts)} characters of text in the code: a picture is to be drawn"

    numbers = len(values) - len(texts)
    return f"{numbers} numbers, {MOST_NUMBERS} are allowed" if numbers > MOST_NUMBERS else ""


def refused_page(text: str) -> str:
    """Why this page is none that draws by itself; "" if it may be opened."""
    if len(text) > LONGEST:
        return f"{len(text)} characters of HTML, {LONGEST} are allowed"

    found = NO_PICTURES.search(text)
    return f"{found[0]!r}: a page is to be drawn without pictures in it" if found else ""


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case ast.Import(names=names):
            return [part for alias in names for part in alias.name.split(".")]
        case ast.ImportFrom(module=module, names=names):
            return [*(module or "").split("."), *(alias.name for alias in names)]
        case _:
            return []
