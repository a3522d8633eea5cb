"""JAX's training is NumPy's: the same states, slopes and weights; by its own dice as good."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kimi_nb.errors import UsageFault
from kimi_nb.events import IterationEnded
from kimi_nb.parl import policy, reward, tasks, update
from kimi_nb.parl import rollout as numpys
from kimi_nb.parl.accelerated import train_many
from kimi_nb.parl.learner import begin, learn
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.world import World
from kimi_nb.views.anneal import Schedule

jax = pytest.importorskip("jax")

from kimi_nb.parl.accelerated import learner as ours  # noqa: E402 -- they import JAX
from kimi_nb.parl.accelerated import policy as softmax  # noqa: E402
from kimi_nb.parl.accelerated import tasks as drawing  # noqa: E402
from kimi_nb.parl.accelerated import world  # noqa: E402

jnp = jax.numpy
pytestmark = pytest.mark.timeout(180)  # XLA compiles for seconds, on a busy machine for a minute
PLAN = Plan(tasks=6, rollouts=8, families=("wide", "mixed", "trap"), noise=0.1)
ANNEALED = Schedule(0.3, 0.0, "linear", 0.7)
GREAT = Schedule(1.0, 0.0, "linear", 0.7)
"""With less some seeds of a short training collapse, and two means of few seeds say nothing."""


@pytest.fixture(autouse=True)
def in_double_precision() -> Iterator[None]:
    with jax.enable_x64(True):  # noqa: FBT003
        yield


class Told(np.random.Generator):
    """Dice that remember what they gave."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.PCG64(seed))
        self.drawn: list[Any] = []

    def random(self, *args: Any, **kwargs: Any) -> Any:
        self.drawn.append(super().random(*args, **kwargs))
        return self.drawn[-1]


def one(values: Any) -> Any:
    """As of one seed among S."""
    return jax.tree.map(lambda array: array[None], values)


def test_worlds_with_the_same_luck_are_the_same_whatever_is_done() -> None:
    dice = np.random.default_rng(0)
    drawn = tasks.draw(dice, 300)
    numpy = World(drawn, dice)
    given, keys = world.give(drawn), jnp.asarray(numpy._keys)
    state = world.begin(given, ours.COSTS)

    @jax.jit
    def step(state: world.State, actions: Any) -> tuple[world.State, Any, Any, Any]:
        state = world.step(given, keys, state, actions, ours.COSTS)
        sets = world.has(state.done, 12), world.has(state.assigned, 12)
        return state, *sets, world.ready(given, state.done)

    while not numpy.over.all():
        wanted = dice.random(numpy.legal().shape) * numpy.legal()
        wanted[:, :12] *= 2
        wanted[:, -2] *= 1.3  # turns end before they are full, now and then
        wanted[:, -1] *= np.where((numpy.state.done == drawn.present).all(axis=1), 9, 0.2)
        actions = wanted.argmax(axis=1)
        numpy.step(actions)
        state, done, assigned, ready = step(state, actions)

        for name in (
            *("waiting", "context", "critical_steps", "total_steps"),
            *("stages", "sub_agents", "completed", "useless", "over"),
        ):
            assert np.array_equal(getattr(state, name), getattr(numpy.state, name)), name

        assert np.array_equal(done, numpy.state.done)
        assert np.array_equal(assigned, numpy.state.queued > 0)
        assert np.array_equal(ready, numpy.state.ready)
        # XLA rounds a·b + c once, NumPy twice.
        assert np.allclose(state.quality, numpy.state.quality, rtol=0, atol=3e-16)

    outcome = numpy.outcome()
    assert np.array_equal(state.success, outcome.success)
    assert outcome.success.any()
    assert outcome.useless.any()
    assert np.allclose(world.quality(given, state), outcome.quality, rtol=0, atol=1e-15)


