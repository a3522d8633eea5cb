"""What to write into a module so that its tests pass: the best guesses first."""

from __future__ import annotations

import ast
import difflib
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from kimi_nb.models.simulator.skills.code.building import built
from kimi_nb.models.simulator.skills.code.edits import Edit, applied, token_edits
from kimi_nb.models.simulator.skills.code.mind import Mind, Unknown
from kimi_nb.models.simulator.skills.code.shapes import shape_edits

__all__ = ["Proposal", "parsed", "proposals", "wanted_elsewhere"]

MOST_STEPS = 2_000_000
"""Steps of thought about one module."""
MOST = 6
LARGEST = 20_000


class Proposal(NamedTuple):
    """A source for the module, and what is new about it."""

    source: str
    what: str


def parsed(source: str) -> ast.Module | None:
    """The syntax tree; None for what is no Python, or too much of it."""
    if len(source) > LARGEST:
        return None

    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def wanted_elsewhere(source: str, tests: str, module: str) -> list[str]:
    """Names that the tests import from the module, and that nothing in it is like."""
    tree, test_tree = parsed(source), parsed(tests)

    if tree is None or test_tree is None:
        return []

    return [name for name in _missing(tree, test_tree, module) if not _renamed(tree, name)]


def proposals(
    module: str, sources: Mapping[str, str], tests: str, moved: str = ""
) -> tuple[Proposal, ...]:
    """At most MOST, those that pass in thought before those of which thought cannot tell.

    `sources`: the module and those that it imports, by dotted name. `moved`: the source of
    functions that it is to take in.
    """
    return _found(module, tuple(sorted(sources.items())), tests, moved)


@lru_cache(maxsize=256)
def _found(
    module: str, sources: tuple[tuple[str, str], ...], tests: str, moved: str
) -> tuple[Proposal, ...]:
    known = dict(sources)
    trees = {name: tree for name, text in known.items() if (tree := parsed(text))}
    test_tree = parsed(tests)

    if test_tree is None or module not in trees:
        return ()

    source, said = _restructured(module, known[module], test_tree, moved)
    search = _Search(module, trees, test_tree)

    if said:
        verdict = search.verdict(source)

        if verdict is not False:
            return (Proposal(source, said),)

    return tuple(search.passing(source, said))


def _restructured(module: str, source: str, tests: ast.Module, moved: str) -> tuple[str, str]:
    """The source with what is plainly missing, and what that was."""
    said: list[str] = []
    tree = ast.parse(source)

    for name in _missing(tree, tests, module):
        if moved and re.search(rf"(?m)^def {name}\b", moved):
            source = f"{source.rstrip()}\n\n\n{moved.strip()}\n"
            said.append(f"moved {name} here")
        elif old := _renamed(tree, name):
            source = re.sub(rf"\b{old}\b", name, source)
            said.append(f"renamed {old} to {name}")

    tree = parsed(source)
    full = built(source, tree) if tree else source

    if full.strip() != source.strip():
        said.append(f"built {', '.join(_open(tree.body if tree else []))}")
        source = full

    return source, "; ".join(said)


def _open(body: list[ast.stmt]) -> list[str]:
    """The functions that do nothing but refuse."""
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Raise)
    ]


def _missing(tree: ast.Module, tests: ast.Module, module: str) -> list[str]:
    defined = {
        name.id if isinstance(name, ast.Name) else name.name
        for node in tree.body
        for name in ([node] if isinstance(node, ast.FunctionDef | ast.ClassDef) else ast.walk(node))
        if isinstance(name, ast.Name | ast.FunctionDef | ast.ClassDef | ast.alias)
    }
    return [
        alias.name
        for node in tests.body
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
        if alias.name not in defined
    ]


def _renamed(tree: ast.Module, name: str) -> str:
    """The function that is this one under another name; "" if none is like it."""
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    holding = [each for each in names if name in each]
    return next(iter(holding or difflib.get_close_matches(name, names, 1, 0.75)), "")


class _Search:
    """The search for a change that makes all tests of a module pass."""

    def __init__(self, module: str, trees: dict[str, ast.Module], tests: ast.Module) -> None:
        self.module = module
        self.trees = trees
        self.tests = tests
        self.names = [
            node.name
            for node in tests.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        ]
        self.spent = 0

    def verdict(self, source: str) -> bool | None:
        """Whether all tests would pass; None: thought cannot tell."""
        tree = parsed(source)

        if tree is None:
            return False

        mind = Mind({**self.trees, self.module: tree})
        untold = False

        for name in self.names:
            try:
                if not mind.passes(self.tests, name):
                    self.spent += mind.spent
                    # What fails one candidate fails the next as well: it is asked first.
                    self.names.remove(name)
                    self.names.insert(0, name)
                    return False
            except Unknown:
                untold = True

        self.spent += mind.spent
        return None if untold else True

    def passing(self, source: str, said: str) -> Iterator[Proposal]:
        found: list[Proposal] = []
        untold: list[Proposal] = []
        before = f"{said}; " if said else ""
        likely = 0

        for edit in _candidates(source, self._suspects(source)):
            if found and edit.likely > likely:
                break

            text = applied(source, edit)
            verdict = self.verdict(text)

            if verdict is not False:
                what = before + _told(source, edit)
                (found if verdict else untold).append(Proposal(text, what))
                likely = edit.likely

            if len(found) >= MOST or self.spent > MOST_STEPS:
                break

        yield from [*found, *untold][:MOST]

    def _suspects(self, source: str) -> frozenset[int]:
        """Lines of the functions that failing tests reach, and those outside of functions."""
        tree = ast.parse(source)
        functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        mind = Mind({**self.trees, self.module: tree})
        reached = {
            name
            for node in self.tests.body
            if isinstance(node, ast.FunctionDef) and _fails(mind, self.tests, node.name)
            for name in _used(node)
        }
        waiting = [name for name in reached if name in functions]

        while waiting:
            new = _used(functions[waiting.pop()]) - reached
            reached |= new
            waiting += [name for name in new if name in functions]

        spared = {name for name in functions if name not in reached}
        away = {n for name in spared for n in _lines_of(functions[name])}
        return frozenset(range(1, len(source.splitlines()) + 1)) - away


def _fails(mind: Mind, tests: ast.Module, name: str) -> bool:
    try:
        return not mind.passes(tests, name)
    except Unknown:
        return True


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _candidates(source: str, lines: frozenset[int]) -> list[Edit]:
    """All changes, the likely ones first."""
    tree = ast.parse(source)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    fields = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _is_own(n)}

    try:
        tokens = list(token_edits(source, lines, frozenset(names | fields)))
    except (tokenize.TokenError, IndentationError):
        return []

    found = [*tokens, *shape_edits(source, tree, lines)]
    return sorted(dict.fromkeys(found), key=lambda edit: edit.likely)


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _told(source: str, edit: Edit) -> str:
    line = source.count("\n", 0, edit.start)
    before = source.splitlines()[line].strip()
    after = applied(source, edit).splitlines()[line].strip()
    return f"line {line + 1}: {before} → {after}"
