"""What was asked, checked: every refusal says what to type instead."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.connect import Connection
from kimi_nb.swarm.plan import Task
from kimi_nb.swarm.team import OWN_TOOLS
from kimi_nb.tools import MOST_TOOLS, Tool, Toolset, standard_tools, tool
from kimi_nb.tools.render import clean
from kimi_nb.tools.shipped import shipped
from kimi_nb.views.prices import PRICES, Price

__all__ = [
    "Plan",
    "UserTools",
    "all_prices",
    "at_least_one",
    "fits_plan",
    "holds_run",
    "is_new",
    "mode_of",
    "new_path",
    "price_of",
    "toolset_of",
    "ways_on",
    "working_folder",
]

Plan = str | Sequence[Mapping[str, Any]]
UserTools = Iterable[Tool | Callable[..., Any] | str]
"""Tools, functions, and the names of those that come with kimi_nb."""
RECORD = 65_536
"""Bytes of a line that are looked at."""


def mode_of(goal: str, *, single: bool, plan: Plan | None) -> str:
    """Its mode: "swarm", "single" or "plan".

    Raises UsageFault if the goal is empty, or if two modes are asked for.
    """
    if single and plan is not None:
        message = "--single and --plan exclude each other: one agent alone, or a graph of them"
        raise UsageFault(message)

    if plan is not None:
        return "plan"

    if not goal.strip():
        message = "the goal is empty: write below the %%swarm line what the swarm is to do"
        raise UsageFault(message)

    return "single" if single else "swarm"


def at_least_one(name: str, value: int) -> int:
    """`value`. Raises UsageFault if it is below 1."""
    if value < 1:
        hint = "; for one agent alone use --single" if name == "max_agents" else ""
        message = f"{name} is {value}, but it must be at least 1{hint}"
        raise UsageFault(message)

    return value


def fits_plan(tasks: Sequence[Task], max_agents: int) -> None:
    """Raises UsageFault if a plan has more tasks than sub-agents are allowed."""
    if len(tasks) > max_agents:
        message = (
            f"the plan has {len(tasks)} tasks, but max_agents is {max_agents}; "
            f"allow as many: --agents {len(tasks)}, or max_agents={len(tasks)}"
        )
        raise UsageFault(message)


def working_folder(folder: str | Path) -> Path:
    """The absolute folder. Raises UsageFault if there is none."""
    path = Path(folder).expanduser().resolve()

    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        message = f"the working folder {str(folder)!r} {what} (here is {Path.cwd()})"
        raise UsageFault(message)

    if clean(str(path)) != str(path):
        message = f"the name of the working folder is not valid UTF-8: {str(path)!r}; rename it"
        raise UsageFault(message)

    return path


def toolset_of(tools: UserTools) -> Toolset:
    """The standard tools and the user's own; a Toolset as it is.

    Raises UsageFault for a name that is the orchestrator's or nobody's, for more than its model
    takes, and where a tool needs what is not installed.
    """
    if isinstance(tools, str):
        message = f"tools={tools!r}: give a list, as in tools=[{tools!r}]"
        raise UsageFault(message)

    found = tools if isinstance(tools, Toolset) else standard_tools() + map(_tool, tools)

    if taken := sorted(OWN_TOOLS & set(found.names)):
        message = f"a tool cannot be called {taken[0]!r}: the orchestrator has one of that name"
        raise UsageFault(message)

    if len(found.specs) + len(OWN_TOOLS) > MOST_TOOLS:
        message = (
            f"{len(found.specs)} tools are too many: Kimi takes {MOST_TOOLS} at most, "
            f"{len(OWN_TOOLS)} of which are the orchestrator's own"
        )
        raise UsageFault(message)

    return found


def _tool(item: Tool | Callable[..., Any] | str) -> Tool:
    if isinstance(item, str):
        return shipped(item)

    if not callable(item):
        many = isinstance(item, Iterable)
        hint = "give its elements: tools=[mine, *them]" if many else "see @kn.tool"
        message = f"an object of type {type(item).__name__} is no tool; {hint}"
        raise UsageFault(message)

    return item if isinstance(item, Tool) else tool(item)


def all_prices(prices: Mapping[str, Price] | None) -> Mapping[str, Price]:
    """The known prices with the user's over them."""
    return {**PRICES, **(prices or {})}


def price_of(connection: Connection, prices: Mapping[str, Price] | None) -> Price | None:
    """The price of the connection's model; None if unknown. The simulator costs nothing."""
    if connection.model.simulated:
        return Price(0.0, 0.0, 0.0)

    return all_prices(prices).get(connection.model.name)


def new_path(name: str) -> Path:
    """A new log file, empty so far: below the current folder, or where one may write."""
    slug = re.sub(r"[^\w-]+", "-", name).strip("-")[:40] or "swarm"
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = Path.cwd() / ".kimi_nb" / "runs"

    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False

    if not writable:
        read_only = folder
        folder = Path(tempfile.gettempdir()) / f"kimi_nb-{os.getuid()}" / "runs"
        message = (
            f"{read_only} cannot be written: the log goes to {folder}, which may not last; "
            "say with trace= where to keep it"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=3)

    path = folder / f"{stamp}-{slug}.jsonl"
    number = 1

    while not is_new(path):
        number += 1
        path = folder / f"{stamp}-{slug}-{number}.jsonl"

    return path


def is_new(path: Path) -> bool:
    """Whether it was not there before. Now it is, so that no other process takes it as well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
    except OSError:  # where it cannot be made, who opens it says why
        return not path.exists()

    return True


def holds_run(path: Path) -> bool:
    """Whether there is a first record. A process may be killed before it: its log holds nothing."""
    if not path.is_file():
        return False

    with path.open("rb") as file:
        file.readline(RECORD)
        first = file.readline(RECORD)
        return first.endswith(b"\n") or len(first) == RECORD


def ways_on(path: str | Path, *, fork: bool = False) -> str:
    """What to type to go on with a run: in Python, in a notebook and in a shell."""
    word = shlex.quote(str(path))
    more, option = (", fork='new.jsonl'", " --fork new.jsonl") if fork else ("", "")
    return (
        f"kn.resume({str(path)!r}{more}), %swarm resume {word}{option} "
        f"or kimi-nb resume {word}{option}"
    )
