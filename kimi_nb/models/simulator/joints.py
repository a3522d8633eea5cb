"""Which measures need a column, and which of them add up over all items."""

from __future__ import annotations

__all__ = ["COLUMNAR", "JOINTS", "NAMES_OF", "WHOLE"]

COLUMNAR = frozenset(
    {"max", "min", "first", "last", "mean", "sum", "std", "median", "mode", "nth", "top"}
    | {"range", "distinct"}
)
_ADDED = (
    "rows sum count lines blank_lines words chars bytes headings functions classes imports loc "
    "cells code_cells markdown_cells links occurrences matching_lines"
)
JOINTS = {"max": "max", "min": "min", **dict.fromkeys(_ADDED.split(), "sum")}
"""How measures of single items make one of all of them."""
NAMES_OF = {"functions": "function_names", "classes": "class_names"}
WHOLE = frozenset({"columns", "column_names", "lines", "bytes", "words", "chars"})
