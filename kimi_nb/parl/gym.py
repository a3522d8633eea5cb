"""The world as environments of gymnasium: many episodes at once, and one.

    envs = gymnasium.make_vec("kimi_nb.parl.gym:kimi_nb/Orchestrator-v0", num_envs=64)
    seen, info = envs.reset(seed=7)
    actions = …                              # one for each, of those that info["action_mask"] has
    seen, rewards, over, _, info = envs.step(actions)

The actions are those of `World`. A reward is r_perf, and comes with the last step of an episode,
whose info has `r_parallel`, `r_finish` and `r_perf` as well: to be weighed by the progress of a
training, as `kn.parl.Reward` does. An episode that runs out of its budget has terminated; none is
truncated. The autoreset mode is NEXT_STEP: in the step after the last one an episode begins anew,
with a reward of 0, whatever the action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kimi_nb.errors import UsageFault
from kimi_nb.parl.rollout import components
from kimi_nb.parl.state import State
from kimi_nb.parl.tasks import FAMILIES, Ints, Tasks, draw
from kimi_nb.parl.world import Costs, World

try:
    import gymnasium
    from gymnasium import spaces
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError:
    raise UsageFault("gymnasium is not installed; type: pip install 'kimi-nb[gym]'") from None

__all__ = ["ID", "OF_PART", "OF_WHOLE", "Orchestrator", "Orchestrators"]

ID = "kimi_nb/Orchestrator-v0"
"""Under which both are registered."""
OF_PART = ("present", "work", "coupling", "ready", "done", "assigned")
"""What is seen of each part; work is in steps, assigned how many sub-agents are in this turn."""
OF_WHOLE = ("budget", "critical steps", "context", "waiting")
"""Of the whole: steps, but for the sub-agents that wait for the turn's end."""
FAR = 1e6
"""Steps that no episode takes: an observation space should be bounded."""
Seen = dict[str, NDArray[Any]]


class Orchestrators(VectorEnv[Seen, Ints, NDArray[Any]]):
    """So many episodes at once. Tasks are drawn by the seed of `reset`, the world's luck too.

    families, parts: as `kn.parl.draw` takes them; costs: as `World` does. An action that the
    mask does not allow raises UsageFault and changes nothing.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        families: Sequence[str] = FAMILIES,
        parts: int | None = None,
        costs: Costs | None = None,
    ) -> None:
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        self.num_envs = num_envs
        self._families, self._parts, self._costs = families, parts, costs or Costs()
        sight, choice = _spaces(families, parts)
        self.single_observation_space, self.single_action_space = sight, choice
        self.observation_space = batch_space(sight, num_envs)
        self.action_space = batch_space(choice, num_envs)
        self._world: _Renewed | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Seen, dict[str, Any]]:
        """New episodes everywhere. There are no `options`."""
        super().reset(seed=seed, options=options)
        self._world = _Renewed(self._draw(self.num_envs), self.np_random, self._costs)
        return self.look()

    def look(self) -> tuple[Seen, dict[str, Any]]:
        """What is seen now, and which actions are legal."""
        return self._seen(), self._info()

    def step(
        self, actions: Ints
    ) -> tuple[Seen, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """One action in each; where an episode was over, another begins instead."""
        world, old = self.world, self.world.over.copy()
        chosen = np.array(actions, np.int64)

        if chosen.shape == old.shape:  # of another, the world says what it takes
            chosen[old] = 2 * world.tasks.parts + 1

        world.step(chosen)
        ended = world.over & ~old

        if old.any():
            world.renew(np.flatnonzero(old), self._draw(int(old.sum())), self.np_random)

        info, rewards = self._info(), np.zeros(self.num_envs)

        if ended.any():
            found = components(world.outcome())
            info |= {name: np.where(ended, v, 0.0) for name, v in found._asdict().items()}
            info |= {f"_{name}": ended.copy() for name in found._fields}
            rewards = np.where(ended, found.r_perf, 0.0)

        return self._seen(), rewards, ended, np.zeros(self.num_envs, bool), info

    @property
    def world(self) -> _Renewed:
        """With the episodes that go on. Raises UsageFault before the first `reset`."""
        if self._world is None:
            raise UsageFault("there is no episode yet: call reset() first")

        return self._world

    def _draw(self, number: int) -> Tasks:
        return draw(self.np_random, number, self._families, self._parts)

    def _info(self) -> dict[str, Any]:
        mask = self.world.legal().astype(np.int8)
        return {"action_mask": mask, "_action_mask": np.ones(self.num_envs, bool)}

    def _seen(self) -> Seen:
        tasks, state = self.world.tasks, self.world.state
        parts = [tasks.present, tasks.work, tasks.coupling, state.ready, state.done, state.queued]
        whole = [tasks.budget, state.critical_steps, state.context, state.waiting]
        return {
            "needs": tasks.needs.astype(np.int8),
            "parts": np.stack(parts, axis=2).astype(np.float32),
            "whole": np.stack(whole, axis=1).astype(np.float32),
        }


class Orchestrator(gymnasium.Env[Seen, np.int64]):
    """One episode at a time: the first of an `Orchestrators` of one.

    Made for what tries any action: one that the mask does not allow ends the episode with a
    reward of 0, and its info says "illegal".
    """

    metadata = {"render_modes": []}  # noqa: RUF012 -- as gymnasium has it

    def __init__(
        self,
        *,
        families: Sequence[str] = FAMILIES,
        parts: int | None = None,
        costs: Costs | None = None,
    ) -> None:
        self._one = Orchestrators(1, families=families, parts=parts, costs=costs)
        self.observation_space, self.action_space = _spaces(families, parts)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Seen, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self._one.np_random = self.np_random
        seen, info = self._one.reset()
        return _first(seen), _first(info)

    def step(self, action: int | np.int64) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Raises UsageFault once the episode is over: call `reset` then."""
        world = self._one.world

        if world.over[0]:
            raise UsageFault("the episode is over: call reset() for another")

        if action in self.action_space and not world.legal()[0, action]:
            world.give_up()
            seen, info = self._one.look()
            return _first(seen), 0.0, True, False, _first(info) | {"illegal": True}

        seen, rewards, over, _, info = self._one.step(np.array([action]))
        return _first(seen), float(rewards[0]), bool(over[0]), False, _first(info)


