"""Run as a script in a sandbox of its own: judges outputs that a stranger's code made.

A judge may run a simulation on what it is given, and that may be made to last for ever. It comes
over standard input; the first argument is the folder for the verdict.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # each would take time to import
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

__all__ = ()  # a script


def main() -> None:
    """Write `outcome.json`: whether it passed, the share that is right, the mistake's key."""
    results = Path(sys.argv[1])
    plan = json.load(sys.stdin)
    _beside("unread").found(Path(plan["package"]), {})
    from kimi_nb.teach.grade.asked import one
    from kimi_nb.teach.grade.wire import from_json

    asked = one(plan["exercise"], Path(plan["file"]) if plan["file"] else None)
    outputs = from_json(plan["outputs"])
    verdict = asked.verdict(outputs or [], plan["cases"])
    found = {"passed": verdict.passed, "share": verdict.share, "key": verdict.key}
    (results / "outcome.json").write_text(json.dumps(found), "utf-8")


def _beside(name: str) -> Any:
    """The module of that file beside this one: what is no package yet is loaded by its path."""
    file = Path(__file__).with_name(f"{name}.py")
    spec = cast("ModuleSpec", importlib.util.spec_from_file_location(name, file))
    module = importlib.util.module_from_spec(spec)
    cast("Loader", spec.loader).exec_module(module)
    return module


if __name__ == "__main__":
    main()
