"""What one agent was asked, said and did, turn by turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kimi_nb.events import AgentBegan
from kimi_nb.trace import Record

__all__ = ["detail"]


def detail(records: Iterable[Record], id: str, since: int = 0) -> dict[str, Any]:
    """An agent as JSON values, with its turns from step `since` on."""
    found: dict[str, Any] = {"id": id, "task": "", "prompt": "", "outcome": "", "since": since}
    found["turns"] = []

    for record in records:
        if record.agent == id and isinstance(record.fact, AgentBegan):
            found["task"] = record.fact.task

    return found