def test_coupling_seen_with_noise_is_the_same() -> None:
    dice = np.random.default_rng(1)
    drawn = tasks.draw(dice, 50)
    numpy = World(drawn, dice, noise=0.2)
    seen = jax.jit(world.blurred)(world.give(drawn), numpy._keys, 0.2)
    assert np.allclose(seen, numpy.seen_coupling, rtol=0, atol=1e-12)
    assert not np.allclose(seen, drawn.coupling, atol=0.1)


def played(seed: int) -> tuple[numpys.Rollouts, ours.Episodes, Any]:
    """NumPy's rollouts of PLAN, and what JAX needs to do the same."""
    dice = Told(seed)
    drawn = tasks.repeat(tasks.draw(dice, PLAN.tasks, PLAN.families), PLAN.rollouts)
    keys = np.random.default_rng()
    keys.bit_generator.state = dice.bit_generator.state
    weights = begin(PLAN).weights
    taken = numpys.roll_out(weights, drawn, dice, noise=PLAN.noise)
    luck = World(drawn, keys)._keys
    heights = np.zeros((len(dice.drawn), 1, len(drawn)))

    lengths = [len(numbers) for numbers in dice.drawn]
    rows = np.split(taken.episodes, np.cumsum(lengths)[:-1])

    for at, numbers in enumerate(dice.drawn):
        heights[at, 0, rows[at]] = numbers

    given = world.give(drawn)
    heights = jnp.asarray(heights)
    episodes = one(jax.jit(ours.episodes, static_argnums=2)(given, luck, PLAN.noise))
    return taken, episodes, lambda at: heights[at]


def live(values: Any, taken: ours.Rollouts) -> Any:
    """Of one seed, what NumPy keeps of (T, S, E): the actions that were taken, in their order."""
    length = int(taken.length)
    return np.asarray(values)[:length, 0][~np.asarray(taken.glances.over)[:length, 0]]


def test_the_same_dice_give_the_same_rollouts_and_slopes() -> None:
    numpy, episodes, dice = played(3)
    weights = begin(PLAN).weights
    taken = jax.jit(lambda weights: ours.roll_out(weights, episodes, dice))(weights[None])
    assert np.array_equal(live(taken.actions, taken), numpy.actions)
    assert np.allclose(live(taken.odds, taken), numpy.odds, rtol=0, atol=1e-10)

    paid, truth = ours.components(episodes, taken.state), numpys.components(numpy.outcome)

    for mine, theirs in zip(paid, truth, strict=True):
        assert np.allclose(mine[0], theirs, rtol=0, atol=1e-15)

    for baseline in update.BASELINES:
        plan = Plan(rollouts=PLAN.rollouts, baseline=baseline, mask=0.2, tau=0.5)
        gains = update.advantages(truth.r_perf, plan.rollouts, baseline)
        mine = ours.advantages(paid.r_perf, plan)
        assert np.allclose(mine[0], gains, rtol=0, atol=1e-10)
        moved = weights + np.random.default_rng(0).normal(0, 0.3, weights.shape)
        slope = update.gradient(moved, numpy, gains, plan.mask, plan.tau)
        assert np.abs(slope).max() > 1e-3
        climb = jax.jit(ours.gradient, static_argnames="plan")
        found = climb(moved[None], episodes, taken, mine, plan=plan)
        assert np.allclose(found[0], slope, rtol=0, atol=1e-10)


def test_the_slope_worked_out_by_hand_is_that_of_automatic_differentiation() -> None:
    numpy, _, _ = played(4)
    dice = np.random.default_rng(0)
    weights = begin(PLAN).weights
    moved = weights + dice.normal(0, 0.3, weights.shape)
    gains, looks = (
        dice.normal(size=PLAN.tasks * PLAN.rollouts),
        softmax.Seen(*map(jnp.asarray, numpy.seen[:3])),
    )

    def objective(weights: Any) -> Any:
        odds = softmax.log_odds(weights, looks)
        off = odds[jnp.arange(len(odds)), numpy.actions] - numpy.odds
        ratio = jnp.exp(off)
        trusted = jax.lax.stop_gradient((jnp.abs(off) <= PLAN.mask) * 1.0)
        return (trusted * ratio * gains[numpy.episodes] - PLAN.tau * off**2).mean()

    slope = update.gradient(moved, numpy, gains, PLAN.mask, PLAN.tau)
    assert np.allclose(jax.jit(jax.grad(objective))(jnp.asarray(moved)), slope, rtol=0, atol=1e-10)


