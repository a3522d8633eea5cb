"""`%%swarm NAME --resume FILE` and `%swarm resume FILE`: what the notebook gives to a run's log."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.magics.commands import Notebook, place
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.connect import Limits
from kimi_nb.swarm.equipped import named_in, own_tools
from kimi_nb.swarm.handle import Replay
from kimi_nb.swarm.plan import read_plan
from kimi_nb.swarm.resume import peek, resume
from kimi_nb.tools import Tool
from kimi_nb.tools.nearest import suggest
from kimi_nb.tools.shipped import SHIPPED
from kimi_nb.views.prices import Price, typed_price
from kimi_nb.worlds.known import is_world
from kimi_nb.worlds.known import resume as resume_world

__all__ = ["cluster_typed", "prices_typed", "take_up", "tools_named"]

KEPT = ("agents", "single", "folder", "trace", "seed", "thinking", "no_early_start")
"""Options of which the log has the value, and keeps it."""


def take_up(
    magics: Notebook,
    names: Mapping[str, Any],
    asked: argparse.Namespace,
    cell: str,
    limits: Limits,
) -> Replay:
    """Go on with the run in `asked.resume`; `names` are the notebook's variables.

    The goal in the cell, if there is one, must be the run's. Tools that the run had are taken
    from the notebook by their names, unless `--tools` says which. Raises what `resume` does.
    """
    values = {name: getattr(asked, name) for name in KEPT}

    if given := [
        name for name, value in values.items() if value is not None and value is not False
    ]:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        message = f"{options}: a resumed run keeps what its log has; leave that out"
        raise UsageFault(message)

    was = peek(asked.resume)
    in_cell = asked.plan == "-"
    url: str | None = asked.base_url or was.options["base_url"] or magics.base_url or None
    own = filter(None, (_named(names, name) for name in own_tools(was)))
    typed = {limit.name: getattr(asked, limit.name) for limit in fields(Budget)}
    more = {name: value for name, value in typed.items() if value is not None}
    kept: dict[str, Any] = {}

    if asked.tools or not is_world(was):
        kept["tools"] = tools_named(names, asked.tools) if asked.tools else own

    go_on = resume_world if is_world(was) else resume
    return go_on(
        asked.resume,
        goal=None if in_cell else cell.strip() or None,
        plan=cell if in_cell else asked.plan and read_plan(asked.plan),
        fork=asked.fork,
        name=asked.name or "",
        model=asked.model,
        base_url=url,
        key=magics.keys.get(place(url)) if url else None,
        budget=replace(was.budget, **more) if more else None,
        limits=limits,
        prices=prices_typed(asked, was.model),
        cluster=cluster_typed(names, asked.cluster or magics.cluster),
        **kept,
    )


def prices_typed(asked: argparse.Namespace, usual: str) -> dict[str, Price]:
    """The price that was typed, for the model that will answer. Raises UsageFault for none."""
    if not asked.price:
        return {}

    try:
        return {asked.model or usual: typed_price(asked.price)}
    except ValueError as error:
        message = f"--price {error}; such as --price 3,0.3,15"
        raise UsageFault(message) from None


def cluster_typed(names: Mapping[str, Any], typed: str) -> object:
    """An address, or what a variable of the notebook holds; None for "". Raises UsageFault."""
    if not typed or "://" in typed:
        return typed or None

    if names.get(typed) is None:
        message = (
            f"--cluster {typed}: neither an address such as tcp://HOST:8786 nor a variable of this "
            "notebook that holds a distributed.Client"
        )
        raise UsageFault(message)

    return names[typed]


def tools_named(names: Mapping[str, Any], listed: str) -> list[Any]:
    """For a list such as "a,b": functions of the notebook, and names of what comes with kimi_nb.

    Raises UsageFault for a name that is neither, and for one that is both: which one is meant
    decides what a model can do.
    """
    return [_tool(names, name) for name in named_in(listed)]


def _tool(names: Mapping[str, Any], name: str) -> Any:
    value = _named(names, name)

    if name not in SHIPPED:
        if value is None:
            message = (
                f"--tools {name}: no such function in this notebook, run its cell; "
                f"of what kimi_nb brings, {suggest(name, SHIPPED)}"
            )
            raise UsageFault(message)

        return value

    if value is None or _is_ours(value):
        return value or name

    message = (
        f"--tools {name}: this notebook has a {name} of its own, and kimi_nb brings one; give "
        f"yours another name, or @kn.tool(name='my_{name}') and --tools my_{name}"
    )
    raise UsageFault(message)


def _is_ours(value: Any) -> bool:
    function = value.function if isinstance(value, Tool) else value
    return str(getattr(function, "__module__", "")).startswith("kimi_nb.")


def _named(names: Mapping[str, Any], name: str) -> Any:
    """The function or tool of that name among the notebook's variables; None if there is none."""
    value = names.get(name)

    if callable(value):
        return value

    renamed = (
        other
        for variable, other in names.items()
        if isinstance(other, Tool) and other.name == name and not variable.startswith("_")
    )
    return next(renamed, None)
