"""What operators make of values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, cast

from kimi_nb.models.simulator.skills.code.mind.limits import LONGEST, MOST_BITS, Unknown, bounded

__all__ = ["BINARY", "COMPARE", "UNARY"]

_SEQUENCES = (str, list, tuple)


def _times(a: Any, b: Any) -> Any:
    for sequence, number in ((a, b), (b, a)):
        longer = isinstance(sequence, _SEQUENCES) and isinstance(number, int)

        if longer and len(cast("str", sequence)) * max(number, 0) > LONGEST:
            raise Unknown("a long value")

    return bounded(a) * bounded(b)


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a.bit_length() * abs(b) > MOST_BITS:
        raise Unknown("a large power")

    return a**b


def _modulo(a: Any, b: Any) -> Any:
    if isinstance(a, str):
        raise Unknown("formatting")

    return a % b


BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _times,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: _modulo,
    ast.Pow: _power,
    ast.BitOr: lambda a, b: a | b,
    ast.BitAnd: lambda a, b: a & b,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
