"""`kimi-nb mcp`, asked by the SDK's own client, over stdio and HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from held import Held
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

import kimi_nb as kn
from kimi_nb.cli import main
from kimi_nb.events import RunEnded
from kimi_nb.trace import read

pytestmark = pytest.mark.timeout(180)  # each starts a server
GOAL = "For each CSV file, give the number of rows. Join the results into one table."
KIMI_NB = str(Path(sys.executable).with_name("kimi-nb"))


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    for name, rows in (("north", 3), ("south", 5)):
        (tmp_path / f"{name}.csv").write_text("item,price\n" + "tea,3\n" * rows)

    return tmp_path


@contextlib.asynccontextmanager
async def client_of(folder: Path, *options: str, of: Held | None = None) -> AsyncGenerator[Client]:
    endpoint = ["--base-url", of.base_url, "--model", "simulator"] if of else []
    words = ["mcp", "--folder", str(folder), *endpoint, *options]

    async with Client(StdioServerParameters(command=KIMI_NB, args=words)) as client:
        yield client


def content(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


def _ended(trace: str) -> bool:
    return isinstance(read(trace, strict=False)[-1].fact, RunEnded)


def complaint(result: CallToolResult) -> str:
    assert result.is_error
    return str(getattr(result.content[0], "text", ""))


async def test_a_client_finds_three_tools(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        found = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert set(found) == {"swarm", "report", "resume"}
    assert all(tool.description for tool in found.values())
    assert found["swarm"].input_schema["required"] == ["goal"]


async def test_a_client_runs_reports_and_resumes(shops: Path) -> None:
    heard: list[str | None] = []

    async def progress(_steps: float, _total: float | None, message: str | None) -> None:
        heard.append(message)

    async with client_of(shops) as client:
        asked = {"goal": GOAL}
        ran = content(await client.call_tool("swarm", asked, progress_callback=progress))
        assert (ran["status"], ran["simulated"]) == ("finished", True)
        assert "| north.csv | 3 |" in ran["answer"]
        assert ran["metrics"]["agents"] == 3
        assert read(ran["trace"])[-1].fact.status == "finished"
        assert any(message and "simulator" in message for message in heard)
        told = content(await client.call_tool("report", {"trace": ran["trace"]}))
        assert told["metrics"] == ran["metrics"]
        again = content(await client.call_tool("resume", {"trace": ran["trace"]}))
        assert again["answer"] == ran["answer"]

    assert "<svg" in await asyncio.to_thread(Path(told["page"]).read_text, "utf-8")


async def test_a_run_that_takes_long_is_waited_for_by_resume(shops: Path) -> None:
    with Held(answers=0) as held:
        async with client_of(shops, of=held) as client:
            asked = {"goal": GOAL, "wait_seconds": 0}
            begun = content(await client.call_tool("swarm", asked))
            assert begun["status"] == "running"
            held.let_go()
            ended = content(await client.call_tool("resume", {"trace": begun["trace"]}))
            assert ended["status"] == "finished"
            assert ended["trace"] == begun["trace"]


async def test_of_two_runs_at_once_each_is_waited_for(shops: Path) -> None:
    with Held(answers=0) as held:
        async with client_of(shops, of=held) as client:
            asked = {"goal": GOAL, "wait_seconds": 0}
            begun = [content(await client.call_tool("swarm", asked)) for _ in range(2)]
            assert [each["status"] for each in begun] == ["running", "running"]
            held.let_go()

            for each in begun:
                ended = content(await client.call_tool("resume", {"trace": each["trace"]}))
                assert (ended["status"], ended["trace"]) == ("finished", each["trace"])


async def test_a_run_that_its_budget_ended_is_taken_up(shops: Path) -> None:
    async with client_of(shops, "--steps", "2") as client:
        ended = content(await client.call_tool("swarm", {"goal": GOAL}))
        assert ended["status"] == "over_budget"

    run = await asyncio.to_thread(kn.resume, ended["trace"], budget=kn.Budget(steps=50))
    assert isinstance(run, kn.Run)
    assert (await asyncio.to_thread(run.result)).status == "finished"


async def test_a_cancelled_call_cancels_its_run(shops: Path) -> None:
    heard = asyncio.Event()

    async def progress(_steps: float, _total: float | None, _message: str | None) -> None:
        heard.set()

    with Held(answers=2) as held:
        async with client_of(shops, of=held) as client:
            begun = content(await client.call_tool("swarm", {"goal": GOAL, "wait_seconds": 0}))
            again = {"trace": begun["trace"]}
            asked = client.call_tool("resume", again, progress_callback=progress)
            waiting = asyncio.create_task(asked)
            await heard.wait()
            waiting.cancel()

            with pytest.raises(asyncio.CancelledError):
                await waiting

            while not _ended(begun["trace"]):  # noqa: ASYNC110 -- it is another process that ends it
                await asyncio.sleep(0.02)

    assert read(begun["trace"])[-1].fact.status == "cancelled"


REFUSALS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("swarm", {"goal": " "}, "the goal is empty"),
    ("swarm", {"goal": GOAL, "folder": "../.."}, "leads out of the folder of this server"),
    ("swarm", {"goal": GOAL, "folder": "nowhere"}, "does not exist"),
    ("report", {"trace": "/etc/passwd"}, "leads out of the folder of this server"),
    ("report", {"trace": "none.jsonl"}, "cannot read the trace"),
    ("resume", {"trace": "none.jsonl"}, "there is no trace"),
)


async def test_what_cannot_be_done_is_said(shops: Path) -> None:
    async with client_of(shops) as client:
        for tool, arguments, said in REFUSALS:
            assert said in complaint(await client.call_tool(tool, arguments))


async def test_a_client_cannot_ask_for_more_agents_than_the_server_allows(shops: Path) -> None:
    async with client_of(shops, "--agents", "1") as client:
        ran = content(await client.call_tool("swarm", {"goal": GOAL, "agents": 50}))

    assert ran["metrics"]["agents"] == 2


def forged(trace: str, **options: Any) -> None:
    """A log of the first facts of another, which asks for something else."""
    first, began, *_ = Path(trace).read_text().splitlines()
    fact = json.loads(began)
    fact["options"] = json.dumps(json.loads(fact["options"]) | options)
    Path("forged.jsonl").write_text(f"{first}\n{json.dumps(fact)}\n")


def lines_of(path: str) -> int:
    return len(Path(path).read_text().splitlines())


FORGERIES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"folder": "/etc"}, "leads out of the folder of this server"),
    ({"tools": ["read_file", "write_file"]}, "does not give to agents: write_file"),
    ({"base_url": "http://127.0.0.1:9/v1"}, "was not told to do"),
    ({"max_agents": 1_000}, "start it with --agents 1000"),
)


async def test_a_log_that_somebody_wrote_gets_no_more_than_the_server_allows(
    shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shops)

    async with client_of(shops, "--steps", "2") as client:
        ran = content(await client.call_tool("swarm", {"goal": GOAL}))

        for options, said in FORGERIES:
            forged(ran["trace"], **options)
            assert said in complaint(await client.call_tool("resume", {"trace": "forged.jsonl"}))
            assert lines_of("forged.jsonl") == 2

        forged(ran["trace"], budget={"steps": 1_000})
        ended = content(await client.call_tool("resume", {"trace": "forged.jsonl"}))
        assert ended["status"] == "over_budget"


async def test_over_http(shops: Path) -> None:
    port = 20_000 + os.getpid() % 10_000  # none that is given to who asks for any
    words = ["mcp", "--folder", str(shops), "--port", str(port)]
    server = await asyncio.create_subprocess_exec(
        KIMI_NB, *words, stderr=asyncio.subprocess.DEVNULL
    )

    try:
        while server.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break

            await asyncio.sleep(0.02)

        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            ran = content(await client.call_tool("swarm", {"goal": GOAL}))
            assert "| south.csv | 5 |" in ran["answer"]
    finally:
        server.terminate()
        await server.wait()


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--folder", "/nowhere"]) == 2
    assert "name one with --folder" in capsys.readouterr().err
