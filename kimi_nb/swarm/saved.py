"""What a log keeps of how its run was asked for, so that it can be taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from kimi_nb.errors import TraceError, TraceMismatch
from kimi_nb.events import RunBegan
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Connection
from kimi_nb.swarm.engine import Settings
from kimi_nb.swarm.past import Past
from kimi_nb.swarm.plan import Task
from kimi_nb.tools import Toolset

if TYPE_CHECKING:
    from kimi_nb.models.simulator import Options

__all__ = ["check_tools", "options_of", "saved_options", "saved_settings", "saved_simulator"]


def options_of(
    settings: Settings,
    connection: Connection,
    budget: Budget,
    toolset: Toolset,
    tasks: Sequence[Task],
) -> str:
    """Canonical JSON for `RunBegan.options`."""
    options = asdict(settings) | {
        "folder": str(settings.folder),
        "base_url": connection.base_url,
        "budget": {name: value for name, value in asdict(budget).items() if value is not None},
        "tools": sorted(toolset.names),
        "plan": [{"name": t.name, "prompt": t.prompt, "after": list(t.after)} for t in tasks],
        "simulator": connection.simulator,
    }
    return orjson.dumps(options, option=orjson.OPT_SORT_KEYS).decode()


def saved_options(path: str | Path, past: Past) -> tuple[RunBegan, dict[str, Any]]:
    """The begin of the run in a log, and its options. Raises TraceError if it has none."""
    if past.began is None:
        message = f"{path} holds no run: it was cut off before the first record"
        raise TraceError(message)

    return past.began, orjson.loads(past.began.options)


def saved_settings(saved: Mapping[str, Any], seed: int) -> Settings:
    """The settings that the run had."""
    values: dict[str, Any] = {f.name: saved[f.name] for f in fields(Settings) if f.name in saved}
    values.update(folder=Path(saved["folder"]), seed=seed)
    return Settings(**values)


def check_tools(saved: Sequence[str], toolset: Toolset) -> None:
    """Raises TraceMismatch if the tools at hand are not those that the run had."""
    had, have = set(saved), set(toolset.names)

    if had != have:
        parts = [
            f"{verb} {', '.join(sorted(names))}"
            for verb, names in (("it had", had - have), ("it had not", have - had))
            if names
        ]
        message = f"the run was started with other tools: {'; '.join(parts)}; pass tools=[…]"
        raise TraceMismatch(message)


def saved_simulator(saved: Mapping[str, Any]) -> Options | None:
    """The simulator's options; None if an endpoint answered."""
    if saved["simulator"] is None:
        return None

    from kimi_nb.models.simulator import Options

    return Options(**saved["simulator"])
