"""What the small training of the tests shows: without an auxiliary reward it stays serial."""

from __future__ import annotations

import time

import numpy as np
import pytest
from training import Floats, Training, chances, rollouts, tasks, train

from kimi_nb.errors import UsageFault
from kimi_nb.events import IterationEnded, ScheduleSet, TrainingBegan, TrainingEnded
from kimi_nb.trace import read
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.source import Source

OFF = {"parallel": (0.0, 0.0, "constant", 1.0)}
ANNEALED = {"parallel": (0.3, 0.0, "linear", 0.7)}
CONSTANT = {"parallel": (0.5, 0.5, "constant", 1.0)}
SEEDS = range(6)


def trained(schedule: dict[str, tuple[float, float, str, float]], seed: int) -> Training:
    made = train(schedule, seed=seed)
    made.result()
    return made


def tried(training: Training, *, trap: bool) -> dict[str, float]:
    """Means over held-out tasks, wide ones or traps."""
    dice = np.random.default_rng(99)
    given: Floats = tasks(dice, 400)
    given = given[(given[:, 1] > 0.5) == trap]
    odds = chances(training.weights, given).cumsum(axis=1)[:, None, :8]
    subs = (dice.random((len(given), 8, 1)) > odds).sum(axis=2)
    return {name: float(v.mean()) for name, v in rollouts(dice, given, subs).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_outcome_alone_leaves_a_serial_policy_serial(seed):
    wide = tried(trained(OFF, seed), trap=False)

    assert wide["sub_agents"] < 0.5
    assert wide["r_perf"] < 0.4  # though parallel work would reach twice that


@pytest.mark.parametrize("seed", SEEDS)
def test_an_annealed_reward_teaches_when_to_split(seed):
    training = trained(ANNEALED, seed)
    wide, trap = tried(training, trap=False), tried(training, trap=True)

    assert wide["sub_agents"] > 4
    assert trap["sub_agents"] < 2.5
    assert wide["r_perf"] > 0.7
    assert wide["critical_steps"] < wide["total_steps"] / 2


def test_a_reward_that_stays_splits_what_should_not_be_split():
    often, annealed = (tried(trained(s, 0), trap=True) for s in (CONSTANT, ANNEALED))

    assert often["sub_agents"] > 7
    assert often["r_perf"] < annealed["r_perf"] - 0.1


def test_its_log_is_a_training_and_the_same_for_the_same_seed(tmp_path):
    path = tmp_path / "training.jsonl"
    first = train(ANNEALED, iterations=30, seed=3, path=path).result()
    again = train(ANNEALED, iterations=30, seed=3).result()
    facts = [record.fact for record in first]

    assert read(path) == first
    assert [type(fact) for fact in facts[:2]] == [TrainingBegan, ScheduleSet]
    assert [fact.iteration for fact in facts[2:-1]] == [*range(1, 31)]
    assert facts[-1] == TrainingEnded(status="finished")
    assert facts[2:-1] == [record.fact for record in again][2:-1]

    for fact in facts[2:-1]:
        assert isinstance(fact, IterationEnded)
        whole = fact.r_perf + fact.lambda_parallel * fact.r_parallel
        assert fact.total == pytest.approx(whole, abs=1e-5)


def test_a_schedule_can_be_replaced_while_it_runs():
    training = train(OFF, iterations=5000, pause=0.001)

    while len(training.records) < 10:
        time.sleep(0.002)

    training.set("finish", 0.4, 0.4, "constant", 1.0)
    rows = len(training.records)

    while len(training.records) < rows + 5:
        time.sleep(0.002)

    training.cancel()
    facts = [record.fact for record in training.result()]
    at = next(i for i, f in enumerate(facts) if isinstance(f, ScheduleSet) and f.reward == "finish")
    weights = [getattr(fact, "lambda_finish", None) for fact in facts]

    assert weights[at - 1] == 0.0
    assert weights[at + 1] == 0.4
    assert facts[-1].status == "cancelled"
    assert str(facts[-1].why).startswith("It was cancelled after ")

    with pytest.raises(UsageFault, match="parallel and finish"):
        training.set("perf", 1.0, 0.0, "linear", 0.7)

    with pytest.raises(UsageFault, match="no agents"):
        training.cancel("a01")


def test_it_is_a_source_of_the_views():
    training = train(ANNEALED, iterations=20)
    training.result()
    source: Source = training
    desk = Desk(source)
    desk.beat()

    assert desk.ended
    assert desk.snapshot is not None
    assert len(desk.snapshot["rewards"]["rows"]) == 20
    assert desk.snapshot["rewards"]["status"] == "finished"
