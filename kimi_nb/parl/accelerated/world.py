"""The orchestrator's world, for XLA: the conventions, states and luck of `parl.world`.

XLA wants one shape and no branches: so every episode goes through every kind of action, masked, and
one that is over stays as it is. Sets of parts are bits of one integer.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# JAX does not tell all of its types.

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from kimi_nb.parl.state import Costs
from kimi_nb.parl.tasks import Tasks

__all__ = [
    "BIT",
    "Given",
    "State",
    "begin",
    "blurred",
    "give",
    "has",
    "keep",
    "quality",
    "ready",
    "step",
]

BIT = jnp.uint32
SEEDING, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""SplitMix64's."""


class Given(NamedTuple):
    """What never changes in E episodes of N parts; N is at most 32."""

    work: Array
    """(E, N) steps, as floats."""
    coupling: Array
    """(E, N)"""
    needs: Array
    """(E, N) the set of parts that each waits for."""
    present: Array
    """(E,) the set of parts that there are."""
    family: Array
    """(E,)"""
    budget: Array
    """(E,)"""
    serial: Array
    """(E,)"""


class State(NamedTuple):
    """As `parl.state.State` has it, (E,) but for what says otherwise."""

    done: Array
    """A set of parts, as the next."""
    assigned: Array
    waiting: Array
    context: Array
    critical_steps: Array
    over: Array
    quality: Array
    """(E, N)"""
    queue: Array
    """(E, most) the parts of the sub-agents that wait; N: none."""
    again: Array
    """(E, most) the part was assigned already in that turn."""
    success: Array
    total_steps: Array
    sub_agents: Array
    completed: Array
    useless: Array
    stages: Array


def give(tasks: Tasks) -> Given:
    """The tasks that NumPy drew, on the device."""
    bits = 1 << jnp.arange(tasks.parts, dtype=BIT)
    return Given(
        jnp.asarray(tasks.work, float),
        jnp.asarray(tasks.coupling),
        keep(jnp.asarray(tasks.needs), bits),
        keep(jnp.asarray(tasks.present), bits),
        *map(jnp.asarray, (tasks.family, tasks.budget, tasks.serial)),
    )


def keep(members: Array, bits: Array) -> Array:
    """(…) the set whose members the last axis tells."""
    return jnp.where(members, bits, 0).sum(axis=-1, dtype=BIT)


def has(sets: Array, parts: int) -> Array:
    """(…, parts) which parts are in these sets."""
    return (sets[..., None] >> jnp.arange(parts, dtype=BIT)) & 1 == 1


def ready(given: Given, done: Array) -> Array:
    """(E, N) present, not done, and waiting for nothing."""
    free = given.needs & ~done[:, None] == 0
    return has(given.present & ~done, given.work.shape[1]) & free


def begin(given: Given, costs: Costs) -> State:
    """The state of every episode before any action."""
    number, parts = given.work.shape
    zero, none = jnp.zeros(number), jnp.zeros(number, int)
    no, empty = jnp.zeros(number, bool), jnp.zeros(number, BIT)
    return State(
        done=empty,
        assigned=empty,
        waiting=none,
        context=zero,
        critical_steps=zero,
        over=no,
        quality=jnp.zeros((number, parts)),
        queue=jnp.full((number, costs.most), parts),
        again=jnp.zeros((number, costs.most), bool),
        success=no,
        total_steps=zero,
        sub_agents=none,
        completed=none,
        useless=none,
        stages=none,
    )


def step(given: Given, keys: Array, state: State, actions: Array, costs: Costs) -> State:
    """One legal action in each episode; `keys` are what its luck hangs on."""
    parts = given.work.shape[1]
    live, aim = ~state.over, actions % parts
    part = jnp.arange(parts) == aim[:, None]
    alone = live & (actions < parts)
    spawn = live & (actions >= parts) & (actions < 2 * parts)
    run, finish = live & (actions == 2 * parts), live & (actions == 2 * parts + 1)
    state = _alone(given, state, part & alone[:, None], costs)
    state = _spawn(state, part, aim, spawn)
    state = _run(given, keys, state, run, costs)
    spent = (alone | run) & (state.critical_steps > given.budget)
    return state._replace(
        stages=state.stages + (alone | run),
        success=state.success | (finish & (given.present & ~state.done == 0)),
        over=state.over | finish | spent,
    )


def quality(given: Given, state: State) -> Array:
    """(E,) mean over the parts."""
    number = has(given.present, given.work.shape[1]).sum(axis=1)
    return state.quality.sum(axis=1) / jnp.maximum(number, 1)


