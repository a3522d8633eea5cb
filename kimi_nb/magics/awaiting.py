"""`%%swarm` becomes `await get_ipython().run_cell_magic('swarm', …)`.

Only a cell that awaits on the kernel's own loop lets the page's messages in while it runs
and answers to the stop button.
"""

from __future__ import annotations

import ast
from typing import TypeGuard

__all__ = ["prefix_await"]

MAGICS = {"run_cell_magic", "run_line_magic"}


def prefix_await(lines: list[str]) -> list[str]:
    """The lines of a cell as IPython has transformed them, with `await ` where a swarm is awaited.

    For `shell.input_transformers_post`. `%%swarm --background` and `%swarm status` and the
    like are left alone, as is everything with autoawait off.
    """
    source = "".join(lines)

    if "'swarm'" not in source:
        return lines

    try:
        tree = ast.parse(source)
    except SyntaxError:
        return lines

    places = [
        (node.lineno - 1, node.col_offset)
        for node in (_value(statement) for statement in tree.body)
        if _is_awaited(node)
    ]

    for row, column in places:
        line = lines[row].encode()
        lines[row] = (line[:column] + b"await " + line[column:]).decode()

    return lines


def _value(statement: ast.stmt) -> ast.expr | None:
    return statement.value if isinstance(statement, ast.Expr | ast.Assign) else None


def _is_awaited(node: ast.expr | None) -> TypeGuard[ast.Call]:
    if not (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in MAGICS
        and len(node.args) > 1
    ):
        return False

    values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]

    if values[:1] != ["swarm"] or not _autoawait():
        return False

    words = str(values[1]).split() if len(values) > 1 else []
    in_cell = node.func.attr == "run_cell_magic"
    return "--background" not in words and (in_cell or words[:1] == ["resume"])


def _autoawait() -> bool:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and shell.autoawait
