"""A notebook in a kernel of its own: that it runs, and the outputs that the tests compare."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbval.plugin import get_sanitize_patterns

from building.alone import alone
from building.source import Source
from building.write import COMPARED, document, place
from kimi_nb.teach.text import Language

__all__ = ["SANITIZED", "executed"]

SANITIZED = Path(__file__).resolve().parents[2] / "tests" / "nbval.cfg"
"""What differs from run to run, and what stands for it."""
PASSING = ("application/vnd.jupyter.widget-view+json", "image/png", "image/jpeg")
"""MIME types that nbval does not compare."""
LONGEST = 120
"""Seconds that a cell may take."""


@contextmanager
def _alone() -> Iterator[None]:
    """Kernels that start in here know nothing of whoever builds; afterwards all is as before."""
    kept = dict(os.environ)

    with tempfile.TemporaryDirectory() as home:
        alone(home)

        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)


def executed(source: Source, language: Language) -> Any:
    """The notebook, run from top to bottom, with the outputs of the cells that are compared.

    Raises CellExecutionError for a cell that fails, CellTimeoutError for one of over 2 minutes.
    """
    made = document(source, language)
    folder = place(source, language).parent
    folder.mkdir(exist_ok=True)
    client = NotebookClient(
        made,
        kernel_name="python3",
        timeout=LONGEST,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    )

    with _alone():
        client.execute()

    ran = {cell.id: cell for cell in made.cells if COMPARED in cell.metadata.get("tags", [])}
    made = document(source, language)  # without what the client left in the other cells

    for cell in made.cells:
        if cell.id in ran:
            cell.outputs = [_same(output) for output in ran[cell.id].outputs]
            cell.execution_count = ran[cell.id].execution_count

    return made


def _same(output: Any) -> Any:
    """The output without what another run would write in another way."""
    if "data" in output:
        output.metadata = {}
        output.data = {
            kind: _sanitized(data) for kind, data in output.data.items() if kind not in PASSING
        }

    if "text" in output:
        output.text = _sanitized(output.text)

    return output


def _sanitized(data: Any) -> Any:
    if not isinstance(data, str):
        return data

    for pattern, instead in get_sanitize_patterns(SANITIZED.read_text(encoding="utf-8")):
        data = re.sub(pattern, instead, data)

    return data
