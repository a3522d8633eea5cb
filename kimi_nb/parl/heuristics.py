"""Policies that learn nothing, to hold a learned one against; all play by the world's actions.

Each takes a World and returns an action for every episode; `play(world, all_serial)` gives the
Outcome. They know the tasks and the costs, of the
coupling what can be seen of it, but not what chance will do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kimi_nb.parl.tasks import Bools, Ints, to_the_end
from kimi_nb.parl.world import World

__all__ = [
    "HEURISTICS",
    "all_parallel",
    "all_serial",
    "greedy",
    "list_scheduling",
    "splitting",
]

ENTANGLED = 0.5
"""Coupling from which the greedy policy keeps a part to itself."""


def all_serial(world: World) -> Ints:
    """Every part oneself, the first ready one first."""
    return _act(world, np.zeros_like(world.state.ready), _first(world))


def all_parallel(world: World) -> Ints:
    """Every ready part to a sub-agent of its own, whatever it costs."""
    return _act(world, world.state.ready, _first(world))


def greedy(world: World) -> Ints:
    """Ready parts of little coupling to sub-agents if there are two; else the first one oneself."""
    return _split(world, ENTANGLED, 2)


def splitting(coupling: float, at_least: int) -> Callable[[World], Ints]:
    """As `greedy`, with bounds of one's own.

    The policy gives ready parts of less coupling than this to sub-agents if there are at least so
    many of them; else it does the first ready part itself.
    """

    def policy(world: World) -> Ints:
        return _split(world, coupling, at_least)

    return policy


def list_scheduling(world: World) -> Ints:
    """Knowing the coupling, and ranking as HEFT does: first what the longest way to the end needs.

    All ready parts, or as many as one stage takes, are launched if what they are worth exceeds
    the critical steps of the stage. A part is worth its work, times the chance that a sub-agent
    completes it, times the quality that it then has.
    """
    rank = to_the_end(world.tasks)
    return _act(world, _stage(world, rank), rank)


HEURISTICS = {
    "all-serial": all_serial,
    "all-parallel": all_parallel,
    "greedy": greedy,
    "list scheduling": list_scheduling,
}
"""By the names that a table gives them."""


def _split(world: World, coupling: float, at_least: int) -> Ints:
    apart = world.state.ready & (world.seen_coupling < coupling)
    several = apart.sum(axis=1) >= at_least
    return _act(world, apart & several[:, None], _first(world))


def _stage(world: World, rank: Ints) -> Bools:
    """(E, N): the parts that list scheduling launches now; none where a stage does not pay."""
    costs, state, tasks = world.costs, world.state, world.tasks
    coupling = world.seen_coupling
    chance = costs.reliability * (1 - costs.fragility * coupling)
    worth = chance * (1 - costs.loss * coupling) * tasks.work
    batch = _highest(state.ready, rank, costs.most)
    number = batch.sum(axis=1)
    late = 1 + (costs.straggler - 1) * (1 - (1 - costs.straggling) ** number)
    slowest = late * (costs.start + (batch * tasks.work).max(axis=1))
    pays = (batch * worth).sum(axis=1) > costs.turn + costs.briefing * number + slowest
    return batch & pays[:, None]


def _highest(among: Bools, rank: Ints, most: int) -> Bools:
    """Of each row at most so many, those of the highest rank; the first of equal ones."""
    order = np.argsort(np.where(among, -rank, 1), axis=1, kind="stable")
    chosen = np.zeros_like(among)
    np.put_along_axis(chosen, order[:, :most], values=True, axis=1)
    return chosen & among


def _act(world: World, stage: Bools, rank: Ints) -> Ints:
    """The next action on the way to this stage; without one, the ready part of the highest rank."""
    state, parts = world.state, world.tasks.parts
    room = state.waiting < world.costs.most
    left = stage & (state.queued == 0) & room[:, None]
    alone = np.where(state.ready, rank, -1).argmax(axis=1)
    spawn = parts + np.where(left, rank, -1).argmax(axis=1)
    run, finish = 2 * parts, 2 * parts + 1
    cases = [world.over, left.any(axis=1), state.waiting > 0, state.ready.any(axis=1)]
    return np.select(
        cases, [np.full_like(spawn, finish), spawn, np.full_like(spawn, run), alone], finish
    )


def _first(world: World) -> Ints:
    """Ranks by which the first part comes first."""
    return np.broadcast_to(np.arange(world.tasks.parts)[::-1], world.tasks.work.shape)
