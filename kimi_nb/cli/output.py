"""What a command prints: its result on standard output, all else on standard error."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import orjson

from kimi_nb.swarm.handle import Replay

__all__ = ["as_dict", "hang_up", "prepare", "print_json", "show", "tell"]


def prepare() -> None:
    """Let a terminal or a file that knows few letters get "?" for the others."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def show(run: Replay, *, as_json: bool) -> None:
    """The run with its answer and metrics."""
    if not as_json:
        print(run, flush=True)
        return

    print_json(as_dict(run))


def as_dict(run: Replay) -> dict[str, Any]:
    """The run for a program."""
    return {
        "status": run.status,
        "answer": run.answer,
        "why": run.why,
        "simulated": run.fold.simulated,
        "trace": str(run.path),
        "metrics": run.metrics.as_dict(),
    }


def print_json(value: dict[str, Any]) -> None:
    """One JSON object, on one line."""
    print(orjson.dumps(value).decode(), flush=True)


def tell(line: str) -> None:
    """Progress and complaints."""
    print(line, file=sys.stderr, flush=True)


def hang_up() -> None:
    """Nobody reads standard output any more: what Python would still flush goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
