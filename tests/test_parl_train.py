"""The update of a policy, its training, and how a training goes on after its end."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.parl.checkpoint import beside, load
from kimi_nb.parl.features import OF_PART, OF_STATE, Sight
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.policy import NUMBER, choose, log_odds, prior, pull, table
from kimi_nb.parl.rollout import Rollouts, roll_out
from kimi_nb.parl.tasks import draw, repeat
from kimi_nb.parl.train import Training, resume, train
from kimi_nb.parl.update import Adam, advantages, gradient, objective
from kimi_nb.parl.world import World
from kimi_nb.trace import read
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.rewards import Rewards
from kimi_nb.views.reweigh import misfit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FALL = Schedule(0.3, 0.0, "linear", 0.7)
SMALL = Plan(iterations=6, tasks=4, rollouts=4, spawning=2.0)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rolled(seed: int = 0, weights: np.ndarray | None = None) -> Rollouts:
    random = dice(seed)
    return roll_out(prior(2.0) if weights is None else weights, repeat(draw(random, 6), 4), random)


def near(seed: int, far: float) -> np.ndarray:
    return prior(2.0) + dice(seed).normal(0, far, NUMBER)


def slope_of(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """The gradient by central differences."""
    return np.array([(function(at + h) - function(at - h)) / 2e-6 for h in 1e-6 * np.eye(len(at))])


# The policy.


def test_log_odds_are_those_of_a_softmax_over_what_is_legal() -> None:
    seen, weights = rolled().seen, near(1, 1.0)
    parts, state = table(weights)
    number = seen.parts.shape[1]

    for row in (0, 5, len(seen.legal) - 1):
        logits = [
            *(parts[0] @ x + state[0] @ seen.state[row] for x in seen.parts[row]),
            *(parts[1] @ x + state[1] @ seen.state[row] for x in seen.parts[row]),
            *(state[k] @ seen.state[row] for k in (2, 3)),
        ]
        powers = np.exp(logits) * seen.legal[row]
        assert len(logits) == 2 * number + 2
        assert np.allclose(np.exp(log_odds(weights, seen)[row]), powers / powers.sum())


def test_actions_are_drawn_as_often_as_they_are_likely() -> None:
    odds = np.tile([np.log(0.5), -np.inf, np.log(0.3), np.log(0.2)], (20_000, 1))
    often = np.bincount(choose(odds, dice()), minlength=4) / 20_000
    assert often[1] == 0
    assert np.allclose(often, [0.5, 0, 0.3, 0.2], atol=4 * np.sqrt(0.25 / 20_000))


def test_no_action_is_drawn_that_is_illegal() -> None:
    taken = rolled()
    assert taken.seen.legal[np.arange(len(taken.actions)), taken.actions].all()
    assert np.isfinite(taken.odds).all()


def test_the_prior_works_alone_and_seldom_delegates() -> None:
    outcome = roll_out(prior(), repeat(draw(dice(), 100), 4), dice(1)).outcome
    assert 0 < outcome.sub_agents.mean() < 0.5
    loose = roll_out(prior(), repeat(draw(dice(), 100, ("deep",)), 4), dice(1)).outcome
    assert loose.success.mean() > 0.95


def test_features_say_what_a_world_is_like() -> None:
    tasks = draw(dice(), 3, ("mapreduce",))
    world = World(tasks, dice())
    first = Sight(world).of(np.arange(3))
    of = {name: first.parts[:, :, at] for at, name in enumerate(OF_PART)}
    whole = {name: first.state[:, at] for at, name in enumerate(OF_STATE)}
    assert np.allclose(of["work"] * 6, tasks.work)
    assert np.allclose(of["coupling"], tasks.coupling)
    last = tasks.present.sum(axis=1) - 1
    rows = np.arange(3)
    middle = np.array([tasks.work[b, 1 : last[b]].max() for b in rows])
    longest = tasks.work[:, 0] + middle + tasks.work[rows, last]
    assert np.allclose(of["way"][:, 0] * tasks.serial, longest)
    assert of["ready"].sum(axis=1).tolist() == [1, 1, 1]
    assert np.allclose(whole["slack"], (tasks.budget - tasks.serial) / tasks.serial)
    assert whole["width"].tolist() == [1 / 8] * 3
    world.step(np.full(3, tasks.parts))  # the first part is assigned
    then = Sight(world).of(rows)
    assert then.parts[:, 0, OF_PART.index("assigned")].tolist() == [1, 1, 1]
    assert then.state[:, OF_STATE.index("width")].tolist() == [0, 0, 0]
    assert then.state[:, OF_STATE.index("waiting")].tolist() == [1 / 8] * 3


# The update.


def test_the_gradient_of_log_odds_is_the_one_of_finite_differences() -> None:
    taken, weights = rolled(), near(2, 0.5)
    by = dice(3).normal(size=len(taken.actions))
    rows = np.arange(len(by))

    def total(at: np.ndarray) -> float:
        return float((log_odds(at, taken.seen)[rows, taken.actions] * by).sum())

    found = pull(taken.seen, log_odds(weights, taken.seen), taken.actions, by)
    assert np.abs(found).max() > 1
    assert np.allclose(found, slope_of(total, weights), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("tau", [0.0, 0.5])
@pytest.mark.parametrize("far", [0.0, 0.02, 0.2])
def test_the_gradient_of_the_objective_is_the_one_of_finite_differences(
    tau: float, far: float
) -> None:
    taken, weights = rolled(), near(4, far)
    gains = advantages(dice(5).random(24), 4)

    def total(at: np.ndarray) -> float:
        return objective(at, taken, gains, 0.2, tau)

    found = gradient(weights, taken, gains, 0.2, tau)
    assert np.abs(found).max() > 1e-3
    assert np.allclose(found, slope_of(total, weights), atol=1e-6, rtol=1e-4)


def test_the_baseline_sums_to_zero_in_every_group_and_keeps_the_scale() -> None:
    rewards = dice().random(40)
    gains = advantages(rewards, 8)
    assert np.allclose(gains.reshape(5, 8).sum(axis=1), 0)
    assert np.allclose(advantages(3 * rewards + 1, 8), 3 * gains)
    assert np.allclose(gains[:8], rewards[:8] - rewards[:8].mean())


def test_normalised_gains_have_no_scale_and_those_of_an_even_group_are_zero() -> None:
    rewards = np.concatenate([dice().random(8), np.full(8, 0.7)])
    gains = advantages(rewards, 8, "normalised")
    assert np.allclose(gains[:8].std(), 1, atol=1e-4)
    assert np.allclose(advantages(3 * rewards, 8, "normalised"), gains, atol=1e-4)
    assert np.allclose(gains[8:], 0, atol=1e-6)


def test_outside_of_the_mask_no_reward_has_a_say_whatever_its_sign() -> None:
    taken, weights = rolled(), near(6, 1.0)
    now = log_odds(weights, taken.seen)[np.arange(len(taken.actions)), taken.actions]
    moved = now - taken.odds
    outside = np.abs(moved) > 0.2
    assert 0 < outside.mean() < 1

    for sign in (1.0, -1.0):
        gains = np.full(24, sign)
        found = gradient(weights, taken, gains, 0.2, 0.0)
        by = np.where(outside, 0.0, np.exp(moved) * sign) / len(moved)
        assert np.allclose(
            found, pull(taken.seen, log_odds(weights, taken.seen), taken.actions, by)
        )

    tiny = np.abs(moved).min() / 2
    assert np.all(gradient(weights, taken, gains, tiny, 0.0) == 0)
    back = gradient(weights, taken, gains, tiny, 1.0)  # what is left pulls to the old policy
    assert back @ (weights - prior(2.0)) < 0


def test_the_normaliser_is_the_number_of_actions() -> None:
    taken = rolled()
    gains = advantages(dice(5).random(24), 4)
    by = gains[taken.episodes]
    odds = log_odds(prior(2.0), taken.seen)
    whole = pull(taken.seen, odds, taken.actions, by)
    assert np.allclose(gradient(prior(2.0), taken, gains, 0.2, 0.0), whole / len(taken.actions))


def test_adam_goes_a_rate_at_first_and_finds_a_summit() -> None:
    adam = Adam(0.1)
    slope = dice().normal(size=NUMBER)
    assert np.allclose(adam.step(slope), 0.1 * np.sign(slope), atol=1e-6)
    at, adam = np.zeros(NUMBER), Adam(0.1)

    for _ in range(500):
        at = at + adam.step(-2 * (at - slope))

    assert np.allclose(at, slope, atol=1e-2)


# The training.


def test_a_seed_decides_all_of_a_training() -> None:
    one, same, other = (Training({}, replace(SMALL, seed=seed)) for seed in (3, 3, 4))
    logs = [[r.fact for r in t.run()][1:] for t in (one, same, other)]
    assert logs[0] == logs[1] != logs[2]
    assert np.array_equal(one.weights, same.weights)
    assert not np.array_equal(one.weights, other.weights)


@pytest.mark.parametrize("form", ["report", "blog"])
def test_the_log_tells_the_weights_and_what_was_paid(form: str) -> None:
    told: list[e.IterationEnded] = []
    plan = replace(SMALL, form=form)
    trace = Training({"parallel": FALL}, plan, told=told.append).run()
    facts = [record.fact for record in trace]
    kinds = [e.TrainingBegan, *[e.ScheduleSet] * 2, *[e.IterationEnded] * 6, e.TrainingEnded]
    assert [type(fact) for fact in facts] == kinds
    assert told == facts[3:-1]
    assert facts[-1].status == "finished"

    for row in told:
        assert row.lambda_parallel == FALL.at((row.iteration - 1) / 6)
        left = 1 - row.lambda_parallel if form == "blog" else 1
        paid = row.lambda_parallel * row.r_parallel + left * row.r_perf
        assert abs(row.total - paid) < 2e-6

    assert (misfit(told) < 1e-5) == (form == "report")


def cut_after(number: int, training: Callable[..., Training], **more: object) -> Training:
    """A training that was cancelled after so many iterations."""
    made: list[Training] = []

    def told(row: e.IterationEnded) -> None:
        if row.iteration == number:
            made[0].cancel()

    made.append(training(told=told, **more))
    made[0].run()
    return made[0]


def test_cancelled_and_resumed_it_comes_to_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    whole = Training({"parallel": FALL}, SMALL)
    facts = [record.fact for record in whole.run()]
    cut = cut_after(2, lambda told: Training({"parallel": FALL}, SMALL, path=path, told=told))
    assert cut.records[-1].fact == e.TrainingEnded(
        status="cancelled", why="It was cancelled after 2 iterations."
    )
    on = resume(path)
    on.result()
    assert np.array_equal(on.weights, whole.weights)
    assert np.array_equal(load(beside(path)).weights, whole.weights)
    rows = [record.fact for record in read(path) if isinstance(record.fact, e.IterationEnded)]
    assert rows == facts[3:-1]
    seen = Rewards()

    for record in read(path):
        seen.add(record)

    assert (seen.status, seen.why, len(seen.rows)) == ("finished", "", 6)


@pytest.mark.parametrize("kept", [0, 2])
def test_killed_it_works_out_again_what_the_checkpoint_had_not(tmp_path: Path, kept: int) -> None:
    """And under the schedules as they were set meanwhile: the log has them."""
    path = tmp_path / "training.jsonl"
    made: list[Training] = []

    def told(row: e.IterationEnded) -> None:
        if row.iteration == 2:
            made[0].set("finish", Schedule(0.5, 0.5, "constant", 1))

    made.append(Training({"parallel": FALL}, SMALL, path=path, told=told))
    whole = made[0].run()
    lines = path.read_bytes().splitlines(keepends=True)
    beside(path).unlink()

    if kept:
        other = tmp_path / "other.jsonl"
        cut_after(kept, lambda told: Training({"parallel": FALL}, SMALL, path=other, told=told))
        beside(other).rename(beside(path))

    written = [line for line in lines if b"TrainingEnded" not in line]
    path.write_bytes(b"".join(written[:-1]) + written[-1][:20])  # five iterations and a torn line
    on = resume(path)
    trace = on.result()
    assert np.array_equal(on.weights, made[0].weights)
    rows = [r.fact for r in trace if isinstance(r.fact, e.IterationEnded)]
    assert rows == [r.fact for r in whole if isinstance(r.fact, e.IterationEnded)]
    assert rows[-1].lambda_finish == 0.5


def test_ctrl_c_cancels_it_and_it_goes_on_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"

    def told(row: e.IterationEnded) -> None:
        if row.iteration == 2:
            raise KeyboardInterrupt

    cut = Training({}, SMALL, path=path, told=told)

    with pytest.raises(KeyboardInterrupt):
        cut.run()

    why = "It was cancelled after 2 iterations."
    assert read(path)[-1].fact == e.TrainingEnded(status="cancelled", why=why)
    on, whole = resume(path), Training({}, SMALL)
    on.result()
    whole.run()
    assert np.array_equal(on.weights, whole.weights)


def test_ctrl_c_of_whoever_waits_cancels_it_and_the_next_one_waits_for_its_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "training.jsonl"
    waits, interrupted = threading.Event(), threading.Event()

    class Awaited(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    def told(row: e.IterationEnded) -> None:
        if row.iteration == 2:
            waits.wait()
            os.kill(os.getpid(), signal.SIGINT)
            interrupted.wait()

    training = Training({}, SMALL, path=path, told=told)
    training._idle = Awaited()
    training.start()

    with pytest.raises(KeyboardInterrupt):
        training.result()

    interrupted.set()
    why = "It was cancelled after 2 iterations."
    assert training.result()[-1].fact == e.TrainingEnded(status="cancelled", why=why)
    resume(path).result()


def test_a_checkpoint_that_another_training_left_there_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    Training({}, replace(SMALL, seed=9, iterations=1), path=path).run()
    path.unlink()

    def told(row: e.IterationEnded) -> None:
        if row.iteration == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Training({}, SMALL, path=path, told=told).run()

    on, whole = resume(path), Training({}, SMALL)
    on.result()
    whole.run()
    assert np.array_equal(on.weights, whole.weights)


def test_what_cannot_go_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    Training({}, replace(SMALL, iterations=1), path=path).run()

    with pytest.raises(UsageFault, match="has finished"):
        resume(path)

    with pytest.raises(UsageFault, match="is there already"):
        train({}, SMALL, path=path)

    with pytest.raises(UsageFault, match=r"parallel and finish, not \['speed'\]"):
        train({"speed": FALL})

    with pytest.raises(UsageFault, match="goes by a Schedule"):
        train({"parallel": 0.3})

    with pytest.raises(UsageFault, match="at most 1"):
        train({"parallel": Schedule(2, 0, "linear", 1)}, Plan(form="blog"))

    beside(path).write_bytes(b"nothing")

    with pytest.raises(TraceError, match="no checkpoint"):
        load(beside(path))

    with pytest.raises(TraceError, match="cannot read"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"iterations": 0}, "iterations is a number from 1 on, not 0"),
        ({"rollouts": 2.5}, "rollouts is"),
        ({"baseline": "median"}, "one of mean, normalised"),
        ({"families": ("wide", "narrow")}, "families is"),
        ({"rate": float("nan")}, "rate is"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(fields: dict, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        Plan(**fields)


def test_a_plan_comes_back_from_its_log() -> None:
    plan = Plan(iterations=7, seed=5, families=("wide", "trap"), baseline="normalised")
    assert Plan.of(7, 5, plan.options) == plan

    with pytest.raises(UsageFault, match="another kind of training"):
        Plan.of(7, 5, '{"rollouts": 8, "speed": 1}')


def test_an_exception_of_the_callback_ends_the_log_and_is_raised() -> None:
    def told(_row: e.IterationEnded) -> None:
        raise ZeroDivisionError("mine")

    training = train({}, SMALL, told=told)

    with pytest.raises(ZeroDivisionError, match="mine"):
        training.result()

    assert training.done
    assert training.records[-1].fact.status == "failed"


def test_the_playground_takes_it_as_a_trainer_and_steers_it() -> None:
    gate = threading.Event()
    made: list[Training] = []

    def trainer(schedules: dict[str, Schedule]) -> Training:
        made.append(train(schedules, SMALL, told=lambda _row: gate.wait(30) and None))
        return made[-1]

    page = kn.playground(trainer=trainer)
    steering = page._steering  # of which the feed's thread alone may ask anything
    halved = [0.25, 0.25, "constant", 1.0]
    page._asked(page, {"kind": "train"}, None)
    page._asked(page, {"kind": "set", "schedules": {"finish": halved}}, None)

    while steering.schedules["finish"].start != 0.25:
        time.sleep(0.001)

    gate.set()
    trace = made[0].result()

    while steering.rewards.status != "finished" or not page.ended:
        time.sleep(0.001)

    last = [r.fact for r in trace if isinstance(r.fact, e.IterationEnded)][-1]
    assert last.lambda_finish == 0.25


def performance(weights: np.ndarray) -> np.ndarray:
    """success·Q on held-out tasks, a number for each."""
    outcome = roll_out(weights, draw(dice(10**6), 600), dice(10**6 + 1)).outcome
    return outcome.success * outcome.quality


@pytest.mark.timeout(180)  # six trainings
def test_annealed_instantiation_reward_rescues_from_serial_collapse() -> None:
    """On three seeds each, more than four standard errors on the same held-out tasks apart."""
    plan = Plan(iterations=60, tasks=24, rollouts=12, form="blog", rate=0.06)

    for seed in range(3):
        alone, helped = (
            Training(schedules, replace(plan, seed=seed)) for schedules in ({}, {"parallel": FALL})
        )
        ends = [training.run()[-2].fact for training in (alone, helped)]
        apart = performance(helped.weights) - performance(alone.weights)
        assert apart.mean() > 4 * apart.std() / np.sqrt(len(apart))
        assert ends[0].sub_agents < 0.5
        assert ends[1].sub_agents > 2
        assert ends[1].lambda_parallel == 0
