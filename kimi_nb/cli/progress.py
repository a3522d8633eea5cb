"""Progress of a run on standard error: one line, rewritten on a terminal."""

from __future__ import annotations

import sys
import time

from kimi_nb.swarm.handle import Run

__all__ = ["follow", "progress_line"]

REFRESH = {True: 0.2, False: 2.0}
"""Seconds between two lines, on a terminal and in a file."""


def follow(run: Run) -> None:
    """Return when the run has ended. Ctrl-C cancels it and raises KeyboardInterrupt."""
    terminal = sys.stderr.isatty()
    shown = time.monotonic()

    while not run.done:
        try:
            run.result(timeout=REFRESH[terminal])
        except TimeoutError:
            if time.monotonic() - shown >= REFRESH[terminal]:
                _write(progress_line(run), terminal=terminal)
                shown = time.monotonic()

    if terminal:
        _write("", terminal=True)

    run.result()


def progress_line(run: Run) -> str:
    """Where the run is, on one line."""
    fold = run.fold
    subs = fold.sub_agents()
    ended = sum(agent.ended is not None for agent in subs)
    mark = " · simulator" if fold.simulated else ""
    return (
        f"{run.name}{mark} · {run.status} · {run.seconds:.1f} s · {ended} of {len(subs)} "
        f"sub-agents ended · {fold.steps} steps · {fold.tool_calls} tool calls"
    )


def _write(line: str, *, terminal: bool) -> None:
    sys.stderr.write(f"\r\x1b[K{line}" if terminal else f"{line}\n")
    sys.stderr.flush()
