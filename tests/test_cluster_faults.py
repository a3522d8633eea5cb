"""Workers, kernels and schedulers that die in the middle of a run. Real processes, real kills."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cluster_processes import Cluster, cluster
from cluster_runs import (
    ANSWER,
    CALLS,
    HERE,
    PATIENCE,
    TASKS,
    THERE,
    Elsewhere,
    Onstage,
    ip,
    lives,
    places,
    second,
    step_of,
    until,
    wait_until_idle,
    waiting,
)
from faults.kimi import KimiServer
from faults.log import Asked
from faults.tier import Tier
from matrix_trial import ends

import kimi_nb as kn
from kimi_nb.swarm.cluster import line
from kimi_nb.swarm.engine import Stop
from kimi_nb.swarm.runtime import runtime

pytestmark = pytest.mark.timeout(3 * PATIENCE)


@pytest.fixture(scope="module")
def made() -> Iterator[Cluster]:
    with cluster(2) as made:
        yield made


@pytest.fixture
def workers(made: Cluster) -> Cluster:
    """Two of them, whatever the test before has done to them."""
    made.workers = [worker for worker in made.workers if worker.poll() is None]

    for _ in range(2 - len(made.workers)):
        made.start_worker()

    made.wait_for_workers(2)
    return made


@pytest.fixture
def stage(workers: Cluster, tmp_path: Path) -> Iterator[Onstage]:
    with Onstage(workers, tmp_path) as stage:
        yield stage


def kill(stage: Onstage, run: kn.Run, *agents: str) -> set[str]:
    """Kill the workers on which these live; all that lived there."""
    where = places(run)
    killed = {where[agent] for agent in agents}

    with stage.cluster.client() as client:
        pids = client.run(os.getpid)

    for each in killed:
        os.kill(pids[each], signal.SIGKILL)

    return {agent for agent, worker in where.items() if worker in killed}


# Workers -------------------------------------------------------------------------------------


def test_sub_agents_of_a_killed_worker_go_on_elsewhere(stage: Onstage) -> None:
    stage.held = second
    run = stage.run()
    until(lambda: len(stage.out) == len(TASKS))
    stage.held = lambda _: False
    moved = kill(stage, run, "a1")
    until(lambda: all(lives(run)[agent] == 2 for agent in moved))
    stage.drop()  # those that live on another worker hear that their calls broke off
    stage.check(run.result(PATIENCE))
    assert {agent for agent, count in lives(run).items() if count == 2} == moved
    assert 0 < len(moved) < len(TASKS)
    assert len(stage.server.completed) == CALLS
    assert all(agent.moves == (id in moved) for id, agent in run.fold.agents.items())
    wait_until_idle(stage.cluster)


def test_permits_and_reservations_of_the_dead_are_given_back(stage: Onstage) -> None:
    limits = kn.Limits(concurrency=1)
    spent = stage.run(limits=limits, max_tokens=400).result(PATIENCE).metrics
    stage.forget()
    held: list[Asked] = []

    def first_of_second(asked: Asked) -> bool:
        """The one call that is let go is out for ever."""
        return second(asked) and not held and not held.append(asked)

    stage.held = first_of_second
    budget = kn.Budget(tokens=spent.tokens_in + spent.tokens_out + 500)
    run = stage.run(limits=limits, max_tokens=400, budget=budget)
    until(lambda: held)
    kill(stage, run, next(id for id, a in run.fold.agents.items() if a.task == held[0].task))
    stage.check(run.result(PATIENCE))
    assert stage.server.peak == 1
    wait_until_idle(stage.cluster)


def test_all_workers_are_killed_twice_and_new_ones_come(stage: Onstage) -> None:
    run = None

    for step in (1, 3):
        stage.hold(lambda asked, step=step: step_of(asked)[1] == step and asked.task in TASKS)
        run = run or stage.run()
        until(lambda: len(stage.out) == len(TASKS))
        kill(stage, run, *places(run))
        until(lambda: not stage.out)

        if step == 3:
            stage.hold(lambda _: False)

        stage.cluster.start_worker()

    assert run is not None
    stage.check(run.result(PATIENCE))
    assert lives(run) == dict.fromkeys(places(run), 3)
    assert len(stage.server.completed) == CALLS
    wait_until_idle(stage.cluster)


def test_a_sub_agent_that_costs_too_many_workers_fails_alone(stage: Onstage) -> None:
    with stage.cluster.client() as client:
        client.run_on_scheduler(_allow, 0)

        try:
            stage.held = second
            run = stage.run()
            until(lambda: len(stage.out) == len(TASKS))
            stage.held = lambda _: False
            lost = kill(stage, run, "a1")
            until(lambda: {id for id, a in run.fold.agents.items() if a.state == "failed"} == lost)
            stage.drop()
            run.result(PATIENCE)
        finally:
            client.run_on_scheduler(_allow, 3)

    assert run.status == "finished"
    told = {task: text for task, (outcome, text) in ends(run).items() if outcome == "failed"}
    assert len(told) == len(lost)
    assert set(told.values()) == {"each worker that took it up was lost, one after the other"}
    stage.check_end(run)
    wait_until_idle(stage.cluster)


def _allow(failures: int, dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = failures


@pytest.mark.filterwarnings("ignore:the cluster has no worker yet")
def test_a_worker_with_a_nanny_comes_back(stage: Onstage) -> None:
    for worker in stage.cluster.workers:
        worker.kill()

    nanny = stage.cluster.start_worker("--nanny")
    stage.held = second
    run = stage.run()
    until(lambda: len(stage.out) == len(TASKS))
    stage.held = lambda _: False
    kill(stage, run, "a1")
    stage.check(run.result(PATIENCE))
    assert lives(run) == dict.fromkeys(places(run), 2)
    wait_until_idle(stage.cluster)
    nanny.terminate()
    nanny.wait()


def test_a_worker_that_joins_gets_sub_agents_and_one_that_retires_lets_them_go(
    stage: Onstage,
) -> None:
    for worker in stage.cluster.workers[1:]:
        worker.kill()

    stage.held = second
    run = stage.run()
    until(lambda: len(stage.out) == len(TASKS))
    (old,) = set(places(run).values())
    stage.cluster.start_worker()
    stage.cluster.wait_for_workers(2)
    stage.held = lambda _: False

    with stage.cluster.client() as client:
        client.retire_workers([old])

    until(lambda: stage.cluster.workers[0].poll() is not None)
    stage.check(run.result(PATIENCE))
    assert lives(run) == dict.fromkeys(places(run), 2)
    assert old not in places(run).values()
    assert len(stage.server.completed) == CALLS
    wait_until_idle(stage.cluster)


def test_a_worker_behind_a_cut_link_spends_nothing_and_its_sub_agents_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KimiServer, "host", "0.0.0.0")  # noqa: S104 -- for the namespace

    if not _may_make_namespaces():
        pytest.skip("network namespaces need root and the command ip")

    with (
        cluster(0, more=("--host", "0.0.0.0")) as made,  # noqa: S104
        Onstage(made, tmp_path) as stage,
        Elsewhere(urlsplit(stage.server.base_url).port or 0) as elsewhere,
    ):
        port = urlsplit(made.address).port
        made.address = f"tcp://127.0.0.1:{port}"
        own = {"MOONSHOT_API_KEY": stage.server.key, "KIMI_BASE_URL": stage.server.base_url}
        made.environment |= own  # none is sent over that link
        made.start_worker()
        far = made.start_worker(before=elsewhere.before, address=f"tcp://{HERE}:{port}")
        made.wait_for_workers(2)
        stage.held = second
        run = stage.run()
        until(lambda: len(stage.out) == len(TASKS))
        cut_off = {agent for agent, where in places(run).items() if THERE in where}
        stage.held = lambda _: False
        elsewhere.cut()

        with made.client() as client:
            client.run_on_scheduler(_give_up, THERE)

        until(lambda: all(lives(run)[agent] == 2 for agent in cut_off))
        stage.drop()
        stage.check(run.result(PATIENCE))
        assert {agent for agent, count in lives(run).items() if count == 2} == cut_off
        assert 0 < len(cut_off) < len(TASKS)
        asked = len(stage.server.log)
        elsewhere.mend()
        until(lambda: far.poll() is not None)  # Dask does not take it back: a nanny starts another
        assert len(stage.server.log) == asked


async def _give_up(host: str, dask_scheduler: Any) -> None:
    """As when Dask's patience is over: a busy machine may keep any worker silent for a while."""
    for worker in dask_scheduler.workers.values():
        if host in worker.address:
            worker.last_seen = 0

    await dask_scheduler.check_worker_ttl()


