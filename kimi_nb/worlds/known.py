"""The world of a run, from its log: who judges it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.resume import peek
from kimi_nb.swarm.resume import resume as take_up
from kimi_nb.swarm.saved import Had, had
from kimi_nb.trace import Record
from kimi_nb.views.fold import records_of

if TYPE_CHECKING:
    from kimi_nb.swarm.handle import Replay, Run
    from kimi_nb.worlds.base import World

__all__ = ["is_world", "of", "resume"]

FAMILIES = {
    "wide": "wide_search",
    "deep": "deep_search",
    "office": "office_files",
    "code": "broken_code",
    "figure": "figures",
}
"""The package of each."""
_NAME = re.compile(r"([a-z]{1,20})\(items=([0-9]{1,3}), seed=(-?[0-9]{1,18})\)")


def of(run: str | PathLike[str] | Iterable[Record]) -> World:
    """The world of a run: of the log in a file, of a trace, or of a run itself.

    Raises UsageFault for a run of no world, and TraceError for what is no log of a run.
    """
    if isinstance(run, str | PathLike):
        was, where = peek(Path(run)), str(run)
    else:
        where = str(getattr(run, "path", None) or "this run")
        was = had(where, list(records_of(run)))

    if (found := _named(was)) is None:
        judge = was.options.get("judge")
        by = f"is judged by {judge!r}" if judge else "is judged by nobody"
        message = f"{where} {by}, and so is the run of no world, as kn.worlds.wide().run() is"
        raise UsageFault(message)

    family, items, seed = found
    package = import_module(f"{__package__}.{FAMILIES[family]}")
    return package.make(items, seed)


def is_world(was: Had) -> bool:
    """Whether a log is of a run that `resume` here can go on with."""
    return _named(was) is not None


def resume(path: str | PathLike[str], **options: Any) -> Run | Replay:
    """Go on with a world's run, with its own tools and its own judge.

    `options`: as `kn.resume` has them. Raises UsageFault for a run of no world, for one whose
    files are gone, and for tools, a judge or another goal, else what `kn.resume` does.
    """
    path = Path(path)
    world = of(path)
    folder = Path(str(peek(path).options["folder"]))

    if given := sorted({"tools", "judge"} & options.keys()):
        raise UsageFault(f"{given[0]}: a world's run keeps its own; leave that out")

    if options.get("plan") is not None or _other(options.get("goal"), world):
        raise UsageFault(f"{world.name} has one goal: begin with another by kn.swarm")

    if not folder.is_dir():
        message = (
            f"the files of {path} are no longer in {folder}: put them back there, or begin anew: "
            f"kn.worlds.{world.name}.run()"
        )
        raise UsageFault(message)

    return take_up(path, tools=world.tools(folder), judge=world, **options)


def _other(goal: str | None, world: World) -> bool:
    return goal is not None and goal.strip() != world.goal


def _named(was: Had) -> tuple[str, int, int] | None:
    """Family, items and seed, by the name of its judge: read strictly, never evaluated."""
    found = _NAME.fullmatch(str(was.options.get("judge") or ""))

    if found is None or found[1] not in FAMILIES:
        return None

    return found[1], int(found[2]), int(found[3])
