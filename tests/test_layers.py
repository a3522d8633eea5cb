"""The architecture as a test: imports point down only, and no file grows without bound."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "kimi_nb"
LONGEST = 300

LAYERS = (
    {"_version"},
    {"redact"},
    {"errors"},
    {"beside", "cluster_client", "events", "locked", "media", "patience", "regions"},
    {"trace"},
    {"models", "tools", "views"},
    {"swarm", "parl", "proxy"},
    {"worlds"},
    {"teach"},
    {"widgets"},
    {"magics", "cli"},
    {"__init__", "__main__"},
)
"""From the bottom up. A unit imports from the layers below it and from itself."""

NEVER = {("widgets", "swarm"), ("widgets", "parl")}
"""What lies below and is still out of bounds: a widget draws traces."""


class Arrow(NamedTuple):
    """One module imports another."""

    source: str
    line: int
    target: str


def modules(package: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found: dict[str, Path] = {}

    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path

    return found


def imported(tree: ast.AST, module: str, *, is_package: bool) -> list[tuple[int, str]]:
    """The dotted names that a module imports anywhere, in functions and strings too."""
    names: list[tuple[int, str]] = []
    parents = module.split(".") if is_package else module.split(".")[:-1]

    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names += [(node.lineno, alias.name) for alias in node.names]
            case ast.ImportFrom():
                base = parents[: len(parents) - node.level + 1] if node.level else []
                origin = ".".join([*base, *filter(None, [node.module])])
                names += [(node.lineno, f"{origin}.{alias.name}") for alias in node.names]
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__")
                | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names.append((node.lineno, name))
            case _:
                pass

    return names


def arrows(package: Path) -> list[Arrow]:
    """Every import of one module of the package by another."""
    known = modules(package)
    found: list[Arrow] = []

    for module, path in known.items():
        tree = ast.parse(path.read_text("utf-8"), str(path))

        for line, name in imported(tree, module, is_package=path.name == "__init__.py"):
            if name.split(".")[0] != package.name:
                continue

            target = name  # `from package.module import function` names no module: its origin does
            while target not in known and "." in target:
                target = target.rpartition(".")[0]

            if target != module:
                found.append(Arrow(module, line, target))

    return found


def unit(module: str) -> str:
    """What the layers speak of: a module or sub-package directly beneath the package."""
    return module.split(".")[1] if "." in module else "__init__"


def rank(name: str) -> int:
    for height, layer in enumerate(LAYERS):
        if name in layer:
            return height

    pytest.fail(f"{name} has no layer yet: give it one in {Path(__file__).name}")


def wrong_arrows(package: Path) -> list[Arrow]:
    """Imports that point up or sideways."""
    return [
        arrow
        for arrow in arrows(package)
        if (pair := (unit(arrow.source), unit(arrow.target)))[0] != pair[1]
        and (rank(pair[0]) <= rank(pair[1]) or pair in NEVER)
    ]


def cycle(package: Path) -> list[str]:
    """Modules that import one another in a ring; [] if there is none."""
    graph: dict[str, set[str]] = {name: set() for name in modules(package)}

    for arrow in arrows(package):
        graph[arrow.source].add(arrow.target)

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]

    return []


def test_imports_point_down() -> None:
    assert wrong_arrows(PACKAGE) == []


def test_no_module_imports_itself_by_a_detour() -> None:
    assert cycle(PACKAGE) == []


def test_every_unit_has_one_layer() -> None:
    units = {unit(name) for name in modules(PACKAGE)}
    assert [name for name in units if sum(name in layer for layer in LAYERS) != 1] == []


def test_files_stay_readable_in_one_sitting() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def build(folder: Path, files: dict[str, str]) -> Path:
    package = folder / "kimi_nb"

    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, "utf-8")

    return package


@pytest.mark.parametrize(
    ("name", "text", "target"),
    [
        ("errors.py", "from kimi_nb.events import Fact", "kimi_nb.events"),
        ("trace.py", "def f():\n    from kimi_nb.swarm import run", "kimi_nb.swarm.run"),
        ("models/chat.py", "import kimi_nb.tools.python", "kimi_nb.tools.python"),
        ("tools/python.py", "from ..views import usage", "kimi_nb.views.usage"),
        (
            "views/graph.py",
            "if TYPE_CHECKING:\n    from ..swarm.run import Run",
            "kimi_nb.swarm.run",
        ),
        ("swarm/run.py", "from kimi_nb import swarm, magics", "kimi_nb.magics"),
        ("swarm/run.py", "import kimi_nb", "kimi_nb"),
        ("widgets.py", "from kimi_nb.swarm.run import Run", "kimi_nb.swarm.run"),
        ("magics.py", "import kimi_nb.cli", "kimi_nb.cli"),
        ("models/chat.py", "importlib.import_module('kimi_nb.swarm.run')", "kimi_nb.swarm.run"),
    ],
)
def test_an_arrow_up_or_sideways_is_found(
    tmp_path: Path, name: str, text: str, target: str
) -> None:
    others = (
        "events.py",
        "magics.py",
        "cli.py",
        "swarm/run.py",
        "tools/python.py",
        "views/usage.py",
    )
    package = build(tmp_path, {**dict.fromkeys(others, ""), name: text})
    assert [arrow.target for arrow in wrong_arrows(package)] == [target]


def test_arrows_down_and_within_are_fine(tmp_path: Path) -> None:
    files = {
        "errors.py": "import json",
        "models/base.py": "from kimi_nb.errors import ModelError",
        "models/chat.py": "from .base import Model",
        "swarm/run.py": "from kimi_nb.models.chat import Chat\nimport kimi_nb_other",
        "__init__.py": "from kimi_nb.swarm.run import Run",
    }
    assert wrong_arrows(build(tmp_path, files)) == []


def test_a_ring_within_a_unit_is_found(tmp_path: Path) -> None:
    files = {
        "swarm/run.py": "from kimi_nb.swarm.agent import Agent",
        "swarm/agent.py": "def f():\n    from .run import Run",
    }
    assert set(cycle(build(tmp_path, files))) == {"kimi_nb.swarm.run", "kimi_nb.swarm.agent"}


def test_a_unit_without_a_layer_is_named(tmp_path: Path) -> None:
    package = build(tmp_path, {"mystery.py": "import kimi_nb.errors", "errors.py": ""})

    with pytest.raises(pytest.fail.Exception, match="mystery"):
        wrong_arrows(package)
