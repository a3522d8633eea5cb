"""What of a learner's code an answer needs: by the names that cells bind and use."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from symtable import SymbolTable, symtable

__all__ = ["Parsed", "checked_names", "definitions", "parsed"]

MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t\r]*)$", re.MULTILINE)
SEEN_THROUGH = re.compile(r"\A\s*(?:%%(?:time|capture)\b.*\n)+")
"""Magics of a whole cell that run it as it is."""
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)
_SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A cell as Python."""

    source: str
    """Without magics."""
    tree: ast.Module
    binds: frozenset[str]
    """Names that it gives a value, or changes; "*" for what a star imports."""
    uses: frozenset[str]
    """Names that it needs from elsewhere."""


def parsed(source: str) -> Parsed | str:
    """The cell, without its magics; or why it is no Python."""
    source = SEEN_THROUGH.sub("", source)

    if source.lstrip().startswith("%%"):
        return "a cell with a magic (%%)"

    found = _tree(source)

    if isinstance(found, str):
        source = MAGIC.sub(r"\1pass", source)
        mended = _tree(source)
        found = mended if isinstance(mended, ast.Module) else found

    if isinstance(found, str):
        return found

    uses = (_used(source, found) - _defined(found)) | _early(found)
    binds = frozenset(_bound(found))
    return Parsed(source=source, tree=found, binds=binds, uses=frozenset(uses))


def definitions(cell: Parsed) -> Parsed | str:
    """What the cell imports and defines, and nothing that it does."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    kept: list[ast.stmt] = [each for each in cell.tree.body if isinstance(each, kinds)]

    try:
        return parsed(ast.unparse(ast.Module(body=kept, type_ignores=[])))
    except RecursionError:
        return "too deep to be written out"


def checked_names(tree: ast.Module) -> dict[str, str]:
    """Of each `kn.check("id", name)` in a cell: the name by id; "" where it is no name."""
    found: dict[str, str] = {}

    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="check") | ast.Name(id="check")):
                given = dict(zip(("identity", "answer"), node.args, strict=False))
                given |= {each.arg or "": each.value for each in node.keywords}
            case _:
                continue

        match given:
            case {"identity": ast.Constant(value=str(identity)), "answer": answer}:
                found[identity] = answer.id if isinstance(answer, ast.Name) else ""
            case _:
                pass

    return found


def _tree(source: str) -> ast.Module | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a learner's escapes
            return ast.parse(source)
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (ValueError, RecursionError, MemoryError):
        return "no Python can read it"


def _used(source: str, tree: ast.Module) -> set[str]:
    """The global names in it; of a cell that awaits all names, for Python will not tell."""
    try:
        return _globals(symtable(source, "<cell>", "exec"))
    except (SyntaxError, RecursionError, MemoryError):
        return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _globals(table: SymbolTable) -> set[str]:
    top = table.get_type() == "module"
    named = {
        s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())
    }
    return named.union(*map(_globals, table.get_children()))


def _outside(tree: ast.AST) -> list[ast.AST]:
    """Its nodes, without the insides of functions, classes and comprehensions."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]

    while waiting:
        node = waiting.pop()
        found.append(node)

        if not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)

    return found


def _early(tree: ast.Module) -> set[str]:
    """Names that it reads before it gives them a value, as x in `x = x + 1`."""
    known: set[str] = set()
    found: set[str] = set()

    for statement in tree.body:
        made = _defined(statement)

        if isinstance(statement, _SIMPLE):
            names = [node for node in _outside(statement) if isinstance(node, ast.Name)]
            read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            read |= made if isinstance(statement, ast.AugAssign) else set()
            found |= read - known

        known |= made

    return found & _defined(tree)


def _defined(tree: ast.AST) -> set[str]:
    """The names that it gives a value outright."""
    names: set[str] = set()

    for node in _outside(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.alias():
                names.add((node.asname or node.name).partition(".")[0])
            case _:
                pass

    return names


def _bound(tree: ast.Module) -> set[str]:
    """Those, and the names of things that it changes: `x.y = 1`, `x[0] = 1`, `x.append(1)`."""
    names = _defined(tree)

    for node in _outside(tree):
        match node:
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                names.add(_base(node))
            case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
                names.add(_base(method))
            case _:
                pass

    return names - {"", "kn"}


def _base(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value

    return node.id if isinstance(node, ast.Name) else ""
