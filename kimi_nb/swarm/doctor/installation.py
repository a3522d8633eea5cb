"""Checks of what is installed here."""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path

from kimi_nb._version import __version__
from kimi_nb.swarm.doctor.report import Finding, failed, passed
from kimi_nb.tools import ToolContext, standard_tools

__all__ = ["log", "sandbox", "version"]


async def version() -> Finding:
    """What runs here."""
    return passed(f"kimi_nb {__version__}, Python {platform.python_version()}, {platform.system()}")


async def log() -> Finding:
    """Where runs are logged."""
    folder = Path.cwd()

    if os.access(folder, os.W_OK):
        return passed(f"goes to {folder / '.kimi_nb' / 'runs'}")

    return passed(f"{folder} is read-only; logs go to {tempfile.gettempdir()}")


async def sandbox() -> Finding:
    """Whether model-written Python can run."""
    tools = standard_tools()
    context = ToolContext(folder=Path.cwd(), agent="doctor", run="doctor")

    try:
        outcome = await tools.call("python", '{"code": "print(6 * 7)"}', context)
    finally:
        await tools.close()

    if outcome.text.strip() != "42":
        return failed(outcome.text, "install it anew: pip install --force-reinstall kimi_nb")

    return passed("runs model-written Python")
