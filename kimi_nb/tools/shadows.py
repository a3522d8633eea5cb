"""Files that this very Python would run as code by itself: what a model writes must not be one.

A notebook's kernel looks for modules in the current folder first, which is the working folder
as a rule. A file `PIL/__init__.py` there would be run in place of the library, with all rights,
as soon as anything imports that.
"""

from __future__ import annotations

import functools
import importlib.machinery
import os
import re
import sys
import sysconfig
from pathlib import Path

from kimi_nb.errors import ToolError
from kimi_nb.tools.steps import Parts

__all__ = ["check_no_module"]

_LIBRARIES = ("stdlib", "platstdlib", "purelib", "platlib")
_OTHERS = frozenset({"IPython", "PIL", "docx", "sitecustomize", "usercustomize", "yaml"})
"""Modules that are not called as what installs them, and those that Python starts with."""
_REQUIREMENT = re.compile(r"[\w.-]+")


def check_no_module(folder: Path, parts: Parts) -> None:
    """Raises ToolError if a file there would be run in place of a library, or is part of one."""
    path = folder.resolve().joinpath(*parts)

    if any(path.is_relative_to(each) for each in _libraries()):
        raise ToolError(f"{'/'.join(parts)!r} is part of Python itself; write to another folder")

    if not path.name.endswith(tuple(importlib.machinery.all_suffixes())):
        return

    roots = {Path(os.path.realpath(each)) for each in sys.path}

    for root in roots:
        if path.is_relative_to(root) and _shadows(path.relative_to(root).parts, root, roots):
            raise ToolError(
                f"{'/'.join(parts)!r} would be run in place of a library of that name, because "
                "Python looks for modules in that folder first; take another name"
            )


def _shadows(parts: Parts, root: Path, roots: set[Path]) -> bool:
    """Whether a module of these steps from `root` hides one from elsewhere."""
    name = parts[0].partition(".")[0]
    is_start = len(parts) == 1 or (len(parts) == 2 and parts[1].startswith("__init__."))

    if name in sys.builtin_module_names or name in sys.stdlib_module_names:
        return is_start  # a mere folder hides no package

    if is_start and _is_there(name, roots - {root}):
        return True

    return name.lower() in _wanted() and not _is_there(name, {root})  # else a package of the user's


def _is_there(name: str, roots: set[Path]) -> bool:
    found = importlib.machinery.PathFinder.find_spec(name, [str(each) for each in sorted(roots)])
    return found is not None and found.origin is not None


@functools.cache
def _libraries() -> frozenset[Path]:
    found = {os.path.realpath(sysconfig.get_path(name)) for name in _LIBRARIES}
    return frozenset(map(Path, found))


@functools.cache
def _wanted() -> frozenset[str]:
    """Names that libraries try to import, there or not, in lower case."""
    from importlib import metadata  # `%load_ext` would wait for it

    asked = {text for each in metadata.distributions() for text in each.requires or ()}
    names = {found[0] for text in asked if (found := _REQUIREMENT.match(text))}
    return frozenset(name.replace("-", "_").lower() for name in names | _OTHERS)
