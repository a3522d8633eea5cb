"""How much of a package works, found without believing anything that its code says of itself.

Each module runs in a process of its own, in the native sandbox, on a copy of the package's
files and nothing else of the folder: no tests, conftest.py, pytest.ini or sitecustomize.py of
an agent's making. Inputs go in, values come out as JSON, and are compared here.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

from kimi_nb.errors import ToolError
from kimi_nb.tools import native
from kimi_nb.tools.beneath import Folder
from kimi_nb.worlds.base import Grade
from kimi_nb.worlds.broken_code.cases import Case, plain
from kimi_nb.worlds.broken_code.package import Module, Package

__all__ = ["graded"]

SECONDS = 5.0
"""For all calls of one module."""
MEMORY = 500_000_000
AT_ONCE = 2
LARGEST = 200_000
"""Bytes of a module's source."""
NAMED = 8
"""Modules that the reason names."""
_DRIVER = Path(__file__).with_name("driver.py")


def graded(package: Package, folder: Path) -> Grade:
    """The share of the modules all of whose calls give what they should; success is all of them.

    The calls are those of the tests and as many that no agent has seen. Raises ToolError where
    there is no sandbox.
    """
    if why := native.available():
        raise ToolError(why)

    with tempfile.TemporaryDirectory(prefix="kimi-nb-") as scratch:
        root = Path(scratch)
        _copied(package.name, folder, root)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            right = list(pool.map(partial(_works, package.name, root), package.modules))

    wrong = [module.name for module, works in zip(package.modules, right, strict=True) if not works]
    number = len(right)
    rest = f", … {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    named = f"; wrong: {', '.join(wrong[:NAMED])}{rest}" if wrong else ""
    why = f"{number - len(wrong)} of {number} modules give what they should{named}"
    return Grade(success=not wrong, quality=1 - len(wrong) / number, why=why)


def _copied(name: str, folder: Path, root: Path) -> None:
    """The sources of the package, as they lie in the folder."""
    (root / name).mkdir()

    with Folder(folder) as opened:
        try:
            entries = list(opened.walk((name,)))
        except ToolError:
            return  # the package is gone: no module works

        for entry in entries:
            if entry.is_folder or entry.is_link or not entry.parts[-1].endswith(".py"):
                continue

            try:
                data = opened.read(entry.parts, LARGEST)
            except ToolError:
                continue  # too large, or gone by now

            target = root.joinpath(*entry.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def _works(package: str, root: Path, module: Module) -> bool:
    calls = [[case.function, case.arguments] for case in module.cases]
    asked = {"root": str(root), "module": f"{package}.{module.name}", "calls": calls}
    ended = native.run_blocking(
        [sys.executable, "-I", "-S", "-B", "-c", _DRIVER.read_text("utf-8")],
        folder=root,
        writable=False,
        seconds=SECONDS,
        memory=MEMORY,
        stdin=json.dumps(asked).encode(),
    )
    pairs = zip_longest(module.cases, _answers(ended.output))
    return all(_right(case, answer) for case, answer in pairs)


def _answers(output: str) -> Sequence[Any]:
    try:
        found = json.loads(output)
    except (ValueError, RecursionError):
        return ()

    return cast("list[Any]", found) if isinstance(found, list) else ()


def _right(case: Case | None, answer: Any) -> bool:
    if case is None or not isinstance(answer, dict):
        return False

    if case.error:
        return answer == {"error": case.error}

    told = cast("dict[str, Any]", answer)
    return set(told) == {"value"} and _same(told["value"], plain(case.value))


def _same(found: Any, truth: Any) -> bool:
    """Equal as JSON, and no number a truth value; the last digits of a fraction may differ."""
    match truth:
        case bool() | None | str():
            return type(found) is type(truth) and found == truth
        case int() | float():
            number = isinstance(found, int | float) and not isinstance(found, bool)
            return number and math.isclose(found, truth, rel_tol=1e-9, abs_tol=1e-9)
        case list():
            items = cast("list[Any]", truth)
            return isinstance(found, list) and _all_same(cast("list[Any]", found), items)
        case _:
            fields = cast("dict[str, Any]", truth)
            return (
                isinstance(found, dict)
                and set(cast("dict[str, Any]", found)) == set(fields)
                and all(_same(found[key], value) for key, value in fields.items())
            )


def _all_same(found: list[Any], truth: list[Any]) -> bool:
    return len(found) == len(truth) and all(map(_same, found, truth))