class _Renewed(World):
    """A world in which other episodes can take the place of some."""

    def renew(self, rows: Ints, tasks: Tasks, dice: np.random.Generator) -> None:
        """Episodes of these tasks begin in these places."""
        fresh = _Renewed(tasks, dice, self.costs)
        pairs = [
            *((getattr(self.tasks, f.name), getattr(fresh.tasks, f.name)) for f in fields(Tasks)),
            *((getattr(self.state, f.name), getattr(fresh.state, f.name)) for f in fields(State)),
            *((getattr(self, name), getattr(fresh, name)) for name in _HIDDEN),
        ]

        for mine, other in pairs:
            mine[rows] = other

        self._legal = None

    def give_up(self) -> None:
        """All episodes end as they are."""
        self.over[:] = True
        self._legal = None


_HIDDEN = ("_keys", "_missing", "_chance", "_queue", "_again", "_success")
"""What a World has of each episode besides its task and its state."""


def _spaces(
    families: Sequence[str], parts: int | None
) -> tuple[spaces.Space[Any], spaces.Discrete[np.int64]]:
    """What is seen of one episode of such tasks, and its actions."""
    size = draw(np.random.default_rng(0), 1, families, parts).parts
    highest = [FAR if name in {"work", "assigned"} else 1.0 for name in OF_PART]
    sight = spaces.Dict(
        {
            "needs": spaces.MultiBinary((size, size)),
            "parts": spaces.Box(0.0, np.tile(np.array(highest, np.float32), (size, 1))),
            "whole": spaces.Box(0.0, FAR, (len(OF_WHOLE),)),
        }
    )
    return sight, spaces.Discrete(2 * size + 2)


def _first(found: dict[str, Any]) -> dict[str, Any]:
    """Of the only episode, without the marks which episodes have a value."""
    return {k: v[0] for k, v in found.items() if not k.startswith("_")}


if ID not in gymnasium.registry:  # the module may be imported anew
    gymnasium.register(  # pyright: ignore[reportUnknownMemberType] -- its kwargs, which we do not use
        ID, f"{__name__}:Orchestrator", vector_entry_point=f"{__name__}:Orchestrators"
    )
