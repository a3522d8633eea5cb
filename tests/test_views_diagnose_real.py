"""Runs that the engine really made: no false alarm, and what was arranged is found."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted import (
    Scripted,
    _no_complaints,  # noqa: F401
    call,
    calls,
    is_orchestrator,
    results,
    say,
)
from virtual_time import swarms_in_virtual_time

import kimi_nb as kn
from kimi_nb.errors import BadRequest
from kimi_nb.models.base import Message, Reply
from kimi_nb.models.simulator import script
from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.diagnosis.flow import flow, needs

QUICKSTART = (
    "For each CSV file in the folder, give the number of rows and the highest price.\n"
    "Join the results into one table."
)
PACKAGES = (
    "For each Python package installed here, give its version, licence, direct dependencies,\n"
    "number of modules and lines of code. Join the results into one table."
)
GOALS = (
    QUICKSTART,
    PACKAGES,
    "For each Markdown file in the folder, give the title and the headings.",
    "对文件夹中的每个 CSV 文件，给出行数和最高价格。汇总成一张表。",
    "What is the meaning of life?",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The simulator draws from the words of a prompt: here not from the folder's name as well."""
    draw, digest = random.Random(1), script._digest
    monkeypatch.setattr(
        script,
        "_digest",
        lambda wire, *more: digest(wire.replace(str(tmp_path).encode(), b""), *more),
    )
    root = tmp_path / "work"
    root.mkdir()

    for shop in ("north", "south", "west"):
        rows = (f"{i},{draw.uniform(1, 90):.2f}\n" for i in range(draw.randint(50, 200)))
        (root / f"{shop}.csv").write_text("item,price\n" + "".join(rows))

    for i in range(12):
        (root / f"note{i}.md").write_text(f"# Note {i}\n\nAuthor: Ann {i}\n\n## Two {i * 37}\n")

    return root


@pytest.mark.parametrize("goal", GOALS, ids=("csv", "packages", "markdown", "chinese", "other"))
async def test_the_simulators_runs_are_clean(goal: str, folder: Path, tmp_path: Path) -> None:
    with swarms_in_virtual_time():
        run = kn.swarm(
            goal, model="simulator", folder=folder, trace=tmp_path / "run.jsonl", max_agents=100
        )
        await run

    trace = run.trace
    assert run.status == "finished"
    found = diagnose(trace)
    assert not found, found
    assert not any(needs(trace).values())
    assert not flow(trace).unused


async def test_a_single_simulator_is_clean(folder: Path, tmp_path: Path) -> None:
    with swarms_in_virtual_time():
        run = kn.swarm(
            QUICKSTART, model="simulator", folder=folder, trace=tmp_path / "run.jsonl", single=True
        )
        await run

    found = diagnose(run.trace)
    assert not found, found


async def scripted(tmp_path: Path, stages: Iterable[list[str]], answer: Any, **more: Any) -> Trace:
    """A run of the engine whose orchestrator gives out these tasks, stage by stage."""
    turns = list(stages)
    given = [sum(map(len, turns[:i])) for i in range(len(turns))]

    def respond(messages: list[Message]) -> Reply | Exception | str:
        if not is_orchestrator(messages):
            return answer(messages[1]["content"])

        got = results(messages)

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        if len(got) - 1 in given:
            tasks = turns[given.index(len(got) - 1)]
            return calls(*(call("assign_task", agent="w", prompt=task) for task in tasks))

        return say("That is all.")

    path = tmp_path / "run.jsonl"

    with swarms_in_virtual_time():
        run = kn.swarm(
            "Go round the town.", model=Scripted(respond), trace=path, folder=tmp_path, **more
        )
        await run

    return run.trace


async def test_one_by_one_assignments_are_found_in_a_real_run(tmp_path: Path) -> None:
    stages = [[f"Look into the {place}."] for place in ("north", "south", "west", "east")]
    trace = await scripted(tmp_path, stages, lambda task: f"did {task}")
    (found,) = diagnose(trace)
    assert found.kind == "serial collapse"
    assert found.cost.steps == 3 * (1 + 1)


async def test_a_chain_of_a_real_run_is_clean(tmp_path: Path) -> None:
    answers = {"Who rules?": "Okonkwo", "Where is Okonkwo?": "In Thurso", "Map Thurso.": "a map"}
    trace = await scripted(tmp_path, [[task] for task in answers], answers.__getitem__)
    assert sorted(map(len, needs(trace).values())) == [0, 1, 1]
    assert not diagnose(trace)


async def test_failures_and_windows_are_found_as_the_engine_words_them(tmp_path: Path) -> None:
    def answer(task: str) -> Exception | str:
        if "south" in task:
            return BadRequest("HTTP 400: Your request exceeded model token limit: 8192")

        return BadRequest("HTTP 400: no") if "west" in task else f"did {task}"

    stages = [[f"Look into the {place}." for place in ("north", "south", "west")]]
    found = diagnose(await scripted(tmp_path, stages, answer))
    assert {f.kind: len(f.agents) for f in found} == {
        "spurious parallelism": 1,
        "context overflow": 1,
    }


async def test_a_thought_that_uses_up_its_answer_is_found_as_the_engine_words_it(tmp_path) -> None:
    def answer(task: str) -> Reply | str:
        return replace(say(""), finish="length") if "south" in task else f"did {task}"

    stages = [[f"Look into the {place}." for place in ("north", "south")]]
    (found,) = diagnose(await scripted(tmp_path, stages, answer))
    assert found.kind == "context overflow"
    assert "failed" in found.what


async def test_a_result_that_the_engine_cuts_is_found(tmp_path: Path) -> None:
    trace = await scripted(tmp_path, [["Look north.", "Look south."]], lambda task: task * 2000)
    (found,) = diagnose(trace)
    assert found.kind == "context overflow"
    assert "more characters were cut" in "".join(str(r.fact) for r in trace)
