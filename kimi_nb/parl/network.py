"""A small network over the graph of a task, after Decima's, with its gradient worked out by hand.

Every part becomes a vector, from what is seen of it and of the whole; then another, from its own,
those of the parts that it waits for and that wait for it, and their sum over all that is left.
What comes out is added to the logits of a linear policy, and is nothing at first: so a training
begins with the same pretrained single agent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kimi_nb.parl.features import OF_PART, OF_STATE, Seen
from kimi_nb.parl.outlook import LEFT, PARTS, STATE, Outlook
from kimi_nb.parl.softmax import log_softmax, push
from kimi_nb.parl.tasks import Floats, Ints
from kimi_nb.parl.world import World

__all__ = ["HIDDEN", "Network"]

Array = NDArray[Any]
HIDDEN = 16
"""Numbers of a part's vector."""
SPREAD, NEAR, ALL = 0.7, 0.3, 1 / 8
"""Of the first weights, for their inputs' number; and what the sums over neighbours and over all
that is left are scaled by."""


class Layers(NamedTuple):
    """The weights by what they weigh, and likewise their slopes."""

    part: Array
    """(2, parts): of SELF and SPAWN, linear."""
    whole: Array
    """(4, state): of every kind of action, linear."""
    part_in: Array
    whole_in: Array
    bias_in: Array
    near: Array
    """(3 HIDDEN, HIDDEN): its own vector, of what it waits for, of what waits for it."""
    pool: Array
    bias: Array
    aimed: Array
    """(HIDDEN, 2): SELF and SPAWN of a part."""
    ends: Array
    """(HIDDEN, 2): RUN and FINISH, from the sum over the parts."""


SHAPES: tuple[tuple[int, ...], ...] = (
    (2, len(PARTS)),
    (4, len(STATE)),
    (len(PARTS), HIDDEN),
    (len(STATE), HIDDEN),
    (HIDDEN,),
    (3 * HIDDEN, HIDDEN),
    (HIDDEN, HIDDEN),
    (HIDDEN,),
    (HIDDEN, 2),
    (HIDDEN, 2),
)
"""In the order of Layers."""
CUTS = np.cumsum([np.prod(shape) for shape in SHAPES])


class Pass(NamedTuple):
    """What a forward pass leaves to the backward one."""

    logits: Floats
    layers: Layers
    parts: Array
    state: Array
    left: Array
    """(L, N, 1): ALL where the part is not done."""
    needs: Array
    first: Array
    """(L, N, HIDDEN) vectors after the first layer."""
    around: Array
    """(L, N, 3 HIDDEN): those, and the sums over the neighbours'."""
    pooled: Array
    second: Array
    end: Array
    """(L, HIDDEN): the sum of the second ones."""


class Network:
    """The policy; it reckons in `kind` numbers and starts from the linear weights of `start`."""

    name = "network"
    what = "network"
    number = int(CUTS[-1])

    def __init__(self, start: Callable[[float], Floats], kind: DTypeLike = np.float32) -> None:
        self._start, self._kind = start, kind

    def sight(self, world: World) -> Outlook:
        return Outlook(world)

    def prior(self, spawning: float = 0.0) -> Floats:
        """The linear prior; the vectors of the parts are random, the same each time, and unused."""
        dice, weights = np.random.default_rng(77), np.zeros(self.number)
        layers, linear = split(weights), self._start(spawning)
        cut = 2 * len(OF_PART)
        layers.part[:, : len(OF_PART)] = linear[:cut].reshape(2, -1)
        layers.whole[:, : len(OF_STATE)] = linear[cut:].reshape(4, -1)

        for drawn in (layers.part_in, layers.whole_in, layers.near, layers.pool):
            drawn[:] = dice.normal(size=drawn.shape) * SPREAD / np.sqrt(len(drawn))

        return weights

    def log_odds(self, weights: Floats, seen: Seen) -> Floats:
        return log_softmax(self._forward(weights, seen).logits, seen.legal)

    def pull(self, weights: Floats, seen: Seen, odds: Floats, actions: Ints, by: Floats) -> Floats:
        done = self._forward(weights, seen)
        slopes = _backward(done, push(odds, actions, by).astype(self._kind))
        return np.concatenate([slope.ravel() for slope in slopes]).astype(float)

    def _forward(self, weights: Floats, seen: Seen) -> Pass:
        layers = split(weights.astype(self._kind))
        parts, state = seen.parts.astype(self._kind), seen.state.astype(self._kind)
        needs, left = seen.needs.astype(self._kind), parts[:, :, LEFT, None] * ALL
        shared = state @ layers.whole_in + layers.bias_in
        first = np.tanh(_times(parts, layers.part_in) + shared[:, None])
        waits, followers = needs @ first * NEAR, needs.swapaxes(1, 2) @ first * NEAR
        around = np.concatenate([first, waits, followers], axis=2)
        pooled = (first * left).sum(axis=1)
        shared = pooled @ layers.pool + layers.bias
        second = np.tanh(_times(around, layers.near) + shared[:, None])
        end = (second * left).sum(axis=1)
        aimed = _times(parts, layers.part.T) + _times(second, layers.aimed)
        whole = state @ layers.whole.T
        logits = np.concatenate(
            [
                aimed[:, :, 0] + whole[:, :1],
                aimed[:, :, 1] + whole[:, 1:2],
                whole[:, 2:] + end @ layers.ends,
            ],
            axis=1,
        )
        return Pass(
            logits.astype(float),
            layers,
            parts,
            state,
            left,
            needs,
            first,
            around,
            pooled,
            second,
            end,
        )


def split(weights: Array) -> Layers:
    """Views into the vector that is learned."""
    pieces = np.split(weights, CUTS[:-1])
    return Layers(*(one.reshape(shape) for one, shape in zip(pieces, SHAPES, strict=True)))


def _backward(done: Pass, pushed: Array) -> Layers:
    """The slopes of all weights, where `pushed` are those of the logits."""
    layers, number = done.layers, done.parts.shape[1]
    aimed = np.stack([pushed[:, :number], pushed[:, number:-2]], axis=2)
    ends = pushed[:, -2:]
    whole = np.concatenate([aimed.sum(axis=1), ends], axis=1)

    second = _times(aimed, layers.aimed.T) + done.left * (ends @ layers.ends.T)[:, None]
    second *= 1 - done.second**2
    shared = second.sum(axis=1)

    around = _times(second, layers.near.T)
    own, waits, followers = np.split(around, 3, axis=2)
    first = own + done.left * (shared @ layers.pool.T)[:, None]
    first += NEAR * (done.needs.swapaxes(1, 2) @ waits + done.needs @ followers)
    first *= 1 - done.first**2
    shared_in = first.sum(axis=1)
    return Layers(
        part=_outer(aimed, done.parts),
        whole=whole.T @ done.state,
        part_in=_outer(done.parts, first),
        whole_in=done.state.T @ shared_in,
        bias_in=shared_in.sum(axis=0),
        near=_outer(done.around, second),
        pool=done.pooled.T @ shared,
        bias=shared.sum(axis=0),
        aimed=_outer(done.second, aimed),
        ends=done.end.T @ ends,
    )


def _times(vectors: Array, weights: Array) -> Array:
    """(L, N, …) each part's vector times the weights, as one product."""
    flat = vectors.reshape(-1, vectors.shape[2]) @ weights
    return flat.reshape(*vectors.shape[:2], weights.shape[1])


def _outer(one: Array, other: Array) -> Array:
    """Σ over all parts of the products of their two vectors."""
    return one.reshape(-1, one.shape[2]).T @ other.reshape(-1, other.shape[2])
