"""The benchmark itself: its server answers what it says, and its clients do all of the work."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parent / "bench"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


turns = load("turns")


def body(tool: str, *texts: str, results: int = 0) -> bytes:
    messages = [{"role": "user", "content": text} for text in texts]
    messages += [{"role": "tool", "tool_call_id": "x", "content": "done after 3 looks"}] * results
    tools = [{"type": "function", "function": {"name": tool}}]
    return json.dumps({"messages": messages, "tools": tools}).encode()


def events(frames: tuple[bytes, ...]) -> list[dict[str, Any]]:
    """What a client reads: chunked transfer undone, one JSON object for each event."""
    raw, text = b"".join(frames), b""

    while raw:
        size, _, raw = raw.partition(b"\r\n")
        text, raw = text + raw[: int(size, 16)], raw[int(size, 16) + 2 :]

    lines = [line.removeprefix("data: ") for line in text.decode().split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def calls_of(chunks: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    calls: dict[int, list[str]] = {}

    for chunk in chunks:
        for part in chunk["choices"][0]["delta"].get("tool_calls", ()) if chunk["choices"] else ():
            name, arguments = calls.setdefault(part["index"], ["", ""])
            more = part["function"]
            calls[part["index"]] = [name + more.get("name", ""), arguments + more["arguments"]]

    return [(name, json.loads(arguments)) for name, arguments in calls.values()]


def test_the_orchestrator_fans_out_once_and_then_joins_what_arrived() -> None:
    goal = "Fan out to 3 sub-agents of 2 calls, then join."
    first = turns.decide(body("assign_task", goal))
    assert [call.name for call in first.calls] == ["assign_task"] * 3
    assert turns.decide(body("assign_task", goal, results=2)).text == "joined 2 of 3"


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_sub_agent_calls_its_tool_as_often_as_its_task_says(done: int) -> None:
    turn = turns.decide(body("look", "Item 1: make 3 calls of look, then answer.", results=done))
    assert (turn.text, len(turn.calls)) == (("", 1) if done < 3 else ("done after 3 looks", 0))


def test_a_request_without_a_task_is_refused() -> None:
    with pytest.raises(ValueError, match="names no task"):
        turns.decide(body("look", "hello"))


@pytest.mark.parametrize("ticks", [2, 20, 100])
@pytest.mark.parametrize("by_token", [False, True])
def test_streamed_calls_are_the_plain_ones(ticks: int, by_token: bool) -> None:  # noqa: FBT001
    turn = turns.decide(body("assign_task", "Fan out to 7 sub-agents of 1-5 calls, then join."))
    message = json.loads(turns.plain(turn))["choices"][0]["message"]
    plain = [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message["tool_calls"]
    ]
    frames = turns.frames(turn, ticks, usage=True, by_token=by_token)
    assert calls_of(events(frames)) == plain
    assert by_token or len(frames) == min(ticks, 9) or len(frames) == ticks


def test_the_quick_run_makes_exactly_the_calls_of_the_work() -> None:
    command = [sys.executable, str(BENCH / "overhead.py"), "main", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    rows = json.loads(done.stdout)["main"]["rows"]
    counts = {(row["name"], row["mode"]): (row["calls"], row["looks"], row["ok"]) for row in rows}
    names = ("floor", "kimi_nb", "openai")
    expected = (10 * (3 + 1) + 2, 10 * 3, True)
    assert counts == {(n, m): expected for n in names for m in ("plain", "streamed")}


def test_the_quick_run_of_the_views_measures_each_of_them() -> None:
    command = [sys.executable, str(BENCH / "overhead.py"), "measures", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)["measures"]
    assert len(found["rows"]) == 8
    assert all(row["s"] > 0 for row in found["rows"])
    assert all(target["value"] is not None for target in found["targets"])