@pytest.mark.parametrize("form", reward.FORMS)
def test_an_iteration_with_the_same_dice_gives_the_same_weights(form: reward.Form) -> None:
    plan = Plan(tasks=6, rollouts=8, families=PLAN.families, noise=0.1, form=form, seed=5)
    paid = reward.Reward(form=form, parallel=ANNEALED)
    numpy = begin(plan)
    row = learn(numpy, plan, paid)
    _, episodes, dice = played(5)
    iterate = jax.jit(lambda now: ours.learn(now, episodes, dice, paid.weights(0.0), plan))
    learner, told = iterate(ours.begin(plan, 1))
    assert np.abs(numpy.weights - begin(plan).weights).max() > 0.01
    assert np.allclose(learner.weights[0], numpy.weights, rtol=0, atol=1e-8)

    for name, mean in told.items():
        if name != "actions":
            assert round(float(mean[0]), 6) == pytest.approx(getattr(row, name), abs=2e-6), name


def test_graphs_are_those_of_the_families() -> None:
    mine = tasks_of(0, 4000)
    numpy = tasks.draw(np.random.default_rng(0), 4000)
    assert not (mine.needs & ~np.tri(12, k=-1, dtype=bool)).any()
    assert not (mine.needs & ~(mine.present[:, None] & mine.present[:, :, None])).any()

    for at, name in enumerate(tasks.FAMILIES):
        ones, others = (
            tasks.pick(all_, np.flatnonzero(all_.family == at)) for all_ in (mine, numpy)
        )
        assert abs(len(ones) - 800) < 4 * np.sqrt(640), name
        assert set(ones.present.sum(axis=1)) == set(others.present.sum(axis=1)), name

        for of in (sizes, edges, way, coupling, share, works):
            a, b = of(ones), of(others)
            error = np.sqrt(a.var() / len(a) + b.var() / len(b))
            assert abs(a.mean() - b.mean()) <= 4 * error + 1e-12, (name, of.__name__)

        assert share(ones).min() == pytest.approx(share(others).min(), abs=0.02), name
        assert share(ones).max() == pytest.approx(share(others).max(), abs=0.02), name
        assert np.unique(ones.work).tolist() == np.unique(others.work).tolist(), name


def tasks_of(seed: int, number: int, families: tuple[str, ...] = tasks.FAMILIES) -> tasks.Tasks:
    """What the device draws, as NumPy has it."""
    drawn = jax.jit(drawing.draw, static_argnums=(1, 2))(jax.random.key(seed), number, families)
    needs, present = (jax.jit(world.has, static_argnums=1)(sets, 12) for sets in drawn[2:4])
    arrays = drawn.work.astype(int), drawn.coupling, needs, present, *drawn[4:]
    return tasks.Tasks(*map(np.asarray, arrays))


def sizes(of: tasks.Tasks) -> Any:
    return of.present.sum(axis=1)


def edges(of: tasks.Tasks) -> Any:
    return of.needs.sum(axis=(1, 2))


def way(of: tasks.Tasks) -> Any:
    return tasks.to_the_end(of).max(axis=1)


def coupling(of: tasks.Tasks) -> Any:
    return of.coupling.sum(axis=1) / sizes(of)


def share(of: tasks.Tasks) -> Any:
    return of.budget / of.serial


def works(of: tasks.Tasks) -> Any:
    return of.work.sum(axis=1) / sizes(of)


