"""What the functions of a module have to return, found by calling the ones without a fault."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from copy import deepcopy
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

from kimi_nb.worlds.broken_code.template import Draw

__all__ = ["Case", "Modules", "drawn", "load", "outcome", "plain"]

SEEN, HIDDEN = 3, 6
"""Drawn calls of each function that its tests show, and that only the grader makes."""
TRIES = 60

Modules = Mapping[str, ModuleType]
"""Loaded modules by their dotted names."""


class Case(NamedTuple):
    """One call with its truth."""

    function: str
    arguments: tuple[Any, ...]
    value: Any
    error: str
    """The class of the exception, instead of a value; "" for a value."""
    hidden: bool


def load(name: str, source: str, others: Modules) -> ModuleType:
    """The module of a source of ours; it imports only `others` and the standard library."""

    def imported(target: str, *rest: Any) -> ModuleType:
        found = others.get(target)
        return found if found is not None else builtins.__import__(target, *rest)

    module = ModuleType(name)
    vars(module)["__builtins__"] = {**vars(builtins), "__import__": imported}
    exec(compile(source, f"<{name}>", "exec"), vars(module))  # noqa: S102 - our own templates
    return module


def outcome(module: ModuleType, function: str, arguments: tuple[Any, ...]) -> tuple[Any, str]:
    """The value or the class of the exception of one call."""
    try:
        return getattr(module, function)(*deepcopy(arguments)), ""
    except Exception as error:  # noqa: BLE001 - a fault of the world's may raise anything
        return None, type(error).__name__


def plain(value: Any) -> Any:
    """The value as JSON has it."""
    return json.loads(json.dumps(value))


def drawn(
    module: ModuleType, calls: Mapping[str, Draw], edges: Mapping[str, Any], draw: Random
) -> list[Case]:
    """Cases of all functions, no call twice: those of the tests first, then the hidden ones."""
    found: list[Case] = []

    for function, arguments in calls.items():
        wanted = [(tuple(each), False) for each in edges.get(function, ())]
        wanted += [(tuple(arguments(draw)), n >= SEEN) for n in range(TRIES)]
        known: list[tuple[Any, ...]] = []
        room = {False: SEEN + len(edges.get(function, ())), True: HIDDEN}

        for each, hidden in wanted:
            if each not in known and room[hidden]:
                known.append(each)
                room[hidden] -= 1
                found.append(Case(function, each, *outcome(module, function, each), hidden))

    return found
