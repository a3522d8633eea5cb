"""What the package offers by name, and what its modules offer one another."""

from __future__ import annotations

import ast
import importlib
import types
from pathlib import Path

import pytest

import kimi_nb

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "kimi_nb").rglob("*.py"))
    if path.name != "__main__.py"
}
ELSEWHERE = {"kimi_nb.parl.llm.verl_loop"}  # needs verl, which runs on clusters


def listed(path: Path) -> list[str] | None:
    """`__all__` as the file has it, without importing it."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)

    return None


def borrowed(path: Path) -> list[tuple[str, str]]:
    """(module, name) for every `from module import name` within the package."""
    return [
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kimi_nb")
        for alias in node.names
    ]


def defined(path: Path) -> set[str]:
    """The functions and classes at the top of a module that cannot be imported here."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {
        node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, kinds)
    }


def test_all_is_what_the_package_offers() -> None:
    offered = {
        name
        for name in dir(kimi_nb)
        if not name.startswith("_")
        and not isinstance(getattr(kimi_nb, name), types.ModuleType)
        and name not in {"TYPE_CHECKING", "annotations"}
    }
    modules = {"parl", "tools", "worlds"}  # used as kn.worlds.wide
    assert offered == set(kimi_nb.__all__) - {"__version__"} - modules


def test_all_has_no_name_twice() -> None:
    assert len(set(kimi_nb.__all__)) == len(kimi_nb.__all__)


def test_every_name_of_the_package_is_there_and_explained() -> None:
    values = {name: getattr(kimi_nb, name) for name in kimi_nb.__all__}
    assert [name for name, value in values.items() if callable(value) and not value.__doc__] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_what_its_all_lists(module: str) -> None:
    names = listed(MODULES[module])

    if names is None:
        path = MODULES[module]
        assert path.name == "__init__.py", f"{path} lists nothing in __all__"
        return

    there = (
        defined(MODULES[module]) if module in ELSEWHERE else vars(importlib.import_module(module))
    )
    lazy = "__getattr__" in there
    assert [name for name in names if name not in there and not lazy] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("module", MODULES)
def test_modules_borrow_only_what_is_listed(module: str) -> None:
    strangers = [
        f"{origin}.{name}"
        for origin, name in borrowed(MODULES[module])
        if f"{origin}.{name}" not in MODULES and name not in (listed(MODULES[origin]) or ())
    ]
    assert strangers == []
