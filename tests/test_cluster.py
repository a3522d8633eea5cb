"""A run whose sub-agents live on a Dask cluster: the same run, on real worker processes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_processes import Cluster, cluster
from cluster_runs import PATIENCE, TASKS, Onstage, until, waiting
from distributed import Client
from invariants import check_invariants
from openai import AsyncOpenAI
from scripted import Scripted, call, calls, results, say
from test_swarm import facts, fan_out

import kimi_nb as kn
from kimi_nb import cluster_client
from kimi_nb.cli import main
from kimi_nb.errors import UsageFault
from kimi_nb.events import AgentBegan, AgentEnded, AgentPlaced, Fact, ToolCalled, ToolReturned
from kimi_nb.models.simulator import Options
from kimi_nb.views.fold import fold

pytestmark = pytest.mark.timeout(3 * PATIENCE)

PRICES = "Give the price of each museum in data/."


@pytest.fixture(scope="module")
def there() -> Iterator[Cluster]:
    # a worker that has begun all of its sub-agents would take some from a slow one
    calm = {"DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False"}

    with cluster(workers=2, environment=calm) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()

    for number in range(6):
        (data / f"m{number}.csv").write_text(f"name,price\nm{number},{number * 3}\n")

    return tmp_path


def start(there: Cluster | Client, folder: Path, goal: str = "go", **options: Any) -> kn.Run:
    where = there.address if isinstance(there, Cluster) else there
    options.setdefault("trace", folder / "run.jsonl")
    return kn.swarm(goal, cluster=where, folder=folder, **options)


def check(run: kn.Run) -> None:
    """What must hold of every run that has ended, and that its budget counted what its log says."""
    check_invariants(run)
    account, found = run._engine.account, run.metrics
    assert (account._in_flight, account._held_tokens) == (0, 0)
    assert account.steps == found.total_steps
    assert account.tokens == found.tokens_in + found.tokens_out
    assert account.critical_steps == found.critical_steps


def said(run: kn.Replay) -> list[tuple[str, Fact]]:
    """What its agents did, whoever came first; calls have ids that only differ."""
    kinds = (AgentBegan, AgentEnded, ToolCalled, ToolReturned)
    return sorted(((r.agent, r.fact) for r in run.trace if isinstance(r.fact, kinds)), key=repr)


def test_it_is_the_same_run_as_in_one_kernel(there: Cluster, folder: Path) -> None:
    quick = Options(latency=0.01, spread=0)
    local = kn.swarm(PRICES, folder=folder, trace=folder / "here.jsonl", simulator=quick)
    local.result(PATIENCE)
    run = start(there, folder, PRICES, simulator=quick).result(PATIENCE)
    assert (run.status, run.why) == ("finished", "")
    assert run.answer == local.answer
    same = ("agents", "stages", "total_steps", "critical_steps", "tool_calls", "tokens_out")
    assert [getattr(run.metrics, name) for name in same] == [
        getattr(local.metrics, name) for name in same
    ]
    assert [(agent, fact) for agent, fact in said(run) if isinstance(fact, AgentEnded)] == [
        (agent, fact) for agent, fact in said(local) if isinstance(fact, AgentEnded)
    ]
    placed = facts(run, AgentPlaced)
    assert len(placed) == run.metrics.agents - 1
    assert {fact.number for fact in placed} == {1}
    assert set(Counter(fact.where for fact in placed).values()) == {3}, "three on each worker"
    assert {agent.where for agent in fold(run.trace).agents.values()} > {""}


def test_a_client_of_the_users_stays_open_and_serves_many_runs(
    there: Cluster, folder: Path
) -> None:
    with there.client() as client:
        runs = [
            start(client, folder, trace=folder / f"{n}.jsonl", model=Scripted(fan_out(4)))
            for n in range(3)
        ]

        for run in runs:
            assert run.result(PATIENCE).answer == "did t0 | did t1 | did t2 | did t3"

        for run in runs:
            check(run)

        assert client.status == "running"
        until(lambda: not [key for key in client.who_has() if "kimi_nb" in str(key)])


def test_a_plan_begins_each_task_when_those_before_have_ended(there: Cluster, folder: Path) -> None:
    plan = "- a: first\n- b: second\n- c: third\n  after: [a, b]"
    model = Scripted(lambda messages: f"[{messages[1]['content']}]")
    run = start(there, folder, "", plan=plan, model=model).result(PATIENCE)
    assert run.status == "finished", run.why
    assert "Result of a:\n[first]" in run.answer
    assert run.answer.endswith("third]")
    check(run)


def test_tools_of_the_notebook_go_with_what_they_use(there: Cluster, folder: Path) -> None:
    offset = 40

    @kn.tool
    def add(n: int) -> int:
        """Add to it."""
        return n + offset

    @kn.tool
    def fail() -> str:
        """Always fails."""
        raise ValueError("no luck")

    def answer(_task: str, messages: list[Any]) -> Any:
        got = results(messages)
        return say(" ".join(got)) if got else calls(call("add", n=2), call("fail"))

    run = start(there, folder, model=Scripted(fan_out(2, answer)), tools=[add, fail])
    assert run.result(PATIENCE).answer == " | ".join(["42 ERROR: ValueError: no luck"] * 2)
    check(run)


def test_what_cannot_travel_is_named_before_anything_runs(
    there: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_client, "TIMEOUT", 0.5)
    lock = threading.Lock()

    @kn.tool
    def guarded() -> str:
        """Holds a lock."""
        with lock:
            return "x"

    with pytest.raises(UsageFault, match="the tool 'guarded' cannot go to other machines"):
        start(there, folder, model=Scripted(fan_out(1)), tools=[guarded])

    client = AsyncOpenAI(api_key="sk-none", base_url="http://127.0.0.1:9/v1")

    with pytest.raises(UsageFault, match="a client of one's own cannot go to other machines"):
        start(there, folder, client=client, model="m")

    model = Scripted(fan_out(1))
    model.lock = lock  # type: ignore[attr-defined]

    with pytest.raises(UsageFault, match="the model 'scripted' cannot go to other machines"):
        start(there, folder, model=model)

    with pytest.raises(UsageFault, match="no Dask scheduler answers at"):
        kn.swarm("go", cluster="tcp://127.0.0.1:9", folder=folder)

    assert not (folder / "run.jsonl").exists()


@pytest.mark.parametrize(
    ("budget", "status"),
    [
        (kn.Budget(steps=5), "over_budget"),
        (kn.Budget(critical_steps=3), "over_budget"),
        (kn.Budget(tokens=60_000), "finished"),
    ],
)
def test_one_budget_for_all_workers(
    there: Cluster, folder: Path, budget: kn.Budget, status: str
) -> None:
    model = Scripted(fan_out(6))
    run = start(there, folder, model=model, budget=budget, max_tokens=4_000).result(PATIENCE)
    assert run.status in {status, "partial"} if status != "finished" else run.status == status
    found = run.metrics
    assert budget.steps is None or found.total_steps <= budget.steps
    assert budget.critical_steps is None or found.critical_steps <= budget.critical_steps
    check(run)


def test_one_limit_for_all_workers_and_the_orchestrator(there: Cluster, tmp_path: Path) -> None:
    with Onstage(there, tmp_path) as stage, there.client() as client:
        stage.held = lambda asked: asked.task in TASKS
        run = stage.run(limits=kn.Limits(concurrency=2))
        until(lambda: client.run_on_scheduler(waiting)["queue"] == len(TASKS) - 2)
        until(lambda: len(stage.out) == 2)
        stage.held = lambda _: False
        stage.drop()
        stage.check(run.result(PATIENCE))

    assert stage.server.peak == 2  # by the platform's own count: facts come by the scheduler, late
    assert len([agent for agent in run.fold.agents.values() if agent.queued_s]) >= len(TASKS) - 2


def test_one_sub_agent_is_cancelled_and_its_siblings_go_on(there: Cluster, folder: Path) -> None:
    base = str(folder)

    @kn.tool
    def wait(n: int) -> str:
        """Wait for a file."""
        while not Path(f"{base}/go").exists():
            time.sleep(0.01)

        return f"waited {n}"

    def answer(task: str, messages: list[Any]) -> Any:
        got = results(messages)
        return say(got[-1]) if got else calls(call("wait", n=int(task[1:])))

    run = start(there, folder, model=Scripted(fan_out(3, answer)), tools=[wait])
    until(lambda: [fact.tool for fact in facts(run, ToolCalled)].count("wait") == 3)
    run.cancel("a2")
    until(lambda: facts(run, AgentEnded))
    (folder / "go").touch()
    assert run.result(PATIENCE).status == "finished"
    assert run.answer == "waited 0 | ERROR: this sub-agent was cancelled by the user | waited 2"
    check(run)


def test_on_the_command_line(
    there: Cluster,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = ["--cluster", there.address]
    log = folder / "cli.jsonl"
    code = main(["run", PRICES, "--folder", str(folder), "--trace", str(log), *where, "--json"])
    assert code == 0
    assert '"status":"finished"' in capsys.readouterr().out.replace(" ", "")
    assert main(["resume", str(log), *where]) == 0
    monkeypatch.setattr(cluster_client, "TIMEOUT", 0.5)
    assert main(["run", "x", "--cluster", "tcp://127.0.0.1:9"]) == 2
    assert "give the address that `dask scheduler` prints" in capsys.readouterr().err


def test_a_cluster_without_a_worker_is_told_with_what_to_type(folder: Path) -> None:
    with cluster(workers=0) as alone:
        with pytest.warns(RuntimeWarning, match=f"no worker yet.* dask worker {alone.address}"):
            run = start(alone, folder, model=Scripted(fan_out(2)))

        until(lambda: run.metrics.agents == 3)
        run.cancel()
        assert run.result(PATIENCE).status == "cancelled"
