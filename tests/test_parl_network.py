"""The network: its slope, what it sees, its prior, and that it trains, is kept and goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.parl.checkpoint import beside, load
from kimi_nb.parl.features import OF_PART, OF_STATE, Sight
from kimi_nb.parl.heuristics import HEURISTICS, all_parallel
from kimi_nb.parl.network import Network
from kimi_nb.parl.outlook import PARTS, STATE, Outlook
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import POLICIES, log_odds, prior
from kimi_nb.parl.rollout import Rollouts, roll_out
from kimi_nb.parl.tasks import draw, repeat
from kimi_nb.parl.train import Training, resume
from kimi_nb.parl.world import World, play
from kimi_nb.trace import read
from kimi_nb.views.anneal import Schedule

if TYPE_CHECKING:
    from pathlib import Path

FALL = {"parallel": Schedule(0.3, 0.0, "linear", 0.7)}
SMALL = Plan(iterations=4, tasks=4, rollouts=4, spawning=2.0, policy="network", noise=0.1)
EXACT = Network(prior, np.float64)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rolled(number: int = 6) -> Rollouts:
    return roll_out(EXACT.prior(2.0), draw(dice(), number), dice(1), policy="network")


def near(seed: int) -> np.ndarray:
    return EXACT.prior(2.0) + dice(seed).normal(0, 0.2, EXACT.number)


def test_the_slope_is_the_one_of_finite_differences() -> None:
    taken, weights = rolled(), near(2)
    by, rows = dice(3).normal(size=len(taken.actions)), np.arange(len(taken.actions))
    some = dice(4).choice(EXACT.number, 200, replace=False)

    def total(at: np.ndarray) -> float:
        return float((EXACT.log_odds(at, taken.seen)[rows, taken.actions] * by).sum())

    found = EXACT.pull(weights, taken.seen, EXACT.log_odds(weights, taken.seen), taken.actions, by)
    steps = 1e-6 * np.eye(EXACT.number)[some]
    slope = np.array([(total(weights + h) - total(weights - h)) / 2e-6 for h in steps])
    assert (np.abs(slope) > 1e-3).mean() > 0.5
    assert np.allclose(found[some], slope, atol=1e-5, rtol=1e-5)


def test_in_half_the_digits_it_reckons_the_same() -> None:
    taken, weights, quick = rolled(), near(2), POLICIES["network"]
    odds = [p.log_odds(weights, taken.seen)[taken.seen.legal] for p in (EXACT, quick)]
    assert np.allclose(*odds, atol=1e-4)


def test_at_first_it_is_the_linear_prior() -> None:
    tasks = draw(dice(), 20)
    world = World(tasks, dice(1))
    rows = np.arange(20)
    wide, plain = Outlook(world).of(rows), Sight(world).of(rows)
    assert np.allclose(EXACT.log_odds(EXACT.prior(0.5), wide), log_odds(prior(0.5), plain))
    assert wide.parts[:, :, : len(OF_PART)].tolist() == plain.parts.tolist()
    assert wide.state[:, : len(OF_STATE)].tolist() == plain.state.tolist()


def test_renaming_the_parts_renames_the_actions() -> None:
    taken = rolled()
    seen, number = taken.seen, taken.seen.parts.shape[1]
    order = dice(5).permutation(number)
    actions = np.concatenate([order, number + order, [2 * number, 2 * number + 1]])
    renamed = seen._replace(
        parts=seen.parts[:, order],
        needs=seen.needs[:, order][:, :, order],
        legal=seen.legal[:, actions],
    )
    odds, other = (EXACT.log_odds(near(6), s) for s in (seen, renamed))
    assert np.allclose(np.exp(odds[:, actions]), np.exp(other))


def test_what_waits_for_a_part_changes_what_it_thinks_of_it() -> None:
    seen = rolled().seen
    cut = seen._replace(needs=np.zeros_like(seen.needs))
    assert seen.needs.any()
    assert not np.allclose(EXACT.log_odds(near(6), seen), EXACT.log_odds(near(6), cut))


def test_the_outlook_says_what_actions_gain_and_cost() -> None:
    tasks = draw(dice(), 4, ("wide",))
    world, rows = World(tasks, dice()), np.arange(4)

    for part in (0, 1):
        world.step(np.full(4, tasks.parts + part))

    seen = Outlook(world).of(rows)
    of = {name: seen.parts[:, :, at] for at, name in enumerate(PARTS)}
    whole = {name: seen.state[:, at] for at, name in enumerate(STATE)}
    work, coupling, costs = tasks.work, tasks.coupling, world.costs
    slowest = work[:, :2].max(axis=1)
    chance = costs.reliability * (1 - costs.fragility * coupling)
    assert np.allclose((of["worth"] + 1) / 2, chance * (1 - costs.loss * coupling))
    assert np.allclose(of["gain"], -costs.loss * coupling * 2)  # the context is empty
    last = tasks.present.sum(axis=1) - 1
    assert np.allclose(of["waits"][rows, last] * 4, last)
    assert np.allclose(of["longer"][:, 2] * 6, np.maximum(work[:, 2] - slowest, 0))
    assert of["free"][:, :3].tolist() == [[0, 0, 1]] * 4
    turn = costs.turn + 2 * costs.briefing + 1.1 * (costs.start + slowest)
    assert np.allclose(whole["saving"] * 10, work[:, :2].sum(axis=1) - turn)
    assert np.allclose((whole["room"] + 1) * tasks.serial, tasks.budget)
    assert (whole["soon"] >= whole["staged"]).all()


def test_noise_blurs_what_is_seen_and_not_what_is() -> None:
    tasks = repeat(draw(dice(), 500), 2)
    tasks = replace(tasks, coupling=0.5 * tasks.present)  # where hardly an error is cut off
    world, clear = World(tasks, dice(1), noise=0.2), World(tasks, dice(1))
    error = (world.seen_coupling - tasks.coupling)[tasks.present]
    assert clear.seen_coupling is tasks.coupling
    assert ((world.seen_coupling >= 0) & (world.seen_coupling <= 1)).all()
    assert not world.seen_coupling[~tasks.present].any()
    assert abs(error.mean()) < 0.01
    assert abs(error.std() - 0.2) < 0.01
    assert not np.allclose(world.seen_coupling[0], world.seen_coupling[1])  # each episode its own
    ends = [play(w, all_parallel).critical_steps.tolist() for w in (world, clear)]
    assert ends[0] == ends[1]  # what does not look at it has the same luck


@pytest.mark.parametrize("name", ["greedy", "list scheduling"])
def test_heuristics_know_what_is_seen(name: str) -> None:
    tasks = draw(dice(), 200)
    ends = [
        play(World(tasks, dice(1), noise=noise), HEURISTICS[name]).quality.mean()
        for noise in (0.0, 1.0)
    ]
    assert ends[1] < ends[0]


def test_the_likeliest_action_needs_no_dice() -> None:
    taken = [
        roll_out(near(1), draw(dice(), 20), dice(1), policy="network", sure=sure) for sure in (1, 1)
    ]
    assert taken[0].actions.tolist() == taken[1].actions.tolist()
    odds = EXACT.log_odds(near(1), taken[0].seen)
    assert (odds.argmax(axis=1) == taken[0].actions).mean() > 0.99


def test_it_trains_is_kept_and_goes_on(tmp_path: Path) -> None:
    path, made = tmp_path / "training.jsonl", list[Training]()

    def told(row: object) -> None:
        if row.iteration == 2:
            made[0].cancel()

    made.append(Training(FALL, SMALL, path=path, told=told))
    made[0].run()
    began = read(path)[0].fact
    assert began.what.startswith(f"A network of {EXACT.number} weights, on wide")
    assert Plan.of(began.iterations, began.seed, began.options) == SMALL
    on, whole = resume(path), Training(FALL, SMALL)
    on.result()
    whole.run()
    assert np.array_equal(on.weights, whole.weights)
    assert load(str(beside(path))).policy == "network"
    assert not np.array_equal(whole.weights, EXACT.prior(2.0))


def test_a_checkpoint_of_another_policy_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    made: list[Training] = []
    made.append(Training({}, SMALL, path=path, told=lambda _row: made[0].cancel()))
    made[0].run()
    Training({}, replace(SMALL, policy="linear", iterations=1), path=other).run()
    beside(other).rename(beside(path))

    with pytest.raises(TraceError, match="is of the policy linear"):
        resume(path)


def test_a_log_and_a_checkpoint_from_before_there_were_several_are_of_the_linear_one(
    tmp_path: Path,
) -> None:
    plan = replace(SMALL, policy="linear", noise=0.0)
    path, made = tmp_path / "old.jsonl", list[Training]()
    made.append(Training(FALL, plan, path=path, told=lambda _row: made[0].cancel()))
    made[0].run()
    text = path.read_text("utf-8")
    old = text.replace(r", \"policy\": \"linear\"", "").replace(r"\"noise\": 0.0, ", "")
    assert len(old) < len(text) - 30
    path.write_text(old, "utf-8")

    with np.load(beside(path)) as found:
        fields = {name: found[name] for name in found.files if name != "policy"}

    np.savez(beside(path), **fields)
    on, whole = resume(path), Training(FALL, plan)
    on.result()
    whole.run()
    assert np.array_equal(on.weights, whole.weights)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"policy": "oracle"}, "one of linear, network"), ({"noise": -0.1}, "a number from 0 to 1")],
)
def test_a_policy_or_a_noise_that_cannot_be_is_refused(fields: dict, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        Plan(**fields)
