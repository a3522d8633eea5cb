"""The tools of MCP servers: two real ones from PyPI, and one that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.schema_rules import schema_complaint
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, call, calls, check_ended, is_orchestrator, results, say

import kimi_nb as kn
from kimi_nb.redact import hide
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.mcp import connection, mcp_tools
from kimi_nb.tools.mcp.dialect import moonshot

PEER = (sys.executable, str(Path(__file__).with_name("mcp_peer.py")))
BIN = Path(sys.executable).parent
TIME = str(BIN / "mcp-server-time")
GIT = str(BIN / "mcp-server-git")


@contextlib.asynccontextmanager
async def tools_of(*server: str, **options: Any) -> Any:
    found = Toolset(await asyncio.to_thread(mcp_tools, server, **options))

    try:
        yield found
    finally:
        await found.close()


async def ask(tools: Toolset, name: str, arguments: str = "{}") -> ToolOutcome:
    return await tools.call(name, arguments, ToolContext(folder=Path(), agent="a1", run="r"))


def alive(pattern: str) -> bool:
    return subprocess.run(["/usr/bin/pgrep", "-f", pattern], check=False, stdout=-3).returncode == 0


async def until(condition: Any) -> None:
    """Wait for it; the test's own time limit ends what never comes."""
    while not condition():  # noqa: ASYNC110 -- of another process
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # who connects waits for the server
        number = listening.fileno()
        host, port = listening.getsockname()

        with subprocess.Popen([*PEER, str(number)], pass_fds=[number]) as server:
            yield f"http://{host}:{port}/mcp"
            server.terminate()


# Real servers


async def test_a_real_server_tells_the_time() -> None:
    async with tools_of(TIME) as tools:
        assert set(tools.names) == {"get_current_time", "convert_time"}
        found = await ask(tools, "get_current_time", '{"timezone": "Asia/Shanghai"}')
        assert found.ok
        assert "Asia/Shanghai" in found.text
        wrong = await ask(tools, "get_current_time", '{"timezone": "Mars"}')
        assert not wrong.ok
        assert "Mars" in wrong.text


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-C", str(tmp_path)]
    (tmp_path / "a.txt").write_text("hello")

    for words in (["init", "-q"], ["add", "a.txt"], ["commit", "-q", "-m", "the first"]):
        subprocess.run([*git, *words], check=True)

    return tmp_path


async def test_another_real_server_reads_a_repository(repository: Path) -> None:
    async with tools_of(GIT, "--repository", str(repository), only=["git_log"]) as tools:
        assert tools.names == ("git_log",)
        found = await ask(tools, "git_log", f'{{"repo_path": "{repository}"}}')
        assert "the first" in found.text


async def test_schemas_of_all_servers_are_in_the_dialect_that_kimi_takes(address: str) -> None:
    for server in ((TIME,), (GIT,), (address,)):
        async with tools_of(*server) as tools:
            for tool in tools:
                assert schema_complaint(tool.parameters, tool.name) is None


def test_a_swarm_works_with_the_tools_of_a_server(tmp_path: Path) -> None:
    def brain(messages: list[dict[str, Any]]) -> Any:
        if is_orchestrator(messages):
            match len(results(messages)):
                case 0:
                    return calls(call("create_subagent", name="clock", system_prompt="You tell."))
                case 1:
                    return calls(
                        call("assign_task", agent="clock", prompt="Asia/Tokyo"),
                        call("assign_task", agent="clock", prompt="Europe/Paris"),
                    )
                case _:
                    return say(" | ".join(results(messages)[1:]))

        if not results(messages):
            zone = messages[1]["content"]
            return calls(call("get_current_time", timezone=zone))

        return say(results(messages)[0])

    tools = mcp_tools([TIME])
    run = kn.swarm("go", model=Scripted(brain), tools=tools, trace=tmp_path / "run.jsonl").result()
    check_ended(run)
    assert run.status == "finished"
    assert "Asia/Tokyo" in run.answer
    assert "Europe/Paris" in run.answer


# What servers do


async def test_arguments_errors_and_odd_names(address: str) -> None:
    async with tools_of(address) as tools:
        assert (await ask(tools, "add", '{"a": 1}')).text == "3"
        assert (await ask(tools, "add", '{"a": 1, "b": 5, "way": "minus"}')).text == "-4"
        assert (await ask(tools, "x_1")).text == "odd"
        tree = '{"tree": {"name": "a", "children": [{"name": "b"}]}}'
        assert (await ask(tools, "depth", tree)).text == "2"
        failed = await ask(tools, "fail")
        assert not failed.ok
        assert "it is broken" in failed.text
        wrong = await ask(tools, "add", '{"a": "many"}')
        assert not wrong.ok
        assert "add takes: a (integer)" in wrong.text