def _alone(given: Given, state: State, part: Array, costs: Costs) -> State:
    work = jnp.where(part, given.work, 0).sum(axis=1)
    context = state.context + work
    pressed = 1 - costs.pressure * jnp.maximum(context - costs.roomy, 0)
    made = jnp.clip(pressed, costs.floor, 1)[:, None]
    return state._replace(
        context=context,
        quality=jnp.where(part, made, state.quality),
        done=state.done | keep(part, _bits(part)),
        critical_steps=state.critical_steps + work,
        total_steps=state.total_steps + work,
    )


def _spawn(state: State, part: Array, aim: Array, spawn: Array) -> State:
    slot = (jnp.arange(state.queue.shape[1]) == state.waiting[:, None]) & spawn[:, None]
    twice = (has(state.assigned, part.shape[1]) & part).any(axis=1)
    return state._replace(
        queue=jnp.where(slot, aim[:, None], state.queue),
        again=jnp.where(slot, twice[:, None], state.again),
        assigned=state.assigned | keep(part & spawn[:, None], _bits(part)),
        waiting=state.waiting + spawn,
    )


def _run(given: Given, keys: Array, state: State, run: Array, costs: Costs) -> State:
    """One stage of all sub-agents that wait in the episodes that run."""
    parts = given.work.shape[1]
    used = (state.queue < parts) & run[:, None]
    target = jnp.minimum(state.queue, parts - 1)
    work, coupling, fits, done = (
        jnp.take_along_axis(values, target, axis=1)
        for values in (
            given.work,
            given.coupling,
            ready(given, state.done),
            has(state.done, parts),
        )
    )
    straggles, completes = _luck(keys, state.stages, costs.most)
    full = (work + costs.start) * jnp.where(straggles < costs.straggling, costs.straggler, 1.0)
    steps = jnp.where(fits, full, jnp.where(done, costs.done, costs.blocked * work)) * used
    chance = costs.reliability * (1 - costs.fragility * coupling)
    hits = used & fits & (completes < chance)
    new = (hits[:, :, None] & (target[:, :, None] == jnp.arange(parts))).any(axis=1)
    number = state.waiting * run
    main = (costs.turn + costs.briefing * number) * run
    made = 1 - costs.loss * given.coupling
    return state._replace(
        sub_agents=state.sub_agents + number,
        completed=state.completed + new.sum(axis=1),
        useless=state.useless + (used & (~fits | state.again)).sum(axis=1),
        context=state.context + costs.report * number,
        quality=jnp.where(new, made, state.quality),
        done=state.done | keep(new, _bits(new)),
        critical_steps=state.critical_steps + main + steps.max(axis=1),
        total_steps=state.total_steps + main + steps.sum(axis=1),
        queue=jnp.where(run[:, None], parts, state.queue),
        again=state.again & ~run[:, None],
        assigned=jnp.where(run, BIT(0), state.assigned),
        waiting=jnp.where(run, 0, state.waiting),
    )


def blurred(given: Given, keys: Array, noise: float) -> Array:
    """(E, N) the coupling as it is seen, with an error that stays for the episode."""
    parts = given.work.shape[1]
    drawn = _uniform(keys, -1 - jnp.arange(2 * parts)[None])
    error = jnp.sqrt(-2 * jnp.log1p(-drawn[:, :parts])) * jnp.cos(2 * jnp.pi * drawn[:, parts:])
    seen = jnp.clip(given.coupling + noise * error, 0, 1)
    return seen * has(given.present, parts)


def _bits(of: Array) -> Array:
    return 1 << jnp.arange(of.shape[-1], dtype=BIT)


def _luck(keys: Array, stages: Array, most: int) -> tuple[Array, Array]:
    count = stages[:, None] * 2 * most + jnp.arange(2 * most) + 1
    drawn = _uniform(keys, count)
    return drawn[:, :most], drawn[:, most:]


def _uniform(keys: Array, count: Array) -> Array:
    """(E, …) the numbers in [0, 1) that each key has at these counts: SplitMix64."""
    bits = keys[:, None] + count.astype(jnp.uint64) * jnp.uint64(SEEDING)
    bits = (bits ^ (bits >> 30)) * jnp.uint64(FIRST)
    bits = (bits ^ (bits >> 27)) * jnp.uint64(SECOND)
    bits = (bits ^ (bits >> 31)) >> 11
    return bits.astype(float) * 2.0**-53
