"""Swarms against single agents: every figure is read from the logs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faults.kimi import KimiServer
from matplotlib.figure import Figure

import kimi_nb as kn
from kimi_nb.cli import main
from kimi_nb.cli.bench import Bench
from kimi_nb.trace import Trace, read
from kimi_nb.worlds.base import World
from kimi_nb.worlds.picture import plain
from kimi_nb.worlds.targets import TARGETS, Reached, gains, reached
from kimi_nb.worlds.trials import Row, recorded, row, summaries, trials

FAST = {"simulator": kn.Simulator(latency=0)}
ASKED = ["bench", "swarm", "--families", "wide", "--sizes", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of one pair."""
    found = tmp_path_factory.mktemp("bench")

    for trial in trials(["wide"], [3]):
        Bench(folder=found, options=FAST, prices={}).trace(trial)

    return found


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("there is a log already")

    monkeypatch.setattr(World, "run", refuse)


def a_row(**more: Any) -> Row:
    usual = Row(
        family="wide",
        items=10,
        seed=0,
        single=False,
        model="simulator",
        status="finished",
        success=True,
        quality=0.8,
        agents=11,
        critical_steps=10,
        total_steps=60,
        wall_s=5.0,
        work_s=20.0,
        tokens=1_000,
        cost_usd=0.0,
        simulated=True,
        why="",
    )
    return replace(usual, **more)


def a_pair(seed: int, critical: int, **more: Any) -> list[Row]:
    alone = {"single": True, "critical_steps": critical, "total_steps": 50, "wall_s": 20.0}
    return [a_row(seed=seed, **more), a_row(seed=seed, **alone, **more)]


def test_the_trials_are_pairs_in_order() -> None:
    found = trials(["wide", "deep"], [3, 5], range(2))
    assert [trial.name for trial in found[:4]] == [
        "wide-3-0-swarm",
        "wide-3-0-single",
        "wide-3-1-swarm",
        "wide-3-1-single",
    ]
    assert len(found) == 2 * 2 * 2 * 2

    with pytest.raises(kn.UsageFault, match="there is wide, deep, office, code, figure"):
        trials(["wild"])


def test_a_summary_is_the_mean_of_the_pairs() -> None:
    (found,) = summaries([*a_pair(0, 30), *a_pair(1, 50), a_row(seed=2)])
    assert found.pairs == 2
    assert found.fewer_critical_steps == pytest.approx(4.0)
    assert found.least_and_most == (3.0, 5.0)
    assert found.more_steps == pytest.approx(1.2)
    assert found.more_tokens == 1.0
    assert found.faster == pytest.approx(4.0)


def test_what_cannot_be_compared_is_no_pair() -> None:
    none = [a_row(seed=1, critical_steps=0), a_row(seed=1, single=True)]
    other = [a_row(seed=2), a_row(seed=2, single=True, model="kimi-k3")]
    (found,) = summaries([*a_pair(0, 30), *none, *other])
    assert (found.pairs, found.fewer_critical_steps) == (1, pytest.approx(3.0))


def test_the_sizes_are_summed_up_apart() -> None:
    rows = [*a_pair(0, 30), *a_pair(0, 90, items=20), *a_pair(0, 10, family="deep")]
    found = [(each.family, each.items) for each in summaries(rows)]
    assert found == [("wide", 10), ("wide", 20), ("deep", 10)]


def test_a_target_counts_where_both_reached_it() -> None:
    def at(seed: int, target: float, steps: int | None, *, single: bool) -> Reached:
        return Reached(
            items=10,
            seed=seed,
            single=single,
            target=target,
            critical_steps=steps,
            total_steps=steps,
            tokens=steps,
            seconds=1.0,
        )

    found = gains(
        [
            at(0, 0.3, 5, single=False),
            at(0, 0.3, 20, single=True),
            at(0, 0.7, 6, single=False),
            at(0, 0.7, None, single=True),
        ]
    )
    assert [(gain.target, gain.pairs, gain.fewer_critical_steps) for gain in found] == [(0.3, 1, 4)]


def test_a_pair_is_run_judged_and_read_from_its_logs(folder: Path) -> None:
    rows = [row(trial, read(folder / f"{trial.name}.jsonl")) for trial in trials(["wide"], [3])]
    swarm, single = rows
    assert swarm.status == single.status == "finished"
    assert (swarm.single, single.single) == (False, True)
    assert swarm.agents > 1
    assert single.agents == 1
    assert single.critical_steps == single.total_steps
    assert swarm.critical_steps < swarm.total_steps
    assert swarm.quality > 0.7


def test_a_target_is_reached_no_later_than_a_higher_one(folder: Path) -> None:
    for trial in trials(["wide"], [3]):
        found = reached(trial, read(folder / f"{trial.name}.jsonl"))
        assert [each.target for each in found] == list(TARGETS)
        steps = [each.critical_steps for each in found if each.critical_steps is not None]
        assert steps
        assert steps == sorted(steps)


