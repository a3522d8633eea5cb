"""Which sub-agents a main agent's tool calls launched, and with which system prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, cast

import orjson

from kimi_nb.events import AgentBegan, ToolCalled
from kimi_nb.trace import Record
from kimi_nb.views.steps import DELEGATES

__all__ = ["launched_by", "prompt_of"]

Place = tuple[int, int]
"""Step and position in it."""


def launched_by(records: Iterable[Record], id: str) -> dict[Place, list[str]]:
    """Ids of the sub-agents of each of an agent's calls, by (step, position), as asked for.

    Found by their tasks, as a resumed run finds them: a turn that was repeated may have asked
    for the same in another order. What is left goes by the position that it began with.
    """
    calls: dict[Place, ToolCalled] = {}
    spare: dict[tuple[int, str, str], list[Record]] = defaultdict(list)

    for record in records:
        fact = record.fact

        if record.agent == id:
            if isinstance(fact, ToolCalled) and fact.tool in DELEGATES:
                calls[fact.step, fact.call] = fact
        elif isinstance(fact, AgentBegan) and fact.parent == id:
            spare[fact.stage, fact.name, fact.task].append(record)

    found: dict[Place, list[str]] = defaultdict(list)

    for place, call in sorted(calls.items(), key=lambda item: item[0]):
        for name, task in _assignments(call):
            if ready := spare.get((call.step, name, task)):
                found[place].append(ready.pop(0).agent)

    _by_position(found, spare)
    return dict(found)


def prompt_of(records: Iterable[Record], began: Record) -> str:
    """The system prompt that its parent gave an agent; "" where none is in the log."""
    fact = began.fact

    if not isinstance(fact, AgentBegan) or not fact.parent:
        return ""

    for record in records:
        if record.seq >= began.seq:
            break

        made = record.fact

        if record.agent != fact.parent or not isinstance(made, ToolCalled):
            continue

        if made.tool == "create_subagent" and _arguments(made).get("name") == fact.name:
            return str(_arguments(made).get("system_prompt", ""))  # a second of its name is refused

    return ""


def _by_position(
    found: defaultdict[Place, list[str]], spare: dict[tuple[int, str, str], list[Record]]
) -> None:
    known = set(found)

    for record in sorted((r for rest in spare.values() for r in rest), key=lambda r: r.seq):
        fact = record.fact

        if isinstance(fact, AgentBegan) and (fact.stage, fact.call) not in known:
            found[fact.stage, fact.call].append(record.agent)


def _assignments(call: ToolCalled) -> Iterator[tuple[str, str]]:
    """(configuration, task) of each sub-agent that a call asks for."""
    given = _arguments(call)
    name = str(given.get("agent", ""))

    if call.tool == "assign_task":
        yield name, str(given.get("prompt", ""))
        return

    items: Any = given.get("items")

    for item in cast("list[Any]", items) if isinstance(items, list) else []:
        yield name, str(given.get("template", "")).replace("{{item}}", str(item))


def _arguments(call: ToolCalled) -> dict[str, Any]:
    try:
        found: Any = orjson.loads(call.arguments)
    except orjson.JSONDecodeError:
        return {}

    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
