"""Libraries that weigh more than a gigabyte, and are loaded where they are needed."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from kimi_nb.errors import UsageFault

__all__ = ["library", "untold"]


def library(name: str, install: str = "'kimi-nb[train]'") -> Any:
    """The module. Raises UsageFault, saying what to type, if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise

        raise UsageFault(f"this needs {error.name}: pip install {install}") from None


def untold() -> None:
    """Have these libraries tell nobody that they are used: TRL would for each trainer, vLLM too.

    Raises UsageFault without TRL's own.
    """
    os.environ["DO_NOT_TRACK"] = "1"
    library("huggingface_hub.constants").HF_HUB_DISABLE_TELEMETRY = True  # it may be loaded already
