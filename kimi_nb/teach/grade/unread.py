"""This package as a script in the sandbox knows it: by its path, read when it is asked for.

Its folder cannot be listed there, and to read all that it exports takes longer than most answers.
The scripts load this file by its path, so it imports nothing of the package.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, cast

__all__ = ["NAME", "Package", "found"]

NAME = "kimi_nb"


class Package(types.ModuleType):
    """The package, which is read when somebody first asks for something in it."""

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


class _Finder:
    """Finds the package's modules by their paths."""

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


def found(folder: Path, kept: Mapping[str, Any]) -> Package:
    """The package of that folder, from now on what `import` gives; with `kept` in its place."""
    package = Package(NAME)
    spec = _spec(NAME, folder / "__init__.py", [str(folder)])
    package.__dict__.update(
        __spec__=spec, __path__=[str(folder)], __file__=spec.origin, __loader__=spec.loader,
        __package__=NAME, unread=spec, kept=kept, **kept,
    )  # fmt: skip
    sys.modules[NAME] = package
    sys.meta_path.insert(0, _Finder(folder))  # pyright: ignore[reportArgumentType] -- it is one
    return package


def _spec(name: str, file: Path, folders: list[str] | None) -> ModuleSpec:
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    return cast("ModuleSpec", spec)
