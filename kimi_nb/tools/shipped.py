"""Tools that come with kimi_nb and that agents have only if somebody names them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.tools.base import Tool
from kimi_nb.tools.nearest import suggest

__all__ = ["SHIPPED", "shipped"]


class _Shipped(NamedTuple):
    make: Callable[[], Tool]
    """A tool of its own for each run: it may hold processes."""
    extra: str = ""
    """What installs the packages below; "": it needs none."""
    packages: tuple[str, ...] = ()
    """Of these, at least one; for the kinds of file that need the others, it says so."""


def shipped(name: str) -> Tool:
    """The tool of that name, for one run.

    Raises UsageFault if there is none, or if what it needs is not installed.
    """
    found = SHIPPED.get(name)

    if found is None:
        raise UsageFault(
            f"no tool {name!r} comes with kimi_nb (in Python, give a function of your own itself, "
            f"not its name); {suggest(name, SHIPPED)}"
        )

    if found.packages and not any(map(importlib.util.find_spec, found.packages)):
        raise UsageFault(
            f"the tool {name} needs a package that is not installed; "
            f"type: pip install 'kimi-nb[{found.extra}]'"
        )

    return found.make()


def _write_file() -> Tool:
    from kimi_nb.tools.write import write_file

    return write_file


def _view_image() -> Tool:
    from kimi_nb.tools.pictures import view_image

    return view_image


def _render() -> Tool:
    from kimi_nb.tools.render_page import render_tool

    return render_tool()


def _chart() -> Tool:
    from kimi_nb.tools.chart import chart

    return chart


def _read_document() -> Tool:
    from kimi_nb.tools.documents import document_tool

    return document_tool()


def _python_native() -> Tool:
    from kimi_nb.tools.native import available, python_native_tool

    if why := available():
        raise UsageFault(
            f"python_native cannot run here: {why}; without it, agents have python, a sandbox "
            "that knows no numpy"
        )

    return python_native_tool()


def _run_tests() -> Tool:
    from kimi_nb.tools.native import available
    from kimi_nb.tools.run_tests import run_tests

    if why := available():
        raise UsageFault(f"run_tests cannot run here: {why}")

    return run_tests


SHIPPED: Mapping[str, _Shipped] = MappingProxyType(
    {
        "write_file": _Shipped(_write_file),
        "read_document": _Shipped(_read_document, "office", ("openpyxl", "docx", "pypdf")),
        "chart": _Shipped(_chart, "images", ("matplotlib",)),
        "python_native": _Shipped(_python_native),
        "run_tests": _Shipped(_run_tests, "worlds", ("pytest",)),
        "view_image": _Shipped(_view_image, "images", ("PIL",)),
        "render": _Shipped(_render, "browser", ("playwright",)),
    }
)
"""By the names that agents see."""
