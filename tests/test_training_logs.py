"""The log of a training where that of a run is meant: a sentence that says what to type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.cli import main
from kimi_nb.trace import Record, Trace
from kimi_nb.views.fold import Fold

BEGAN = e.TrainingBegan(
    what="A toy.", seed=0, iterations=2, started=1.7e9, version="0.1.0", options="{}"
)
SET = e.ScheduleSet(reward="parallel", start=0.3, end=0.0, shape="linear", until=0.7)
OF_RUNS: dict[str, Callable[[Any], object]] = {
    "compare": lambda trace: kn.compare(trace, trace),
    "concurrency": kn.concurrency,
    "critical_path": kn.critical_path,
    "diagnose": kn.diagnose,
    "export": lambda trace: kn.export(trace, "run.html"),
    "export, rows": lambda trace: kn.export(trace, "run.csv"),
    "export_spans": kn.export_spans,
    "measures": kn.measures,
    "metrics": kn.metrics,
    "rows": kn.rows,
    "what_if": kn.what_if,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    facts: list[e.Fact] = [BEGAN, SET, *(iteration(number) for number in (1, 2))]
    facts.append(e.TrainingEnded(status="finished"))
    records = [Record(seq, seq * 0.1, "", fact) for seq, fact in enumerate(facts)]
    return Trace(records).save(tmp_path / "training.jsonl")


def iteration(number: int) -> e.IterationEnded:
    return e.IterationEnded(
        iteration=number,
        progress=(number - 1) / 2,
        lambda_parallel=0.3,
        lambda_finish=0.0,
        r_parallel=0.5,
        r_finish=0.9,
        r_perf=0.4,
        total=0.55,
        critical_steps=30.0,
        total_steps=40.0,
        sub_agents=4.0,
        success=0.5,
    )


@pytest.mark.parametrize("name", OF_RUNS)
def test_what_reads_runs_names_the_playground(name: str, path: Path) -> None:
    with pytest.raises(kn.UsageFault) as caught:
        OF_RUNS[name](kn.read(path))

    said = "this is the log of a training, not of a run: type kn.playground"
    assert str(caught.value) in {f"{said}({str(path)!r})", f"{said}('FILE')"}
    assert not list(path.parent.glob("run.*"))


def test_a_replay_is_refused_at_once(path: Path) -> None:
    with pytest.raises(kn.UsageFault, match=r"type kn\.playground\("):
        kn.replay(path)


@pytest.mark.parametrize("more", [{}, {"fork": "new.jsonl"}])
def test_it_cannot_be_taken_up_again_and_stays_as_it_was(more: Any, path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(kn.KimiNbError, match=r"the log of a training; to see it: kn\.playground"):
        kn.resume(path, **more)

    assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["replay", "report", "export", "resume"])
def test_the_command_line_says_so_too(
    command: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(path)]) != 0
    assert "kn.playground(" in capsys.readouterr().err


def test_a_training_fact_among_those_of_a_run() -> None:
    with pytest.raises(kn.UsageFault, match="playground"):
        Fold().add(Record(0, 0.0, "", SET))


def test_a_trace_says_that_it_is_a_training(path: Path) -> None:
    assert repr(kn.read(path)) == "Trace(5 records, a training, 0.4 s)"
    assert repr(Trace()) == "Trace(0 records, 0 agents, 0.0 s)"
