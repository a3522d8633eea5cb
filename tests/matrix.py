"""What the tests of the fault matrix share: short pauses, short patience, faults for one agent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from faults.log import Asked
from faults.mishaps import Fault
from faults.server import refuse
from faults.tier import RATE_LIMIT

import kimi_nb as kn
from kimi_nb.events import Fact
from kimi_nb.models import chat, pace, window
from kimi_nb.models.transport import Timeouts
from kimi_nb.swarm import attempt

F = TypeVar("F", bound=Fact)
GOAL = "go"
"""What a `Trial` asks for: the task of its orchestrator."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once; a 429 that names no time pauses for a moment only.

    A minute that is full is over as soon.
    """
    monkeypatch.setattr(attempt, "backoff", lambda *_: 0.0)

    for name in ("PAUSE_S", "PAUSE_MIN_S", "PAUSE_MAX_S", "RAMP_S"):
        monkeypatch.setattr(pace, name, 0.001)

    monkeypatch.setattr(window, "MINUTE", 0.01)


def patience(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
    """How long the client waits: `connect`, `first`, `idle`, as in `Timeouts`."""
    monkeypatch.setattr(chat, "Timeouts", functools.partial(Timeouts, **seconds))


# Faults ------------------------------------------------------------------------------------


def always(fault: Fault, *tasks: str) -> Callable[[Asked], Fault | None]:
    """The fault in every answer to those who have these tasks; without tasks: to all."""
    return lambda asked: fault if not tasks or asked.task in tasks else None


def at_first(fault: Fault, *tasks: str) -> Callable[[Asked], Fault | None]:
    """The same, in the first answer to each request only."""
    found = always(fault, *tasks)
    return lambda asked: found(asked) if asked.attempt == 1 else None


def in_last(fault: Fault, *, attempts: int = 1_000) -> Callable[[Asked], Fault | None]:
    """The fault where the orchestrator is told what its sub-agents brought, so many times."""

    def find(asked: Asked) -> Fault | None:
        last = asked.task == GOAL and len(asked.messages) > 4
        return fault if last and asked.attempt <= attempts else None

    return find


def told_to_wait(value: str) -> Fault:
    """429 with this Retry-After."""
    return Fault("told to wait", lambda _: refuse(429, RATE_LIMIT, "too many", value))


# What happened -----------------------------------------------------------------------------


def facts(run: kn.Replay, kind: type[F]) -> list[F]:
    """All of one kind, in their order."""
    return [record.fact for record in run.trace if isinstance(record.fact, kind)]


def times(run: kn.Replay, kind: type[Fact]) -> list[float]:
    """When they were logged, in seconds since the run began."""
    return [record.t for record in run.trace if isinstance(record.fact, kind)]


def asked_for(server: Any, task: str) -> list[Asked]:
    """What the agent with this task has asked, in its order."""
    return [asked for asked in server.log if asked.task == task]
