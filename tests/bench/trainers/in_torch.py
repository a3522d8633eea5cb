"""The same world, policy and update in PyTorch: as one writes them there, without autograd.

Single precision, and its own dice: what costs least. The gradient is the one worked out by hand,
which is faster than the one that autograd would give.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kimi_nb.parl.features import MANY, WORK
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import prior
from kimi_nb.parl.reward import ENOUGH
from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import Tasks, draw, repeat, to_the_end
from kimi_nb.views.anneal import Schedule

COSTS = Costs()
PART, WHOLE = 6, 6
"""Features of a part, and of the whole."""


class Looks(NamedTuple):
    """What L episodes look like at one step each."""

    parts: Tensor
    state: Tensor
    legal: Tensor


class World:
    """Episodes of these tasks, one each; the conventions are those of kimi_nb.parl.world."""

    def __init__(self, tasks: Tasks) -> None:
        number, parts = tasks.work.shape
        self.parts = parts
        self.work, self.coupling = single(tasks.work), single(tasks.coupling)
        self.needs = single(tasks.needs)
        self.present = torch.from_numpy(tasks.present)
        self.budget, self.serial = single(tasks.budget), single(np.maximum(tasks.serial, 1.0))
        self.chance = COSTS.reliability * (1 - COSTS.fragility * self.coupling)
        way = single(to_the_end(tasks)) / self.serial[:, None]
        self.fixed = torch.stack([self.work / WORK, self.coupling, way], dim=2)
        self.missing = self.needs.sum(dim=2)
        self.done = torch.zeros(number, parts, dtype=torch.bool)
        self.ready = self.present & (self.missing == 0)
        self.quality = torch.zeros(number, parts)
        self.queued = torch.zeros(number, parts)
        self.queue = torch.full((number, COSTS.most), -1)
        self.again = torch.zeros(number, COSTS.most, dtype=torch.bool)
        self.waiting = torch.zeros(number, dtype=torch.long)
        self.context, self.critical, self.total = (torch.zeros(number) for _ in range(3))
        self.sub_agents, self.completed, self.useless = (torch.zeros(number) for _ in range(3))
        self.over, self.success = (torch.zeros(number, dtype=torch.bool) for _ in range(2))

    def look(self, rows: Tensor) -> Looks:
        ready, done, queued = self.ready[rows], self.done[rows], self.queued[rows] > 0
        waiting, present = self.waiting[rows], self.present[rows]
        left = (self.work[rows] * ~done).sum(dim=1)
        spare = self.budget[rows] - self.critical[rows] - left
        parts = torch.empty(len(rows), self.parts, PART)
        parts[:, :, :3] = self.fixed[rows]
        parts[:, :, 3], parts[:, :, 4], parts[:, :, 5] = ready, done, queued
        state = torch.empty(len(rows), WHOLE)
        state[:, 0] = 1.0
        state[:, 1] = (self.context[rows] - COSTS.roomy).clamp(min=0.0) / COSTS.roomy
        state[:, 2] = spare / self.serial[rows]
        state[:, 3] = (ready & ~queued).sum(dim=1) / MANY
        state[:, 4] = waiting / MANY
        state[:, 5] = left == 0
        idle = waiting == 0
        legal = torch.empty(len(rows), 2 * self.parts + 2, dtype=torch.bool)
        legal[:, : self.parts] = ready & idle[:, None]
        legal[:, self.parts : -2] = present & (waiting < COSTS.most)[:, None]
        legal[:, -2], legal[:, -1] = ~idle, idle
        return Looks(parts, state, legal)

    def step(self, rows: Tensor, actions: Tensor) -> None:
        """One legal action in each of these episodes, none of which is over."""
        parts = self.parts
        alone, spawn = actions < parts, (actions >= parts) & (actions < 2 * parts)
        run, finish = rows[actions == 2 * parts], rows[actions == 2 * parts + 1]

        if alone.any():
            self.do(rows[alone], actions[alone])

        if spawn.any():
            self.assign(rows[spawn], actions[spawn] - parts)

        if len(run):
            self.run(run)

        if len(finish):
            self.success[finish] = (self.done | ~self.present)[finish].all(dim=1)
            self.over[finish] = True

    def do(self, rows: Tensor, parts: Tensor) -> None:
        work = self.work[rows, parts]
        context = self.context[rows] + work
        self.context[rows] = context
        made = 1 - COSTS.pressure * (context - COSTS.roomy).clamp(min=0.0)
        self.quality[rows, parts] = made.clamp(COSTS.floor, 1.0)
        self.done[rows, parts] = True
        self.missing[rows] -= self.needs[rows, :, parts]
        self.end(rows, work, work)

    def assign(self, rows: Tensor, parts: Tensor) -> None:
        slots = self.waiting[rows]
        self.queue[rows, slots] = parts
        self.again[rows, slots] = self.queued[rows, parts] > 0
        self.queued[rows, parts] += 1
        self.waiting[rows] += 1

    def run(self, rows: Tensor) -> None:
        queue, beside, number = self.queue[rows], rows[:, None], self.waiting[rows]
        used = queue >= 0
        work, ready = self.work[beside, queue], self.ready[beside, queue]
        luck = torch.rand(2, len(rows), COSTS.most)
        late = torch.where(luck[0] < COSTS.straggling, COSTS.straggler, 1.0)
        idle = torch.where(self.done[beside, queue], COSTS.done, COSTS.blocked * work)
        steps = torch.where(ready, (work + COSTS.start) * late, idle) * used
        at, slot = torch.nonzero(
            used & ready & (luck[1] < self.chance[beside, queue]), as_tuple=True
        )
        new = torch.zeros(len(rows), self.parts, dtype=torch.bool)
        new[at, queue[at, slot]] = True
        main = COSTS.turn + COSTS.briefing * number
        self.sub_agents[rows] += number
        self.completed[rows] += new.sum(dim=1)
        self.useless[rows] += (used & (~ready | self.again[rows])).sum(dim=1)
        self.context[rows] += COSTS.report * number
        self.quality[rows] += new * (1 - COSTS.loss * self.coupling[rows])
        self.done[rows] |= new
        self.missing[rows] -= (self.needs[rows] * new[:, None, :]).sum(dim=2)
        self.queue[rows], self.queued[rows], self.waiting[rows] = -1, 0.0, 0
        self.end(rows, main + steps.amax(dim=1), main + steps.sum(dim=1))

    def end(self, rows: Tensor, critical: Tensor, total: Tensor) -> None:
        self.ready[rows] = self.present[rows] & ~self.done[rows] & (self.missing[rows] == 0)
        self.critical[rows] += critical
        self.total[rows] += total
        self.over[rows] = self.critical[rows] > self.budget[rows]


class Taken(NamedTuple):
    """All actions of all episodes."""

    looks: Looks
    actions: Tensor
    odds: Tensor
    episodes: Tensor
    world: World


def single(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values).to(torch.float32)


def log_odds(weights: Tensor, looks: Looks) -> Tensor:
    aimed = looks.parts @ weights[: 2 * PART].view(2, PART).T
    whole = looks.state @ weights[2 * PART :].view(4, WHOLE).T
    logits = torch.cat(
        [aimed[:, :, 0] + whole[:, :1], aimed[:, :, 1] + whole[:, 1:2], whole[:, 2:]], dim=1
    )
    return logits.masked_fill_(~looks.legal, -torch.inf).log_softmax(dim=1)


def roll_out(weights: Tensor, tasks: Tasks) -> Taken:
    world, rows = World(tasks), torch.arange(len(tasks))
    kept: list[tuple[Looks, Tensor, Tensor, Tensor]] = []

    while len(rows):
        looks = world.look(rows)
        odds = log_odds(weights, looks)
        actions = torch.multinomial(odds.exp(), 1)
        kept.append((looks, actions[:, 0], odds.gather(1, actions)[:, 0], rows))
        world.step(rows, actions[:, 0])
        rows = rows[~world.over[rows]]

    looks, actions, odds, episodes = zip(*kept, strict=True)
    return Taken(
        Looks(*map(torch.cat, zip(*looks, strict=True))),
        *map(torch.cat, (actions, odds, episodes)),
        world,
    )


def gradient(weights: Tensor, taken: Taken, gains: Tensor, plan: Plan) -> Tensor:
    looks, actions = taken.looks, taken.actions[:, None]
    odds = log_odds(weights, looks)
    moved = odds.gather(1, actions)[:, 0] - taken.odds
    trusted = moved.abs() <= plan.mask
    by = (trusted * moved.exp() * gains[taken.episodes] - 2 * plan.tau * moved) / len(moved)
    push = odds.exp_().mul_(-by[:, None])
    push.scatter_add_(1, actions, by[:, None])
    aimed = push[:, :-2].reshape(len(by), 2, -1)
    ends = torch.cat([aimed.sum(dim=2), push[:, -2:]], dim=1)
    of_parts = aimed.transpose(0, 1).reshape(2, -1) @ looks.parts.view(-1, PART)
    return torch.cat([of_parts.ravel(), (ends.T @ looks.state).ravel()])


@torch.inference_mode()
def train(plan: Plan, schedule: Schedule) -> tuple[Tensor, int, list[tuple[float, float]]]:
    """The weights, the actions taken, and r_perf and sub-agents of each iteration."""
    torch.manual_seed(plan.seed)
    dice, weights = np.random.default_rng(plan.seed), single(prior(plan.spawning))
    adam = torch.optim.Adam([weights], lr=plan.rate, maximize=True)
    number, rows = 0, []

    for iteration in range(plan.iterations):
        taken = roll_out(weights, repeat(draw(dice, plan.tasks, plan.families), plan.rollouts))
        world, share = taken.world, schedule.at(iteration / plan.iterations)
        made = world.quality.sum(dim=1) / world.present.sum(dim=1)
        perf = torch.where(world.success, made, 0.0)
        totals = share * (world.sub_agents / ENOUGH).clamp(max=1.0) + (1 - share) * perf
        groups = totals.view(-1, plan.rollouts)
        gains = (groups - groups.mean(dim=1, keepdim=True)).view(-1)

        for _ in range(plan.epochs):
            weights.grad = gradient(weights, taken, gains, plan)
            adam.step()

        number += len(taken.actions)
        rows.append((float(perf.mean()), float(world.sub_agents.mean())))

    return weights, number, rows
