"""Run as a script inside the sandbox: runs a learner's cells, and writes down what they give.

What to run comes over standard input. The first argument is the folder for the result. Of this
package all can be imported but the exercises, whose files the sandbox does not give.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import types
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from collections.abc import Sequence
from copy import deepcopy
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, cast

__all__ = ()  # a script

NAME = "kimi_nb"


class _Finder:
    """Finds the package's modules by their paths: its folder itself cannot be listed."""

    def __init__(self, package: Path) -> None:
        self.package = package

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        del path, target

        if not name.startswith(f"{NAME}."):
            return None

        here = self.package.joinpath(*name.split(".")[1:])

        if (init := here / "__init__.py").is_file():
            return _spec(name, init, [str(here)])

        file = here.with_name(f"{here.name}.py")
        return _spec(name, file, None) if file.is_file() else None


class _Package(types.ModuleType):
    """The package, which is read when a learner first asks for something in it."""

    def __getattr__(self, name: str) -> Any:
        space = self.__dict__
        spec = space.pop("unread", None)

        if spec is None or (name.startswith("__") and name not in {"__all__", "__version__"}):
            if spec is not None:
                space["unread"] = spec

            raise AttributeError(name)

        kept = space["kept"]
        spec.loader.exec_module(self)
        space.update(kept)
        return getattr(self, name)


def main() -> None:
    """Run the cells, call the function, and write `outcome.json`."""
    results = Path(sys.argv[1])
    plan = json.load(sys.stdin)
    sys.argv = [""]
    package = _package(Path(plan["package"]), plan)
    from kimi_nb.teach.plain import Odd, called, plain, raised

    nowhere = os.open(os.devnull, os.O_RDWR)

    for stream in (0, 1, 2):  # whatever is printed is no answer
        os.dup2(nowhere, stream)

    space, error = _run(plan["cells"], package)
    answer = space.get(plan["name"])

    if answer is None and error is not None:
        outputs: list[Any] = [raised(error)]
    elif plan["cases"] is None:
        outputs = [plain(answer)]
    elif answer is None or not callable(answer):
        outputs = [None if answer is None else Odd("no function")]
    else:
        outputs = [_called(called, raised, answer, args) for args in plan["cases"]]

    (results / "outcome.json").write_text(json.dumps([_encoded(each) for each in outputs]))


def _package(path: Path, plan: dict[str, Any]) -> _Package:
    given = plan["given"]

    def data(identity: str) -> Any:
        if identity not in given:
            message = f"there is no {identity!r} here; write its id out: kn.given('ex03.x')"
            raise LookupError(message)

        return deepcopy(given[identity])

    def nothing(*_args: object, **_options: object) -> None:
        return None

    package = _Package(NAME)
    spec = _spec(NAME, path / "__init__.py", [str(path)])

    def student(_name: object = None) -> str:
        return plan["student"]

    kept: dict[str, Any] = dict.fromkeys(("check", "predict", "quiz"), nothing)
    kept |= {"given": data, "student": student}
    package.__dict__.update(
        __spec__=spec, __path__=[str(path)], __file__=spec.origin, __loader__=spec.loader,
        __package__=NAME, unread=spec, kept=kept, **kept,
    )  # fmt: skip
    sys.modules[NAME] = package
    sys.meta_path.insert(0, _Finder(path))  # pyright: ignore[reportArgumentType] -- it is one
    return package


def _spec(name: str, file: Path, folders: list[str] | None) -> ModuleSpec:
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    return cast("ModuleSpec", spec)


def _run(
    cells: list[str], package: types.ModuleType
) -> tuple[dict[str, Any], BaseException | None]:
    """What the cells bind, and the first error. A cell that fails stops no other, as in Jupyter."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    space = module.__dict__
    space.update(kn=package, display=print)
    first: BaseException | None = None

    for number, cell in enumerate(cells, 1):
        try:
            code = compile(
                cell, f"<cell {number}>", "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
            )

            if code.co_flags & inspect.CO_COROUTINE:
                import asyncio  # takes longer than all else together

                asyncio.run(eval(code, space))  # noqa: S307 -- that is the point
            else:
                exec(code, space)  # noqa: S102
        except BaseException as error:  # noqa: BLE001 -- it is a learner's, whatever it is
            first = first or error

    return space, first


def _called(called: Any, raised: Any, function: Any, args: list[Any]) -> Any:
    try:
        return called(function, args)
    except BaseException as error:  # noqa: BLE001 -- as sys.exit
        return raised(error)


def _encoded(output: Any) -> dict[str, Any]:
    match type(output).__name__:
        case "Odd":
            return {"odd": output.what}
        case "Raised":
            return {"raised": [output.error, output.text]}
        case _:
            return {"value": output}


if __name__ == "__main__":
    main()
