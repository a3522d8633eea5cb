"""Functions built from the steps that their docstrings tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

__all__ = ["built"]

_CODE = r"`([^`]+)`"
_SENTENCES = (
    (re.compile(rf"Let {_CODE} be {_CODE}\."), "{0} = {1}"),
    (re.compile(rf"Add {_CODE} to {_CODE}\."), "{1} += {0}"),
    (re.compile(rf"Return {_CODE}\."), "return {0}"),
    (re.compile(rf"Raise {_CODE}\."), "raise {0}"),
    (re.compile(rf"Call {_CODE}\."), "{0}"),
    (re.compile(r"Go on with the next one\."), "continue"),
    (re.compile(rf"For each {_CODE} in {_CODE}:"), "for {0} in {1}:"),
    (re.compile(rf"As long as {_CODE}:"), "while {0}:"),
    (re.compile(rf"If {_CODE}:"), "if {0}:"),
    (re.compile(rf"Otherwise, if {_CODE}:"), "elif {0}:"),
    (re.compile(r"Otherwise:"), "else:"),
)


def built(source: str, tree: ast.Module) -> str:
    """The source with all functions built whose steps are told; the same if there are none."""
    lines = source.splitlines()

    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and (body := _body(node)):
            first = node.body[0]
            lines[first.lineno - 1 : node.end_lineno] = [f"    {line}" for line in body]

    return "\n".join(lines) + "\n"


def _body(node: ast.FunctionDef) -> list[str]:
    """The lines of a body that is missing; [] if it is there, or told in other words."""
    match node.body:
        case [ast.Expr(), ast.Raise(exc=ast.expr() as error)]:
            text = ast.get_docstring(node) or ""
        case _:
            return []

    summary, _, steps = text.partition("Steps:")

    if not ast.unparse(error).startswith("NotImplementedError") or not steps:
        return []

    lines = list(_lines(steps))
    told = summary.strip()
    quoted = f'"""{told}"""' if "\n" not in told else f'"""{told}\n"""'
    return [*quoted.splitlines(), *lines] if all(lines) else []


def _lines(steps: str) -> Iterator[str]:
    """A line of code for each step; "" for a step that says nothing known."""
    for line in steps.splitlines():
        if line.strip():
            indent = len(line) - len(line.lstrip())
            code = _code(line.strip().removeprefix("- "))
            yield code and " " * indent + code


def _code(sentence: str) -> str:
    for pattern, template in _SENTENCES:
        if found := pattern.fullmatch(sentence):
            return template.format(*found.groups())

    return ""
