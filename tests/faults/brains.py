"""What the mock model has to say: any function of the messages, or a small swarm by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from faults.examples import dominant_colour, example
from faults.log import words
from faults.quirks import Made, Turn
from faults.rules import image_bytes
from faults.server import DROPPED, Answer, refuse

from kimi_nb import errors
from kimi_nb.models.base import Reply

Message = dict[str, Any]
Thought = Turn | Answer | Reply | BaseException | str
"""Words; a turn; a Reply, of which ids and usage do not count; bytes as they are; a refusal."""
OWN_TOOLS = {"create_subagent", "assign_task", "map_task"}
REFUSALS: dict[type[BaseException], tuple[int, str]] = {
    errors.AccessDenied: (401, "invalid_authentication_error"),
    errors.QuotaExhausted: (429, "exceeded_current_quota_error"),
    errors.RateLimited: (429, "rate_limit_reached_error"),
    errors.Overloaded: (429, "engine_overloaded_error"),
    errors.UnknownModel: (404, "resource_not_found_error"),
    errors.BadRequest: (400, "invalid_request_error"),
    errors.ServerFault: (500, "server_error"),
    errors.Unreachable: (DROPPED, ""),
}


@dataclass(frozen=True, slots=True)
class OfBody:
    """A brain that wants to see the whole request, not only its messages."""

    think: Callable[[dict[str, Any]], Thought]


Brain = Callable[[list[Message]], Thought] | OfBody


def read(thought: Thought) -> Turn | Answer:
    """What the server is to do with what a brain came up with. Other exceptions are raised."""
    if isinstance(thought, str):
        return Turn(text=thought)

    if isinstance(thought, Turn | Answer):
        return thought

    if isinstance(thought, BaseException):
        for kind, (status, name) in REFUSALS.items():
            if isinstance(thought, kind):
                return refuse(status, name, str(thought))

        raise thought

    made = tuple(Made("", call.name, call.arguments) for call in thought.calls)
    kept = thought.finish if thought.finish in {"length", "content_filter"} else ""
    return Turn(text=thought.text, thinking=thought.thinking, calls=made, finish=kept)


def small_swarm(tasks: int = 3, calls: int = 2) -> OfBody:
    """An orchestrator that assigns `tasks` tasks, and sub-agents that call a tool `calls` times.

    Asked without a swarm, it calls each tool that the question names (twice, if it says so),
    or names the colour of the picture, or says what the tools returned.
    """

    def think(body: dict[str, Any]) -> Turn:
        messages = body["messages"]
        tools = {tool["function"]["name"]: tool["function"] for tool in body.get("tools", ())}
        got = [words(message) for message in messages if message["role"] == "tool"]
        system = words(messages[0])

        if system.startswith("You are the orchestrator") and tools.keys() >= OWN_TOOLS:
            return _orchestrate(got, tasks)

        if "You are a sub-agent" in system:
            return _work(messages, tools, got, calls)

        return _oblige(messages, tools, got)

    return OfBody(think)


def _orchestrate(got: list[str], tasks: int) -> Turn:
    if not got:
        return _calls(("create_subagent", {"name": "worker", "system_prompt": "Do it well."}))

    if len(got) == 1:
        assigned = [
            ("assign_task", {"agent": "worker", "prompt": f"Do part {number}."})
            for number in range(1, tasks + 1)
        ]
        return _calls(*assigned, thinking="The parts do not depend on each other.")

    return Turn(text="All parts:\n" + "\n".join(got[1:]))


def _work(messages: list[Message], tools: dict[str, Any], got: list[str], calls: int) -> Turn:
    ordinary = [tool for name, tool in tools.items() if name not in OWN_TOOLS]

    if ordinary and len(got) < calls:
        tool = ordinary[0]
        return _calls((tool["name"], example(tool.get("parameters", {}), len(got))))

    task = next(words(message) for message in messages if message["role"] == "user")
    return Turn(text=f"{task} Done after {len(got)} calls.")


def _oblige(messages: list[Message], tools: dict[str, Any], got: list[str]) -> Turn:
    last = messages[-1]

    if last["role"] == "tool":
        return Turn(text="The tools say: " + "; ".join(got))

    pictures = (
        [part for part in last["content"] if part.get("type") == "image_url"]
        if isinstance(last["content"], list)
        else []
    )

    if pictures:
        return Turn(text=f"It is {dominant_colour(image_bytes(pictures[0]) or b'')}.")

    asked = words(last)
    named = [tool for name, tool in tools.items() if name in asked]
    times = 2 if any(word in asked.lower() for word in ("twice", "both", "parallel")) else 1
    made = [
        (tool["name"], example(tool.get("parameters", {}), time))
        for tool in named
        for time in range(times)
    ]
    return _calls(*made) if made else Turn(text=f"You said: {asked}")


def _calls(*made: tuple[str, Any], thinking: str = "") -> Turn:
    return Turn(
        calls=tuple(Made("", name, orjson.dumps(given).decode()) for name, given in made),
        thinking=thinking,
    )
