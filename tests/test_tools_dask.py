"""Tools whose function runs on a Dask cluster: `executor=client.get_executor(pure=False)`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_processes import Cluster, cluster
from distributed import Client

import kimi_nb as kn
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset

pytestmark = pytest.mark.timeout(180)

CELL = """
import kimi_nb as kn

FACTOR = 3

@kn.tool(executor=executor)
def count(n: int) -> str:
    "Count primes below n, and say where."
    import os
    found = sum(all(k % d for d in range(2, int(k**0.5) + 1)) for k in range(2, n))
    return f"{found * FACTOR} in {os.getpid()}"

@kn.tool(executor=executor)
def fail(how: str):
    "Fail in some way."
    if how == "raise":
        raise ValueError("no good")
    if how == "tool error":
        raise kn.ToolError("try another thing")
    if how == "exit":
        raise SystemExit(3)
    if how == "result":
        import threading
        return threading.Lock()

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__("only one")

@kn.tool(executor=executor)
def odd() -> str:
    "Raise what cannot be carried back."
    raise Odd(1, 2)

@kn.tool(executor=executor)
def big(n: int) -> str:
    "Return many characters."
    return "x" * n

@kn.tool(executor=executor)
def square() -> kn.Image:
    "Draw."
    import io
    from PIL import Image
    data = io.BytesIO()
    Image.new("RGB", (7, 5), "red").save(data, "PNG")
    return kn.Image(data.getvalue())

@kn.tool(executor=executor)
def stay(path: str) -> str:
    "Write down who one is, and stay until the file is gone."
    import os, pathlib, time
    place = pathlib.Path(path)
    with place.open("a") as file:
        print(os.getpid(), file=file)
    while place.exists():
        time.sleep(0.01)
    return f"left {os.getpid()}"
"""


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    with cluster(workers=2) as made:
        yield made


def cell(client: Client) -> Toolset:
    """The tools as a notebook's cell would define them."""
    space: dict[str, Any] = {"__name__": "__main__", "executor": client.get_executor(pure=False)}
    exec(CELL, space)  # noqa: S102 - our own
    return Toolset([each for each in space.values() if isinstance(each, kn.Tool)])


def ask(tools: Toolset, name: str, /, **arguments: Any) -> ToolOutcome:
    context = ToolContext(folder=Path("/w"), agent="a1", run="r1", left={"steps": 5})
    return asyncio.run(tools.call(name, json.dumps(arguments), context))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - of another process; the test's timeout ends it
        await asyncio.sleep(0.01)


def known(dask_worker: Any) -> int:
    """For `client.run`: how many tasks a worker knows of."""
    return len(dask_worker.state.tasks)


def written(path: Path) -> list[int]:
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def test_a_function_of_a_cell_computes_on_the_workers(two: Cluster) -> None:
    with two.client() as client:
        tools = cell(client)
        found = [ask(tools, "count", n=100).text.partition(" in ") for _ in range(3)]

    assert {each[0] for each in found} == {"75"}
    assert {int(each[2]) for each in found} <= {worker.pid for worker in two.workers}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "ERROR: ValueError: no good"),
        ("tool error", "ERROR: try another thing"),
        ("exit", "ERROR: SystemExit: 3"),
        ("result", "ERROR: TypeError: cannot pickle '_thread.lock' object"),
    ],
)
def test_a_failure_there_is_an_answer(two: Cluster, how: str, said: str) -> None:
    with two.client() as client:
        assert ask(cell(client), "fail", how=how).text == said


def test_an_error_that_cannot_be_carried_is_an_answer(two: Cluster) -> None:
    with two.client() as client:
        assert ask(cell(client), "odd").text == "ERROR: Odd: only one"


def test_images_and_large_results_come_back(two: Cluster) -> None:
    with two.client() as client:
        tools = cell(client)
        [image] = ask(tools, "square").images
        assert image.data.startswith(b"\x89PNG")
        outcome = ask(tools, "big", n=20_000_000)
        assert outcome.truncated
        assert outcome.text.startswith("x" * 1000)


def test_a_call_whose_worker_is_killed_runs_again_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "who"

    async def killed(tools: Toolset) -> ToolOutcome:
        context = ToolContext(folder=Path("/w"), agent="a1", run="r1", left={"steps": 5})
        call = asyncio.ensure_future(tools.call("stay", json.dumps({"path": str(path)}), context))
        await until(lambda: len(written(path)) == 1)
        os.kill(written(path)[0], signal.SIGKILL)
        await until(lambda: len(written(path)) == 2)
        both.extend(written(path))
        path.unlink()
        return await call

    both: list[int] = []

    with cluster(workers=2) as made, made.client() as client:
        assert asyncio.run(killed(cell(client))).text == f"left {both[1]}"

    assert both[0] != both[1]


def test_a_call_that_is_cancelled_before_it_begins_never_does(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.touch()

    async def cancelled(tools: Toolset, client: Client) -> str:
        context = ToolContext(folder=Path("/w"), agent="a1", run="r1", left={"steps": 5})
        calls = []

        for path in (first, second):
            arguments = json.dumps({"path": str(path)})
            calls.append(asyncio.ensure_future(tools.call("stay", arguments, context)))
            await until(lambda: len(written(first)) == 1)

        await until(lambda: len(client.futures) == 2)
        calls[1].cancel()
        await asyncio.wait({calls[1]})
        assert calls[1].cancelled()
        await until(lambda: len(client.futures) == 1)
        await until(lambda: [*client.run(known).values()] == [1])  # the worker has heard of it, too
        first.unlink()
        return (await calls[0]).text

    with cluster(workers=1) as made, made.client() as client:
        told = asyncio.run(cancelled(cell(client), client))
        assert told == f"left {made.workers[0].pid}"
        assert client.submit(len, "ab", pure=False).result() == 2  # all before it has ended

    assert written(second) == []


def test_a_lost_cluster_is_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "who"

    async def lost(tools: Toolset, made: Cluster) -> ToolOutcome:
        context = ToolContext(folder=Path("/w"), agent="a1", run="r1", left={"steps": 5})
        call = asyncio.ensure_future(tools.call("stay", json.dumps({"path": str(path)}), context))
        await until(lambda: len(written(path)) == 1)
        made.scheduler.kill()
        return await call

    with cluster(workers=1) as made:
        client = made.client()
        client._timeout = 1.0  # how long it looks for its scheduler again
        tools = cell(client)
        told = asyncio.run(lost(tools, made)).text
        assert told.startswith("ERROR: the executor of this tool failed: it gave the call up")
        path.unlink()
        again = ask(tools, "big", n=3).text
        assert again.startswith("ERROR: the executor of this tool failed: ")
        assert len(again) > len("ERROR: the executor of this tool failed: ")
        client.close()
