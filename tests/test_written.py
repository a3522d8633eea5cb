"""An orchestrator by hand: it does what is written, and its sub-agents do real work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from virtual_time import swarms_in_virtual_time

import kimi_nb as kn
from kimi_nb.teach.written import Stages, written

GOAL = "For each CSV file in the folder, give the number of rows."
SHOPS = ("north", "south", "west", "east")
TASKS = [f"Give the number of rows of {shop}.csv." for shop in SHOPS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "shops"
    root.mkdir()

    for rows, shop in enumerate(SHOPS, start=11):
        (root / f"{shop}.csv").write_text("item\n" + "x\n" * rows)

    return root


async def run_of(stages: Stages, folder: Path, **more: Any) -> kn.Run:
    with swarms_in_virtual_time():
        run = kn.swarm(
            GOAL, model=written(stages), folder=folder, trace=folder.parent / "run.jsonl", **more
        )
        await run

    assert run.status == "finished"
    return run


async def test_one_after_the_other_is_a_collapse_and_side_by_side_is_none(folder: Path) -> None:
    run = await run_of([[task] for task in TASKS], folder)
    (found,) = kn.diagnose(run)
    assert found.kind == "serial collapse"
    assert [row["sub_agents"] for row in kn.rows(run, "stages")] == [0, 1, 1, 1, 1, 0]


async def test_it_assigns_what_is_written_and_joins_what_came_back(folder: Path) -> None:
    run = await run_of([TASKS], folder)
    assert not kn.diagnose(run)
    assert [row["sub_agents"] for row in kn.rows(run, "stages")] == [0, 4, 0]
    assert all(f"| {shop}.csv | {n} |" in run.answer for n, shop in enumerate(SHOPS, start=11))
    assert run.metrics.simulated


async def test_alone_it_is_the_simulator_and_a_fair_pair(folder: Path, tmp_path: Path) -> None:
    swarm = await run_of([TASKS], folder)
    (tmp_path / "run.jsonl").rename(tmp_path / "swarm.jsonl")
    alone = await run_of([TASKS], folder, single=True)
    assert alone.metrics.agents == 1
    assert kn.compare(swarm, alone).speedup_steps > 1


def test_tasks_that_are_in_no_stage_are_refused() -> None:
    with pytest.raises(kn.UsageFault, match="a list of tasks"):
        written(TASKS)
