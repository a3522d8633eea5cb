"""The world in which an orchestrator learns: many episodes at once, one action each per step.

An action stands for a tool call: do a part oneself, create a sub-agent for one and assign it,
end the turn so that all assigned ones run as one stage, or submit. Sub-agents are frozen: what
becomes of one is chance, and no decision of the policy. Costs and chances are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kimi_nb.errors import UsageFault
from kimi_nb.parl.state import Costs, Outcome, begin
from kimi_nb.parl.tasks import Bools, Floats, Ints, Tasks

__all__ = ["Costs", "Launched", "Outcome", "World", "play"]


class Launched(NamedTuple):
    """The sub-agents of one stage in L episodes; every array is (L, costs.most)."""

    parts: Ints
    """Whose they are, in the order of assignment; -1 beyond the last."""
    steps: Floats
    completes: Bools
    """Of several for one part all that could; the first one's work counts."""
    useless: Bools


class World:
    """Episodes of these tasks, one each. Same dice, same world; no episode sees another's luck.

    Of N parts, action i < N does part i oneself (SELF), N + i assigns it to a new sub-agent
    (SPAWN), 2 N ends the turn (RUN), 2 N + 1 submits (FINISH). `noise` is the standard deviation
    of what is seen of the coupling.
    """

    def __init__(
        self,
        tasks: Tasks,
        dice: np.random.Generator,
        costs: Costs | None = None,
        noise: float = 0.0,
    ) -> None:
        self.tasks = tasks
        self.costs = costs = costs or Costs()
        self._keys = dice.integers(0, 2**64, len(tasks), dtype=np.uint64)
        self._rows = np.arange(len(tasks))
        self._missing = tasks.needs.sum(axis=2)
        self._chance = costs.reliability * (1 - costs.fragility * tasks.coupling)
        self._queue = np.full((len(tasks), costs.most), -1)
        self._again = np.zeros((len(tasks), costs.most), bool)
        self._success = np.zeros(len(tasks), bool)
        self._legal: Bools | None = None
        self.state = begin(tasks)
        self.seen_coupling = self._blurred(noise) if noise else tasks.coupling
        """(E, N) what policies and heuristics know of it; the world goes by the true one."""

    @property
    def over(self) -> Bools:
        """(E,): submitted, or out of budget."""
        return self.state.over

    def legal(self) -> Bools:
        """(E, 2 N + 2); in an episode that is over only FINISH, which then changes nothing.

        A blocked, done or already assigned part may be assigned: that is spurious parallelism.
        """
        if self._legal is None:
            state, parts = self.state, self.tasks.parts
            live, idle = ~state.over, state.waiting == 0
            legal = np.empty((len(live), 2 * parts + 2), bool)
            np.logical_and(state.ready, (live & idle)[:, None], out=legal[:, :parts])
            room = live & (state.waiting < self.costs.most)
            np.logical_and(self.tasks.present, room[:, None], out=legal[:, parts : 2 * parts])
            legal[:, 2 * parts] = live & ~idle
            legal[:, 2 * parts + 1] = ~live | idle
            legal.flags.writeable = False
            self._legal = legal

        return self._legal

    def step(self, actions: Ints) -> None:
        """One action in each episode. Raises UsageFault, and changes nothing, if one is illegal."""
        self._check(actions)
        parts, live = self.tasks.parts, ~self.over
        kind = np.minimum(actions // parts, 2) + (actions == 2 * parts + 1)
        alone, spawn, run, finish = (np.flatnonzero(live & (kind == at)) for at in range(4))
        self._legal = None

        if len(alone):
            self._alone(alone, actions[alone])

        if len(spawn):
            self._spawn(spawn, actions[spawn] - parts)

        if len(run):
            self._run(run)

        if len(finish):
            self._success[finish] = (self.state.done | ~self.tasks.present)[finish].all(axis=1)
            self.over[finish] = True

    def outcome(self) -> Outcome:
        """What became of the episodes so far; one that goes on is no success."""
        state = self.state
        parts = np.maximum(self.tasks.present.sum(axis=1), 1)
        return Outcome(
            self._success.copy(),
            state.quality.sum(axis=1) / parts,
            *(getattr(state, field.name).copy() for field in fields(Outcome)[2:]),
        )

    def _check(self, actions: Ints) -> None:
        legal = self.legal()
        inside = (actions >= 0) & (actions < legal.shape[1])

        if actions.shape != (len(legal),) or not inside.all():
            raise UsageFault(
                f"step() takes an action in 0..{legal.shape[1] - 1} for each of "
                f"{len(legal)} episodes. Choose among those that legal() allows."
            )

        if not (allowed := legal[self._rows, actions]).all():
            at = int(np.flatnonzero(~allowed)[0])
            raise UsageFault(
                f"Action {actions[at]} is illegal in episode {at}. "
                "Choose among those that legal() allows."
            )

    def _alone(self, rows: Ints, parts: Ints) -> None:
        """The main agent's own work; the context that it then has presses on the quality."""
        costs, state = self.costs, self.state
        work = self.tasks.work[rows, parts]
        state.context[rows] += work
        excess = np.maximum(state.context[rows] - costs.roomy, 0)
        state.quality[rows, parts] = np.clip(1 - costs.pressure * excess, costs.floor, 1)
        state.done[rows, parts] = True
        self._missing[rows] -= self.tasks.needs[rows, :, parts]
        self._end_stage(rows, work.astype(float), work.astype(float))

    def _spawn(self, rows: Ints, parts: Ints) -> None:
        state = self.state
        slots = state.waiting[rows]
        self._queue[rows, slots] = parts
        self._again[rows, slots] = state.queued[rows, parts] > 0
        state.queued[rows, parts] += 1
        state.waiting[rows] += 1

    def _run(self, rows: Ints) -> None:
        """One stage of all sub-agents that wait in these episodes."""
        costs, state, tasks = self.costs, self.state, self.tasks
        launched, number = self._launched(rows), state.waiting[rows]
        main = costs.turn + costs.briefing * number
        new = np.zeros((len(rows), tasks.parts), bool)
        at, slot = np.nonzero(launched.completes)
        new[at, launched.parts[at, slot]] = True

        state.sub_agents[rows] += number
        state.completed[rows] += new.sum(axis=1)
        state.useless[rows] += launched.useless.sum(axis=1)
        state.context[rows] += costs.report * number
        state.quality[rows] += new * (1 - costs.loss * tasks.coupling[rows])
        state.done[rows] |= new
        self._missing[rows] -= (tasks.needs[rows] & new[:, None, :]).sum(axis=2)
        self._queue[rows], state.queued[rows], state.waiting[rows] = -1, 0, 0
        steps = launched.steps
        self._end_stage(rows, main + steps.max(axis=1), main + steps.sum(axis=1))

    def _launched(self, rows: Ints) -> Launched:
        """What becomes of all sub-agents that wait in these episodes; it changes nothing."""
        costs, state, tasks = self.costs, self.state, self.tasks
        queue, beside = self._queue[rows], rows[:, None]
        used = queue >= 0
        work, ready = tasks.work[beside, queue], state.ready[beside, queue]
        done = state.done[beside, queue]
        straggles, completes = self._luck(rows)
        full = (work + costs.start) * np.where(straggles < costs.straggling, costs.straggler, 1.0)
        idle = np.where(done, costs.done, costs.blocked * work)
        return Launched(
            parts=queue,
            steps=np.where(ready, full, idle) * used,
            completes=used & ready & (completes < self._chance[beside, queue]),
            useless=used & (~ready | self._again[rows]),
        )

    def _end_stage(self, rows: Ints, critical: Floats, total: Floats) -> None:
        state = self.state
        state.ready[rows] = (
            self.tasks.present[rows] & ~state.done[rows] & (self._missing[rows] == 0)
        )
        state.critical_steps[rows] += critical
        state.total_steps[rows] += total
        state.stages[rows] += 1
        state.over[rows] = state.critical_steps[rows] > self.tasks.budget[rows]

    def _luck(self, rows: Ints) -> Floats:
        """Two uniform numbers for each sub-agent of the stage, (2, rows, most).

        They hang on the episode, its stage and the place in the queue alone: so an episode runs
        alike whoever runs beside it, which one generator for all could not give.
        """
        most = self.costs.most
        count = self.state.stages[rows, None] * 2 * most + np.arange(2 * most) + 1
        return _uniform(self._keys[rows], count).reshape(len(rows), 2, most).swapaxes(0, 1)

    def _blurred(self, noise: float) -> Floats:
        """The coupling and a normal error that stays as it is for the whole episode, in [0, 1]."""
        parts = self.tasks.parts
        drawn = _uniform(self._keys, -1 - np.arange(2 * parts)[None])  # no stage comes to these
        error = np.sqrt(-2 * np.log1p(-drawn[:, :parts])) * np.cos(2 * np.pi * drawn[:, parts:])
        return np.clip(self.tasks.coupling + noise * error, 0, 1) * self.tasks.present


def _uniform(keys: NDArray[np.uint64], count: Ints) -> Floats:
    """(E, …) the numbers in [0, 1) that each key has at these counts: SplitMix64."""
    bits = keys[:, None] + count.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = (bits ^ (bits >> np.uint64(31))) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def play(world: World, policy: Callable[[World], Ints]) -> Outcome:
    """What becomes of a world that this policy plays to the end of every episode."""
    while not world.over.all():
        world.step(policy(world))

    return world.outcome()
