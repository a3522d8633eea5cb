"""The tools of an orchestrating language model, as TRL's `environment_factory` takes them.

    GRPOTrainer(…, environment_factory=Environments(), reward_funcs=REWARDS)

Every public method but `reset` is a tool. Names and words of the two published ones are those of
the Kimi K2.5 report, appendix E.8. All are coroutines: TRL then gathers the calls of one turn, so
that they can run as one stage, and keeps the order of their answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from kimi_nb.errors import ModelError, ToolError
from kimi_nb.parl.llm.episode import Episode
from kimi_nb.parl.llm.sums import Sums
from kimi_nb.parl.llm.wording import described, harmless, named
from kimi_nb.parl.llm.workers import Job, Report, Simulated, Workers
from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import FAMILIES, draw

__all__ = ["Environments", "Orchestration"]


class _Assigned(NamedTuple):
    part: int
    system_prompt: str
    prompt: str


class Environments:
    """Makes the environment of one rollout after the other. Same seed, same luck; None: any.

    `families` and `parts` as in `parl.tasks.draw`. After a `fault` they are of no more use.
    """

    def __init__(
        self,
        workers: Workers | None = None,
        *,
        seed: int | None = 0,
        families: Sequence[str] = FAMILIES,
        parts: int | None = None,
        costs: Costs | None = None,
    ) -> None:
        self.workers = workers or Simulated()
        self.families = tuple(families)
        self.parts = parts
        self.costs = costs
        self.fault: ModelError | None = None
        """What ended the calls to the sub-agents' endpoint, for all rollouts; None: nothing did."""
        self.ends: Collection[int] | None = None
        """The tokens that end a turn, which `recipe.trainer` knows; None: no turn counts as cut."""
        self._luck = np.random.default_rng(seed)

    def __call__(self) -> Orchestration:
        """A new one, with luck of its own."""
        return Orchestration(self, self._luck.spawn(1)[0])


class Orchestration:
    """One rollout at a time. `reset` begins the next; `episode` is what became of it so far."""

    def __init__(self, made_by: Environments, luck: np.random.Generator) -> None:
        self.made_by = made_by
        self._dice = luck
        self.reset(0)

    def reset(self, seed: int, **_row: Any) -> str:
        """The task of this seed in words, which the trainer adds to the prompt."""
        made_by = self.made_by
        tasks = draw(np.random.default_rng(seed), 1, made_by.families, made_by.parts)
        self.episode = Episode(tasks, self._dice, made_by.costs)
        self._sums = Sums(tasks, seed)
        self._team: dict[str, str] = {}
        self._turn: list[_Assigned] = []
        self._stage: asyncio.Task[list[str]] | None = None
        return described(tasks)

    async def create_subagent(self, name: str, system_prompt: str) -> str:
        """Create a custom subagent with specific system prompt and name for reuse.

        Args:
            name: Unique name for this agent configuration
            system_prompt: System prompt defining the agent's role, capabilities, and boundaries
        """
        if not _texts(name, system_prompt):
            return self._refused("name and system_prompt are texts")

        if not name.strip() or self._team.get(name, system_prompt) != system_prompt:
            return self._refused(f"the name {name!r} is empty or taken by another prompt")

        self.episode.idle()
        self._team[name] = system_prompt
        return self._told(f"created {name!r}")

    async def assign_task(self, agent: str, prompt: str) -> str:
        """Launch a new agent.
        Usage notes:
         1. You can launch multiple agents concurrently whenever possible, to maximize performance;
         2. When the agent is done, it will return a single message back to you.

        Args:
            agent: Specify which created agent to use.
            prompt: The task for the agent to perform
        """  # noqa: D205 -- word for word
        if not _texts(agent, prompt):
            return self._refused("agent and prompt are texts")

        if agent not in self._team:
            return self._refused(f"no sub-agent {agent!r} was created; call create_subagent")

        if (part := named(prompt, self.episode.number)) is None:
            return self._refused(f"the prompt names no part, P1 to P{self.episode.number}")

        if len(self._turn) == (most := self.episode.costs.most):
            return self._refused(f"at most {most} sub-agents run in one turn")

        # The siblings of this call are scheduled already, so they have joined when the stage runs.
        self._stage = self._stage or asyncio.get_running_loop().create_task(self._run())
        self._turn.append(_Assigned(part, self._team[agent], prompt))
        place, stage = len(self._turn) - 1, self._stage
        return (await stage)[place]

    async def do_part(self, part: str) -> str:
        """Do a part of the task yourself.

        Args:
            part: Its name, such as P1
        """
        if not _texts(part) or (found := named(part, self.episode.number)) is None:
            return self._refused(f"there is no part {part!r}, but P1 to P{self.episode.number}")

        try:
            self.episode.alone(found)
        except ToolError as error:
            return self._told(f"ERROR: {error}")

        return self._told(f"P{found + 1} is done")

    async def _run(self) -> list[str]:
        """The stage of all assignments of this turn; the message of each."""
        turn, self._turn, self._stage = self._turn, [], None
        hindered = [self.episode.hindered(assigned.part) for assigned in turn]
        reports = await self._reports(turn, hindered)
        right = None

        if reports is not None:
            right = [
                report.ok and self._sums.right(assigned.part, report.text)
                for assigned, report in zip(turn, reports, strict=True)
            ]

        try:
            completed = self.episode.stage([assigned.part for assigned in turn], right)
        except ToolError as error:
            return [self._told(f"ERROR: {error}")] * len(turn)

        said = reports or [
            Report(ok=done, text=f"P{assigned.part + 1} {'is done' if done else 'failed'}")
            for assigned, done in zip(turn, completed, strict=True)
        ]
        return [
            self._told(f"{why}: nothing to do" if why else report.text)
            for why, report in zip(hindered, said, strict=True)
        ]

    async def _reports(
        self, turn: Sequence[_Assigned], hindered: Sequence[str]
    ) -> list[Report] | None:
        """Of each assignment; nobody is asked about a part that cannot be done now."""
        made_by = self.made_by

        if made_by.fault is not None:
            raise made_by.fault

        if self.episode.over[0]:
            return None

        asked = [at for at, why in enumerate(hindered) if not why]
        jobs = [
            Job(turn[at].system_prompt, turn[at].prompt, self._sums.material(turn[at].part))
            for at in asked
        ]

        try:
            found = await made_by.workers.reports(jobs)
        except ModelError as error:  # to the trainer a tool's exception is an answer like any other
            made_by.fault = error
            raise

        if found is None:
            return None

        reports = [Report(ok=False, text="")] * len(turn)

        for at, report in zip(asked, found, strict=True):
            reports[at] = report

        return reports

    def _refused(self, why: str) -> str:
        self.episode.idle()
        return self._told(f"ERROR: {why}")

    def _told(self, text: str) -> str:
        return f"{harmless(text)} [{self.episode.spent()}]"


def _texts(*given: object) -> bool:
    """Whether a model gave what the tool's schema asks for; nobody else looks at it."""
    return all(isinstance(one, str) for one in given)
