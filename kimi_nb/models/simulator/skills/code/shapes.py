"""Changes of whole expressions: wrapped, unwrapped, swapped, returned."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kimi_nb.models.simulator.skills.code.edits import Edit, Lines

__all__ = ["shape_edits"]

_WRAPPED = ("sorted({})", "abs({})", "int({})", "not {}", "-{}", "{}[::-1]", "str({})", "len({})")


def shape_edits(source: str, tree: ast.Module, lines: frozenset[int]) -> Iterator[Edit]:
    """Changes of the expressions that begin in those lines."""
    places = Lines(source)

    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) not in lines:
            continue

        if isinstance(node, ast.FunctionDef):
            yield from _ends(node, places)
        elif isinstance(node, ast.stmt):
            yield from _statement(source, node, places)
        elif isinstance(node, ast.expr):
            yield from _expression(source, node, places)


def _ends(node: ast.FunctionDef, places: Lines) -> Iterator[Edit]:
    """A function whose last line has a value that nobody gets."""
    last = node.body[-1]

    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant):
        start, _ = places.span(last)
        yield Edit(0, start, start, "return ")

    if isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        start, end = places.span(last.value)
        yield Edit(1, places.span(last)[0], start, "return ")
        yield Edit(1, end, end, f"\n    return {last.targets[0].id}")


def _statement(source: str, node: ast.stmt, places: Lines) -> Iterator[Edit]:
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    names = [each for each in names if each.end_lineno == node.lineno][:8]

    for place, left in enumerate(names):
        for right in names[place + 1 :]:
            if left.id != right.id:
                yield _swapped(source, left, right, places, 3)


def _expression(source: str, node: ast.expr, places: Lines) -> Iterator[Edit]:
    start, end = places.span(node)
    text = source[start:end]

    match node:
        case ast.BinOp() | ast.Compare(ops=[_]):
            right = node.right if isinstance(node, ast.BinOp) else node.comparators[0]
            yield _swapped(source, node.left, right, places, 1)
            yield from (
                Edit(2, start, end, source[slice(*places.span(e))]) for e in (node.left, right)
            )
        case ast.UnaryOp():
            yield Edit(0, start, end, source[slice(*places.span(node.operand))])
        case ast.Subscript(slice=ast.Slice()):
            yield Edit(2, start, end, source[slice(*places.span(node.value))])
        case ast.Call(args=[only], keywords=[]):
            yield Edit(3, start, end, source[slice(*places.span(only))])
        case ast.Call(args=[first, second, *_]):
            yield _swapped(source, first, second, places, 1)
        case _:
            pass

    if isinstance(node, ast.Name | ast.Call | ast.Subscript | ast.Attribute | ast.ListComp):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            return

        for wrapped in _WRAPPED:
            yield Edit(_how_likely(wrapped, node), start, end, wrapped.format(text))


def _how_likely(wrapped: str, node: ast.expr) -> int:
    if wrapped.startswith("not"):
        return 1 if isinstance(node, ast.Call) else 3

    return 2 if wrapped[0] in "sa-{" and "len" not in wrapped else 3


def _swapped(source: str, left: ast.expr, right: ast.expr, places: Lines, likely: int) -> Edit:
    first, second = sorted((places.span(left), places.span(right)))
    between = source[first[1] : second[0]]
    text = source[slice(*second)] + between + source[slice(*first)]
    return Edit(likely, first[0], second[1], text)
