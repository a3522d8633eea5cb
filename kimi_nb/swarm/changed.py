"""What of a run is no longer as its log has it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kimi_nb._version import __version__
from kimi_nb.errors import TraceMismatch
from kimi_nb.swarm.asked import ways_on
from kimi_nb.swarm.engine import Judge
from kimi_nb.swarm.plan import Task
from kimi_nb.swarm.saved import Had, digests, entries
from kimi_nb.tools import Toolset

__all__ = ["changed", "check", "check_judge", "check_simulated", "parted"]

SHOWN = 60
"""Characters of a goal in a message."""


def parted(was: Had, goal: str | None, tasks: Sequence[Task] | None) -> list[str]:
    """What differs from the first record on, so that nothing could be taken over. None: as it was.

    White space around a goal does not count: a shell adds it.
    """
    found: list[str] = []

    if goal is not None and goal.strip() != was.goal.strip():
        found.append(f"its goal is {_short(was.goal)}, not {_short(goal)}")

    if tasks is not None and entries(tasks) != was.options["plan"]:
        found.append("its plan has other tasks" if was.options["plan"] else "it has no plan")

    return found


def changed(was: Had, toolset: Toolset) -> list[str]:
    """What differs in that which carries it on: the tools and the version."""
    have = digests(toolset)
    gone = sorted(was.tools.keys() - have.keys())
    new = sorted(have.keys() - was.tools.keys())
    found: list[str] = []

    if gone:
        names = ", ".join(gone)
        found.append(
            f"it had {names}; pass tools=[{names}], or in a notebook run the cell that defines "
            "it and then %swarm resume (kimi-nb has no functions of yours)"
        )

    if new:
        found.append(f"it had no {', '.join(new)}")

    for name in sorted(was.tools.keys() & have.keys()):
        (told, code), (told_now, code_now) = was.tools[name], have[name]

        if told and told != told_now:
            found.append(f"what the model is told of {name} has changed")
        elif code and code_now and code != code_now:
            found.append(f"the code of {name} has changed")

    if was.version != __version__:
        found.append(f"kimi_nb {was.version} wrote it, and this is {__version__}")

    return found


def check(path: Path, differences: Sequence[str], *, anew: bool) -> None:
    """Raises TraceMismatch if there are any; `anew`: a fork could take over nothing."""
    if differences:
        what = (
            "begin anew with its settings, for nothing of it could be taken over, by giving this"
            if anew
            else "go on in a log of your own by giving this"
        )
        message = (
            f"{path} cannot go on like this: {'; '.join(differences)}. Give what it had, or "
            f"{what} and a fork: {ways_on(path, fork=True)}"
        )
        raise TraceMismatch(message)


def check_judge(path: Path, was: Had, judge: Judge | None) -> None:
    """Raises TraceMismatch where the run would end unjudged, or judged by another."""
    name = was.options.get("judge")

    if name and (judge is None or judge.name != name):
        other = "nobody" if judge is None else judge.name
        message = (
            f"{path} is judged by {name}, and would be by {other}. If that is a world, type "
            f"kn.worlds.resume({str(path)!r}), which has its tools and its judge; if it is a "
            "judge of your own, give it: kn.resume(…, judge=…)"
        )
        raise TraceMismatch(message)


def check_simulated(was: Had, *, simulated: bool) -> None:
    """Raises TraceMismatch where rules would go on for a language model, or the reverse."""
    if simulated != was.simulated:
        kinds = ["a language model", "the simulator"]
        message = (
            f"{kinds[was.simulated]} answered so far, and {kinds[simulated]} would go on: "
            f"the answer would be neither's. Resume it with model={was.model!r}, or start anew"
        )
        raise TraceMismatch(message)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= SHOWN else line[: SHOWN - 1] + "…")
