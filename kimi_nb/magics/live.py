"""Waiting for a run in a cell, with its progress before one's eyes."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, cast

from IPython import display as ipython_display
from IPython.core.interactiveshell import InteractiveShell

from kimi_nb.swarm.handle import Run

__all__ = ["watch"]

REFRESH = 0.25
"""Seconds between two pictures of a running run."""


class View(Protocol):
    """A place where progress is shown until the run ends."""

    def update(self) -> None: ...
    def close(self) -> None: ...


async def watch(run: Run, shell: InteractiveShell) -> Run:
    """`run` when it has ended. Raises handle.Interrupted when the cell is stopped."""
    view: View = CellView(run) if hasattr(shell, "kernel") else LineView(run)
    shown = time.monotonic()

    def beat() -> None:
        nonlocal shown

        if time.monotonic() - shown > REFRESH:
            view.update()
            shown = time.monotonic()

    try:
        return await run.wait(beat)
    finally:
        view.close()


class CellView:
    """The live widget while the run goes on; a line of text in its place afterwards.

    A page that was loaded anew meanwhile does not hear of the line: it has the summary in the
    widget.
    """

    def __init__(self, run: Run) -> None:
        from kimi_nb.widgets import SwarmView

        self._run = run
        self._widget = SwarmView(run)
        show = cast("Any", ipython_display).display
        self._display: Any = show(self._widget.bundle(_ended(run)), raw=True, display_id=True)

    def update(self) -> None:
        pass

    def close(self) -> None:
        # Saved notebooks and pages without a kernel show what stands here at the end.
        self._display.update({"text/plain": _ended(self._run)}, raw=True)


class LineView:
    """One line in a terminal, written over and over."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shown = sys.stderr.isatty()
        self.update()

    def update(self) -> None:
        self._write(_progress(self._run))

    def close(self) -> None:
        self._write(_ended(self._run) + "\n")

    def _write(self, line: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()


def _ended(run: Run) -> str:
    mark = " · simulator" if run.fold.simulated else ""
    return f"{run.name}{mark} · {run.status.replace('_', ' ')} · {run.fold.now:.1f} s"


def _progress(run: Run) -> str:
    fold = run.fold
    subs = fold.sub_agents()
    ended = sum(agent.ended is not None for agent in subs)
    return (
        f"{_ended(run)} · {ended} of {len(subs)} sub-agents ended · "
        f"{fold.steps} steps · {fold.tool_calls} tool calls"
    )
