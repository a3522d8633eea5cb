"""What the agents of an office hold."""

from __future__ import annotations

from pathlib import Path

from kimi_nb.tools import Toolset, list_files, python_tool, read_file
from kimi_nb.tools.chart import chart
from kimi_nb.tools.documents import document_tool
from kimi_nb.tools.pictures import view_image
from kimi_nb.tools.write import write_file

__all__ = ["office_tools"]


def office_tools(_folder: Path) -> Toolset:
    """Tools that read all kinds of files, compute, draw and write."""
    reading = [list_files, read_file, document_tool(), view_image]
    return Toolset([*reading, python_tool(), chart, write_file])
