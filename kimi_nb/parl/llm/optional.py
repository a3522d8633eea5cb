"""Libraries that weigh more than a gigabyte, and are loaded where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kimi_nb.errors import UsageFault

__all__ = ["library"]


def library(name: str, install: str = "'kimi-nb[train]'") -> Any:
    """The module. Raises UsageFault, saying what to type, if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise

        raise UsageFault(f"this needs {error.name}: pip install {install}") from None