def _may_make_namespaces() -> bool:
    if os.geteuid() or not shutil.which("ip"):
        return False

    name = f"kn-probe{os.getpid()}"

    try:
        ip("netns", "add", name)
    except subprocess.CalledProcessError:
        return False

    ip("netns", "del", name)
    return True


# Ends ----------------------------------------------------------------------------------------


def _at_its_deadline(run: kn.Run) -> None:
    """What the timer of a budget of seconds does, whenever the calls are out."""
    runtime().loop.call_soon_threadsafe(run.engine.stop, Stop("over_budget", "it is late"))


@pytest.mark.parametrize(
    ("stop", "status"), [(kn.Run.cancel, "cancelled"), (_at_its_deadline, "over_budget")]
)
def test_the_end_of_a_run_reaches_all_workers(
    stage: Onstage, stop: Callable[[kn.Run], None], status: str
) -> None:
    stage.held = second
    run = stage.run()
    until(lambda: len(stage.out) == len(TASKS))
    asked = len(stage.server.log)
    stop(run)
    until(lambda: not stage.out)
    assert run.result(PATIENCE).status == status
    wait_until_idle(stage.cluster)
    assert len(stage.server.log) == asked
    stage.check_end(run)


def test_one_sub_agent_is_cancelled_where_it_lives(stage: Onstage) -> None:
    stage.held = second
    run = stage.run()
    until(lambda: len(stage.out) == len(TASKS))
    stage.held = lambda _: False
    run.cancel("a2")
    until(lambda: len(stage.out) == len(TASKS) - 1)
    until(lambda: run.fold.agents["a2"].state == "cancelled")
    stage.drop()
    run.result(PATIENCE)
    assert {id for id, agent in run.fold.agents.items() if agent.state != "finished"} == {"a2"}
    assert "cancelled by the user" in run.answer
    stage.check_end(run)


