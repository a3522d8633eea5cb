"""The books of a run and those of the platform say the same, and the prompts make cache hits."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections import defaultdict
from dataclasses import replace

import pytest
from faults.brains import small_swarm
from faults.cards import MODELS
from faults.kimi import KimiServer
from invariants import check_invariants, held
from processes import COMMAND, ENVIRONMENT

import kimi_nb as kn


@kn.tool
async def look(n: int) -> str:
    "Look at something."
    return f"saw {n}"


def go(server: KimiServer, path, **options) -> kn.Run:
    given = {"model": "kimi-k3", "base_url": server.base_url, "key": server.key, "tools": [look]}
    return kn.swarm("Do all parts.", trace=path, **(given | options)).result(30)


@pytest.fixture(scope="module")
def swarm(tmp_path_factory):
    """A run of a dozen sub-agents, and the platform that it was on."""
    folder = tmp_path_factory.mktemp("run")
    before = held()

    with KimiServer(small_swarm(tasks=12)) as server:
        run = go(server, folder / "run.jsonl")

    check_invariants(run, server=server, before=before, secrets=[server.key], paths=[folder])
    assert run.status == "finished"
    return run, server


def test_tokens_and_dollars_are_those_that_the_platform_charged(swarm):
    run, server = swarm
    assert run.metrics.tokens_in == sum(asked.tokens_in for asked in server.log)
    assert run.metrics.tokens_out == sum(asked.tokens_out for asked in server.log)
    assert run.metrics.tokens_cached == sum(asked.cached for asked in server.log) > 0
    assert run.metrics.cost_usd == pytest.approx(server.spent_usd)
    assert not run.fold.estimated


def test_every_call_says_how_long_its_answer_may_be(swarm):
    _, server = swarm
    assert {asked.body["max_completion_tokens"] for asked in server.log} == {16_384, 32_768}


def test_nothing_is_sent_that_nobody_asked_for(swarm):
    _, server = swarm
    fields = {"model", "stream", "stream_options", "max_completion_tokens", "tools", "messages"}
    assert set().union(*(asked.body for asked in server.log)) == fields


def test_sub_agents_of_one_role_share_all_but_their_task(swarm):
    _, server = swarm
    first = [a for a in server.log if len(a.messages) == 2 and a.task.startswith("Do part")]
    assert len(first) == 12
    assert len({repr(a.body["tools"]) for a in first}) == 1
    assert len({repr(a.messages[0]) for a in first}) == 1


def test_a_conversation_only_grows(swarm):
    _, server = swarm
    turns = defaultdict(list)

    for asked in server.log:
        turns[asked.agent].append(asked.messages)

    assert len(turns) == 13

    for one, other in itertools.chain.from_iterable(map(itertools.pairwise, turns.values())):
        assert other[: len(one)] == one


def test_a_model_without_a_known_price_has_no_cost(tmp_path):
    card = next(card for card in MODELS if card.id == "kimi-k3")

    with KimiServer(models=[replace(card, id="mine")]) as server:
        run = go(server, tmp_path / "unknown.jsonl", model="mine")
        priced = go(
            server,
            tmp_path / "own.jsonl",
            model="mine",
            prices={"mine": kn.Price(1.0, 1.0, 1.0)},
        )

    assert run.metrics.tokens_in > 0
    assert run.metrics.cost_usd is None
    assert priced.metrics.cost_usd == pytest.approx(
        (priced.metrics.tokens_in + priced.metrics.tokens_out) / 1e6
    )


def test_thinking_is_asked_for_as_the_model_wants_it_and_kept_for_a_resume(tmp_path):
    path = tmp_path / "run.jsonl"
    rules = [kn.Rules(models="kimi-k3", thinking={"low": {"reasoning_effort": "low"}})]

    with KimiServer() as server:
        run = go(server, path, thinking="low", rules=rules, budget=kn.Budget(steps=4))
        assert run.status == "over_budget"
        resumed = kn.resume(
            path,
            base_url=server.base_url,
            key=server.key,
            tools=[look],
            rules=rules,
            budget=kn.Budget(steps=100),
        )
        assert isinstance(resumed, kn.Run)
        assert resumed.result(30).status == "finished"

    assert {asked.body.get("reasoning_effort") for asked in server.log} == {"low"}


def test_a_price_that_is_typed_turns_tokens_into_dollars(tmp_path):
    mine = replace(next(card for card in MODELS if card.id == "kimi-k3"), id="mine")

    with KimiServer(models=[mine]) as server:
        where = {"KIMI_BASE_URL": server.base_url, "KIMI_API_KEY": server.key}
        asked = ["run", "Do all parts.", "--json", "--model", "mine", "--thinking", "high"]
        done = [
            subprocess.run(
                [*COMMAND, *asked, "--usd", "1", *price],
                check=False,
                cwd=tmp_path,
                env=ENVIRONMENT | where,
                capture_output=True,
                text=True,
            )
            for price in ((), ("--price", "2,0.2,10"), ("--price", "2"))
        ]

    assert [process.returncode for process in done] == [2, 0, 2]
    assert "--price IN,CACHED,OUT" in done[0].stderr
    found = json.loads(done[1].stdout)["metrics"]
    fresh = found["tokens_in"] - found["tokens_cached"]
    dollars = (2 * fresh + 0.2 * found["tokens_cached"] + 10 * found["tokens_out"]) / 1e6
    assert found["cost_usd"] == pytest.approx(dollars)
    assert {asked.body["reasoning_effort"] for asked in server.log} == {"high"}
