"""PARL's trials on a Dask cluster of real processes, one of them killed at times."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from cluster_processes import Cluster, cluster
from distributed import Client
from gated import Gated, ctrl_c_before_rows_are_written

from kimi_nb import cluster_client
from kimi_nb.cli import main
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.parl.experiments.catalogue import Experiment
from kimi_nb.parl.experiments.conditions import Condition, constant
from kimi_nb.parl.experiments.rows import Key, Row, key, read_rows
from kimi_nb.parl.experiments.rules import Rule
from kimi_nb.parl.experiments.runner import RESULTS, Progress, carry_out
from kimi_nb.parl.experiments.trial import Trial
from kimi_nb.parl.plan import Plan

pytestmark = pytest.mark.timeout(180)  # schedulers, workers and trials, each a process
TINY = Condition(
    name="tiny",
    plan=Plan(iterations=7, tasks=2, rollouts=4, form="blog"),
    parallel=constant(0.3),
)
ENDED = {"finished"}
ENDLESS = replace(TINY, name="endless", plan=Plan(iterations=10**6, tasks=4, form="blog"))


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    with cluster(workers=2) as made:
        yield made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def one(condition: Condition, **more: Any) -> dict[str, Experiment]:
    usual = {"title": "One", "question": "?", "conditions": (condition,), "rules": ()}
    return {"one": Experiment(**usual | more)}


def written(folder: Path) -> list[Row]:
    """All lines of the file, twins too, by their keys; without the time that it took."""
    lines = [json.loads(line) for line in (folder / RESULTS).read_text("utf-8").splitlines()]
    return sorted(
        ({name: row[name] for name in row if name != "cpu_seconds"} for row in lines), key=key
    )


def until(condition: Callable[[], bool]) -> None:
    for _ in range(5000):
        if condition():
            return

        time.sleep(0.01)

    pytest.fail("it did not come to that")


def trials_of(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes of its trials."""
    return psutil.Process(worker.pid).children()


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    """A condition whose trials do not end before its gate is made."""
    return Gated(name="gated", plan=TINY.plan, parallel=TINY.parallel, gate=str(tmp_path / "gate"))


def ignore(_: Progress) -> None:
    pass


def test_the_rows_are_those_of_processes(two: Cluster, tmp_path: Path) -> None:
    asked = one(TINY, rules=(Rule(name="all-serial"),))
    heard: list[Progress] = []
    rows = carry_out(asked, 3, tmp_path / "there", 1, heard.append, cluster=two.address)
    carry_out(asked, 3, tmp_path / "here", 2, ignore)
    assert written(tmp_path / "there") == written(tmp_path / "here")
    assert len(written(tmp_path / "there")) == len(rows) == 7
    assert [(each.ended, each.trials, each.threads) for each in heard] == [
        (n, 4, 2) for n in range(5)
    ]

    heard.clear()
    assert carry_out(asked, 3, tmp_path / "there", 1, heard.append, cluster="tcp://gone:1") == rows
    assert heard == []


def test_a_client_of_the_user_is_used_and_stays(two: Cluster, tmp_path: Path) -> None:
    with two.client() as client:
        assert len(carry_out(one(TINY), 1, tmp_path, 1, ignore, cluster=client)) == 2
        assert client.status == "running"


def test_a_trial_of_a_killed_worker_runs_again_elsewhere(tmp_path: Path, gated: Gated) -> None:
    asked = one(TINY, conditions=(TINY, gated))
    orphans: list[psutil.Process] = []

    with cluster(workers=2) as made, made.client() as client:

        def told(progress: Progress) -> None:
            if progress.ended == 1:
                until(lambda: gated.waiting == 2)
                victim = made.workers[0]
                orphans.extend(trials_of(victim))
                assert all(client.processing().values())
                victim.kill()
                Path(gated.gate).touch()

        carry_out(asked, 2, tmp_path / "there", 1, told, cluster=made.address)
        assert len(client.scheduler_info()["workers"]) == 1

    assert len(orphans) == 1
    until(lambda: not orphans[0].is_running())
    assert gated.waiting == 3
    carry_out(asked, 2, tmp_path / "here", 2, ignore)
    assert written(tmp_path / "there") == written(tmp_path / "here")
    assert len(written(tmp_path / "there")) == 8


def test_ctrl_c_ends_what_is_under_way_there_and_keeps_what_was_done(
    two: Cluster, tmp_path: Path
) -> None:
    asked = one(TINY, conditions=(TINY, ENDLESS))

    def interrupt() -> None:
        until(lambda: all(map(trials_of, two.workers)))
        os.kill(os.getpid(), signal.SIGINT)

    with two.client() as client:
        patience = threading.Thread(target=interrupt)

        def told(progress: Progress) -> None:
            if progress.ended == 1:
                patience.start()

        with pytest.raises(KeyboardInterrupt):
            carry_out(asked, 2, tmp_path, 1, told, cluster=two.address)

        patience.join()
        until(lambda: not any(map(trials_of, two.workers)))
        assert not any(client.processing().values())

    kept = read_rows(tmp_path / RESULTS)
    assert Key("tiny", 0, "held-out") in kept
    assert len(written(tmp_path)) == len(kept)
    rows = carry_out(one(TINY), 2, tmp_path, 1, ignore, cluster=two.address)
    assert len(rows) == 4
    assert {each: rows[each] for each in kept} == kept