async def test_a_picture_comes_as_an_image() -> None:
    async with tools_of(*PEER) as tools:
        found = await ask(tools, "picture")
        assert found.text == "one pixel"
        assert [image.type for image in found.images] == ["image/png"]


async def test_what_a_server_may_do_twice_is_what_it_says(address: str) -> None:
    async with tools_of(address, prefix="my_") as tools:
        harm = {tool.name: tool.side_effects for tool in tools}
        assert harm["my_environment"] is False
        assert harm["my_add"] is True


@pytest.mark.parametrize("trusted", [False, True])
async def test_a_server_is_a_stranger_unless_one_says_otherwise(
    address: str, *, trusted: bool
) -> None:
    async with tools_of(address, trusted=trusted) as tools:
        labels = {(tool.private, tool.untrusted, tool.outward) for tool in tools}
        assert labels == {(False, not trusted, not trusted)}

    async with tools_of(address, trusted=trusted, private=True) as tools:
        assert all(tool.private for tool in tools)


async def test_a_server_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-canary-1234567890abcdefghijklmnop")
    monkeypatch.setenv("CANARY", "canary")

    async with tools_of(*PEER, env={"GIVEN": "given"}) as tools:
        found = (await ask(tools, "environment")).text

    assert "GIVEN=given" in found
    assert "PATH=" in found
    assert "anary" not in found


async def test_a_key_that_a_server_gets_is_hidden() -> None:
    keys = {"FORGE_TOKEN": "fgp_w7k2m9q4x1z8c5v3", "CITY": "Nowhere-0123456789"}

    async with tools_of(*PEER, env=keys):
        assert hide(f"{keys}") == str(keys | {"FORGE_TOKEN": "[key]"})


async def test_a_server_that_dies_is_told_and_started_again() -> None:
    async with tools_of(*PEER) as tools:
        died = await ask(tools, "die")
        assert not died.ok
        assert "the next call starts it again" in died.text
        assert (await ask(tools, "add", '{"a": 1}')).text == "3"


async def test_a_cancelled_call_is_cancelled_at_the_server(tmp_path: Path) -> None:
    path = tmp_path / "state"

    async with tools_of(*PEER) as tools:
        task = asyncio.create_task(ask(tools, "wait", f'{{"path": "{path}"}}'))
        await until(lambda: path.exists() and path.read_text() == "began")
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task

        await until(lambda: path.read_text() == "stopped")
        assert (await ask(tools, "add", '{"a": 1}')).text == "3"


async def test_closing_ends_the_server_and_a_call_starts_it_again(tmp_path: Path) -> None:
    peer = tmp_path / "mcp_peer.py"
    mark = f"{re.escape(str(peer))}$"
    peer.symlink_to(PEER[1])

    async with tools_of(sys.executable, str(peer)) as tools:
        assert alive(mark)
        await tools.close()
        assert not alive(mark)
        assert (await ask(tools, "add", '{"a": 1}')).text == "3"
        assert alive(mark)

    assert not alive(mark)


