"""A process that is killed at any record of its log, and another that goes on with it.

All over HTTP, so that what was paid for is counted by who is paid.
"""

from __future__ import annotations

import functools
import random
import signal
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from faults.kimi import KimiServer
from invariants import answered, check_invariants, held
from killed import LETTERS, TOOLS, ForkServer, respond

import kimi_nb as kn
from kimi_nb.events import AgentBegan, AgentEnded, StepEnded
from kimi_nb.trace import TornTail, Trace

SHARES = 4
"""Tests over which the records of a swarm are dealt out."""
PATIENCE_S = 45.0


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


class Life:
    """One log, the platform that its processes ask, and what must be so after each of them."""

    def __init__(self, forks: ForkServer, folder: Path, server: KimiServer, mode: str) -> None:
        folder.mkdir()
        self._forks = forks
        self._folder = folder
        self._server = server
        self._mode = mode
        self.path = folder / "run.jsonl"

    def killed(self, after: int, *, torn: bool = False) -> bool:
        """Run or resume it in a process that dies after so many more lines; whether it did."""
        mark, paid, lines = len(self._server.log), self._paid(), self._lines()
        code = self._forks.run(
            url=self._server.base_url,
            key=self._server.key,
            path=str(self.path),
            folder=str(self._folder),
            mode=self._mode,
            after=after,
            torn=torn,
        )
        assert code in {0, -signal.SIGKILL}
        died = code == -signal.SIGKILL
        assert not died or self._lines() == lines + after
        assert not died or self.path.read_bytes().endswith(b"\n") != torn
        self._settle()
        self._check_asked(mark, paid)
        return died

    def resumed(self) -> kn.Replay:
        """The run at its end, after a resume in this process."""
        mark, paid, before = len(self._server.log), self._paid(), _read(self.path)
        run = kn.resume(
            self.path, base_url=self._server.base_url, key=self._server.key, tools=TOOLS
        )

        if isinstance(run, kn.Run):
            run.result(PATIENCE_S)

        self._settle()
        self._check_asked(mark, paid)
        secrets = [self._server.key]
        check_invariants(
            run, server=self._server, secrets=secrets, paths=[self._folder], seen=before
        )
        self._check_letters(run.trace)
        return run

    def _lines(self) -> int:
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def _paid(self) -> set[tuple[str, int]]:
        """(task, step) of all that the log has paid for."""
        return paid_steps(_read(self.path)) if self.path.exists() else set()

    def _check_asked(self, mark: int, paid: set[tuple[str, int]]) -> None:
        """None of the requests since then is for a step that the log had, and none was refused."""
        for asked in self._server.log[mark:]:
            step = 1 + sum(m["role"] == "assistant" for m in asked.messages)
            assert (asked.task.splitlines()[-1], step) not in paid
            assert asked.outcome in {"completed", "left", "broken"}, asked.why

    def _settle(self) -> None:
        """Wait until the platform knows that nobody listens any more."""
        end = time.monotonic() + PATIENCE_S

        while any(asked.outcome == "in flight" for asked in self._server.log):
            assert time.monotonic() < end
            time.sleep(0.001)

    def _check_letters(self, trace: Trace) -> None:
        """Each letter was sent once, or its fate is unknown and the log says so."""
        file = self._folder / LETTERS
        sent = Counter(file.read_text().splitlines() if file.exists() else ())
        told = letters(trace)
        assert set(sent) <= set(told)

        for text, fate in told.items():
            assert sent[text] <= 1, f"{text} was sent {sent[text]} times"
            assert sent[text] == 1 or "unknown" in fate, f"{text} was said to be {fate}"


def _read(path: Path) -> Trace:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TornTail)
        return kn.read(path)


def paid_steps(trace: Trace) -> set[tuple[str, int]]:
    tasks = {r.agent: r.fact.task for r in trace if isinstance(r.fact, AgentBegan)}
    return {(tasks[r.agent], r.fact.step) for r in trace if isinstance(r.fact, StepEnded)}


def letters(trace: Trace) -> dict[str, str]:
    """What the log says of each letter: the tool's answer by the letter's text."""
    return {
        orjson.loads(call.arguments)["text"]: answer.text
        for _, call, answer in answered(trace)
        if call.tool == "send"
    }


def state(run: kn.Replay) -> Any:
    """All that counts at the end, without ids, times, tokens and the order of siblings.

    Tokens may differ where a letter's fate is unknown: that is said in more words.
    """
    ends = {r.agent: r.fact for r in run.trace if isinstance(r.fact, AgentEnded)}
    tasks = {r.agent: r.fact.task for r in run.trace if isinstance(r.fact, AgentBegan)}
    found = run.metrics
    return (
        run.status,
        run.answer,
        sorted((tasks[agent], end.outcome, end.text) for agent, end in ends.items()),
        (found.agents, found.stages, found.total_steps, found.critical_steps, found.tool_calls),
    )


@pytest.fixture(scope="module")
def whole(forks: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """By mode: the end of a run that nothing happens to, and how many records it has."""
    folder = tmp_path_factory.mktemp("whole")
    return functools.cache(lambda mode: undisturbed(forks, folder / mode, mode))


def undisturbed(forks: ForkServer, folder: Path, mode: str) -> tuple[Any, int]:
    with KimiServer(respond) as server:
        life = Life(forks, folder, server, mode)
        assert not life.killed(10_000)
        run = life.resumed()
        assert run.status == "finished"
        assert len(server.paid) == run.metrics.total_steps
        assert set(letters(run.trace).values()) == {"sent"}
        return state(run), len(run.trace)


def kill_at(forks: ForkServer, folder: Path, mode: str, records: range, end: Any) -> None:
    """Kill a run after each of these records, every third time in the middle of the next one."""
    before = held()

    for count in records:
        torn = count % 3 == 0 and count + 1 < records.stop

        with KimiServer(respond) as server:
            life = Life(forks, folder / f"{mode}-{count}", server, mode)
            assert life.killed(count + 1, torn=torn)  # the first line names the format
            run = life.resumed()
            assert state(run) == end, f"killed after record {count}"

        check_invariants(run.trace, before=before)


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_after_every_record_a_swarm_comes_to_the_same_end(forks, whole, tmp_path, share):
    end, count = whole("swarm")
    assert count > 60
    kill_at(forks, tmp_path, "swarm", range(1 + share, count + 1, SHARES), end)


@pytest.mark.parametrize("mode", ["single", "plan"])
def test_killed_after_every_third_record_other_modes_do_too(forks, whole, tmp_path, mode):
    end, count = whole(mode)
    kill_at(forks, tmp_path, mode, range(1, count + 1, 3), end)


@pytest.mark.parametrize("seed", range(12))
def test_killed_twice_a_swarm_comes_to_the_same_end(forks, whole, tmp_path, seed):
    dice = random.Random(seed)
    end, count = whole("swarm")

    with KimiServer(respond) as server:
        life = Life(forks, tmp_path / "killed", server, "swarm")
        assert life.killed(dice.randint(2, count), torn=dice.random() < 0.3)

        for _ in range(2):
            life.killed(dice.randint(1, 20), torn=dice.random() < 0.3)

        assert state(life.resumed()) == end