# Kernels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [{}, {"cluster": None}], ids=["on", "off"])
def test_a_killed_kernels_workers_stop_and_its_run_is_resumed(
    stage: Onstage, there: dict[str, Any]
) -> None:
    stage.held = second
    kernel = stage.kernel()
    until(lambda: len(stage.out) == len(TASKS))
    asked = len(stage.server.log)
    kernel.kill()
    until(lambda: not stage.out)
    wait_until_idle(stage.cluster)
    assert len(stage.server.log) == asked
    stage.held = lambda _: False
    stage.check(stage.resume(**there).result(PATIENCE))
    assert len(stage.server.completed) == CALLS


def test_a_run_begun_here_goes_on_with_a_cluster(stage: Onstage) -> None:
    stage.held = second
    run = stage.run(cluster=None)
    until(lambda: len(stage.out) == len(TASKS))
    run.cancel()
    run.result(PATIENCE)
    stage.held = lambda _: False
    run = stage.resume().result(PATIENCE)
    stage.check(run)
    assert lives(run) == dict.fromkeys(places(run), 1)
    assert len(stage.server.completed) == CALLS


def test_ctrl_c_ends_a_run_on_a_cluster(stage: Onstage) -> None:
    stage.held = second
    kernel = stage.kernel()
    until(lambda: len(stage.out) == len(TASKS))
    kernel.interrupt()
    assert kernel.wait() == ["cancelled", "", "by the user"]
    wait_until_idle(stage.cluster)
    stage.check_end(kn.replay(stage.path))


def test_two_kernels_share_one_limiter(workers: Cluster, tmp_path: Path) -> None:
    with Onstage(workers, tmp_path, tier=Tier(concurrency=3)) as stage, workers.client() as client:
        stage.held = lambda asked: asked.task in TASKS
        run = stage.run(limits=kn.Limits(concurrency=3))
        until(lambda: len(stage.out) == 3)
        until(lambda: client.run_on_scheduler(waiting)["queue"] == len(TASKS) - 3)
        other = stage.kernel(trace=str(tmp_path / "other.jsonl"))
        until(lambda: client.run_on_scheduler(waiting)["queue"] == len(TASKS) - 2)
        stage.held = lambda _: False
        stage.drop()
        assert run.result(PATIENCE).answer == ANSWER
        assert other.wait() == ["finished", ANSWER, ""]

    assert stage.server.peak == 3
    assert not [asked for asked in stage.server.log if asked.status == 429]
    wait_until_idle(workers)


def test_a_killed_kernel_frees_its_permits_for_others(stage: Onstage) -> None:
    limits = kn.Limits(concurrency=1)
    stage.held = lambda asked: asked.task == "a"
    other = stage.kernel(trace=str(stage.path.with_name("other.jsonl")), max_agents=7)

    with stage.cluster.client() as client:
        until(lambda: stage.out and len(stage.server.completed) == CALLS - 4)
        stage.held = lambda _: False
        run = stage.run(limits=limits)
        until(lambda: client.run_on_scheduler(waiting)["queue"])
        other.kill()

    assert run.result(PATIENCE).answer == ANSWER
    wait_until_idle(stage.cluster)


# Schedulers ----------------------------------------------------------------------------------


def test_a_run_whose_scheduler_dies_says_so_and_goes_on_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PATIENCE_S", 0.5)
    monkeypatch.setattr(line, "POLL_S", 0.5)

    with cluster(1) as first, Onstage(first, tmp_path) as stage:
        stage.held = second
        run = stage.run()
        until(lambda: len(stage.out) == len(TASKS))
        first.scheduler.kill()
        run.result(PATIENCE)
        assert run.status == "failed"
        assert run.why.startswith("the cluster is lost: ")
        until(lambda: not stage.out)
        stage.held = lambda _: False
        stage.check_end(run)
        first.restart()
        stage.check(stage.resume().result(PATIENCE))
        assert len(stage.server.completed) == CALLS