@pytest.mark.usefixtures("no_run")
def test_the_command_reads_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "-o", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("SIMULATOR")
    assert "wide(3)" in out
    assert "item-F1 30%" in out
    assert "if it is cut off" in err

    with (folder / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert [each["single"] for each in csv.DictReader(file)] == ["False", "True"]

    assert (folder / "swarm.png").read_bytes().startswith(b"\x89PNG")
    assert main([*ASKED, "-o", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["simulated"] is True
    assert len(found["rows"]) == 2
    assert found["summary"][0]["pairs"] == 1


@pytest.mark.usefixtures("no_run")
def test_a_benchmark_that_was_cut_off_goes_on(folder: Path, tmp_path: Path) -> None:
    trial = trials(["wide"], [3])[0]
    whole = read(folder / f"{trial.name}.jsonl")
    path = tmp_path / f"{trial.name}.jsonl"
    Trace(whole[: len(whole) // 2]).save(path)
    assert recorded(trial, tmp_path) is None
    found = Bench(folder=tmp_path, options=FAST, prices={}).trace(trial)
    assert row(trial, found).quality == row(trial, whole).quality


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(run: kn.Run) -> bool:
        run.cancel()
        run.result()
        return True

    monkeypatch.setattr("kimi_nb.cli.bench.follow", pressed)
    assert main([*ASKED, "-o", str(tmp_path)]) == 130
    said = capsys.readouterr().err
    assert f"bench: what was done is kept; to go on, type the same again with -o {tmp_path}" in said


def test_numbers_stand_on_a_short_axis_and_on_a_long_one() -> None:
    for least, most in ((0.85, 1.75), (0.9, 60.0)):
        axes = Figure().subplots()
        axes.plot([least, most], [0, 1])
        axes.set_xscale("log")
        plain(axes.xaxis, axes.get_xlim())
        shown = [tick for tick in axes.xaxis.get_majorticklocs() if least <= tick <= most]
        assert 3 <= len(shown) <= 9
        assert 1 in shown


@pytest.mark.usefixtures("no_run")
def test_a_folder_of_another_models_runs_is_refused(folder: Path) -> None:
    trial = trials(["wide"], [3])[0]

    with pytest.raises(kn.KimiNbError, match="is a run of simulator, not of kimi-k3"):
        Bench(folder=folder, options={"model": "kimi-k3"}, prices={}).trace(trial)


def test_one_that_could_not_be_judged_is_judged_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = trials(["wide"], [3])[0]
    running = Bench(folder=tmp_path, options=FAST, prices={})

    def fails(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(World, "judge", fails)

        with pytest.raises(kn.KimiNbError, match="could not be judged: OSError"):
            running.trace(trial)

    assert row(trial, running.trace(trial)).quality > 0.7


def test_the_time_of_the_judge_is_nobodys(folder: Path) -> None:
    trial = trials(["wide"], [3])[0]
    trace = read(folder / f"{trial.name}.jsonl")
    late = [r if r.agent or not r.seq else replace(r, t=r.t + 100) for r in trace]
    assert row(trial, Trace(late)) == row(trial, trace)


def test_one_that_was_killed_at_its_start_begins_anew(tmp_path: Path) -> None:
    trial = trials(["wide"], [3])[0]
    (tmp_path / f"{trial.name}.jsonl").write_bytes(b"")
    (tmp_path / f"{trial.name}.files").mkdir()
    found = Bench(folder=tmp_path, options=FAST, prices={}).trace(trial)
    assert row(trial, found).status == "finished"


def test_one_that_the_endpoint_refuses_stops_the_benchmark(tmp_path: Path) -> None:
    trial = trials(["wide"], [3])[0]

    with KimiServer() as server:
        options = {"base_url": server.base_url, "model": "kimi-k3", "key": "sk-wrong-0123456789"}

        with pytest.raises(kn.KimiNbError, match=r"to go on, type the same again with -o /"):
            Bench(folder=tmp_path, options=options, prices={}).trace(trial)

    assert recorded(trial, tmp_path) is None


def test_a_family_that_cannot_be_posed_is_left_out_and_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(items: int, seed: int) -> World:
        raise kn.UsageFault(f"no sandbox here for {items} items of seed {seed}")

    monkeypatch.setattr(kn.worlds, "code", nothing)
    asked = ["bench", "swarm", "--families", "wide,code", "--sizes", "3", "-o", str(folder)]
    assert main([*asked, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["left_out"] == {
        "code": "no sandbox here for 3 items of seed 0"
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--families", "wild"], "there is no family 'wild'"),
        (["--sizes", "ten"], "sizes are numbers, as 10,50"),
        (["--sizes", "2"], "3 to 300 items"),
    ],
)
def test_what_cannot_be_asked(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, "-o", str(tmp_path), *more]) == 2
    assert said in capsys.readouterr().err
