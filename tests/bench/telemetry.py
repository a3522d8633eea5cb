"""What it costs a run that its spans are sent live, and that Prometheus asks for its numbers.

    .venv/bin/python tests/bench/telemetry.py [--calls 4000] [--agents 300] [--rounds 3]

A run of scripted answers in a process of its own, whose CPU is counted; the collector, which does
nothing but read, is another. `down` sends to a port at which nobody listens. `prometheus` asks
once a second.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson

import kimi_nb as kn
from kimi_nb.models.base import Message, Reply, Request, Sink, ToolCall, Usage

WAYS = ("none", "otlp", "down", "prometheus")


class Model:
    """An orchestrator that launches them all at once; each calls a tool so many times."""

    name = "scripted"
    simulated = False

    def __init__(self, agents: int, calls: int) -> None:
        self.agents = agents
        self.each = max(1, round(calls / agents))

    async def reply(self, request: Request, sink: Sink) -> Reply:
        messages = list(request.conversation.messages)
        turn = sum(message["role"] == "assistant" for message in messages)
        calls = self._calls(messages, turn)

        for call in calls:
            sink.on_call(call)

        usage = Usage(tokens_in=100, tokens_out=10)
        text, finish = ("", "tool_calls") if calls else ("done", "stop")
        return Reply(
            text=text, thinking="", thinking_key="", calls=calls, finish=finish, usage=usage
        )

    def _calls(self, messages: list[Message], turn: int) -> tuple[ToolCall, ...]:
        if not messages[0]["content"].startswith("You are the orchestrator"):
            return (_call(0, f"t{turn}", "note", text="x"),) if turn + 1 < self.each else ()

        if turn:
            return ()

        items = [str(number) for number in range(self.agents)]
        create = _call(0, "c0", "create_subagent", name="w", system_prompt="Work.")
        return create, _call(1, "c1", "map_task", agent="w", template="{{item}}", items=items)

    async def close(self) -> None:
        pass


def _call(index: int, id: str, tool: str, /, **arguments: Any) -> ToolCall:
    text = orjson.dumps(arguments).decode()
    return ToolCall(index=index, id=id, name=tool, arguments=text)


def note(text: str) -> str:
    """Take note of a text."""
    return text


def measure(way: str, agents: int, calls: int, url: str) -> dict[str, float]:
    """One run in this process: CPU until it has ended and all is sent, and its wall time."""
    if way in {"otlp", "down"}:
        kn.export_live(kn.swarm("x", model=Model(1, 2), name="warm"), endpoint=url).wait()

    stopped = threading.Event()

    if way == "prometheus":
        server = kn.metrics_server(0)
        threading.Thread(target=_ask, args=(server.url, stopped), daemon=True).start()

    cpu, wall = time.process_time(), time.perf_counter()
    run = kn.swarm("x", model=Model(agents, calls), tools=[note], max_agents=agents)
    sending = kn.export_live(run, endpoint=url) if way in {"otlp", "down"} else None
    run.result()
    ended = time.perf_counter() - wall

    if sending is not None:
        sending.wait()

    stopped.set()
    cpu = time.process_time() - cpu
    spans = sending.sent if sending else 0
    lost = sending.lost if sending else 0
    assert run.status == "finished", run
    return {"cpu": cpu, "wall": ended, "calls": run.fold.steps, "sent": spans, "lost": lost}


def _ask(url: str, stopped: threading.Event) -> None:
    while not stopped.wait(1.0):
        with urlopen(url) as page:  # noqa: S310 -- ours
            page.read()


class _Reads(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()

    if asked.one:
        print(json.dumps(measure(asked.one, asked.agents, asked.calls, asked.url)))  # noqa: T201
        return

    with socket.create_server(("127.0.0.1", 0)) as free:
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Reads)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    urls = {"down": nowhere, "otlp": f"http://127.0.0.1:{server.server_address[1]}"}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}

    for _ in range(asked.rounds):
        for way in WAYS:
            found[way].append(_apart(way, asked.agents, asked.calls, urls.get(way, "")))

    print("| spans | µs of CPU for a call | s until the run had ended | spans sent | lost |")  # noqa: T201
    print("|---|---|---|---|---|")  # noqa: T201

    for way, rounds in found.items():
        cpu = statistics.median(one["cpu"] / one["calls"] * 1e6 for one in rounds)
        wall = statistics.median(one["wall"] for one in rounds)
        sent, lost = rounds[-1]["sent"], rounds[-1]["lost"]
        print(f"| {way} | {cpu:.0f} | {wall:.1f} | {sent} | {lost} |")  # noqa: T201


def _apart(way: str, agents: int, calls: int, url: str) -> dict[str, float]:
    size = ["--agents", str(agents), "--calls", str(calls)]
    command = [sys.executable, "-W", "ignore", str(Path(__file__).resolve()), "--one", way, *size]

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "--url", url], cwd=folder, check=True, capture_output=True, text=True
        )

    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
