"""Waiting for a run in a cell, with its progress before one's eyes."""

from __future__ import annotations

import sys
import time
from typing import Protocol

from kimi_nb.magics.showing import Showing, publish
from kimi_nb.swarm.handle import Interrupted, Run
from kimi_nb.views.words import simulated_by

__all__ = ["watch"]

REFRESH = 0.25
"""Seconds between two lines of a running run in a terminal."""


async def watch(run: Run, showing: Showing | None) -> Run:
    """`run` when it has ended, or when its view's button has sent it into the background.

    Without `showing` there is a terminal. Raises handle.Interrupted when the cell is stopped.
    """
    waiting: Waiting = Line(run) if showing is None else Cell(run, showing)

    try:
        return await run.wait(waiting.beat)
    except Interrupted:
        waiting.interrupted()
        raise
    finally:
        waiting.close()


class Waiting(Protocol):
    """What the person who waits sees."""

    def beat(self) -> bool:
        """Called all the time; True ends the wait."""
        ...

    def interrupted(self) -> None:
        """The cell was stopped, and will have no value to show."""
        ...

    def close(self) -> None: ...


class Cell:
    """The widget, which keeps itself up to date."""

    def __init__(self, run: Run, showing: Showing) -> None:
        self._run = run
        self._left = False
        showing.show(run, self._leave)

    def _leave(self) -> None:
        self._left = True

    def beat(self) -> bool:
        return self._left

    def interrupted(self) -> None:
        # A saved notebook is to show what was done, also where no value stands below the widget.
        publish({"text/plain": repr(self._run), "text/html": self._run._repr_html_()})  # pyright: ignore[reportPrivateUsage]

    def close(self) -> None:
        pass


class Line:
    """One line in a terminal, written over and over."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shown = sys.stderr.isatty()
        self._due = 0.0
        self.beat()

    def beat(self) -> bool:
        if time.monotonic() >= self._due:
            self._write(_progress(self._run))
            self._due = time.monotonic() + REFRESH

        return False

    def interrupted(self) -> None:
        pass

    def close(self) -> None:
        self._write(_ended(self._run) + "\n")

    def _write(self, line: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()


def _ended(run: Run) -> str:
    who = " · ".join(filter(None, (run.name, simulated_by(run.fold, "simulator"))))
    return f"{who} · {run.status.replace('_', ' ')} · {run.fold.now:.1f} s"


def _progress(run: Run) -> str:
    fold = run.fold
    subs = fold.sub_agents()
    ended = sum(agent.ended is not None for agent in subs)
    return (
        f"{_ended(run)} · {ended} of {len(subs)} sub-agents ended · "
        f"{fold.steps} steps · {fold.tool_calls} tool calls"
    )
