"""The orchestrator at a fork: both stories at once, each by a sub-agent of its own."""

from __future__ import annotations

from dataclasses import replace

from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.orchestrator import most_agents
from kimi_nb.models.simulator.script import Turn
from kimi_nb.models.simulator.skills.deep.notes import Clue
from kimi_nb.models.simulator.skills.deep.task import prompt
from kimi_nb.models.simulator.skills.team import hand_out, reports

__all__ = ["AGENT", "ROLE", "hand_out_stories"]

AGENT = "trail-follower"
ROLE = (
    "You follow one story through the archive, step by step, and report each step as found. Do "
    "not guess: say so where the trail ends."
)


def hand_out_stories(stories: tuple[Clue, ...], past: Past, note: str) -> Turn | None:
    """The turn that hands them out; None where no sub-agents are left or all were handed out."""
    tasks = [prompt(story) for story in stories]
    given = {task for task, _ in reports(past)}
    new = [task for task in tasks if task not in given]

    if not new or len(given) + len(new) > most_agents(past.system):
        return None

    thinking = f"The papers tell {len(stories)} stories. I have each followed by itself."
    made = hand_out(past, AGENT, ROLE, tasks, thinking)
    return made and replace(made, text=note)
