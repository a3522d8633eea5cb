"""Run as a script in a sandbox of its own: judges outputs that a stranger's code made.

A judge may run a simulation on what it is given, and that may be made to last for ever. It comes
over standard input; the first argument is the folder for the verdict.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import cast

__all__ = ()  # a script


def main() -> None:
    """Write `outcome.json`: whether it passed, the share that is right, the mistake's key."""
    results = Path(sys.argv[1])
    plan = json.load(sys.stdin)
    _load(Path(plan["package"]))
    from kimi_nb.teach.grade.asked import one
    from kimi_nb.teach.grade.wire import from_json

    asked = one(plan["exercise"], Path(plan["file"]) if plan["file"] else None)
    outputs = from_json(plan["outputs"])
    verdict = asked.verdict(outputs or [], plan["cases"])
    found = {"passed": verdict.passed, "share": verdict.share, "key": verdict.key}
    (results / "outcome.json").write_text(json.dumps(found), "utf-8")


def _load(package: Path) -> None:
    """Its folder is named, for the folder around it cannot be read."""
    place = [str(package)]
    init = package / "__init__.py"
    found = importlib.util.spec_from_file_location(
        "kimi_nb", init, submodule_search_locations=place
    )
    spec = cast("ModuleSpec", found)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kimi_nb"] = module
    cast("Loader", spec.loader).exec_module(module)


if __name__ == "__main__":
    main()
