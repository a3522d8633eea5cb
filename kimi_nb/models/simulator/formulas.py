"""One expression for each measure, over what the snippets define."""
# ruff: noqa: ISC004 - a pattern is easier to read on one long line

from __future__ import annotations

__all__ = ["OPS", "TEXT"]

_BOOK = "'not a notebook' if book is None else "

TEXT: dict[str, tuple[str, str]] = {
    "lines": ("lines", "str(len(lines))"),
    "blank_lines": ("lines", "str(len([line for line in lines if not line.strip()]))"),
    "words": (
        "read",
        "str(len(re.sub(r'[\\u3400-\\u9fff]', ' x ', "
        "re.sub(r'[\\u3000-\\u303f\\uff00-\\uffef]', ' ', text)).split()))",
    ),
    "chars": ("read", "str(len(text))"),
    "bytes": ("read", "str(len(raw))"),
    "headings": ("headings", "str(len(headings))"),
    "heading_list": ("headings", "'; '.join(headings) or 'none'"),
    "first_heading": ("headings", "headings[0] if headings else 'none'"),
    "functions": (
        "bare",
        "str(len(re.findall(r'(?m)^[ \\t]*(?:async[ \\t]+)?def[ \\t]+\\w+', bare)))",
    ),
    "classes": ("bare", "str(len(re.findall(r'(?m)^[ \\t]*class[ \\t]+\\w+', bare)))"),
    "function_names": (
        "bare",
        "', '.join(dict.fromkeys(re.findall("
        "r'(?m)^[ \\t]*(?:async[ \\t]+)?def[ \\t]+(\\w+)', bare))) or 'none'",
    ),
    "class_names": (
        "bare",
        "', '.join(dict.fromkeys(re.findall(r'(?m)^[ \\t]*class[ \\t]+(\\w+)', bare))) or 'none'",
    ),
    "imports": ("bare", "str(len(re.findall(r'(?m)^[ \\t]*(?:import|from)[ \\t]+[\\w.]+', bare)))"),
    "loc": (
        "cells",
        "str(len([s for c in code for s in c.splitlines() "
        "if s.strip() and not s.strip().startswith('#')]))",
    ),
    "cells": ("cells", _BOOK + "str(len(book))"),
    "code_cells": ("cells", _BOOK + "str(len(code))"),
    "markdown_cells": ("cells", _BOOK + "str(len(prose))"),
    "links": ("read", "str(len(re.findall(r'https?://|\\]\\((?!https?://)', text)))"),
    "columns": ("table", "str(len(header))"),
    "column_names": ("table", "', '.join(header) or 'none'"),
}
"""Measures of a text: the piece that they need, and an expression."""

_SORTED = "(sorted(xs)[{half}] if len(xs) % 2 else sum(sorted(xs)[{half} - 1:{half} + 1]) / 2)"

OPS: dict[str, tuple[tuple[str, ...], str]] = {
    "max": (("gather",), "show(max(xs))"),
    "min": (("gather",), "show(min(xs))"),
    "sum": (
        ("gather",),
        "show(sum(xs) if all(isinstance(x, int) for x in xs) else round(math.fsum(xs), 9))",
    ),
    "mean": (("gather",), "show(round(math.fsum(xs) / len(xs), 6))"),
    "std": (
        ("gather",),
        "show(round(math.sqrt(math.fsum((x - math.fsum(xs) / len(xs)) ** 2 for x in xs) "
        "/ (len(xs) - 1)), 6)) if len(xs) > 1 else 'only one value'",
    ),
    "median": (("gather",), f"show({_SORTED.format(half='len(xs) // 2')})"),
    "range": (("gather",), "show(min(xs)) + ' to ' + show(max(xs))"),
    "top": (("gather",), "'; '.join(show(x) for x in sorted(xs, reverse={high})[:{number}])"),
    "nth": (
        ("gather",),
        "show(sorted(set(xs), reverse={high})[{number} - 1]) if len(set(xs)) >= {number} "
        "else 'only %d different value(s)' % len(set(xs))",
    ),
    "distinct": ((), "str(len(set(filled)))"),
    "values": (
        (),
        "'; '.join(dict.fromkeys(filled)) if len(set(filled)) <= 20 "
        "else '%d different values' % len(set(filled))",
    ),
    "mode": (
        ("counts",),
        "'; '.join([v for v in counts if counts[v] == max(counts.values())][:5]) or 'no values'",
    ),
}
"""Measures of a column: `xs` are its numbers, `filled` its cells that are not blank."""
