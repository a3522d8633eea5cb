"""One run, two kernels: one at a time writes its log, and the other hears who does."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import midway
import pytest
from scripted import Scripted
from test_magics import SETUP, Kernel
from test_resume import look, respond

import kimi_nb as kn
from kimi_nb.errors import TraceLocked
from kimi_nb.events import RunForked, RunResumed, StepEnded
from kimi_nb.trace import read

GOAL = "For each Python package installed here, give its version and licence."
TOOL = """
@kn.tool
def price(museum: str) -> str:
    "The adult ticket price of a museum, in euros."
    return {"Prado": "15", "Louvre": "22"}[museum]
"""
TICKETS = "Give the ticket price of each of these: Prado, Louvre"

# jupyter_client's blocking client makes event loops that it never closes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::kimi_nb.trace.TornTail"),
]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Kernel]]:
    """Starts a kernel, all of a test in one folder."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    with ExitStack() as made:

        def one() -> Kernel:
            kernel = Kernel(tmp_path)
            made.callback(kernel.close)
            kernel.run(SETUP)
            kernel.run(midway.SETUP)
            return kernel

        yield one


def paid(log: Path) -> list[tuple[str, int]]:
    return [(r.agent, r.fact.step) for r in read(log) if isinstance(r.fact, StepEnded)]


def wait_for(log: Path, what: bytes, count: int) -> None:
    end = time.monotonic() + 30

    while not log.exists() or log.read_bytes().count(what) < count:
        assert time.monotonic() < end, f"no {count} of {what} in {log}"
        time.sleep(0.02)


def test_the_second_kernel_is_refused_may_fork_and_goes_on_when_the_first_is_dead(begin, tmp_path):
    first, second = begin(), begin()
    log = tmp_path / "run.jsonl"
    pid = first.run("os.getpid()").text
    first.run("midway.stand(20, until='never'); quick = kn.Simulator(latency=0.02)")
    first.run(f"run = kn.swarm({GOAL!r}, trace='run.jsonl', simulator=quick)")
    wait_for(log, b'"StepEnded"', 2)

    refused = second.run("%swarm resume run.jsonl mine")
    assert refused.status == "error"
    assert refused.error.count("\n") == 0
    assert f"in process {pid} on {os.uname().nodename} since 20" in refused.error
    assert "cancel it there" in refused.error
    assert "%swarm resume run.jsonl --fork new.jsonl" in refused.error
    assert second.run("'mine' in dir()").text == "False"
    assert "TraceLocked" in second.run("kn.resume('run.jsonl')").error

    second.run("midway.stand(0, until='later')")
    second.run("%swarm resume run.jsonl mine --fork new.jsonl --background")
    assert second.run("mine.path.name, mine.status").text == "('new.jsonl', 'running')"
    wait_for(log, b'"ToolReturned"', 5)
    assert first.run("run.status").text == "'running'"  # the fork takes nothing from it
    os.kill(int(pid), signal.SIGKILL)
    first.close()
    assert not any(isinstance(r.fact, RunResumed | RunForked) for r in read(log))
    before = paid(log)
    resumed = second.run("%swarm resume run.jsonl again")
    assert resumed.text.startswith("✓ finished")
    (tmp_path / "later").touch()
    assert second.run("(await mine).answer == again.answer").text == "True"

    for path in (log, tmp_path / "new.jsonl"):
        assert set(Counter(paid(path)).values()) == {1}  # no completed call was made again

    assert set(before) < set(paid(log))
    takers = [r.fact.process for r in read(log) if isinstance(r.fact, RunResumed)]
    assert takers == [f"{os.uname().nodename}:{second.run('os.getpid()').text}"]


