"""A fake OpenAI-compatible server for the benchmark: one process, one loop, no framework.

    python tests/bench/server.py --latency 0.05 --deltas 20

prints {"port": …} and serves until its standard input closes. A plain answer comes after the
latency; the deltas of a streamed one are spread over it, the last one at its end.
`GET /stats` returns the counters as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import sys
from dataclasses import dataclass, field
from typing import Any, cast

import turns

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STREAM = re.compile(rb'"stream": ?true')
HEADER_END = b"\r\n\r\n"
SSE_HEADER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
OVERLOADED = {
    "error": {"message": "too many requests at once", "type": "engine_overloaded_error"},
}


@dataclass(slots=True)
class Options:
    """How the server behaves; times in seconds."""

    latency: float = 0.05
    deltas: int = 20
    limit: int = 0
    """Requests at once; beyond it 429 with Retry-After: 1. 0: no limit."""
    rate: float = 0.0
    """Tokens a second of the orchestrator's streamed first turn. 0: it takes the latency."""
    strict: bool = False
    """Check that every tool call of the history is answered; 400 where not."""


@dataclass(slots=True)
class Stats:
    """What has happened since the start."""

    calls: int = 0
    """Requests that were accepted, complete or not."""
    completed: int = 0
    refused: int = 0
    """429 answers."""
    bad: int = 0
    """400 answers."""
    dropped: int = 0
    """Requests whose client went away before the answer was complete."""
    in_flight: int = 0
    most_in_flight: int = 0
    connections: int = 0
    late: float = 0.0
    """Sum over the answers of the seconds by which their end was late: the server's own."""
    bytes_in: int = 0

    def report(self) -> dict[str, Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"cpu": usage.ru_utime + usage.ru_stime}


@dataclass(slots=True)
class Server:
    options: Options
    stats: Stats = field(default_factory=Stats)


class Connection(asyncio.Protocol):
    """One keep-alive connection: a request, its answer, the next request."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.loop = asyncio.get_running_loop()
        self.buffer = bytearray()
        self.timer: asyncio.TimerHandle | None = None
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self.server.stats.connections -= 1

        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.server.stats.in_flight -= 1
            self.server.stats.dropped += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data

        if self.timer is None:
            self.next_request()

    def next_request(self) -> None:
        """Take one complete request from the buffer, if it holds one, and begin its answer."""
        end = self.buffer.find(HEADER_END)

        if end < 0:
            return

        head = bytes(self.buffer[:end])
        length = LENGTH.search(head)
        total = end + len(HEADER_END) + (int(length[1]) if length else 0)

        if len(self.buffer) < total:
            return

        body = bytes(self.buffer[end + len(HEADER_END) : total])
        del self.buffer[:total]
        self.server.stats.bytes_in += total
        self.route(head, body)

    def route(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]

        if path == b"/stats":
            self.send(b"200 OK", json.dumps(self.server.stats.report()).encode())
        elif path.endswith(b"/models"):
            self.send(b"200 OK", b'{"object":"list","data":[{"id":"bench","object":"model"}]}')
        elif path.endswith(b"/chat/completions"):
            self.complete(body)
        else:
            self.send(b"404 Not Found", b'{"error":{"message":"no such path","type":"not_found"}}')

    def complete(self, body: bytes) -> None:
        """Accept or refuse a chat completion."""
        options, stats = self.server.options, self.server.stats

        if options.limit and stats.in_flight >= options.limit:
            stats.refused += 1
            self.send(
                b"429 Too Many Requests",
                json.dumps(OVERLOADED).encode(),
                b"Retry-After: 1\r\n",
            )
            return

        try:
            turn = turns.decide(body)

            if options.strict:
                check_history(json.loads(body))
        except ValueError as error:
            stats.bad += 1
            problem = {"error": {"message": str(error), "type": "invalid_request_error"}}
            self.send(b"400 Bad Request", json.dumps(problem).encode())
            return

        stats.calls += 1
        stats.in_flight += 1
        stats.most_in_flight = max(stats.most_in_flight, stats.in_flight)
        self.answer(turn, body)

    def answer(self, turn: turns.Turn, body: bytes) -> None:
        options, start = self.server.options, self.loop.time()

        if not STREAM.search(body):
            self.due = start + options.latency
            self.timer = self.loop.call_at(self.due, self.end_plain, turns.plain(turn))
            return

        by_token = bool(options.rate) and turn.fan_out
        usage = b'"include_usage"' in body
        chunks = turns.frames(turn, options.deltas, usage=usage, by_token=by_token)
        gap = 1 / options.rate if by_token else options.latency / len(chunks)
        self.due = start + gap * len(chunks)
        self.timer = self.loop.call_at(start + gap, self.tick, chunks, 0, start, gap)

    def tick(self, chunks: tuple[bytes, ...], index: int, start: float, gap: float) -> None:
        """Send every chunk that is due by now, and come back for the next one."""
        head = b"" if index else SSE_HEADER
        due = min(max(int((self.loop.time() - start) / gap + 1e-6), index + 1), len(chunks))
        self.transport.write(head + b"".join(chunks[index:due]))

        if due < len(chunks):
            when = start + gap * (due + 1)
            self.timer = self.loop.call_at(when, self.tick, chunks, due, start, gap)
        else:
            self.end()

    def end_plain(self, body: bytes) -> None:
        self.send(b"200 OK", body)
        self.end()

    def end(self) -> None:
        stats = self.server.stats
        stats.late += max(0.0, self.loop.time() - self.due)
        stats.in_flight -= 1
        stats.completed += 1
        self.timer = None
        self.next_request()

    def send(self, status: bytes, body: bytes, extra: bytes = b"") -> None:
        self.transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b"
            % (status, extra, len(body), body),
        )


def check_history(body: dict[str, Any]) -> None:
    """Raise ValueError unless every tool call is answered by the messages right after it."""
    open_ids: list[str] = []

    for message in body["messages"]:
        if message["role"] == "tool":
            open_ids.remove(message["tool_call_id"])
        elif open_ids:
            raise ValueError(f"unanswered tool calls: {open_ids}")
        else:
            open_ids = [call["id"] for call in message.get("tool_calls") or ()]

    if open_ids:
        raise ValueError(f"unanswered tool calls: {open_ids}")


async def serve(options: Options) -> None:
    """Serve on a free port until standard input closes."""
    server, loop = Server(options), asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": listener.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
    listener.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible server.")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds for each answer")
    parser.add_argument("--deltas", type=int, default=20, help="deltas of a streamed answer")
    parser.add_argument("--limit", type=int, default=0, help="requests at once, 429 beyond")
    parser.add_argument("--rate", type=float, default=0.0, help="tokens/s of the fan-out turn")
    parser.add_argument("--strict", action="store_true", help="check every history")
    options = Options(**vars(parser.parse_args()))

    try:
        import uvloop  # pyright: ignore - optional: the server is cheaper with it
    except ImportError:
        asyncio.run(serve(options))
    else:
        uvloop.run(serve(options))  # pyright: ignore[reportUnknownMemberType]


if __name__ == "__main__":
    main()
