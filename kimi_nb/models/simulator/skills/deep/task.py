"""Where the trail begins, and how it is told where it led."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.skills.deep.notes import Clue, Notes, Person, written
from kimi_nb.models.simulator.skills.deep.walk import Walk

__all__ = ["Task", "answer", "prompt", "report", "task_of"]

_FIRST = re.compile(
    r"In \d{4} a compass belonged to ([A-Z]\w+ [A-Z]\w+), ([^.]+)\. It was handed on"
    r"(?: (\d+) times)?"
)
_STORY = re.compile(r"(?m)^Follow the trail of a compass, which went to the (.+) in (\d{4})\.")


@dataclass(frozen=True, slots=True)
class Task:
    first: Person | None
    """Who had it first."""
    story: Clue | None = None
    """Or where to take it up: the task of a sub-agent."""
    steps: int = 0
    """Times that it was handed on; 0 where the goal does not say."""

    @property
    def shared(self) -> bool:
        """It is a part of somebody else's task."""
        return self.story is not None


def task_of(goal: str) -> Task | None:
    """None if the goal is none of this skill's."""
    if found := _STORY.search(goal):
        return Task(None, Clue(found[1], int(found[2])))

    found = _FIRST.search(goal)

    if found is None or "ANSWER:" not in goal:
        return None

    return Task(Person(found[1], found[2]), steps=int(found[3] or 0))


def prompt(story: Clue) -> str:
    """The task for a sub-agent that follows one of two stories."""
    return (
        f"Follow the trail of a compass, which went to the {story.post} in {story.year}. `search` "
        "and `open` give you an archive: rolls, which say who held a post and when, and papers, "
        "which say to whom the compass went next. There were copies, and people of the same "
        "name. Go on until the trail ends or the papers tell two stories. Report each step that "
        "you found, one a line."
    )


def report(walk: Walk, known: Notes) -> str:
    """What a sub-agent brings: its notes, and how its story ended."""
    return f"{written(known, Notes(()))}\n{walk.ending}".strip()


def answer(task: Task, walk: Walk) -> str:
    """The answer to the user: the trail as far as it is known, and the word if it is."""
    names = [task.first.name] if task.first else []
    names += [person.name for person in walk.trail[1:]]
    lines = [walk.ending, "", f"TRAIL: {' → '.join(names)}"]
    lines += [f"ANSWER: {walk.word}"] if walk.word else []
    return "\n".join([*lines, "", phrases.signature(chinese=False)])
