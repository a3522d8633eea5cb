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
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # each would take time to import
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

__all__ = ()  # a script


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


def _package(path: Path, plan: dict[str, Any]) -> types.ModuleType:
    given = plan["given"]

    def data(identity: str) -> Any:
        if identity not in given:
            message = f"there is no {identity!r} here; write its id out: kn.given('ex03.x')"
            raise LookupError(message)

        return deepcopy(given[identity])

    def nothing(*_args: object, **_options: object) -> None:
        return None

    def student(_name: object = None) -> str:
        return plan["student"]

    kept: dict[str, Any] = dict.fromkeys(("check", "predict", "quiz"), nothing)
    return _beside("unread").found(path, kept | {"given": data, "student": student})


def _beside(name: str) -> Any:
    """The module of that file beside this one: what is no package yet is loaded by its path."""
    file = Path(__file__).with_name(f"{name}.py")
    spec = cast("ModuleSpec", importlib.util.spec_from_file_location(name, file))
    module = importlib.util.module_from_spec(spec)
    cast("Loader", spec.loader).exec_module(module)
    return module


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