def test_a_graph_of_known_size_is_exactly_numpys() -> None:
    drawn = tasks_of(1, 200)

    for at, (family, size) in enumerate(zip(drawn.family, sizes(drawn), strict=True)):
        if (name := tasks.FAMILIES[family]) != "mixed":
            truth = tasks.draw(np.random.default_rng(0), 1, (name,), int(size)).needs[0]
            assert np.array_equal(drawn.needs[at, :size, :size], truth), name


def test_parts_of_a_mixed_task_wait_for_one_or_two_of_the_layer_before() -> None:
    drawn = tasks_of(2, 500, ("mixed",))
    layer = np.zeros(drawn.present.shape, int)

    for part in range(12):
        layer[:, part] = (drawn.needs[:, part] * (layer + 1)).max(axis=1)

    assert set(drawn.needs.sum(axis=2)[drawn.present & (layer > 0)]) == {1, 2}
    task, part, before = np.nonzero(drawn.needs)
    assert np.array_equal(layer[task, before], layer[task, part] - 1)
    assert {4} == {
        max(np.bincount(row[there]).max() for row, there in zip(layer, drawn.present, strict=True))
    }


def test_the_longest_way_is_numpys() -> None:
    numpy = tasks.draw(np.random.default_rng(3), 200)
    assert np.array_equal(jax.jit(softmax.to_the_end)(world.give(numpy)), tasks.to_the_end(numpy))


def late(rows: Sequence[IterationEnded]) -> list[float]:
    """Success·quality and sub-agents at the end of a training."""
    return [
        float(np.mean([getattr(row, of) for row in rows[-15:]])) for of in ("r_perf", "sub_agents")
    ]


def test_a_training_by_its_own_dice_ends_where_numpys_does() -> None:
    plan, paid, seeds = (
        Plan(iterations=40, tasks=16, rollouts=8, rate=0.1),
        reward.Reward(parallel=GREAT),
        range(6),
    )
    trained = train_many({"parallel": GREAT}, plan, seeds)
    numpy: list[list[float]] = []

    for seed in seeds:
        learner = begin(replace(plan, seed=seed))
        numpy.append(late([learn(learner, plan, paid) for _ in range(plan.iterations)]))

    mine, theirs = np.array([late(rows) for rows in trained.rows]), np.array(numpy)
    error = np.sqrt((mine.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / len(seeds))
    assert (abs(mine.mean(axis=0) - theirs.mean(axis=0)) < 3 * error).all()
    assert trained.weights.shape == (6, policy.NUMBER)
    assert [row.iteration for row in trained.rows[0]] == list(range(1, 41))
    assert trained.rows[0][10].lambda_parallel == pytest.approx(paid.weights(10 / 40)[0])
    # No episode is shorter than what it does, and all that it does is counted.
    assert (trained.actions.T >= 128).all()


def test_a_seed_is_the_same_whoever_trains_beside_it_and_leaves_the_precision_alone() -> None:
    plan = Plan(iterations=3, tasks=4, rollouts=4)

    with jax.enable_x64(False):  # noqa: FBT003
        alone, beside = train_many(None, plan, [7]), train_many(None, plan, [1, 7])
        again = train_many(None, replace(plan, seed=7))
        assert jnp.ones(1).dtype == jnp.float32

    assert again.rows == alone.rows
    assert np.array_equal(again.weights, alone.weights)
    assert np.allclose(alone.weights[0], beside.weights[1], rtol=0, atol=1e-8)
    assert not np.allclose(beside.weights[0], beside.weights[1], atol=1e-3)


def test_what_does_not_fit_says_what_to_type() -> None:
    with pytest.raises(UsageFault, match=r"seeds=range\(12\)"):
        train_many(None, Plan(), [])

    with pytest.raises(UsageFault, match="parallel and finish"):
        train_many({"perf": ANNEALED})

    if other := sorted(set(policy.POLICIES) - {"linear"}):
        with pytest.raises(UsageFault, match="policy='linear'"):
            train_many(None, Plan(policy=other[0]))


@pytest.mark.parametrize("missing", ["jax", "jaxlib"])
def test_without_jax_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[jax\]'"):
        train_many()
