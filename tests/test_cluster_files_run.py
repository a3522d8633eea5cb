"""Files and images of a run whose sub-agents live on two workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_processes import Cluster, cluster
from cluster_runs import (
    PATIENCE,
    Onstage,
    draw,
    jot,
    peruse,
    places,
    scribble,
    until,
    wait_until_idle,
)
from matrix_trial import ends
from scripted import call, calls, is_orchestrator, results, say

from kimi_nb.models.base import Message
from kimi_nb.swarm.cluster import folder

TOOLS = [jot, scribble, peruse, draw, "write_file"]
LARGE = bytes(range(256)) * 117_188
"""30 MB."""


pytestmark = pytest.mark.timeout(3 * PATIENCE)


@pytest.fixture(scope="module")
def workers() -> Iterator[Cluster]:
    with cluster(2) as made:
        yield made


def stages(*tasks: list[str], work: Any) -> Any:
    """An orchestrator whose stages have these tasks; `work`: what a sub-agent calls, or says."""

    def think(messages: list[Message]) -> Any:
        got = results(messages)

        if not is_orchestrator(messages):
            return work(messages[1]["content"], got)

        if not got:
            return calls(call("create_subagent", name="w", system_prompt="Work."))

        done = len(got) - 1

        for stage in tasks:
            if not done:
                return calls(*(call("assign_task", agent="w", prompt=task) for task in stage))

            done -= len(stage)

        return say(" | ".join(got[1:]))

    return think


def test_what_one_writes_another_reads_on_another_worker(workers: Cluster, tmp_path: Path) -> None:
    """Written by write_file, by a tool that says that it writes, and by one that does not."""
    writers = {"1": ("write_file", "path", "by/1.txt"), "2": ("jot", "name", "2.txt")}
    writers["3"] = ("scribble", "name", "3.txt")

    def work(task: str, got: list[str]) -> Any:
        if got:
            return got[-1].replace("\n", " ")

        if task in writers:
            tool, name, path = writers[task]
            return calls(call(tool, **{name: path}, text=f"of {task}"))

        return calls(call("peruse"))

    brain = stages(list(writers), ["read 4", "read 5", "read 6", "read 7"], work=work)

    with Onstage(workers, tmp_path, brain) as stage:
        (stage.folder / "given.txt").write_text("of the kernel")
        run = stage.run(tools=TOOLS).result(PATIENCE)
        assert run.status == "finished", run.why
        written = {
            str(path.relative_to(stage.folder)): path.read_text()
            for path in stage.folder.rglob("*.txt")
        }

    assert written == {
        "given.txt": "of the kernel",
        "by/1.txt": "of 1",
        "2.txt": "of 2",
        "3.txt": "of 3",
    }
    read = {text for task, (_, text) in ends(run).items() if task.startswith("read")}
    assert read == {"2.txt=of 2 3.txt=of 3 by/1.txt=of 1 given.txt=of the kernel"}
    assert len(set(places(run).values())) == 2
    wait_until_idle(workers)


def test_a_log_in_the_folder_is_the_kernels_alone(workers: Cluster, tmp_path: Path) -> None:
    def work(_: str, got: list[str]) -> Any:
        return got[0] if got else calls(call("jot", name="run.jsonl", text="evil"))

    with Onstage(workers, tmp_path, stages(["write"], work=work)) as stage:
        stage.path = stage.folder / "run.jsonl"
        run = stage.run(tools=TOOLS).result(PATIENCE)

    assert run.status == "finished", run.why
    assert "the log of this run" in ends(run)["write"][1]


def test_two_write_one_file_and_it_is_whole(workers: Cluster, tmp_path: Path) -> None:
    def work(task: str, got: list[str]) -> Any:
        return got[0] if got else calls(call("jot", name="same.txt", text=task, times=100_000))

    with Onstage(workers, tmp_path, stages(list("ab"), work=work)) as stage:
        run = stage.run(tools=TOOLS).result(PATIENCE)
        text = (stage.folder / "same.txt").read_text()

    assert run.status == "finished"
    assert text in {"a" * 100_000, "b" * 100_000}


def test_a_large_file_and_one_that_changes_meanwhile(workers: Cluster, tmp_path: Path) -> None:
    """It goes there and back; what the user changes in the folder, the next sub-agent sees."""

    def work(task: str, got: list[str]) -> Any:
        match task, len(got):
            case ("copy", 0):
                return calls(call("jot", name="copy.bin", text="", like="large.bin"))
            case (_, 0):
                return calls(call("read_file", path="note.txt"))
            case _:
                return got[-1]

    with Onstage(workers, tmp_path, stages(["copy"], ["look"], work=work)) as stage:
        (stage.folder / "large.bin").write_bytes(LARGE)
        (stage.folder / "note.txt").write_text("before")
        stage.held = lambda asked: asked.task == "copy" and len(asked.messages) > 2
        run = stage.run(tools=TOOLS)
        until(lambda: stage.out)
        (stage.folder / "note.txt").write_text("after")
        stage.drop()
        run.result(PATIENCE)
        assert (stage.folder / "copy.bin").read_bytes() == LARGE

    assert run.status == "finished", run.why
    assert "after" in ends(run)["look"][1]
    wait_until_idle(workers)


def test_a_folder_that_is_too_large_is_refused_before_anything_is_paid(
    workers: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST_FILES", 3)

    with Onstage(workers, tmp_path) as stage:
        for number in range(4):
            (stage.folder / f"{number}.txt").touch()

        run = stage.run().result(PATIENCE)

    assert run.status == "failed"
    assert "too large to be sent to the workers" in run.why
    assert not stage.server.log


def test_what_may_not_be_written_is_said_and_the_work_is_kept(
    workers: Cluster, tmp_path: Path
) -> None:
    def work(_task: str, got: list[str]) -> Any:
        return got[0] if got else calls(call("jot", name=".secret", text="x"))

    with Onstage(workers, tmp_path, stages(["a"], work=work)) as stage:
        run = stage.run(tools=TOOLS).result(PATIENCE)
        assert not (stage.folder / ".secret").exists()

    assert run.status == "finished"
    assert run.answer.startswith("noted\n[not kept in the run's folder: '.secret' is not taken")


def test_images_lie_beside_the_log_and_are_seen_again_on_another_worker(
    workers: Cluster, tmp_path: Path
) -> None:
    def work(_task: str, got: list[str]) -> Any:
        return "drawn" if got else calls(call("draw"))

    with Onstage(workers, tmp_path, stages(["a"], work=work)) as stage:
        stage.held = lambda asked: asked.task == "a" and len(asked.messages) > 2
        run = stage.run(tools=TOOLS)
        until(lambda: stage.out)
        stage.held = lambda _: False

        with workers.client() as client:
            os.kill(client.run(os.getpid)[places(run)["a1"]], signal.SIGKILL)

        stage.check(run.result(PATIENCE), answer="drawn")
        seen = [asked.messages for asked in stage.server.log if asked.task == "a"]

    assert len(seen) == 3
    assert seen[1][1:] == seen[2][1:]  # the system prompt names the folder where it lives
    assert "image_url" in repr(seen[2])
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()].count(".png") == 1
