"""PARL's world through gymnasium: the same episodes, a mask, and the checker has nothing to say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import kimi_nb as kn
from kimi_nb.parl.gym import ID, OF_PART, Orchestrator, Orchestrators
from kimi_nb.parl.reward import Components, Reward
from kimi_nb.parl.rollout import components
from kimi_nb.parl.tasks import Ints, draw
from kimi_nb.parl.world import World
from kimi_nb.views.anneal import Schedule


def any_of(mask: np.ndarray, dice: np.random.Generator) -> Ints:
    return (dice.random(mask.shape) * mask).argmax(axis=1)


@pytest.mark.parametrize("number", range(3))
def test_the_checker_of_gymnasium_passes(number: int) -> None:
    """A warning would be an error here."""
    check_env(gymnasium.make(ID).unwrapped)
    given: list[dict[str, Any]] = [{}, {"families": ["deep", "trap"]}, {"parts": 20}]
    check_env(gymnasium.make(ID, **given[number]).unwrapped)


def test_the_same_seed_gives_the_episodes_of_the_world() -> None:
    envs, dice = Orchestrators(40), np.random.default_rng(7)
    seen, info = envs.reset(seed=7)
    world = World(draw(dice, 40), dice)
    choice, left = np.random.default_rng(1), np.ones(40, bool)
    paid = np.zeros(40)

    while left.any():
        assert np.array_equal(info["action_mask"][left], world.legal()[left])
        columns = dict(zip(OF_PART, np.moveaxis(seen["parts"], 2, 0), strict=True))
        assert np.array_equal(columns["work"][left], world.tasks.work[left])
        assert np.array_equal(columns["ready"][left], world.state.ready[left])
        assert np.array_equal(columns["assigned"][left], world.state.queued[left])
        assert np.array_equal(seen["needs"][left], world.tasks.needs[left])
        assert np.array_equal(seen["whole"][left, 1], world.state.critical_steps[left])
        actions = any_of(world.legal(), choice)
        world.step(actions)
        seen, rewards, over, cut, info = envs.step(actions)
        paid += rewards * left
        assert np.array_equal(over[left], world.over[left])
        assert not cut.any()
        left &= ~over

    assert np.array_equal(paid, components(world.outcome()).r_perf)


def test_an_episode_that_begins_anew_is_one_of_its_own() -> None:
    """What has taken the place of others goes on as in a world of its own."""
    envs, dice = Orchestrators(20), np.random.default_rng(3)
    envs.reset(seed=3)
    World(draw(dice, 20), dice)  # takes from the dice what the first episodes took
    finish = np.full(20, envs.single_action_space.n - 1)
    half = np.arange(20) < 10
    spawn = np.full(20, envs.world.tasks.parts)
    _, _, over, _, _ = envs.step(np.where(half, finish, spawn))
    assert over.tolist() == half.tolist()

    fresh = draw(dice, 10)
    alone = World(fresh, dice)
    seen, rewards, over, _, info = envs.step(np.where(half, -5, finish - 1))  # whatever the action
    assert not rewards.any()
    assert not over[:10].any()
    assert np.array_equal(seen["parts"][:10, :, 1], fresh.work)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    choice, left = np.random.default_rng(1), np.ones(10, bool)

    while left.any():
        assert np.array_equal(info["action_mask"][:10][left], alone.legal()[left])
        actions = any_of(alone.legal(), choice)
        others = any_of(info["action_mask"][10:], choice)
        alone.step(actions)
        _, rewards, over, _, info = envs.step(np.concatenate([actions, others]))
        ended = left & over[:10]
        assert np.array_equal(rewards[:10][ended], components(alone.outcome()).r_perf[ended])
        left &= ~over[:10]


def test_a_random_policy_plays_on_and_on_within_the_spaces() -> None:
    envs = gymnasium.make_vec(ID, num_envs=16, families=["wide", "trap"])
    seen, info = envs.reset(seed=5)
    choice, ended = np.random.default_rng(2), 0
    total = Reward(parallel=Schedule(0.3, 0.0, "linear", 0.7))

    for _ in range(300):
        assert seen in envs.observation_space
        seen, rewards, over, _, info = envs.step(any_of(info["action_mask"], choice))
        ended += over.sum()

        if not over.any():
            assert not rewards.any()
            continue

        assert info["_r_perf"].tolist() == over.tolist()
        assert info["r_perf"].tolist() == rewards.tolist()
        found = Components(info["r_parallel"], info["r_finish"], info["r_perf"])
        assert np.array_equal(total.total(found, 1.0), rewards)  # annealed away
        assert (total.total(found, 0.0) >= rewards).all()

    assert ended > 100


def test_an_illegal_action_raises_and_changes_nothing() -> None:
    envs = Orchestrators(3)

    with pytest.raises(kn.UsageFault, match="reset"):
        envs.step(np.zeros(3, int))

    seen, info = envs.reset(seed=1)
    run = envs.single_action_space.n - 2  # where nobody waits
    assert not info["action_mask"][:, run].any()

    for wrong in (run, envs.single_action_space.n, -1):
        with pytest.raises(kn.UsageFault, match="legal"):
            envs.step(np.array([0, wrong, 0]))

    with pytest.raises(kn.UsageFault, match="for each of 3 episodes"):
        envs.step(np.zeros(2, int))

    now, mask = envs.look()
    assert all(np.array_equal(seen[name], now[name]) for name in seen)
    assert np.array_equal(info["action_mask"], mask["action_mask"])


def test_one_alone_ends_with_an_illegal_action_and_says_so() -> None:
    env = Orchestrator()
    _, info = env.reset(seed=1)
    run = int(env.action_space.n) - 2
    assert not info["action_mask"][run]
    _, reward, over, cut, info = env.step(run)
    assert (reward, over, cut, info["illegal"]) == (0.0, True, False, True)

    with pytest.raises(kn.UsageFault, match="reset"):
        env.step(0)

    env.reset()

    with pytest.raises(kn.UsageFault, match="legal"):
        env.step(99)


def test_one_alone_is_the_world_too() -> None:
    env, dice = Orchestrator(parts=6), np.random.default_rng(11)
    _, info = env.reset(seed=11)
    world, choice, over, reward = (
        World(draw(dice, 1, parts=6), dice),
        np.random.default_rng(0),
        False,
        0.0,
    )

    while not over:
        action = any_of(world.legal(), choice)
        world.step(action)
        assert action in np.flatnonzero(info["action_mask"])
        _, reward, over, _, info = env.step(int(action[0]))

    assert reward == components(world.outcome()).r_perf[0]
    assert "illegal" not in info


def test_without_gymnasium_it_says_what_to_type() -> None:
    code = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "import kimi_nb as kn\n"
        "try:\n    kn.parl.gym\nexcept kn.UsageFault as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'kimi-nb[gym]'" in done.stdout
