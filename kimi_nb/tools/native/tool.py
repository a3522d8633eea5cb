"""The tool with which an agent computes with what is installed here, and draws."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import Tool, ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.image import LARGEST, MOST_IMAGES, Image
from kimi_nb.tools.native.calls import MEMORY, cancellable
from kimi_nb.tools.native.fonts import furnished
from kimi_nb.tools.native.process import Finished, Hold, Job, launch
from kimi_nb.tools.native.rules import libraries
from kimi_nb.tools.native.watch import PRINTED
from kimi_nb.tools.threads import Slots

__all__ = ["python_native_tool"]

RUNNER = Path(__file__).with_name("runner.py")
SECONDS = 30.0
WORKERS = 4
"""Processes of one tool at once."""
_PACKAGES = (
    "numpy",
    "pandas",
    "matplotlib",
    "scipy",
    "sklearn",
    "statsmodels",
    "sympy",
    "networkx",
    "PIL",
    "openpyxl",
)
_WORST = 8 * PRINTED
"""Bytes of an outcome: what a character takes in JSON, and the words around it."""
_MEMORY_ADVICE = "[the memory for one call is used up: read files in parts]"


def python_native_tool() -> Tool:
    """A `python_native` tool. Its calls raise ToolError where there is no sandbox for it."""
    slots = Slots(WORKERS)
    there = ", ".join(_installed()) or "none of numpy, pandas and matplotlib"

    @tool(private=True, untrusted=True)
    async def python_native(context: ToolContext, code: str) -> Any:
        """Run Python code and get what it prints, the value of its last expression, and figures.

        Args:
            code: The code. Print the results; leave figures open to see them.
        """
        async with slots.taken():
            return await cancellable(partial(_answer, code, context.folder, there))

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return replace(
        python_native,
        description=(
            f"{python_native.description}\n\n"
            f"It is CPython {version} with the standard library. Packages: {there}. "
            "The working folder is the current directory, read-only: open files by relative "
            "paths. No other files, no network, no other processes; tempfile works. Each call "
            "starts afresh: nothing is kept from the last one. "
            f"At most {SECONDS:.0f} seconds and {MEMORY / 1e9:.0f} GB. "
            "Every matplotlib figure that is open at the end comes back as a picture (8 at "
            "most): do not save or close it; plt.show() keeps it open."
        ),
    )


def _installed() -> list[str]:
    """The packages that code in the sandbox can import."""
    readable = libraries()

    def inside(name: str) -> bool:
        spec = find_spec(name)
        origin = Path(os.path.realpath(spec.origin)) if spec and spec.origin else None
        return origin is not None and any(origin.is_relative_to(path) for path in readable)

    return [name for name in _PACKAGES if inside(name)]


def _answer(code: str, folder: Path, there: str, hold: Hold) -> str | list[str | Image]:
    """What goes back to the model: a text and the figures. Raises ToolError with the rest."""
    with furnished(_job(code, folder, Path())) as scratch:
        results = scratch / "results"
        results.mkdir()
        finished = launch(_job(code, folder, results), hold, scratch)

        if finished.why or finished.code:
            raise ToolError(_joined(finished.output, _ended(finished)))

        return _read(finished.output, scratch, there)


def _job(code: str, folder: Path, results: Path) -> Job:
    return Job(
        command=(sys.executable, "-I", str(RUNNER), str(results)),
        folder=folder,
        writable=False,
        seconds=SECONDS,
        memory=MEMORY,
        stdin=code.encode(errors="surrogatepass"),
        readable=(RUNNER,),
    )


def _ended(finished: Finished) -> str:
    reasons = {
        "timeout": f"[the {SECONDS:.0f} seconds for one call are up: do less at once]",
        "memory": _MEMORY_ADVICE,
        "output": f"[more than {PRINTED:,} characters were printed: print less]",
        "threads": "[too many threads: use fewer]",
        "disk": "[too much was written to files: write less]",
    }
    ended = f"signal {-finished.code}" if finished.code < 0 else f"status {finished.code}"
    return reasons.get(finished.why, f"[Python ended early, with {ended}]")


def _read(output: str, scratch: Path, there: str) -> str | list[str | Image]:
    """The results of the runner. Whatever lies there may be the model's code's own work."""
    with Folder(scratch) as folder:
        match _outcome(folder):
            case {"value": str(value), "error": "", "figures": int(figures), "more": int(more)}:
                names = [f"{index}.png" for index in range(min(figures, MOST_IMAGES))]
                images = [Image(folder.read(("results", name), LARGEST)) for name in names]
            case {"error": str(error)} if error:
                raise ToolError(_joined(output, "\n".join([error, *_advice(error, there)])))
            case _:
                raise ToolError(_joined(output, "[Python ended before the code did]"))

    note = f"[{more} more figures are open; {len(images)} can be shown]" if more else ""
    text = _joined(_joined(output, value), note)

    if not text and not images:
        text = "[no output: print something, or end with an expression]"

    return [text, *images] if images else text


def _outcome(folder: Folder) -> Any:
    with contextlib.suppress(ToolError, orjson.JSONDecodeError):
        return orjson.loads(folder.read(("results", "outcome.json"), _WORST))

    return None


def _advice(error: str, there: str) -> list[str]:
    """What to do about an error whose cause is the sandbox rather than the code."""
    hints = {
        "ModuleNotFoundError": f"[packages here: {there}; and the standard library]",
        "MemoryError": _MEMORY_ADVICE,
        "_ArrayMemoryError": _MEMORY_ADVICE,
        "PermissionError": (
            "[only the working folder can be read, and none but temporary files be written; there "
            "is neither a network nor another process]"
        ),
    }
    kind = error.rpartition("\n")[2].partition(":")[0].rpartition(".")[2]
    return [hint for name, hint in hints.items() if kind == name]


def _joined(first: str, second: str) -> str:
    if first and second and not first.endswith("\n"):
        first += "\n"

    return first + second
