"""What the fake server answers: a pure function of the request's bytes.

The work is written into the prompts, so nothing is remembered between requests. The goal says
how many sub-agents of how many calls; the orchestrator's turn hands each sub-agent a prompt that
names its own number of calls; its progress is the number of tool messages in its history.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Call", "Turn", "decide", "frames", "plain", "sub_calls"]

GOAL = re.compile(rb"Fan out to (\d+) sub-agents of (\d+)(?:-(\d+))? calls")
TASK = re.compile(rb"make (\d+) calls of look")
TOOL_MESSAGE = re.compile(rb'"role": ?"tool"')
ARRIVED = re.compile(rb"done after \d+ looks")
HEAD = {"id": "chatcmpl-bench", "created": 0, "model": "bench"}
USAGE = {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220}
TOKEN_BYTES = 4


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One assistant turn, complete."""

    text: str
    calls: tuple[Call, ...] = ()
    fan_out: bool = False
    """The orchestrator's turn: the one that is streamed at a rate, where a rate is set."""

    @property
    def finish(self) -> str:
        return "tool_calls" if self.calls else "stop"


def sub_calls(index: int, least: int, most: int) -> int:
    """Tool calls of sub-agent `index`: spread over least..most, in no particular order."""
    return least + (index * 37) % (most - least + 1) if most > least else least


def decide(body: bytes) -> Turn:
    """The answer to a request. Raises ValueError where the prompt is none of ours."""
    done = len(TOOL_MESSAGE.findall(body))

    if b'"assign_task"' not in body:
        task = TASK.search(body)

        if task is None:
            raise ValueError("the request names no task: 'make K calls of look'")

        return _sub_turn(done, int(task[1]))

    plan = GOAL.search(body)

    if plan is None:
        raise ValueError("the request names no goal: 'Fan out to N sub-agents of K calls'")

    agents, least, most = int(plan[1]), int(plan[2]), int(plan[3] or 0)

    if done:
        return Turn(f"joined {len(ARRIVED.findall(body))} of {agents}")

    return _fan_turn(agents, least, most, creates=b'"create_subagent"' in body)


@lru_cache(maxsize=1024)
def _sub_turn(done: int, calls: int) -> Turn:
    if done >= calls:
        return Turn(f"done after {done} looks")

    return Turn("", (Call(f"look:{done}", "look", json.dumps({"key": f"k{done}"})),))


@lru_cache(maxsize=16)
def _fan_turn(agents: int, least: int, most: int, *, creates: bool) -> Turn:
    first = {"name": "worker", "system_prompt": "Do the task with your tools. Answer briefly."}
    calls = [Call("create_subagent:0", "create_subagent", json.dumps(first))] if creates else []

    for index in range(agents):
        count = sub_calls(index, least, most)
        prompt = f"Item {index}: make {count} calls of look, then answer."
        arguments = json.dumps({"agent": "worker", "prompt": prompt})
        calls.append(Call(f"assign_task:{index}", "assign_task", arguments))

    return Turn("", tuple(calls), fan_out=True)


@lru_cache(maxsize=1024)
def plain(turn: Turn) -> bytes:
    """The JSON body of an unstreamed answer."""
    message: dict[str, object] = {"role": "assistant", "content": turn.text or None}

    if turn.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]

    choice = {"index": 0, "message": message, "finish_reason": turn.finish, "logprobs": None}
    body = {**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}
    return json.dumps(body, separators=(",", ":")).encode()


@lru_cache(maxsize=1024)
def frames(turn: Turn, ticks: int, *, usage: bool, by_token: bool = False) -> tuple[bytes, ...]:
    """The HTTP chunks of a streamed answer, one for each tick; the last one ends it.

    With `by_token` there is one tick for each token of the calls, whatever `ticks` says.
    Otherwise the turn is padded with text, or bundled, to exactly `ticks`.
    """
    deltas = _deltas(turn, TOKEN_BYTES if by_token else 0)

    if not by_token and len(deltas) < ticks:
        words = [{"content": f"word{n} "} for n in range(ticks - len(deltas))]
        deltas = deltas[:1] + words + deltas[1:] if turn.calls else words + deltas

    events = [_event({"index": 0, "delta": delta, "finish_reason": None}) for delta in deltas[:-1]]
    last = _event({"index": 0, "delta": deltas[-1], "finish_reason": turn.finish})
    tail = _event(None) if usage else b""
    events.append(last + tail + b"data: [DONE]\n\n")
    count = len(events) if by_token else ticks
    bundles = _bundle(events, count)
    chunks = [b"%x\r\n%b\r\n" % (len(bundle), bundle) for bundle in bundles]
    chunks[-1] += b"0\r\n\r\n"
    return tuple(chunks)


def _deltas(turn: Turn, piece: int) -> list[dict[str, object]]:
    """The deltas of a turn; arguments in pieces of `piece` bytes, or in one piece if 0."""
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]

    if not turn.calls:
        return [*deltas, {"content": turn.text}, {}]

    for index, call in enumerate(turn.calls):
        function = {"name": call.name, "arguments": "" if piece else call.arguments}
        head = {"index": index, "id": call.id, "type": "function", "function": function}
        deltas.append({"tool_calls": [head]})

        for start in range(0, len(call.arguments), piece) if piece else ():
            part = {"arguments": call.arguments[start : start + piece]}
            deltas.append({"tool_calls": [{"index": index, "function": part}]})

    return [*deltas, {}]


def _event(choice: dict[str, object] | None) -> bytes:
    """One server-sent event; without a choice, the one that carries the usage."""
    body: dict[str, object] = {**HEAD, "object": "chat.completion.chunk"}
    body |= {"choices": [choice]} if choice else {"choices": [], "usage": USAGE}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _bundle(events: list[bytes], count: int) -> list[bytes]:
    """`events` joined, in order, into at most `count` groups of nearly equal size."""
    count = min(count, len(events))
    edges = [round(part * len(events) / count) for part in range(count + 1)]
    return [b"".join(events[a:b]) for a, b in itertools.pairwise(edges)]
