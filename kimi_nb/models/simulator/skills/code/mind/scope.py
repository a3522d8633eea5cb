"""Names and what they stand for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Protocol

from kimi_nb.models.simulator.skills.code.mind.limits import FUNCTIONS, Raised

__all__ = ["Instance", "Machine", "Names", "Scope"]

Names = dict[str, Any]


class Machine(Protocol):
    """Who counts the steps and runs the bodies of functions."""

    def step(self) -> None: ...
    def made(self, node: ast.Lambda, scope: Scope) -> Callable[..., Any]: ...


class Scope:
    """Names in force: those of a function, then those of its module."""

    __slots__ = ("machine", "names", "outer")

    def __init__(self, machine: Machine, outer: Scope | None = None) -> None:
        self.machine = machine
        self.names: Names = {}
        self.outer = outer

    def find(self, name: str) -> Any:
        scope: Scope | None = self

        while scope is not None:
            if name in scope.names:
                return scope.names[name]

            scope = scope.outer

        if name in FUNCTIONS:
            return FUNCTIONS[name]

        raise Raised("NameError")


class Instance:
    """An object of a class that the code defines."""

    __slots__ = ("fields", "methods")

    def __init__(self, methods: Names) -> None:
        self.methods = methods
        self.fields: Names = {}
