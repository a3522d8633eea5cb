"""The value of an expression, worked out from its syntax."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from kimi_nb.models.simulator.skills.code.mind.limits import (
    CONSTANTS,
    FUNCTIONS,
    METHODS,
    Raised,
    Unknown,
    bounded,
    check_arguments,
    held,
)
from kimi_nb.models.simulator.skills.code.mind.operators import BINARY, COMPARE, UNARY
from kimi_nb.models.simulator.skills.code.mind.scope import Instance, Names, Scope

__all__ = ["assign", "value_of"]


def value_of(node: ast.expr, scope: Scope) -> Any:
    """The value. Raises Raised if the code would, Unknown where it cannot be told."""
    scope.machine.step()
    handler = _HANDLERS.get(type(node))

    if handler is None:
        raise Unknown(type(node).__name__)

    try:
        return handler(node, scope)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise Raised(type(error).__name__) from error


def assign(target: ast.expr, value: Any, scope: Scope) -> None:
    """Let a name, an item, a field or several of these have a value."""
    held([value])

    match target:
        case ast.Name():
            scope.names[target.id] = value
        case ast.Tuple() | ast.List():
            parts = list(value)

            if len(parts) != len(target.elts) or any(
                isinstance(each, ast.Starred) for each in target.elts
            ):
                raise Raised("ValueError")

            for each, part in zip(target.elts, parts, strict=True):
                assign(each, part, scope)
        case ast.Subscript():
            holder = value_of(target.value, scope)

            if not isinstance(holder, list | dict) or isinstance(target.slice, ast.Slice):
                raise Unknown("an item of this")

            holder[value_of(target.slice, scope)] = value
            bounded(holder)
        case ast.Attribute():
            holder = value_of(target.value, scope)

            if not isinstance(holder, Instance):
                raise Unknown("a field of this")

            holder.fields[target.attr] = value
        case _:
            raise Unknown(type(target).__name__)


def _constant(node: ast.Constant, _: Scope) -> Any:
    return bounded(node.value)


def _name(node: ast.Name, scope: Scope) -> Any:
    return scope.find(node.id)


def _binary(node: ast.BinOp, scope: Scope) -> Any:
    operator = BINARY.get(type(node.op))

    if operator is None:
        raise Unknown("an operator")

    return bounded(operator(value_of(node.left, scope), value_of(node.right, scope)))


def _unary(node: ast.UnaryOp, scope: Scope) -> Any:
    operator = UNARY.get(type(node.op))

    if operator is None:
        raise Unknown("an operator")

    return operator(value_of(node.operand, scope))


def _boolean(node: ast.BoolOp, scope: Scope) -> Any:
    value: Any = None

    for each in node.values:
        value = value_of(each, scope)

        if bool(value) is isinstance(node.op, ast.Or):
            return value

    return value


def _compare(node: ast.Compare, scope: Scope) -> Any:
    left = value_of(node.left, scope)

    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = value_of(right_node, scope)

        if not COMPARE[type(op)](left, right):
            return False

        left = right

    return True


def _choice(node: ast.IfExp, scope: Scope) -> Any:
    return value_of(node.body if value_of(node.test, scope) else node.orelse, scope)


def _elements(nodes: list[ast.expr], scope: Scope) -> list[Any]:
    found: list[Any] = []

    for node in nodes:
        if isinstance(node, ast.Starred):
            found += list(value_of(node.value, scope))
        else:
            found.append(value_of(node, scope))

    held(found)
    return bounded(found)


def _dict(node: ast.Dict, scope: Scope) -> Any:
    if any(key is None for key in node.keys):
        raise Unknown("** in a dict")

    keys = _elements([key for key in node.keys if key], scope)
    return dict(zip(keys, _elements(node.values, scope), strict=True))


def _subscript(node: ast.Subscript, scope: Scope) -> Any:
    holder = value_of(node.value, scope)

    if not isinstance(holder, str | list | tuple | dict | range):
        raise Raised("TypeError")

    if isinstance(node.slice, ast.Slice):
        parts = (node.slice.lower, node.slice.upper, node.slice.step)
        return holder[slice(*(part and value_of(part, scope) for part in parts))]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]

    return holder[value_of(node.slice, scope)]  # pyright: ignore[reportUnknownVariableType]


def _attribute(node: ast.Attribute, scope: Scope) -> Any:
    if isinstance(node.value, ast.Name) and node.value.id == "math":
        name = f"math.{node.attr}"
        found = CONSTANTS.get(name, FUNCTIONS.get(name))

        if found is None:
            raise Unknown(name)

        return found

    holder = value_of(node.value, scope)

    if isinstance(holder, Instance):
        if node.attr in holder.fields:
            return holder.fields[node.attr]

        if node.attr not in holder.methods:
            raise Raised("AttributeError")

        return partial(holder.methods[node.attr], holder)

    return _method(holder, node.attr)


def _method(holder: Any, name: str) -> Callable[..., Any]:
    if not hasattr(holder, name):
        raise Raised("AttributeError")

    if not any(isinstance(holder, kind) and name in names for kind, names in METHODS.items()):
        raise Unknown(f"the method {name}")

    method = getattr(holder, name)

    def called(*arguments: Any, **named: Any) -> Any:
        if isinstance(holder, str):
            check_arguments(arguments)
        else:
            held([*arguments, *named.values()])

        result = method(*arguments, **named)
        bounded(holder)
        return result

    return called


def _call(node: ast.Call, scope: Scope) -> Any:
    function = value_of(node.func, scope)
    arguments = _elements(node.args, scope)
    named: Names = {}

    for keyword in node.keywords:
        if keyword.arg is None:
            raise Unknown("** in a call")

        named[keyword.arg] = value_of(keyword.value, scope)

    if not callable(function):
        raise Raised("TypeError")

    return bounded(function(*arguments, **named))


def _lambda(node: ast.Lambda, scope: Scope) -> Any:
    return scope.machine.made(node, scope)


def _comprehended(
    elements: list[ast.expr], generators: list[ast.comprehension], scope: Scope
) -> Iterator[list[Any]]:
    inner = Scope(scope.machine, scope)

    def nested(depth: int) -> Iterator[list[Any]]:
        if depth == len(generators):
            yield [value_of(each, inner) for each in elements]
            return

        generator = generators[depth]

        for item in value_of(generator.iter, inner if depth else scope):
            scope.machine.step()
            assign(generator.target, item, inner)

            if all(value_of(test, inner) for test in generator.ifs):
                yield from nested(depth + 1)

    return nested(0)


def _listed(node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope) -> Any:
    found = [value for (value,) in _comprehended([node.elt], node.generators, scope)]
    held(found)
    return bounded(set(found) if isinstance(node, ast.SetComp) else found)


def _dict_comp(node: ast.DictComp, scope: Scope) -> Any:
    pairs = list(_comprehended([node.key, node.value], node.generators, scope))
    held(value for _, value in pairs)
    return bounded({key: value for key, value in pairs})  # noqa: C416 - pairs are lists


_HANDLERS: dict[type[ast.expr], Callable[[Any, Scope], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.List: lambda node, scope: _elements(node.elts, scope),
    ast.Tuple: lambda node, scope: tuple(_elements(node.elts, scope)),
    ast.Set: lambda node, scope: set(_elements(node.elts, scope)),
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Lambda: _lambda,
    ast.ListComp: _listed,
    ast.GeneratorExp: _listed,
    ast.SetComp: _listed,
    ast.DictComp: _dict_comp,
}
