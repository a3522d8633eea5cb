"""The source of a function as a learner would type it: without annotations, and what linters read.

Their names belong to the module in which the function stands, and are unknown in a notebook.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator

__all__ = ["bare"]

Cut = tuple[int, int, int]
"""A line, and from which byte of it to which."""


def bare(function: Callable[..., object]) -> str:
    """The function's source, its annotations left out; each has to stand in one line.

    What is said to a linter is left out as well.
    """
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    lines = [line.encode() for line in source.splitlines()]

    for line, start, end in sorted(_cuts(ast.parse(source), lines), reverse=True):
        lines[line] = lines[line][:start] + lines[line][end:]

    return re.sub(r" *# noqa.*", "", b"\n".join(lines).decode())


def _cuts(tree: ast.AST, lines: list[bytes]) -> Iterator[Cut]:
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as said):
                yield _after(node.lineno, node.col_offset + len(node.arg.encode()), said)
            case ast.AnnAssign(value=ast.expr()):
                yield _after(node.lineno, node.target.end_col_offset or 0, node.annotation)
            case ast.FunctionDef(returns=ast.expr() as said):
                arrow = lines[said.lineno - 1].rindex(b"->", 0, said.col_offset)
                closed = len(lines[said.lineno - 1][:arrow].rstrip())
                yield _after(said.lineno, closed, said)
            case _:
                pass


def _after(line: int, start: int, said: ast.expr) -> Cut:
    return line - 1, start, said.end_col_offset or start
