"""Functions that compute for long run in processes, which end with their call and their run."""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib.util
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import Scripted, call, calls, results, say

import kimi_nb as kn
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.processes import Processes

FACTOR = 3


@kn.tool(executor="processes")
def triple(n: int) -> str:
    """Triple a number."""
    return f"{n * FACTOR} in {os.getpid()}"


@kn.tool(executor="processes")
def who(context: ToolContext) -> str:
    """Say who calls."""
    print("this is no outcome")  # noqa: T201
    return f"{context.agent} of {context.run} in {context.folder}, {context.left['steps']:g} left"


@kn.tool(executor="processes")
def fail(how: str) -> Any:
    """Fail in some way."""
    if how == "raise":
        raise ValueError("no good")
    if how == "tool error":
        raise kn.ToolError("try another thing")
    if how == "result":
        return threading.Lock()
    if how == "exit":
        raise SystemExit(3)

    os._exit(7)


@kn.tool(executor="processes")
def stay(path: str) -> None:
    """Write down who one is, and stay."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(path).write_text(f"{os.getpid()} {child.pid}")

    while True:
        pass


def ask(tools: Toolset, name: str, /, **arguments: Any) -> ToolOutcome:
    """One call, after which the processes are ended."""

    async def asked() -> ToolOutcome:
        try:
            return await call_of(tools, name, **arguments)
        finally:
            await tools.close()

    return asyncio.run(asked())


async def call_of(tools: Toolset, name: str, /, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=Path("/w"), agent="a1", run="r1", left={"steps": 5})
    return await tools.call(name, json.dumps(arguments), context)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def waited(condition: Any) -> None:
    """Until it holds; the test's own timeout is what ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.01)


# What it gives


def test_it_runs_elsewhere_and_can_still_be_called_here() -> None:
    tripled, _, pid = ask(Toolset([triple]), "triple", n=14).text.partition(" in ")
    assert tripled == "42"
    assert int(pid) != os.getpid()
    assert triple(14) == f"42 in {os.getpid()}"


def test_the_context_goes_along() -> None:
    assert ask(Toolset([who]), "who").text == "a1 of r1 in /w, 5 left"


def test_a_function_of_a_notebook_goes_with_what_it_uses() -> None:
    """As a notebook has it: of a module that no other process can import."""
    cell = """
import kimi_nb as kn
from dataclasses import dataclass

@dataclass
class Point:
    x: int

def helper(p):
    return p.x * scale

scale = 10

@kn.tool(executor="processes")
def scaled(x: int) -> Point:
    'Scale.'
    return Point(helper(Point(x)))
"""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(cell, names)  # noqa: S102
    assert ask(Toolset([names["scaled"]]), "scaled", x=4).text == '{"x":40}'
    names["scale"] = 100
    assert ask(Toolset([names["scaled"]]), "scaled", x=4).text == '{"x":400}'


def test_an_image_comes_back_as_one() -> None:
    data = b"\x89PNG\r\n\x1a\n"

    @kn.tool(executor="processes")
    def draw() -> list[Any]:
        """Draw."""
        return ["drawn", kn.Image(data)]

    outcome = ask(Toolset([draw]), "draw")
    assert (outcome.text, [image.data for image in outcome.images]) == ("drawn", [data])


def test_a_process_is_used_again() -> None:
    async def pids() -> list[str]:
        tools = Toolset([triple])
        before = [(await call_of(tools, "triple", n=1)).text for _ in range(3)]
        await tools.close()
        after = (await call_of(tools, "triple", n=1)).text
        await tools.close()
        return [*before, after]

    first, second, third, after = asyncio.run(pids())
    assert first == second == third != after


def test_many_calls_are_all_answered_by_few_processes() -> None:
    async def many() -> list[str]:
        tools = Toolset([triple])
        outcomes = await asyncio.gather(*(call_of(tools, "triple", n=n) for n in range(20)))
        await tools.close()
        return [outcome.text for outcome in outcomes]

    answered = [text.split(" in ") for text in asyncio.run(many())]
    assert [int(value) for value, _ in answered] == [n * FACTOR for n in range(20)]
    assert len({pid for _, pid in answered}) <= (os.cpu_count() or 2)


# What goes wrong


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "ERROR: ValueError: no good"),
        ("tool error", "ERROR: try another thing"),
        ("result", "ERROR: TypeError: cannot pickle '_thread.lock' object"),
        ("exit", "ERROR: SystemExit: 3"),
        ("die", "ERROR: the process of this call died (exit code 7)"),
    ],
)
def test_a_failure_is_an_answer_and_the_next_call_works(how: str, said: str) -> None:
    async def twice() -> tuple[ToolOutcome, ToolOutcome]:
        tools = Toolset([fail, triple])
        try:
            return await call_of(tools, "fail", how=how), await call_of(tools, "triple", n=2)
        finally:
            await tools.close()

    failed, worked = asyncio.run(twice())
    assert (failed.ok, failed.text) == (False, said)
    assert worked.text.startswith("6 in ")


