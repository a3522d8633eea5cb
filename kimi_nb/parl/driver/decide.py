"""One turn's decisions, and the words in which an orchestrator keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from kimi_nb.models.simulator.division import Part
from kimi_nb.parl.driver.mirror import Situation, mirrored
from kimi_nb.parl.policy import KINDS, Policy, likeliest
from kimi_nb.parl.tasks import Floats

__all__ = ["FINISH", "RUN", "SELF", "SPAWN", "Decision", "decided", "kept", "written"]

SELF, SPAWN, RUN, FINISH = KINDS
_LINE = re.compile(r"(?m)^Policy: (.+)$")
_ONE = re.compile(rf"({'|'.join(KINDS)})(?: (.*))? \((\d+) %\)")


class Decision(NamedTuple):
    """An action of the policy."""

    kind: str
    """One of KINDS."""
    part: str
    """Its name; "" for RUN and FINISH."""
    percent: int
    """The probability that the policy gave to an action of this kind."""


def decided(
    policy: Policy, weights: Floats, parts: Sequence[Part], now: Situation
) -> list[Decision]:
    """The likeliest actions until the turn ends: one of SELF and FINISH, or SPAWNs and a RUN.

    Drawn ones would not be the same when the run is resumed; and in training's world the likeliest
    launch no useless sub-agents, where drawn ones launch some.
    """
    world = mirrored(parts, now)
    sight, row = policy.sight(world), np.arange(1)
    number = world.tasks.parts
    made: list[Decision] = []

    while not made or made[-1].kind == SPAWN:
        seen = sight.of(row)

        if now.left == 0:
            legal = seen.legal.copy()
            legal[:, number : 2 * number] = False
            seen = seen._replace(legal=legal)

        odds = policy.log_odds(weights, seen)
        action = int(likeliest(odds)[0])
        kinds = np.minimum(np.arange(2 * number + 2) // number, 2)
        kinds[-1] = KINDS.index(FINISH)
        kind = KINDS[int(kinds[action])]
        chance = float(np.exp(odds[0, kinds == kinds[action]]).sum())
        name = parts[action % number].name if kind in {SELF, SPAWN} else ""
        made.append(Decision(kind, name, round(100 * chance)))

        if kind == SPAWN:
            world.step(np.array([action]))

    return made


def written(made: Iterable[Decision]) -> str:
    """The line that an orchestrator says, so that it is not forgotten, and for whoever looks on."""
    words = (" ".join(filter(None, [d.kind, _plain(d.part), f"({d.percent} %)"])) for d in made)
    return f"Policy: {'; '.join(words)}"


def kept(said: Iterable[str], parts: Sequence[Part]) -> list[list[Decision]]:
    """Those of each turn so far, by what was said; with the parts' names as they are now."""
    names = {_plain(part.name): part.name for part in parts}
    found: list[list[Decision]] = []

    for text in said:
        for line in _LINE.findall(text):
            turn = [_ONE.fullmatch(word) for word in line.split("; ")]
            found.append(
                [
                    Decision(one[1], names.get(one[2] or "", one[2] or ""), int(one[3]))
                    for one in turn
                    if one is not None
                ]
            )

    return [turn for turn in found if turn]


def _plain(name: str) -> str:
    """A name that does not end the line, or the decision."""
    return " ".join(name.replace(";", ",").split())