def test_a_cell_that_is_run_again_goes_on_and_never_twice_at_once(begin):
    kernel = begin()
    cell = f"%%swarm big --background --agents 40 --trace run.jsonl\n{GOAL}"
    kernel.run("midway.stand(5, until='never')")
    assert kernel.run(cell).status == "ok"
    assert "'big' is still running; `%swarm cancel big`" in kernel.run(cell).error
    other = kernel.run(cell.replace("swarm big", "swarm other"))  # by its log, too
    assert "run.jsonl holds a run already" in other.error
    assert "%swarm resume run.jsonl" in other.error
    again = f"%%swarm other --resume run.jsonl\n{GOAL}"
    assert "in this very process since" in kernel.run(again).error
    assert "'big' is still running" in kernel.run("%swarm resume run.jsonl big").error
    kernel.run("big.cancel(); big.result()")

    different = kernel.run("%%swarm big --resume run.jsonl\nCount the stars.")
    assert "TraceMismatch" in different.error
    assert "not 'Count the stars.'" in different.error
    assert "--fork new.jsonl" in different.error
    fixed = kernel.run(f"%%swarm big --resume run.jsonl --agents 3 --seed 0\n{GOAL}")
    assert "--agents, --seed: a resumed run keeps what its log has" in fixed.error
    assert "--fork goes with --resume FILE" in kernel.run("%%swarm big --fork a\ngo").error

    gone_on = kernel.run(f"%%swarm big --resume run.jsonl\n{GOAL}")
    assert gone_on.text.startswith("✓ finished")
    assert gone_on.live  # seen while it runs, as from its start
    assert kernel.run("big.metrics.agents").text == "41"
    finished = kernel.run(f"%%swarm big --resume run.jsonl\n{GOAL}")
    assert finished.text == gone_on.text
    assert kernel.run("%swarm resume run.jsonl").text == gone_on.text
    anew = kernel.run("%%swarm big --resume run.jsonl --fork new.jsonl\nList what you can do.")
    assert "forked from run.jsonl, with another goal or plan" in anew.text
    assert kernel.run("big.goal, big.path.name").text == "('List what you can do.', 'new.jsonl')"


def test_functions_are_found_in_the_notebook_by_the_names_in_the_log(begin, tmp_path):
    first, second = begin(), begin()
    first.run(TOOL)
    first.run(f"%%swarm tickets --tools price --trace run.jsonl\n{TICKETS}")
    log = tmp_path / "run.jsonl"
    whole = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(whole[: len(whole) // 2]))

    without = second.run("%swarm resume run.jsonl").error
    assert "it had price; pass tools=[price], or in a notebook run the cell" in without
    assert "no such function" in second.run("%swarm resume run.jsonl --tools price").error
    second.run(TOOL.replace('"15"', '"16"'))
    changed = second.run("%swarm resume run.jsonl").error
    assert "the code of price has changed" in changed
    second.run(TOOL.replace("adult", "child"))
    assert (
        "what the model is told of price has changed" in second.run("%swarm resume run.jsonl").error
    )
    second.run(f"{TOOL}\nrenamed = price; del price")
    resumed = second.run("%swarm resume run.jsonl tickets --steps 90")
    assert resumed.text.startswith("✓ finished")
    assert {"15", "22"} <= set(resumed.text.split())
    assert second.run("tickets.fold.options.count('\"steps\":90')").text == "1"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_on_a_disk_without_locks_a_run_warns_and_goes_on(tmp_path, monkeypatch, code):
    def refuse(_fd: int, _operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    path = tmp_path / "run.jsonl"

    with pytest.warns(RuntimeWarning, match=r"a disk without file locks .*local disk with trace="):
        run = kn.swarm("go", model=Scripted(respond), tools=[look], trace=path)

    assert run.result(50).status == "finished"
    assert read(path)[-1].fact.status == "finished"


def test_a_lock_that_another_holds_is_no_disk_without_locks(tmp_path, monkeypatch):
    def held(_fd: int, _operation: int) -> None:
        raise BlockingIOError(errno.EWOULDBLOCK, "held")

    monkeypatch.setattr(fcntl, "flock", held)

    with pytest.raises(TraceLocked, match="being written by another run; cancel it first"):
        kn.swarm("go", model=Scripted(respond), trace=tmp_path / "run.jsonl")
