"""Sources of notebooks, written by a test."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from building.finding import Finding
from building.source import Source, read

__all__ = ["FRONT", "code", "en", "lines", "said", "source", "zh"]

FRONT = """\
---
title: {en: "Two and two", zh: "二加二"}
claim: {en: "It is four.", zh: "等于四。"}
objectives:
  - {en: "add", zh: "做加法"}
  - {en: "count", zh: "数数"}
  - {en: "tell", zh: "说明"}
---
"""


def en(text: str) -> str:
    return f'+++ {{"lang": "en"}}\n\n{text}\n'


def zh(text: str, of: str = "") -> str:
    stamp = f', "of": "{of}"' if of else ""
    return f'+++ {{"lang": "zh"{stamp}}}\n\n{text}\n'


def code(text: str, *options: str) -> str:
    return "\n".join(["```{code-cell} ipython3", *options, dedent(text).strip(), "```\n"])


def source(folder: Path, *parts: str, front: str = FRONT, name: str = "03-two.md") -> Source:
    """Written to the folder `src` in another one, and read."""
    path = folder / "src" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([front, *parts]), encoding="utf-8")
    return read(path)


def lines(made: Source, mark: str) -> list[int]:
    """The lines of the file that hold the mark, from 1."""
    rows = made.path.read_text(encoding="utf-8").splitlines()
    return [number for number, row in enumerate(rows, 1) if mark in row]


def said(findings: object) -> list[tuple[int, str]]:
    """Lines and texts of findings."""
    found: list[Finding] = list(findings)  # type: ignore[call-overload]
    return [(finding.line, finding.says) for finding in found]