def test_what_ended_in_the_same_moment_is_kept(two: Cluster, tmp_path: Path) -> None:
    with two.client() as client:

        def told(progress: Progress) -> None:
            if progress.ended == 1:
                until(lambda: {each.status for each in list(client.futures.values())} == ENDED)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            carry_out(one(TINY), 3, tmp_path, 1, told, cluster=client)

    assert len(written(tmp_path)) == 6


def test_ctrl_c_before_rows_are_written_loses_none(
    two: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctrl_c_before_rows_are_written(monkeypatch)

    with pytest.raises(KeyboardInterrupt):
        carry_out(one(TINY), 1, tmp_path, 1, ignore, cluster=two.address)

    assert len(written(tmp_path)) == 2


def test_a_trial_that_fails_names_itself(two: Cluster, tmp_path: Path) -> None:
    asked = one(TINY, more={"tiny": ("nowhere",)})

    with pytest.raises(KimiNbError, match=r"'tiny' with seed 0: KeyError: 'nowhere'; .* kept"):
        carry_out(asked, 1, tmp_path, 1, ignore, cluster=two.address)

    with pytest.raises(KeyError) as found:
        carry_out(asked, 1, tmp_path, 1, ignore)

    assert found.value.__notes__ == ["It was 'tiny' with seed 0; what was done is kept."]


def test_a_trial_whose_process_is_killed_names_itself(two: Cluster, tmp_path: Path) -> None:
    def shoot() -> None:
        until(lambda: any(map(trials_of, two.workers)))
        [victim] = (each for worker in two.workers for each in trials_of(worker))
        victim.kill()

    threading.Thread(target=shoot).start()

    with pytest.raises(KimiNbError, match=r"'endless' with seed 0: .*died \(signal 9\)"):
        carry_out(one(ENDLESS), 1, tmp_path, 1, ignore, cluster=two.address)


def test_a_lost_scheduler_is_told_and_nothing_done_is_lost(
    tmp_path: Path, gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = one(TINY, conditions=(TINY, gated))
    clients: list[Client] = []

    def connected(cluster: object, connect: Any = cluster_client._connected) -> Client:
        clients.append(connect(cluster))
        return clients[-1]

    monkeypatch.setattr(cluster_client, "_connected", connected)

    with cluster(workers=1) as made:

        def told(progress: Progress) -> None:
            if progress.ended == 1:
                clients[0]._timeout = 1.0  # how long it is looked for again
                made.scheduler.kill()

        with pytest.raises(KimiNbError, match=r"the cluster is lost \(.*type the same again"):
            carry_out(asked, 1, tmp_path, 1, told, cluster=made.address)

    assert len(read_rows(tmp_path / RESULTS)) == 2


def test_it_waits_for_the_first_worker(tmp_path: Path) -> None:
    with cluster(workers=0) as made:

        def told(progress: Progress) -> None:
            if not progress.ended:
                assert progress.threads == 0
                made.start_worker()

        assert len(carry_out(one(TINY), 1, tmp_path, 1, told, cluster=made.address)) == 2


def test_the_command_says_that_no_worker_is_there_and_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with cluster(workers=0) as made, made.client() as client:

        def tasks() -> int:
            return client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))

        def interrupt() -> None:
            until(lambda: tasks() > 0)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        asked = ["parl", "reproduce", "collapse", "--seeds", "2", "--out", "there"]
        assert main([*asked, "--cluster", made.address]) == 130
        until(lambda: tasks() == 0)

    told = capsys.readouterr().err
    assert "no worker yet; for one, type: dask worker ADDRESS" in told
    assert "0 of 6 trainings" in told
    assert "what was done is kept; to go on, type the same again" in told


def test_processes_and_a_cluster_are_two_places(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["parl", "reproduce", "--jobs", "2", "--cluster", "tcp://127.0.0.1:1"])

    assert "not allowed with" in capsys.readouterr().err


def test_where_nothing_answers_no_results_are_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_client, "TIMEOUT", 0.2)

    with pytest.raises(UsageFault, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        carry_out(one(TINY), 1, tmp_path, 1, ignore, cluster="tcp://127.0.0.1:1")

    assert read_rows(tmp_path / RESULTS) == {}


def test_a_trial_has_one_thread_for_its_matrices() -> None:
    program = (
        "import sys, psutil\n"
        "from kimi_nb.parl.experiments.alone import alone\n"
        "print(len(alone(sys.stdin.buffer.read())), psutil.Process().num_threads())"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(Trial(TINY, 0, ("held-out",))),
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert found.stdout.split() == [b"2", b"1"]
