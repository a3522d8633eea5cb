"""A world: a goal, what there is to work on, its tools, and a grader that knows the truth."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.events import Judged
from kimi_nb.patience import patience
from kimi_nb.swarm.asked import new_path
from kimi_nb.swarm.handle import Run
from kimi_nb.swarm.start import swarm
from kimi_nb.tools import Toolset

if TYPE_CHECKING:
    from kimi_nb.models.base import Model

__all__ = ["Grade", "World", "sized"]

SMALLEST, LARGEST = 3, 300


class Grade(NamedTuple):
    """What an answer is worth."""

    success: bool
    quality: float
    """Q(τ) in [0, 1]."""
    why: str
    """One sentence that names what was right and what was missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A task with a truth. The same family, items and seed give the same world.

    A model sees the goal, the folder and what the tools say; never the truth.
    """

    family: str
    """"wide", "deep", "office", "code" or "figure"."""
    items: int
    seed: int
    goal: str
    write: Callable[[Path], None]
    """Puts what the model works on into an empty folder."""
    tools: Callable[[Path], Toolset]
    """All tools of the agents, for the folder that was written."""
    grade: Callable[[str, Path], Grade]
    """From the answer and the folder as it was left."""
    steps: int = 100
    """Model calls that one agent may take: enough to do it all alone."""

    @property
    def name(self) -> str:
        """How it was asked for, which is how the log of a run names it."""
        return f"{self.family}(items={self.items}, seed={self.seed})"

    def judge(self, answer: str, folder: Path) -> Judged:
        """The grade as a fact of the log."""
        found = self.grade(answer, folder)
        return Judged(by=self.name, success=found.success, quality=found.quality, why=found.why)

    def run(
        self,
        *,
        model: str | Model | None = None,
        single: bool = False,
        trace: str | Path | None = None,
        **options: Any,
    ) -> Run:
        """Start a run on a fresh copy of this world, beside its log; `options` as `kn.swarm` has.

        Its trace ends with the fact of its judgement.
        Raises UsageFault if this cannot be done as asked.
        """
        path = Path(trace) if trace is not None else new_path(f"{self.family}-{self.items}")
        folder = path.with_suffix(".files").absolute()

        if folder.exists():
            raise UsageFault(f"{folder} is there already: name another log with trace=")

        folder.mkdir(parents=True)
        options.setdefault("max_steps", max(100, self.steps))
        options.setdefault("name", f"{self.family}-{self.items}-{time.strftime('%H%M%S')}")

        try:
            with patience(f"{self.name}: writing what it is about to {folder}"):
                self.write(folder)

            return swarm(
                self.goal,
                model=model,
                single=single,
                trace=path,
                folder=folder,
                tools=self.tools(folder),
                judge=self,
                **options,
            )
        except BaseException:  # no run came of it
            shutil.rmtree(folder, ignore_errors=True)

            if trace is None:
                path.unlink(missing_ok=True)

            raise


def sized(items: int) -> int:
    """`items`. Raises UsageFault for what is no size of a world."""
    if type(items) is not int or not SMALLEST <= items <= LARGEST:
        raise UsageFault(f"a world has {SMALLEST} to {LARGEST} items, not {items!r}")

    return items
