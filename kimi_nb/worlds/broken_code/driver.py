"""What runs in the sandbox: makes the calls of one module and tells what they returned.

It is handed to a bare interpreter as text. Its output is believed only as values: whoever
forges it has to know what is right, and that is nowhere in this process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

__all__ = ()  # a script


def called(module: Any, function: str, arguments: list[Any]) -> dict[str, Any]:
    """The value of one call, or the name of its exception."""
    try:
        return {"value": json.loads(json.dumps(getattr(module, function)(*arguments)))}
    except BaseException as error:  # noqa: BLE001 - whatever it raises is its answer
        return {"error": type(error).__name__}


def main() -> None:
    """Read the calls from stdin; write a JSON list with an answer for each to stdout."""
    asked = json.loads(sys.stdin.read())
    output = os.dup(1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.path.append(asked["root"])  # last: nothing there stands in for the standard library

    try:
        module: Any = importlib.import_module(asked["module"])
    except BaseException as error:  # noqa: BLE001 - then no call can be made
        answers = [{"error": f"import: {type(error).__name__}"} for _ in asked["calls"]]
    else:
        answers = [called(module, *each) for each in asked["calls"]]

    os.write(output, json.dumps(answers).encode())


if __name__ == "__main__":
    main()
