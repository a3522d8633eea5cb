"""Progress of a run on standard error: one line, rewritten on a terminal."""

from __future__ import annotations

import shutil
import sys
import time

from kimi_nb.swarm.handle import Run
from kimi_nb.views.live import doing
from kimi_nb.views.text import fit
from kimi_nb.views.words import simulated_by, verdicts

__all__ = ["follow", "progress_line", "rewrite"]

REFRESH = {True: 0.2, False: 2.0}
"""Seconds between two lines, on a terminal and in a file."""
SILENCE = 30.0
"""Seconds after which a file hears of a run in which nothing happens."""


def follow(run: Run) -> bool:
    """Whether Ctrl-C ended the run, once it has ended."""
    stopped = False

    try:
        _watch(run, terminal=sys.stderr.isatty())
    except KeyboardInterrupt:
        stopped = True
        run.cancel()

    run.result()
    return stopped


def _watch(run: Run, *, terminal: bool) -> None:
    shown, facts = time.monotonic(), 0

    while not run.done:
        try:
            run.result(timeout=REFRESH[terminal])
        except TimeoutError:
            news = terminal or run.fold.count > facts

            if time.monotonic() - shown >= (REFRESH[terminal] if news else SILENCE):
                rewrite(progress_line(run), terminal=terminal)
                shown, facts = time.monotonic(), run.fold.count

    if terminal:
        rewrite("", terminal=True)


def progress_line(run: Run) -> str:
    """Where the run is, on one line."""
    fold = run.fold
    subs = fold.sub_agents()
    ended = sum(agent.ended is not None for agent in subs)
    who = " · ".join(filter(None, (run.name, simulated_by(fold, "simulator"))))
    status = run.status.replace("_", " ")
    return (
        f"{who} · {status} · {run.seconds:.1f} s · {ended} of {len(subs)} "
        f"sub-agents ended · {fold.steps} steps · {fold.tool_calls} tool calls{_trouble(run)}"
    )


def _trouble(run: Run) -> str:
    """What an agent has to repeat and why, or what the run waits for; "" while all goes well."""
    now = run.seconds
    trying = [a for a in run.fold.agents.values() if a.state_at(now) == "retrying"]

    if trying:
        return f" · {trying[0].id}: {doing(trying[0], run.fold, now)}"

    if waits_for := verdicts(run.fold):
        return f" · {waits_for[0]}"

    return f" · {run.pace}" if run.waiting else ""


def rewrite(line: str, *, terminal: bool) -> None:
    """On a terminal over the last one, cut to its width: a line that wraps would stay."""
    if terminal:
        line = fit(line, shutil.get_terminal_size().columns - 1).rstrip()

    sys.stderr.write(f"\r\x1b[K{line}" if terminal else f"{line}\n")
    sys.stderr.flush()
