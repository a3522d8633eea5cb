"""Modules thought through: their functions are run by hand, step by step."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from kimi_nb.models.simulator.skills.code.mind.expressions import assign, value_of
from kimi_nb.models.simulator.skills.code.mind.limits import Raised, Unknown
from kimi_nb.models.simulator.skills.code.mind.scope import Instance, Names, Scope

__all__ = ["Mind"]

STEPS = 60_000
"""Of one test."""
DEPTH = 20
_HARMLESS = frozenset({"__future__", "collections", "math", "typing"})


class _Back(Exception):  # how a `return` comes out of its statements
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _Broken(Exception):
    pass


class _Continued(Exception):
    pass


class Mind:
    """Some modules by their dotted names, as syntax. Nothing of them is executed by Python."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        self._loaded: dict[str, Scope] = {}
        self._left = STEPS
        self._depth = 0
        self.spent = 0
        """Steps of all tests so far."""

    def step(self) -> None:
        """Count one. Raises Raised if there are too many: an endless loop is a failure."""
        self._left -= 1
        self.spent += 1

        if self._left < 0:
            raise Raised("TimeoutError")

    def passes(self, tests: ast.Module, name: str) -> bool:
        """Whether a test function would pass. Raises Unknown where that cannot be told."""
        self._left = STEPS
        self._depth = 0
        self._loaded.clear()

        try:
            scope = self._run_module(tests)
            scope.find(name)()
        except Raised:
            return False
        except RecursionError as error:
            raise Unknown("deep recursion") from error

        return True

    def made(self, node: ast.Lambda | ast.FunctionDef, scope: Scope) -> Callable[..., Any]:
        """The function that a definition makes."""
        parameters = node.args

        if parameters.vararg or parameters.kwarg or parameters.posonlyargs:
            raise Unknown("* in a definition")

        names = [each.arg for each in (*parameters.args, *parameters.kwonlyargs)]
        defaults = self._defaults(parameters, scope)

        def called(*given: Any, **named: Any) -> Any:
            inner = Scope(self, scope)
            inner.names.update(_bound(names, len(parameters.args), defaults, given, named))
            return self._entered(node, inner)

        return called

    def _defaults(self, parameters: ast.arguments, scope: Scope) -> Names:
        last = parameters.args[len(parameters.args) - len(parameters.defaults) :]
        pairs = [*zip(last, parameters.defaults, strict=True)]
        pairs += [
            (each, default)
            for each, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
            if default
        ]
        return {each.arg: value_of(default, scope) for each, default in pairs}

    def _entered(self, node: ast.Lambda | ast.FunctionDef, scope: Scope) -> Any:
        self._depth += 1

        if self._depth > DEPTH:
            raise Raised("RecursionError")

        try:
            if isinstance(node, ast.Lambda):
                return value_of(node.body, scope)

            self._run(node.body, scope)
        except _Back as back:
            return back.value
        finally:
            self._depth -= 1

        return None

    def _run_module(self, tree: ast.Module) -> Scope:
        scope = Scope(self)
        self._run(tree.body, scope)
        return scope

    def _module(self, name: str) -> Scope:
        if name not in self._loaded:
            if name not in self._trees:
                raise Unknown(f"the module {name}")

            self._loaded[name] = self._run_module(self._trees[name])

        return self._loaded[name]

    def _run(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self.step()
            self._do(statement, scope)

    def _do(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.Expr():
                value_of(statement.value, scope)
            case ast.Assign(targets=[target]):
                assign(target, value_of(statement.value, scope), scope)
            case ast.AugAssign():
                self._augment(statement, scope)
            case ast.Return():
                raise _Back(statement.value and value_of(statement.value, scope))
            case ast.FunctionDef(decorator_list=[]):
                scope.names[statement.name] = self.made(statement, scope)
            case ast.Import() | ast.ImportFrom():
                self._import(statement, scope)
            case ast.ClassDef(bases=[], keywords=[], decorator_list=[]):
                self._define(statement, scope)
            case _:
                self._control(statement, scope)

    def _control(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.If():
                test = value_of(statement.test, scope)
                self._run(statement.body if test else statement.orelse, scope)
            case ast.For(orelse=[]):
                self._loop(statement, scope)
            case ast.While(orelse=[]):
                self._repeat(statement, scope)
            case ast.With(items=[ast.withitem(context_expr=ast.Call() as call)]):
                self._expect(call, statement.body, scope)
            case _:
                self._jump(statement, scope)

    def _jump(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.Raise(exc=ast.expr() as error):
                raise Raised(_class_of(error))
            case ast.Assert():
                if not value_of(statement.test, scope):
                    raise Raised("AssertionError")
            case ast.Break():
                raise _Broken
            case ast.Continue():
                raise _Continued
            case ast.Pass():
                pass
            case _:
                raise Unknown(type(statement).__name__)

    def _augment(self, statement: ast.AugAssign, scope: Scope) -> None:
        whole = ast.BinOp(statement.target, statement.op, statement.value)
        assign(statement.target, value_of(whole, scope), scope)

    def _loop(self, statement: ast.For, scope: Scope) -> None:
        try:
            for item in value_of(statement.iter, scope):
                self.step()
                assign(statement.target, item, scope)

                try:
                    self._run(statement.body, scope)
                except _Continued:
                    continue
        except _Broken:
            return
        except (TypeError, ValueError) as error:
            raise Raised(type(error).__name__) from error

    def _repeat(self, statement: ast.While, scope: Scope) -> None:
        try:
            while value_of(statement.test, scope):
                try:
                    self._run(statement.body, scope)
                except _Continued:
                    continue
        except _Broken:
            return

    def _expect(self, call: ast.Call, body: list[ast.stmt], scope: Scope) -> None:
        if ast.unparse(call.func) != "pytest.raises" or len(call.args) != 1:
            raise Unknown("with")

        try:
            self._run(body, scope)
        except Raised as raised:
            if raised.name == ast.unparse(call.args[0]):
                return

            raise

        raise Raised("Failed")

    def _import(self, statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(statement, ast.Import):
            return  # `math.x` and `pytest.raises` are known by how they are written

        module = statement.module or ""

        for alias in statement.names:
            name = alias.asname or alias.name

            if module in _HARMLESS:
                continue  # where such a name is needed, it turns out unknown

            found = self._module(module).names

            if alias.name not in found:
                raise Raised("ImportError")

            scope.names[name] = found[alias.name]

    def _define(self, statement: ast.ClassDef, scope: Scope) -> None:
        methods: Names = {
            each.name: self.made(each, scope)
            for each in statement.body
            if isinstance(each, ast.FunctionDef)
        }

        def created(*given: Any, **named: Any) -> Instance:
            instance = Instance(methods)

            if "__init__" in methods:
                methods["__init__"](instance, *given, **named)

            return instance

        scope.names[statement.name] = created


def _class_of(error: ast.expr) -> str:
    return ast.unparse(error.func if isinstance(error, ast.Call) else error)


def _bound(
    names: list[str], positional: int, defaults: Names, given: tuple[Any, ...], named: Names
) -> Names:
    """The parameters' values. Raises Raised for a call that does not fit."""
    found = {**defaults, **dict(zip(names, given, strict=False)), **named}

    if len(given) > positional or set(found) != set(names):
        raise Raised("TypeError")

    return found
