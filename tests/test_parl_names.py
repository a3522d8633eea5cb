"""`kn.parl`: its names come when they are asked for, and no module hides a function."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kimi_nb as kn
from kimi_nb.parl import train as by_package
from kimi_nb.parl.train import train
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.source import Source


def test_every_name_is_there_and_completes() -> None:
    assert dir(kn.parl) == sorted([*kn.parl.__all__, "gym"])
    assert all(getattr(kn.parl, name) is not None for name in dir(kn.parl))


def test_a_star_imports_all_but_what_needs_gymnasium() -> None:
    code = (
        "import sys\n"
        "sys.modules['gymnasium'] = None\n"
        "from kimi_nb.parl import *\n"
        "print(Plan.__name__, train.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Plan", "train"]


def test_the_function_is_not_hidden_by_the_module_so_called() -> None:
    assert kn.parl.train is train is by_package
    assert sys.modules["kimi_nb.parl.train"] is not train


def test_modules_are_still_reached_by_their_names() -> None:
    from kimi_nb.parl import reward

    assert reward is sys.modules["kimi_nb.parl.reward"]
    assert kn.parl.Reward is reward.Reward


def test_what_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(kn.parl, "trains")

    with pytest.raises(AttributeError, match="'trains'"):
        kn.parl.trains  # noqa: B018


def test_numpy_comes_with_the_first_name() -> None:
    code = (
        "import sys, kimi_nb as kn\n"
        "dir(kn.parl)\n"
        "print('numpy' in sys.modules, end=' ')\n"
        "kn.parl.Plan\n"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_notebook_goes_from_a_training_to_the_diagnosis_of_its_rollouts() -> None:
    plan = kn.parl.Plan(iterations=2, tasks=4, rollouts=4)
    training = kn.parl.train({"parallel": kn.parl.Schedule(0.3, 0.0, "linear", 0.7)}, plan)
    training.result()
    import numpy as np

    tasks = kn.parl.draw(np.random.default_rng(7), 3)
    rollouts = kn.parl.as_traces(training.weights, tasks)
    assert [kn.metrics(rollout).simulated for rollout in rollouts] == [True] * 3
    assert repr(kn.diagnose(rollouts[0])).endswith("no language model took part")


def test_a_training_is_a_source_of_the_views() -> None:
    training = kn.parl.train({}, kn.parl.Plan(iterations=5, tasks=2, rollouts=2))
    training.result()
    source: Source = training
    desk = Desk(source)
    desk.beat()

    assert desk.ended
    assert desk.snapshot is not None
    assert len(desk.snapshot["rewards"]["rows"]) == 5
    assert desk.snapshot["rewards"]["status"] == "finished"
