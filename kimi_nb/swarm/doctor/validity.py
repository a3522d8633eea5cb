"""Whether a model fills in tools as their schemas say: a fixed set, one call each."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from kimi_nb.errors import ModelError, ToolError
from kimi_nb.models.faults import one_line
from kimi_nb.swarm.doctor.asking import Caller
from kimi_nb.swarm.doctor.report import Finding, failed, passed
from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS
from kimi_nb.tools import Tool, ToolContext, Toolset, tool

__all__ = ["trials", "validity"]

REASON_MAX = 90
"""Characters of why one call is not valid."""
TODO = (
    "take another model; or, on a server of your own, its right tool-call parser "
    "(vLLM, SGLang: --tool-call-parser, vLLM with --enable-auto-tool-choice; "
    "Ollama: a model with tools in its template)"
)


class Trial(NamedTuple):
    """One tool, and what it is to be called with."""

    what: str
    tool: Tool
    words: str

    @property
    def question(self) -> str:
        name = self.tool.name
        return f"Call {name} once, with {self.words}. Answer with that call, and no words."


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is."""

    city: str
    zone: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes where."""

    label: str
    grams: float
    place: Place


@tool
def save_note(text: str) -> str:
    """Keep a note."""
    return text


@tool
def set_progress(percent: Annotated[int, "from 0 to 100"]) -> str:
    """Say how much is done."""
    if not 0 <= percent <= 100:
        message = f"percent is {percent}; it must be from 0 to 100"
        raise ToolError(message)

    return str(percent)


@tool
def set_priority(level: Literal["low", "normal", "urgent"]) -> str:
    """Say how urgent it is."""
    return level


@tool
def add_tags(tags: list[str]) -> str:
    """Add tags."""
    return ", ".join(tags)


@tool
def find_books(topic: str, limit: int = 10, language: str = "en", exact: bool = False) -> str:  # noqa: FBT001, FBT002 -- a model gives names
    """Find books on a topic."""
    return f"{topic} {limit} {language} {exact}"


@tool
def set_deadline(task: str, day: int | None) -> str:
    """Set the day of the month until which a task is to be done; null: it has all the time."""
    return f"{task}: {day}"


@tool
def send_parcels(parcels: list[Parcel]) -> str:
    """Send parcels."""
    return str(len(parcels))


@tool
def save_quote(speaker: str, quote: str) -> str:
    """Keep what somebody said, word for word."""
    return f"{speaker}: {quote}"


def _map_task(agent: str, template: str, items: list[str]) -> str:
    return f"{agent}: {template} x {len(items)}"


@functools.cache
def trials() -> tuple[Trial, ...]:
    """The fixed set, the hardest last."""
    spec = next(s["function"] for s in ORCHESTRATOR_TOOLS if s["function"]["name"] == "map_task")
    map_task = Tool(**spec, function=_map_task)
    return (
        Trial("text", save_note, "the text: all is well"),
        Trial("integer", set_progress, "forty percent"),
        Trial("choice", set_priority, "the highest level"),
        Trial("list", add_tags, "the tags red, round and new"),
        Trial("optional", find_books, "the topic bees, at most 3 of them, all else as it is"),
        Trial("or null", set_deadline, "the task 'paint the door', which has all the time"),
        Trial(
            "nested",
            send_parcels,
            "two parcels: 'vase' of 800 grams to zone 3 of Lyon, 'lamp' of 1250.5 grams to "
            "zone 1 of Kyoto",
        ),
        Trial(
            "escapes",
            save_quote,
            'the speaker 李白 and the quote 他说："别动" and then: "C:\\new\\table" is {not} JSON',
        ),
        Trial(
            "map_task",
            map_task,
            "the agent 'reader', the template 'Read {{item}} to its end.', and the items a.csv, "
            "b.csv and c.csv",
        ),
    )


async def validity(caller: Caller) -> Finding:
    """How many of the set are called with arguments that their schemas allow."""
    reasons = await asyncio.gather(*(_try(caller, trial) for trial in trials()))
    wrong = [
        f"{trial.what}: {one_line(reason, REASON_MAX)}"
        for trial, reason in zip(trials(), reasons, strict=True)
        if reason
    ]
    total = f"{len(reasons) - len(wrong)} of {len(reasons)} valid"

    if wrong:
        return failed(f"{total} (not: {'; '.join(wrong)})", TODO)

    return passed(f"{total}: {', '.join(trial.what for trial in trials())}")


async def _try(caller: Caller, trial: Trial) -> str:
    """Why the call is not valid; "": it is."""
    message = {"role": "user", "content": trial.question}

    try:
        reply = (await caller.ask([message], [trial.tool.spec])).reply
    except TimeoutError:
        return f"no whole answer within {caller.patience:g} s"
    except ModelError as error:
        return str(error)

    if not reply.calls:
        return "cut off before a call" if reply.finish == "length" else "no call"

    return await _complaint(trial.tool, reply.calls[0].name, reply.calls[0].arguments)


async def _complaint(tool: Tool, name: str, arguments: str) -> str:
    toolset = Toolset([tool])
    context = ToolContext(folder=Path(), agent="doctor", run="doctor")

    try:
        outcome = await toolset.call(name, arguments, context)
    finally:
        await toolset.close()

    return "" if outcome.ok else outcome.text.removeprefix("ERROR: ").splitlines()[0]
