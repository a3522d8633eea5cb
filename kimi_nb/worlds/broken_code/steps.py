"""A function's body as steps in plain English, for one that is still to be built."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["Untold", "unbuilt"]


class Untold(Exception):
    """The body has something for which there is no sentence."""


def unbuilt(function: ast.FunctionDef) -> str:
    """The source of the function with its body told in its docstring. Raises Untold."""
    summary = ast.get_docstring(function) or ""
    head = f"def {function.name}({ast.unparse(function.args)}):"
    steps = [f"    {line}" for line in _told(function.body[1:], "")]
    lines = [
        head,
        f'    """{summary}',
        "",
        "    Steps:",
        *steps,
        '    """',
        f'    raise NotImplementedError("{function.name}")',
    ]
    return "\n".join(lines)


def _told(body: list[ast.stmt], indent: str) -> Iterator[str]:
    for statement in body:
        yield from (f"{indent}{line}" for line in _sentence(statement))


def _sentence(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.For(orelse=[]):
            yield f"- For each {_code(statement.target)} in {_code(statement.iter)}:"
            yield from _told(statement.body, "    ")
        case ast.While(orelse=[]):
            yield f"- As long as {_code(statement.test)}:"
            yield from _told(statement.body, "    ")
        case ast.If():
            yield from _branches(statement)
        case _:
            yield from _simple(statement)


def _simple(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=[target]):
            yield f"- Let {_code(target)} be {_code(statement.value)}."
        case ast.AugAssign(op=ast.Add()):
            yield f"- Add {_code(statement.value)} to {_code(statement.target)}."
        case ast.AugAssign():
            target = ast.parse(ast.unparse(statement.target), mode="eval").body
            whole = ast.BinOp(target, statement.op, statement.value)
            yield f"- Let {_code(target)} be {_code(whole)}."
        case ast.Return(value=ast.expr() as value):
            yield f"- Return {_code(value)}."
        case ast.Raise(exc=ast.expr() as error, cause=None):
            yield f"- Raise {_code(error)}."
        case ast.Continue():
            yield "- Go on with the next one."
        case ast.Expr():
            yield f"- Call {_code(statement.value)}."
        case _:
            raise Untold(type(statement).__name__)


def _branches(statement: ast.If) -> Iterator[str]:
    word = "If"
    branch: ast.If = statement

    while True:
        yield f"- {word} {_code(branch.test)}:"
        yield from _told(branch.body, "    ")
        word = "Otherwise, if"

        match branch.orelse:
            case [ast.If() as following]:
                branch = following
            case []:
                return
            case other:
                yield "- Otherwise:"
                yield from _told(other, "    ")
                return


def _code(node: ast.expr) -> str:
    text = ast.unparse(node)

    if "`" in text or "\\" in text or '"""' in text:
        raise Untold(text)

    return f"`{text}`"
