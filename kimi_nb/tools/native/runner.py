"""Run as a script inside the sandbox: runs a model's code, and writes down what came of it.

The code comes over standard input. The first argument is the folder for the results: a JSON
object and pictures. Whatever is imported here, the code finds imported.
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import sys
import traceback
import types
import warnings
from pathlib import Path
from typing import Any, cast

__all__ = ()  # a script

FRAME = "<code>"
FIGURES = 8
PIXELS = 1024
"""Of the longer side of a figure."""
LONGEST = 1_000_000
"""Characters of a value or an error."""
FRAMES = 12


def main() -> None:
    """Run the code and write `outcome.json`, and `0.png`, `1.png` … for the figures."""
    results = Path(sys.argv[1])
    code = sys.stdin.buffer.read().decode()
    sys.argv = [""]
    cast("io.TextIOWrapper", sys.stdout).reconfigure(line_buffering=True)  # seen if we are killed
    outcome = _outcome(code, results)
    sys.stdout.flush()
    (results / "outcome.json").write_text(json.dumps(outcome), "utf-8")


def _outcome(code: str, results: Path) -> dict[str, Any]:
    try:
        value = _run(code)
        shown = "" if value is None else value if isinstance(value, str) else repr(value)
        figures, more = _figures(results)
    except SystemExit as error:
        if error.code in (None, 0):
            return {"value": "", "error": "", "figures": 0, "more": 0}

        return _failure(error)
    except BaseException as error:  # noqa: BLE001 - it is the model's, whatever it is
        return _failure(error)

    return {"value": shown[:LONGEST], "error": "", "figures": figures, "more": more}


def _run(code: str) -> Any:
    """The value of the last expression; None if the code does not end with one."""
    linecache.cache[FRAME] = (len(code), None, code.splitlines(keepends=True), FRAME)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    # Agg shows nothing, and that is meant: what is open at the end comes back.
    warnings.filterwarnings("ignore", message=".*non-interactive.*")
    warnings.formatwarning = _warning
    tree = ast.parse(code, FRAME)
    last = tree.body[-1] if tree.body else None

    if not isinstance(last, ast.Expr):
        exec(compile(tree, FRAME, "exec"), module.__dict__)  # noqa: S102
        return None

    tree.body.pop()
    exec(compile(tree, FRAME, "exec"), module.__dict__)  # noqa: S102
    return eval(compile(ast.Expression(last.value), FRAME, "eval"), module.__dict__)  # noqa: S307


def _warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
) -> str:
    where = f"line {lineno}: " if filename == FRAME else ""
    return f"{where}{category.__name__}: {message}\n"


def _figures(results: Path) -> tuple[int, int]:
    """How many figures were saved, and how many more are open."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")

    if pyplot is None:
        return 0, 0

    numbers = pyplot.get_fignums()

    for index, number in enumerate(numbers[:FIGURES]):
        figure = pyplot.figure(number)
        dots = min(figure.dpi, PIXELS / max(figure.get_size_inches()))
        figure.savefig(results / f"{index}.png", dpi=dots)

    return min(len(numbers), FIGURES), max(0, len(numbers) - FIGURES)


def _failure(error: BaseException) -> dict[str, Any]:
    """The model's own lines, and what went wrong there."""
    frames = [
        f"line {frame.lineno}: {(frame.line or '').strip()}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == FRAME
    ]

    if len(frames) > FRAMES:
        half = FRAMES // 2
        frames[half:-half] = [f"… {len(frames) - FRAMES} more"]

    message = "".join(traceback.format_exception_only(error)).rstrip()
    text = "\n".join([*frames, message])
    return {"value": "", "error": text[-LONGEST:], "figures": 0, "more": 0}


if __name__ == "__main__":
    main()
