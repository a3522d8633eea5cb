"""What a log keeps of how its run was asked for, so that it can be taken up again."""

from __future__ import annotations

import hashlib
import inspect
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from kimi_nb.errors import TraceError
from kimi_nb.events import RunBegan, RunForked, RunResumed, TrainingBegan
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Connection
from kimi_nb.swarm.engine import Judge, Settings
from kimi_nb.swarm.plan import Task
from kimi_nb.tools import Tool, Toolset
from kimi_nb.tools.rights import labels_of
from kimi_nb.trace import Record

if TYPE_CHECKING:
    from kimi_nb.models.simulator import Options

__all__ = ["Had", "digests", "entries", "had", "options_of", "this_process"]

DIGEST = 16
"""Hexadecimal digits: a change by accident is to be seen, nobody is to be kept out."""


def options_of(
    settings: Settings,
    connection: Connection,
    budget: Budget,
    toolset: Toolset,
    tasks: Sequence[Task],
    judge: Judge | None,
) -> str:
    """Canonical JSON for `RunBegan.options`."""
    options = asdict(settings) | {
        "folder": str(settings.folder),
        "base_url": connection.base_url,
        "budget": {name: value for name, value in asdict(budget).items() if value is not None},
        "tools": digests(toolset),
        "labels": {tool.name: sorted(labels) for tool in toolset if (labels := labels_of(tool))},
        "plan": entries(tasks),
        "judge": judge and judge.name,
        "simulator": connection.simulator,
    }
    return orjson.dumps(options, option=orjson.OPT_SORT_KEYS).decode()


def entries(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """A plan as `parse_plan` takes it."""
    return [{"name": t.name, "prompt": t.prompt, "after": list(t.after)} for t in tasks]


def digests(toolset: Toolset) -> dict[str, list[str]]:
    """By tool: what the model is told of it, and its code, "" where that cannot be read."""
    return {tool.name: [_digest(_told(tool)), _digest(_code(tool))] for tool in toolset}


def _told(tool: Tool) -> str:
    return orjson.dumps(tool.spec, option=orjson.OPT_SORT_KEYS).decode()


def _code(tool: Tool) -> str:
    """The source of a user's tool; that of the standard ones goes by the version."""
    function = inspect.unwrap(tool.function)

    if str(getattr(function, "__module__", "")).startswith("kimi_nb."):
        return ""

    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST] if text else ""


def this_process() -> str:
    """Who writes a log, as "host:pid"."""
    return f"{os.uname().nodename}:{os.getpid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Had:
    """How a run was asked for, by the latest facts of its log that say so."""

    goal: str
    seed: int
    simulated: bool
    model: str
    version: str
    options: Mapping[str, Any]
    started: float
    """When its latest process took it up, seconds since the epoch."""
    process: str
    """That process, as "host:pid"; "" if the log does not say."""

    @property
    def tools(self) -> Mapping[str, Sequence[str]]:
        """As `digests` gives them; "" for what an older log, with names only, does not know."""
        kept: Mapping[str, Sequence[str]] | list[str] = self.options["tools"]
        return dict.fromkeys(kept, ("", "")) if isinstance(kept, list) else kept

    @property
    def budget(self) -> Budget:
        return Budget(**self.options["budget"])

    @property
    def settings(self) -> Settings:
        names = [f.name for f in fields(Settings) if f.name in self.options]
        values: dict[str, Any] = {name: self.options[name] for name in names}
        values.update(folder=Path(self.options["folder"]), seed=self.seed)
        return Settings(**values)

    @property
    def simulator(self) -> Options | None:
        """The simulator's options; None if it was not the one of this process that answered."""
        if self.options["simulator"] is None:
            return None

        from kimi_nb.models.simulator import Options

        return Options(**self.options["simulator"])


def had(path: str | Path, records: Sequence[Record]) -> Had:
    """How the run in a log was asked for. Raises TraceError if there is none in it."""
    facts = [r.fact for r in records if isinstance(r.fact, RunBegan | RunResumed | RunForked)]

    if not facts or not isinstance(facts[0], RunBegan):
        why = "it was cut off before the first record"

        if any(isinstance(record.fact, TrainingBegan) for record in records):
            why = f"it is the log of a training; to see it: kn.playground({str(path)!r})"

        message = f"{path} holds no run: {why}"
        raise TraceError(message)

    began, latest = facts[0], facts[-1]
    options = orjson.loads([fact.options for fact in facts if fact.options][-1])

    if "tools" not in options:
        message = f"no run of kn.swarm wrote {path}, so it cannot go on: kn.replay({str(path)!r})"
        raise TraceError(message)

    return Had(
        goal=began.goal,
        seed=began.seed,
        simulated=began.simulated,
        model=[fact.model for fact in facts if fact.model][-1],
        version=latest.version,
        options=options,
        started=latest.started,
        process=latest.process,
    )
