"""`kimi-nb parl`: one training with a log, and experiments that go on where they were cut off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kimi_nb.cli import main
from kimi_nb.cli import parl as command
from kimi_nb.cli.parl import typed_schedule
from kimi_nb.errors import UsageFault
from kimi_nb.events import IterationEnded
from kimi_nb.parl.experiments.runner import RESULTS
from kimi_nb.parl.train import Training
from kimi_nb.trace import read
from kimi_nb.views.anneal import Schedule

PUBLISHED = Path(__file__).parents[1] / "notebooks" / "parl"
SHORT = ["parl", "train", "--iterations", "6", "--form", "blog", "--seed", "3", "--log"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("0.3", Schedule(0.3, 0.3, "constant", 1.0)),
        ("0.3,0", Schedule(0.3, 0.0, "linear", 0.7)),
        ("0.3,0.1,cosine", Schedule(0.3, 0.1, "cosine", 0.7)),
        ("0.3,0,step,0.95", Schedule(0.3, 0.0, "step", 0.95)),
    ],
)
def test_a_schedule_as_it_is_typed(text: str, schedule: Schedule) -> None:
    assert typed_schedule(text) == schedule


@pytest.mark.parametrize("text", ["", "much", "0.3,", "1,0,linear,0.7,2", "0.3,0,bent"])
def test_another_says_how(text: str) -> None:
    with pytest.raises(UsageFault, match=r"0\.3|shape is one of"):
        typed_schedule(text)


def test_a_training_has_a_log_and_says_what_it_learned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, "a.jsonl", "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["log"], told["checkpoint"]) == ("a.jsonl", "a.npz")
    assert told["plan"]["form"] == "blog"
    assert 0 < told["held_out"]["success_q"] < 1
    assert "iteration 1 of 6" in err or "a.npz" in err
    rows = [r.fact for r in read("a.jsonl") if isinstance(r.fact, IterationEnded)]
    assert [row.iteration for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0].lambda_parallel == 0.3


def test_what_is_there_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, "a.jsonl"]) == 0
    assert "success·Q" in capsys.readouterr().out
    assert main([*SHORT, "a.jsonl", "--json"]) == 2
    assert "give another path" in json.loads(capsys.readouterr().out)["error"]
    assert main(["parl", "train", "--resume", "a.jsonl"]) == 2
    assert "has finished" in capsys.readouterr().err


def test_without_a_log_it_asks_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parl", "train"]) == 2
    assert "--log FILE" in capsys.readouterr().err


@pytest.fixture
def ctrl_c_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Ctrl-C in that iteration, which does not end before the main thread has heard of it."""
    heard, cancel = threading.Event(), Training.cancel

    def cancelling(training: Training, agent: str | None = None) -> None:
        cancel(training, agent)
        heard.set()

    def press(iteration: int) -> None:
        class Interrupting(command._Watch):
            def __call__(self, row: IterationEnded) -> None:
                if row.iteration == iteration:
                    while not self.iterations:  # the main thread is about to wait for the end
                        time.sleep(0.001)

                    os.kill(os.getpid(), signal.SIGINT)
                    heard.wait()

                super().__call__(row)

        patched.setattr(command, "_Watch", Interrupting)
        patched.setattr(Training, "cancel", cancelling)

    with monkeypatch.context() as patched:
        yield press


def test_ctrl_c_says_how_to_go_on_and_the_rest_is_the_same(
    capsys: pytest.CaptureFixture[str], ctrl_c_in: Callable[[int], None]
) -> None:
    assert main([*SHORT, "whole.jsonl"]) == 0
    ctrl_c_in(3)
    assert main([*SHORT, "cut.jsonl"]) == 130
    assert "kimi-nb parl train --resume cut.jsonl" in capsys.readouterr().err
    assert main(["parl", "train", "--resume", "cut.jsonl"]) == 0
    weights = [np.load(f"{name}.npz")["weights"] for name in ("whole", "cut")]
    np.testing.assert_array_equal(*weights)


def test_ctrl_c_that_comes_too_late_does_not_ask_for_a_resume(
    capsys: pytest.CaptureFixture[str], ctrl_c_in: Callable[[int], None]
) -> None:
    ctrl_c_in(6)
    assert main([*SHORT, "a.jsonl"]) == 130
    assert "parl: it had finished: a.jsonl" in capsys.readouterr().err


def test_published_results_are_drawn_again_without_any_training(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "parl"
    folder.mkdir()

    for name in (RESULTS, "README.md"):
        shutil.copy(PUBLISHED / name, folder)

    asked = ["parl", "reproduce", "collapse", "anneal", "--out", str(folder), "--json"]
    assert main(asked) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert list(told["experiments"]) == ["collapse", "anneal"]
    first = told["experiments"]["collapse"]["tables"][0][0]
    assert first["condition"] == "λ = 0"
    assert set(first["success·Q"]) == {"mean", "half"}
    assert "trainings" not in err
    assert (folder / "README.md").read_bytes() == (PUBLISHED / "README.md").read_bytes()
    assert (folder / "collapse.png").exists()


def test_an_unknown_experiment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parl", "reproduce", "colapse", "--out", "x"]) == 2
    assert "choose among collapse" in capsys.readouterr().err
    assert not Path("x").exists()


@pytest.mark.parametrize("option", ["--seeds", "--jobs"])
def test_none_is_too_few(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["parl", "reproduce", option, "0"])

    assert "1 or more" in capsys.readouterr().err
