"""What one agent was asked, said and did, turn by turn, for a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    Fact,
    RunForked,
    RunResumed,
    Said,
    StepBegan,
    StepEnded,
    StepRetried,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.trace import Record
from kimi_nb.views.calls import Call, tool_calls
from kimi_nb.views.launches import launched_by, prompt_of
from kimi_nb.views.pretty import cut, pretty

__all__ = ["changed_since", "detail"]

LOST = "the run stopped before the answer came; taken up again, it asked once more"
FAILED = "every attempt failed; taken up again, the run asked once more"


@dataclass(slots=True, kw_only=True)
class Turn:
    """One step so far. Times are seconds since the run began."""

    step: int
    began: float
    ended: float | None = None
    text: str = ""
    thinking: str = ""
    cut: bool = False
    """The text is all that came before the stream broke off."""
    finish: str = ""
    """As StepEnded has it; "interrupted" if nothing more comes of it, "" while it is written."""
    usage: StepEnded | None = None
    retries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    written: dict[int, tuple[ToolCalled, float]] = field(
        default_factory=dict[int, tuple[ToolCalled, float]]
    )
    """Its calls while it is written, by position, with when they were."""

    def void(self, t: float, error: str, why: str, wait: float) -> None:
        """What it has said so far came of an attempt that failed at `t`."""
        text = cut(self.text) if self.cut else ""
        self.retries.append({"t": t, "error": error, "why": cut(why), "wait": wait, "text": text})
        self.text, self.thinking, self.cut = "", "", False
        self.written.clear()

    def stop(self, t: float) -> None:
        """Nothing more comes of it, if it is still open."""
        if self.ended is None:
            self.ended, self.finish = t, "interrupted"


def detail(records: Iterable[Record], id: str, since: int = 0) -> dict[str, Any]:
    """An agent as JSON values, with its turns from step `since` on.

    Texts are clean, and cut where they are very long. A page that has the turns before `since`
    needs no others than these if `changed_since` gave that number.
    """
    listed = list(records)
    mine = [record for record in listed if record.agent in {id, ""}]  # of thousands of others
    began = next((r for r in mine if isinstance(r.fact, AgentBegan)), None)
    found: dict[str, Any] = {"id": id, "since": since, "task": "", "prompt": "", "outcome": ""}

    if began is None or not isinstance(began.fact, AgentBegan):
        return {**found, "turns": []}

    turns, outcome = _read(mine)
    calls = _Calls(mine, launched_by(listed, id))
    shown = [_turn(turn, calls) for turn in turns.values() if turn.step >= since]
    found["task"], found["outcome"] = cut(began.fact.task), cut(outcome)
    found["prompt"] = cut(prompt_of(listed, began))
    return {**found, "turns": sorted(shown, key=lambda turn: turn["step"])}


def changed_since(fresh: Iterable[Record], id: str) -> int | None:
    """The first step of an agent that `fresh` records may change; None if they change nothing.

    0 stands for all.
    """
    steps = [step for record in fresh if (step := _touched(record, id)) is not None]
    return min(steps, default=None)


def _touched(record: Record, id: str) -> int | None:
    fact = record.fact

    if isinstance(fact, AgentBegan) and fact.parent == id:
        return fact.stage

    if isinstance(fact, RunResumed | RunForked):
        return 0

    if record.agent != id:
        return None

    step: int = getattr(fact, "step", 0)
    return max(step - 1, 0) if isinstance(fact, StepBegan) else step  # it drops calls before it


def _read(mine: Iterable[Record]) -> tuple[dict[int, Turn], str]:
    """The turns of an agent by their step, and how it ended."""
    turns: dict[int, Turn] = {}
    outcome = ""

    for record in mine:
        match record.fact:
            case StepBegan(step=step):
                outcome = ""
                turns[step] = _begun(turns.get(step), step, record.t)
            case AgentEnded(text=text):
                outcome = text
                _stop(turns, record.t)
            case RunResumed() | RunForked():
                _stop(turns, record.t)
            case Said() | ToolCalled() | StepRetried() | StepEnded() as fact:
                turn = turns.setdefault(fact.step, Turn(step=fact.step, began=record.t))
                _add(turn, fact, record.t)
            case _:
                pass

    return turns, outcome


def _begun(before: Turn | None, step: int, t: float) -> Turn:
    """A turn, with what came of earlier attempts at it: a resumed run begins it anew."""
    if before is None:
        return Turn(step=step, began=t)

    before.void(t, "", FAILED if before.finish == "failed" else LOST, 0.0)
    return Turn(step=step, began=t, retries=before.retries)


def _stop(turns: dict[int, Turn], t: float) -> None:
    for turn in turns.values():
        turn.stop(t)


def _add(turn: Turn, fact: Fact, t: float) -> None:
    match fact:
        case Said():
            turn.text, turn.thinking, turn.cut = fact.text, fact.thinking, fact.cut
        case ToolCalled():
            turn.written[fact.call] = fact, t
        case StepRetried():
            turn.void(t, fact.error, fact.why, fact.wait)
        case StepEnded():
            turn.ended, turn.finish, turn.usage = t, fact.finish, fact
        case _:
            pass


def _turn(turn: Turn, calls: _Calls) -> dict[str, Any]:
    usage = turn.usage
    return {
        "step": turn.step,
        "began": turn.began,
        "ended": turn.ended,
        "text": cut(turn.text),
        "thinking": cut(turn.thinking),
        "cut": turn.cut,
        "finish": turn.finish,
        "tokens_in": usage.tokens_in if usage else 0,
        "tokens_out": usage.tokens_out if usage else 0,
        "tokens_cached": usage.tokens_cached if usage else 0,
        "estimated": usage.estimated if usage else False,
        "retries": turn.retries,
        "calls": calls.of(turn),
    }


class _Calls:
    """The tool calls of one agent, as rows by the turns that asked for them."""

    def __init__(self, mine: list[Record], launched: dict[tuple[int, int], list[str]]) -> None:
        self._made: dict[int, dict[int, Call]] = defaultdict(dict)
        self._files: dict[tuple[int, int], str] = {}
        self._launched = launched

        for call in tool_calls(mine):
            self._made[call.step][call.call] = call  # one that was asked again counts as it is now

        for record in mine:
            if isinstance(record.fact, ToolReturned):
                self._files[record.fact.step, record.fact.call] = record.fact.artefact

    def of(self, turn: Turn) -> list[dict[str, Any]]:
        """In their order; of a turn that is written, those that have come."""
        if turn.ended is None:
            asked = sorted(turn.written.items())
            return [self._row(_asked(fact, t)) for _, (fact, t) in asked]

        return [self._row(call) for _, call in sorted(self._made[turn.step].items())]

    def _row(self, call: Call) -> dict[str, Any]:
        place = (call.step, call.call)
        return {
            "call": call.call,
            "tool": cut(call.tool, 200),
            "arguments": pretty(call.arguments),
            "began": call.began,
            "ended": call.ended,
            "outcome": call.outcome,
            "text": pretty(call.text),
            "artefacts": self._files.get(place, "").split(),
            "launched": self._launched.get(place, []),
        }


def _asked(fact: ToolCalled, t: float) -> Call:
    return Call("", fact.step, fact.call, fact.tool, fact.arguments, t, None, "running", "", 0)
