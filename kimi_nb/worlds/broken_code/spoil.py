"""The faults: what a module looks like before it is mended."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from kimi_nb.worlds.broken_code.cases import Case, Modules, load, outcome
from kimi_nb.worlds.broken_code.steps import Untold, unbuilt
from kimi_nb.worlds.broken_code.template import faults_of, intact, with_fault

__all__ = ["Spoilt", "spoilt"]

OTHER_NAMES = ("old_{}", "{}_v1", "_{}", "do_{}")


class Spoilt(NamedTuple):
    """A source with a fault."""

    kind: str
    source: str
    elsewhere: str = ""
    """The source of a second file that holds what was moved out; "" for none."""


def spoilt(
    wanted: str, marked: str, cases: Sequence[Case], others: Modules, draw: Random
) -> Spoilt:
    """A fault that the tests show, and the hidden cases too.

    `wanted`: "debug", "build", "rename" or "move"; another one where the source has no such.
    """
    order = [wanted, *(kind for kind in _MAKERS if kind != wanted)]

    for kind in order:
        for found in _MAKERS[kind](marked, cases, draw):
            if _shows(found.source, cases, others):
                return found

    raise AssertionError(marked)


def _shows(source: str, cases: Sequence[Case], others: Modules) -> bool:
    module = load("spoilt", source, others)
    wrong = {
        case.hidden
        for case in cases
        if outcome(module, case.function, case.arguments) != (case.value, case.error)
    }
    return wrong == {True, False}


def _debug(marked: str, _: Sequence[Case], draw: Random) -> Iterator[Spoilt]:
    faults = faults_of(marked)

    for fault in draw.sample(faults, len(faults)):
        yield Spoilt(fault.kind, with_fault(marked, (fault.place,)))


def _build(marked: str, cases: Sequence[Case], draw: Random) -> Iterator[Spoilt]:
    source = intact(marked)

    for function in _shuffled(source, cases, draw):
        try:
            told = unbuilt(function)
        except Untold:
            continue

        before, after = _around(source, function)
        yield Spoilt("build", f"{before}{told}\n{after}")


def _rename(marked: str, cases: Sequence[Case], draw: Random) -> Iterator[Spoilt]:
    source = intact(marked)

    for function in _shuffled(source, cases, draw):
        other = draw.choice(OTHER_NAMES).format(function.name)
        yield Spoilt("rename", re.sub(rf"\b{function.name}\b", other, source))


def _move(marked: str, cases: Sequence[Case], draw: Random) -> Iterator[Spoilt]:
    source = intact(marked)

    for function in _shuffled(source, cases, draw):
        if not _stands_alone(function, source):
            continue

        before, after = _around(source, function)
        text = ast.get_source_segment(source, function)
        left = f"{before.rstrip()}\n\n\n{after.lstrip()}".rstrip() + "\n"
        yield Spoilt("move", left, f'"""What has no place yet."""\n\n\n{text}\n')


_MAKERS = {"debug": _debug, "build": _build, "rename": _rename, "move": _move}


def _shuffled(source: str, cases: Sequence[Case], draw: Random) -> list[ast.FunctionDef]:
    tested = {case.function for case in cases}
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name in tested
    ]
    return draw.sample(found, len(found))


def _around(source: str, function: ast.FunctionDef) -> tuple[str, str]:
    lines = source.splitlines(keepends=True)
    return "".join(lines[: function.lineno - 1]), "".join(lines[function.end_lineno :])


def _stands_alone(function: ast.FunctionDef, source: str) -> bool:
    """Neither it nor the rest of the module needs a name of the other."""
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    top = {name for node in ast.parse(source).body for name in _defined(node)}
    rest = "".join(_around(source, function))
    return not used & top and not re.search(rf"\b{function.name}\b", rest)


def _defined(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        case ast.ImportFrom():
            return {alias.asname or alias.name for alias in node.names}
        case _:
            return set()
