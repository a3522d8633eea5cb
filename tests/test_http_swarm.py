"""A hundred sub-agents against a real endpoint: HTTP, streaming, a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import prices, rows_of, simulator

import kimi_nb as kn
from kimi_nb.events import AgentBegan, AgentEnded, RunBegan, StepEnded, StepRetried
from kimi_nb.models.chat import ChatModel
from kimi_nb.views.report import report_html
from kimi_nb.views.summary import summary_html, summary_text

GOAL = (
    "For each CSV file in shops, give the number of rows and the highest price. "
    "Join the results into one table."
)
NAMES = [f"shop-{number:03}.csv" for number in range(120)]


@pytest.fixture
def truth(tmp_path: Path) -> dict[str, tuple[str, str]]:
    return prices(tmp_path / "shops", NAMES)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulator("--latency", "0.05") as found:
        yield found


async def asked(url: str, folder: Path, **more) -> kn.Run:
    place = {"base_url": url, "model": "simulator", "folder": folder}
    return await kn.swarm(GOAL, trace=folder / "run.jsonl", max_agents=100, **place, **more)


def facts(run: kn.Replay, kind: type) -> list:
    return [record.fact for record in run.trace if isinstance(record.fact, kind)]


async def test_a_hundred_agents_over_http_get_every_cell_right(url, truth, tmp_path) -> None:
    run = await asked(url, tmp_path)
    assert run.status == "finished"
    assert isinstance(run._engine.model, ChatModel)  # not the simulator of this process
    assert json.loads(facts(run, RunBegan)[0].options)["base_url"] == url

    subs = [fact for fact in facts(run, AgentBegan) if fact.role == "sub-agent"]
    assert len(subs) == 100
    assert {fact.outcome for fact in facts(run, AgentEnded)} == {"finished"}
    assert not any(fact.estimated for fact in facts(run, StepEnded))  # the endpoint counted
    assert run.metrics.tokens_out > 0

    rows = rows_of(run.answer)
    assert {Path(row[0]).name: tuple(row[1:3]) for row in rows} == truth
    assert len(rows) == len(truth)
    assert all(row[3] == row[0] for row in rows)  # its source


async def test_the_simulator_says_so_over_http_too(url, tmp_path) -> None:
    prices(tmp_path / "shops", NAMES[:3])
    run = await asked(url, tmp_path)
    assert facts(run, RunBegan)[0].simulated
    label = "SIMULATOR: no language model took part"
    trace = kn.read(tmp_path / "run.jsonl")
    assert all(label in view(trace) for view in (summary_text, summary_html, report_html))
    assert label in run.progress()
    assert run.metrics.cost_usd == 0


async def test_under_another_models_name_it_does_not_answer(url, tmp_path) -> None:
    run = await kn.swarm(GOAL, base_url=url, model="kimi-k3", folder=tmp_path, trace=tmp_path / "x")
    assert run.status == "failed"
    assert "there is no model 'kimi-k3' here, only 'simulator'" in run.why
    assert "offers simulator" in run.why
    assert run.metrics.total_steps == 0


async def test_faults_on_the_wire_cost_no_cell(truth, tmp_path) -> None:
    faults = ("--failure-rate", "0.05", "--drop-rate", "0.05")

    with simulator("--latency", "0.02", *faults) as url:
        run = await asked(url, tmp_path)

    assert {fact.error for fact in facts(run, StepRetried)} == {"ServerFault", "Unreachable"}
    assert run.status == "finished"
    assert {Path(row[0]).name: tuple(row[1:3]) for row in rows_of(run.answer)} == truth