def test_what_cannot_be_carried_says_so() -> None:
    lock = threading.Lock()

    @kn.tool(executor="processes")
    def locked() -> bool:
        """Use a lock."""
        return lock.locked()

    outcome = ask(Toolset([locked]), "locked")
    assert "this tool cannot go to another process: TypeError: cannot pickle" in outcome.text


def test_an_async_function_and_a_missing_package_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def wait() -> None:
        """Wait."""

    with pytest.raises(kn.UsageFault, match="wait is async"):
        kn.tool(executor="processes")(wait)

    with pytest.raises(kn.UsageFault, match=r"executor='threads': write executor='processes'"):
        kn.tool(executor="threads")(lambda: None)

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(kn.UsageFault, match=r"pip install 'kimi-nb\[processes\]'"):
        kn.tool(executor="processes")(lambda: None)


# Its end


def test_a_call_that_is_cancelled_takes_its_processes_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pids"

    async def cancelled() -> None:
        tools = Toolset([stay])
        task = asyncio.create_task(call_of(tools, "stay", path=str(note)))
        await waited(lambda: note.exists() and len(note.read_text().split()) == 2)
        pids = [int(pid) for pid in note.read_text().split()]
        assert all(map(alive, pids))
        task.cancel()
        assert await asyncio.gather(task, return_exceptions=True) != [None]
        await waited(lambda: not any(map(alive, pids)))
        await tools.close()

    asyncio.run(cancelled())


def test_a_run_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    model = Scripted(lambda _: calls(call("stay", path=str(note))))
    run = kn.swarm("go", model=model, tools=[stay], single=True, trace=tmp_path / "r.jsonl")

    while not (note.exists() and len(note.read_text().split()) == 2):
        time.sleep(0.01)

    run.cancel()
    assert run.result(20).status == "cancelled"

    while any(map(alive, map(int, note.read_text().split()))):
        time.sleep(0.01)


def test_a_run_ends_its_processes(tmp_path: Path) -> None:
    def respond(messages: list[Any]) -> Any:
        got = results(messages)
        return say(got[-1]) if got else calls(call("triple", n=1))

    run = kn.swarm(
        "go", model=Scripted(respond), tools=[triple], single=True, trace=tmp_path / "r.jsonl"
    ).result(20)

    while alive(int(run.answer.partition(" in ")[2])):
        time.sleep(0.01)


def test_a_busy_process_whose_parent_is_killed_ends(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = tmp_path / "parent.py"
    script.write_text(
        f"""
import asyncio, os, pathlib
from kimi_nb.tools.processes import Processes

def stay():
    pathlib.Path({str(note)!r}).write_text(str(os.getpid()))
    while True:
        pass

asyncio.run(Processes().call(stay, {{}}))
"""
    )
    parent = subprocess.Popen([sys.executable, script])

    while not (note.exists() and note.read_text()):
        time.sleep(0.01)

    parent.kill()
    parent.wait()

    while alive(int(note.read_text())):
        time.sleep(0.01)


def test_processes_that_nobody_holds_end() -> None:
    async def pid() -> int:
        return await Processes().call(os.getpid, {})

    found = asyncio.run(pid())

    while alive(found):
        time.sleep(0.01)


# An executor of one's own


@pytest.fixture(params=["threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[concurrent.futures.Executor]:
    if request.param == "threads":
        made: concurrent.futures.Executor = concurrent.futures.ThreadPoolExecutor(2)
    else:
        context = multiprocessing.get_context("spawn")
        made = concurrent.futures.ProcessPoolExecutor(2, mp_context=context)

    with made:
        yield made


def test_any_executor_will_do(executor: concurrent.futures.Executor) -> None:
    inside = isinstance(executor, concurrent.futures.ThreadPoolExecutor)

    @kn.tool(executor=executor)
    def turned(context: ToolContext, text: str) -> list[Any]:
        """Turn a text around."""
        if text == "bad":
            raise ValueError("no good")

        return [text[::-1], context.agent, os.getpid()]

    text, agent, pid = json.loads(ask(Toolset([turned]), "turned", text="abc").text)
    assert (text, agent, pid == os.getpid()) == ("cba", "a1", inside)
    assert ask(Toolset([turned]), "turned", text="bad").text == "ERROR: ValueError: no good"


def test_an_executor_that_breaks_is_an_answer() -> None:
    context = multiprocessing.get_context("spawn")

    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as broken:
        die = kn.tool(name="die", executor=broken)(lambda: os._exit(7))
        outcome = ask(Toolset([die]), "die")
        assert "ERROR: the executor of this tool failed: " in outcome.text