async def test_who_asks_while_the_connection_closes_is_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of the connection has just stopped turning its loop, or is gone."""
    left, asked = threading.Event(), threading.Event()
    live, ask_ = connection._Session._live, connection._Session.ask
    sessions: list[connection._Session] = []

    async def lived(self: connection._Session, opened: Any) -> None:
        await live(self, opened)
        left.set()
        asked.wait()

    def late(self: connection._Session, question: Any) -> Any:
        self._loop.call_soon_threadsafe(self._over.set)
        left.wait()
        answer = ask_(self, question)
        sessions.append(self)
        asked.set()
        return answer

    monkeypatch.setattr(connection._Session, "_live", lived)

    async with tools_of(address) as tools:
        monkeypatch.setattr(connection._Session, "ask", late)
        assert "is closed; call again" in (await ask(tools, "add", '{"a": 1}')).text
        (session,) = sessions
        session._thread.join()

        with pytest.raises(kn.ToolError, match="is closed; call again"):
            ask_(session, session.list_tools())


# Over HTTP


async def test_a_server_over_http(address: str) -> None:
    async with tools_of(address, headers={"Authorization": "Bearer zq9f3e7c1b5d8a2046"}) as tools:
        assert (await ask(tools, "add", '{"a": 40}')).text == "42"
        assert (await ask(tools, "picture")).images


# Servers that are not there


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (["no-such-program"], "does 'no-such-program' start in a terminal"),
        ([sys.executable, "-c", "raise SystemExit('no licence')"], "it said: no licence"),
        ("http://127.0.0.1:9/mcp", "is it running"),
    ],
)
def test_a_server_that_is_not_there(server: Any, said: str) -> None:
    with pytest.raises(kn.ToolError, match=said):
        mcp_tools(server)


@pytest.mark.parametrize(
    ("server", "options", "said"),
    [
        ("", {}, "name an MCP server"),
        ("http://127.0.0.1:9/mcp", {"env": {"A": "b"}}, "leave out env"),
        (TIME, {"headers": {"A": "b"}}, "headers are for a server with a URL"),
        (TIME, {"only": ["nothing"]}, "it has: convert_time, get_current_time"),
    ],
)
def test_what_cannot_be_asked(server: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(kn.UsageFault, match=said):
        mcp_tools(server, **options)


# The dialect

leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["string", "integer", "boolean", "null", "odd", ["string", "null"], ["integer"]]
        ),
        "enum": st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=3)),
        "const": st.integers() | st.text(max_size=3),
        "pattern": st.just(".*"),
        "description": st.text(max_size=10),
        "default": st.none() | st.integers() | st.lists(st.integers()),
        "$ref": st.sampled_from(["#", "#/$defs/a", "#/$defs/none", "http://x/y"]),
        "not": st.just({}),
    },
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array"]),
            "properties": st.dictionaries(st.sampled_from(["a", "b", "c"]), inner | st.booleans()),
            "required": st.lists(st.sampled_from(["a", "z"])),
            "items": inner,
            "anyOf": st.lists(inner),
            "oneOf": st.lists(inner),
            "allOf": st.lists(inner),
            "additionalProperties": inner | st.booleans(),
            "$defs": st.fixed_dictionaries({"a": inner}),
        },
    )


@given(st.recursive(leaves, larger, max_leaves=12))
def test_any_schema_comes_out_in_the_dialect(schema: dict[str, Any]) -> None:
    assert schema_complaint(moonshot(schema), "t") is None


NAMES = [f"name{number}" for number in range(12)]
RING: Any = {"allOf": [{"$ref": "#/$defs/ring"}] * 9, "required": NAMES, "properties": {"a": {}}}
TREE: Any = {"type": "object", "properties": {name: {"$ref": "#/$defs/tree"} for name in NAMES}}
ROOT: Any = {"type": "object"}


@pytest.mark.parametrize(
    "schema",
    [
        RING | {"$defs": {"ring": RING}},  # refers to itself, nine times over
        TREE | {"$defs": {"tree": TREE}},  # unfolds into 12 to the power of 12 parts
        ROOT | {"properties": {"a": {"enum": ["a" * 100_000]}}},  # would stand in every prompt
        ROOT | {"properties": ["a"]},
        ROOT | {"properties": {"a": {}}, "required": 3},
        ROOT | {"properties": {"a": {"anyOf": 3}}},
        ROOT | {"properties": {"a": {"enum": 3}}},
        ROOT | {"properties": {"a": {"allOf": [3], "properties": 3}}},
    ],
)
def test_a_hostile_schema_is_any_object(schema: dict[str, Any]) -> None:
    found = moonshot(schema)
    assert found["type"] == "object"
    assert len(json.dumps(found)) < 60_000
    assert schema_complaint(found, "t") is None


def test_what_the_dialect_keeps() -> None:
    schema = {
        "type": "object",
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "number"}}}},
        "properties": {
            "at": {"$ref": "#/$defs/Point", "description": "where"},
            "way": {"oneOf": [{"const": "up"}, {"const": "down"}]},
            "size": {"type": ["integer", "null"], "default": 3},
            "both": {"allOf": [{"$ref": "#/$defs/Point"}, {"required": ["x"]}]},
        },
        "required": ["at", "gone"],
    }
    assert moonshot(schema) == {
        "type": "object",
        "properties": {
            "at": {
                "type": "object",
                "properties": {"x": {"type": "number"}},
                "description": "where",
            },
            "way": {
                "anyOf": [{"type": "string", "enum": ["up"]}, {"type": "string", "enum": ["down"]}]
            },
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "both": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
        },
        "required": ["at"],
    }
