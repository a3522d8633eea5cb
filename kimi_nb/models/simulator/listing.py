"""From the answer of a listing tool to the items of a goal."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.goal import Goal
from kimi_nb.models.simulator.memory import Done
from kimi_nb.models.simulator.program import TABLE_OPS
from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.toolbox import Toolbox

__all__ = ["Listing", "folders_seen", "list_items", "needs_tables"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The items, or the call that lists them, or why there are none."""

    kind: str
    items: tuple[str, ...] = ()
    call: Call | None = None
    problem: str = ""
    readings: tuple[str, ...] = ()
    """Sentences on how an ambiguous goal was read."""


def list_items(goal: Goal, tools: Toolbox, done: Sequence[Done]) -> Listing:
    """What to work on, as far as `done` tells."""
    source = goal.source
    named = goal.shared or source.items

    if named:
        return Listing(source.kind, named)

    if source.kind == "packages":
        return _packages(goal, tools, done)

    return _files(goal, tools, done)


def folders_seen(goal: Goal, tools: Toolbox, done: Sequence[Done]) -> tuple[str, ...]:
    """The folders of the working folder, where the goal's first reading led nowhere.

    Empty unless the working folder was listed, and had nothing that fits or was not meant.
    """
    listed = [call for call in done if tools.list_files and call.name == tools.list_files.name]
    top = [call for call in listed if not call.arguments.get("recursive") and _at_top(call)]
    source = goal.source

    if goal.shared or source.here or source.items or not top:
        return ()

    paths = _paths(top[0].result or "")

    if source.folder == "." and any(_wanted(path, goal) for path in paths):
        return ()

    errors = [call.result or "" for call in listed if (call.result or "").startswith("ERROR")]
    paths += [path for error in errors for path in error.partition("there are: ")[2].split(", ")]
    return tuple(path.rstrip("/") for path in dict.fromkeys(paths) if path.endswith("/"))


def _at_top(call: Done) -> bool:
    """It listed the working folder itself."""
    return all(value in {".", ""} for key, value in call.arguments.items() if key != "recursive")


def _packages(goal: Goal, tools: Toolbox, done: Sequence[Done]) -> Listing:
    tool = tools.list_packages

    if tool is None:
        return Listing(
            "packages", problem=phrases.lacks_tool("list_packages", chinese=goal.chinese)
        )

    answer = next((call.result or "" for call in done if call.name == tool.name), None)

    if answer is None:
        return Listing("packages", call=Call(tool.name, {}))

    if answer.startswith("ERROR"):
        return Listing("packages", problem=answer)

    names = tuple(
        dict.fromkeys(n.strip() for n in answer.splitlines() if n.strip() and n[0] != "[")
    )
    problem = "" if names else phrases.no_packages(chinese=goal.chinese)
    return Listing("packages", names, problem=problem, readings=_cut(answer, goal))


def _files(  # noqa: C901, PLR0911 -- one case after the other reads best
    goal: Goal, tools: Toolbox, done: Sequence[Done]
) -> Listing:
    tool = tools.list_files

    if tool is None:
        return Listing("files", problem=phrases.lacks_tool("list_files", chinese=goal.chinese))

    source = goal.source
    folder = source.folder.rstrip("/") or source.folder
    slot = next(
        name for name, _ in tool.parameters if name in {"folder", "path", "directory", "dir"}
    )
    arguments: dict[str, Any] = {slot: folder}
    deep = source.recursive or "/" in source.pattern

    if deep and "recursive" in tool.names:
        arguments["recursive"] = True

    calls = [call for call in done if call.name == tool.name]
    answers = [call for call in calls if call.arguments.get(slot, folder) == folder]

    if not answers:
        return Listing("files", call=Call(tool.name, arguments))

    answer = answers[-1].result or ""

    if answer.startswith("ERROR"):
        if folder != "." and not any(_at_top(call) for call in calls):
            return Listing("files", call=Call(tool.name, {slot: "."}))

        return Listing(
            "files", problem=phrases.missing_folder(folder, answer, chinese=goal.chinese)
        )

    paths = _paths(answer)
    items = tuple(path for path in paths if _wanted(path, goal))
    went_deep = bool(answers[-1].arguments.get("recursive"))
    inner = any(path.endswith("/") for path in paths)

    if not items and inner and not went_deep and "recursive" in tool.names:
        return Listing("files", call=Call(tool.name, {**arguments, "recursive": True}))

    readings = _cut(answer, goal)
    tables = tuple(item for item in items if item.lower().endswith((".csv", ".tsv")))

    if 0 < len(tables) < len(items) and not source.suffixes and needs_tables(goal):
        items, readings = tables, (*readings, phrases.only_tables(chinese=goal.chinese))

    if not items:
        return Listing(
            "files", problem=phrases.no_files(folder, goal.source.noun, paths, chinese=goal.chinese)
        )

    if went_deep and not deep:
        readings += (phrases.looked_deeper(folder, chinese=goal.chinese),)
    elif inner and not went_deep:
        readings += (phrases.not_deeper(chinese=goal.chinese),)

    return Listing("files", items, readings=readings)


def needs_tables(goal: Goal) -> bool:
    """It asks for what only tables have."""
    return any(measure.op in TABLE_OPS for measure in goal.measures)


def _paths(answer: str) -> list[str]:
    lines = [line for line in answer.splitlines() if line.strip() and not line.startswith("[")]
    return [line.partition("\t")[0].strip() for line in lines]


def _wanted(path: str, goal: Goal) -> bool:
    source = goal.source
    name = posixpath.basename(path)
    below = path.removeprefix(f"{posixpath.normpath(source.folder)}/")

    if path.endswith("/") or any(part.startswith(".") for part in below.split("/")):
        return False

    if source.pattern:
        last = source.pattern.rpartition("/")[2]
        return fnmatch.fnmatchcase(name.lower(), last.lower())

    return not source.suffixes or name.lower().endswith(source.suffixes)


def _cut(answer: str, goal: Goal) -> tuple[str, ...]:
    cut = any(line.startswith("[…") for line in answer.splitlines())
    return (phrases.cut_listing(chinese=goal.chinese),) if cut else ()
