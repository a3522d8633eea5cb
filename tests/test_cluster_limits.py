"""The arithmetic of what limits a large swarm, and the tables that quote it."""

from __future__ import annotations

import importlib
import math
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from kimi_nb.models.tiers import TIERS

FOLDER = Path(__file__).parents[1] / "notebooks" / "cluster"
SIZES = (1, 100, 655, 656, 10_000, 1_000_000)


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def reckoning() -> ModuleType:
    return importlib.import_module("reckoning")


@pytest.fixture
def given() -> ModuleType:
    return importlib.import_module("inputs")


def test_the_readme_has_the_tables_that_the_script_prints():
    script = [sys.executable, str(FOLDER / "limits.py")]
    printed = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    readme = (FOLDER / "README.md").read_text("utf-8")
    tables = printed.strip().split("\n\n")

    assert len(tables) == len(re.findall(r"<!-- \w+: end -->", readme)) == 3
    assert [table for table in tables if table not in readme] == []


def test_the_figures_in_what_follows_from_the_tables_are_those_of_the_tables():
    readme = (FOLDER / "README.md").read_text("utf-8")
    said = readme.partition("What follows from it:")[2]
    tables = readme.partition("What follows from it:")[0]

    for figure in ("83 agents", "655 ", "1,527 ", "5.6 ", "90 s", "300", "262,144 tokens"):
        assert figure in said, figure
        assert figure in tables, figure


def test_every_input_names_a_source_and_every_script_in_them_is_there(given: ModuleType):
    scripts = [
        script
        for each in given.INPUTS.values()
        for script in re.findall(r"`python ([\w/.]+)", each.source)
    ]

    assert all(each.value > 0 and each.source for each in given.INPUTS.values())
    assert scripts
    assert all((FOLDER.parents[1] / script).is_file() for script in scripts)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_used_up_by_its_pace_and_by_no_less(
    tier: str, reckoning: ModuleType, given: ModuleType
):
    amount, allowed = given.amount, TIERS[tier]
    tokens = amount("tokens_in") + amount("reserved")

    def fits(calls: float) -> bool:
        day = 1_500_000 if tier == "T0" else math.inf
        return (
            calls <= allowed.rpm
            and calls * tokens <= allowed.tpm
            and calls * tokens * 24 * 60 <= day
            and calls * amount("latency") / 60 <= allowed.concurrency
        )

    found = reckoning.pace(tier).calls

    assert fits(found * 0.999)
    assert not fits(found * 1.001)


@pytest.mark.parametrize("context", ["context", "context_k3"])
@pytest.mark.parametrize("agents", SIZES)
def test_no_orchestrator_reads_more_than_its_context_and_one_reads_all(
    agents: int, context: str, reckoning: ModuleType, given: ModuleType
):
    each = given.amount("report") + given.amount("assignment")
    below = [agents, *reckoning.tree(agents, context)]

    assert below[-1] == 1

    for children, parents in pairwise(below):
        assert math.ceil(children / parents) * each <= given.amount(context)


@pytest.mark.parametrize("agents", [1, 10, 300])
def test_the_slowest_is_as_much_slower_as_in_a_thousand_draws(
    agents: int, reckoning: ModuleType, given: ModuleType
):
    import numpy as np

    spread = given.amount("spread")
    sigma = math.sqrt(math.log(1 + spread**2))
    draws = np.random.default_rng(7).lognormal(-(sigma**2) / 2, sigma, (4_000, agents))

    assert draws.std() == pytest.approx(spread, rel=0.1)
    assert reckoning.longest(agents) == pytest.approx(draws.max(axis=1).mean(), rel=0.03)


def test_agents_are_lost_as_often_as_when_one_throws_the_dice(
    reckoning: ModuleType, given: ModuleType
):
    import numpy as np

    shape = (20_000, int(given.amount("calls")), int(given.amount("attempts")))
    failed = np.random.default_rng(7).random(shape) < 0.5

    assert reckoning.lost(20_000, 0.5) == pytest.approx(failed.all(2).any(1).sum(), rel=0.05)


def test_a_cached_prompt_costs_less_and_the_same_tokens_count(reckoning: ModuleType):
    assert reckoning.usd(1) < reckoning.usd(1, cached=False) < reckoning.usd(1, "kimi-k3")
    assert reckoning.usd(1_000_000) == pytest.approx(1_000_000 * reckoning.usd(1))


def test_a_call_is_as_large_in_the_log_as_the_arithmetic_says(
    tmp_path: Path, given: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    measure = importlib.import_module("measure")
    monkeypatch.setattr(measure, "RECORDS", 20_000)
    found = measure.written(tmp_path / "run.jsonl", measure.TURN_CHARACTERS)

    assert found["records"] / found["calls"] == given.amount("records")
    assert found["bytes"] / found["calls"] == pytest.approx(given.amount("log_call"), rel=0.02)
