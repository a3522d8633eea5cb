"""The spans of one agent: its steps and its tool calls."""

from __future__ import annotations

from kimi_nb.events import (
    AgentEnded,
    AgentPlaced,
    Fact,
    Said,
    StepBegan,
    StepEnded,
    StepQueued,
    StepRetried,
    StepSent,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.views.otel import content
from kimi_nb.views.otel.book import Book, key_of
from kimi_nb.views.otel.draft import Draft, Value

__all__ = ["Work"]


class Work:
    """An agent, and what it is at."""

    def __init__(self, book: Book, id: str, draft: Draft) -> None:
        self.book = book
        self.id = id
        self.draft = draft
        self._step: Draft | None = None
        self._said: Said | None = None
        self._calls: list[ToolCalled] = []
        """Of the turn that is being written."""
        self._tools: dict[tuple[int, int], Draft] = {}
        """Calls that counted, by step and position."""
        self._waits: float | None = None
        """Since when the step has been in the queue, in seconds of the run."""
        self._queued = 0.0
        """Seconds that it has waited there so far."""

    def add(self, fact: Fact, t: float) -> None:
        """Take in the next fact of this agent, at second `t` of the run."""
        match fact:
            case StepBegan():
                self._began(fact)
            case StepQueued():
                self._waits = t
            case StepSent():
                self._sent(t)
            case StepRetried():
                self._retried(fact)
            case Said():
                self._said = None if fact.cut else fact
            case ToolCalled():
                self._calls.append(fact)
            case StepEnded():
                self._ended(fact)
            case ToolReturned():
                self._returned(fact)
            case AgentPlaced() | AgentEnded():
                self._turned(fact)
            case _:
                pass

    def break_off(self, error: str) -> None:
        """The step that is open, if one is, came to nothing; one that never went out is none.

        Without an `error` it is still running.
        """
        draft, self._step = self._step, None

        if draft is None:
            return

        if self._waits is not None and not draft.events:
            self.book.drop(draft)
        elif error:
            draft.end(self.book.now, error)

    def _turned(self, fact: AgentPlaced | AgentEnded) -> None:
        """It lives elsewhere from now on, or has ended."""
        if isinstance(fact, AgentEnded):
            self._done(fact)
            return

        self.break_off("interrupted")  # with the worker before, if there was one

        if fact.where:
            self.draft.attributes["kimi_nb.worker"] = fact.where

    def _done(self, fact: AgentEnded) -> None:
        error = "" if fact.outcome == "finished" else fact.outcome
        self.break_off(error or "_OTHER")

        for draft in self._tools.values():
            if draft.ended is None:
                draft.end(self.book.now, error)

        self.draft.attributes["kimi_nb.status"] = fact.outcome
        self.draft.end(self.book.now, error, fact.text if error else "")

        if self.book.content:
            finish = "error" if error else "stop"
            self.draft.attributes |= content.answered(fact.text, finish)

    # Steps.

    def _began(self, fact: StepBegan) -> None:
        self.break_off("interrupted")
        self.draft.ended = None  # a resumed run goes on with it
        key = key_of("step", self.id, fact.step)
        self._step = self.book.draft(key, "chat", self.book.model, self.draft.key)
        self._step.calls_out = True
        self._step.attributes |= self._whose() | {
            "gen_ai.request.model": self.book.model,
            "kimi_nb.step": fact.step,
        }
        self._said, self._calls = None, []
        self._waits, self._queued = None, 0.0

    def _sent(self, t: float) -> None:
        draft, since, self._waits = self._step, self._waits, None

        if draft is None or since is None:
            return

        self._queued += t - since
        draft.attributes["kimi_nb.queued_s"] = round(self._queued, 6)

        if not draft.events:
            draft.began = self.book.now

    def _retried(self, fact: StepRetried) -> None:
        self._said, self._calls = None, []

        if self._step is not None:
            why: dict[str, Value] = {
                "error.type": fact.error,
                "exception.message": fact.why,
                "kimi_nb.attempt": fact.attempt,
                "kimi_nb.wait_s": fact.wait,
                "kimi_nb.tokens_in": fact.tokens_in,
                "kimi_nb.tokens_out": fact.tokens_out,
            }
            self.book.note(self._step, "kimi_nb.retry", why)

    def _ended(self, fact: StepEnded) -> None:
        draft, self._step = self._step, None

        if draft is None:
            return

        draft.attributes |= {
            "gen_ai.usage.input_tokens": fact.tokens_in,
            "gen_ai.usage.output_tokens": fact.tokens_out,
            "gen_ai.usage.cache_read.input_tokens": fact.tokens_cached,
            "kimi_nb.usage_estimated": fact.estimated,
        }

        if fact.finish == "failed":
            draft.end(self.book.now, "_OTHER")
            return

        draft.end(self.book.now)
        draft.attributes["gen_ai.response.finish_reasons"] = [fact.finish]

        if self.book.content:
            draft.attributes |= content.turn(self._said, self._calls, fact.finish)

        for call in self._calls:
            self._call(call)

    # Tools.

    def _call(self, fact: ToolCalled) -> None:
        key = key_of("tool", self.id, fact.step, fact.call)
        draft = self.book.draft(key, "execute_tool", fact.tool, self.draft.key)
        draft.began = min(draft.began, self.book.early.get(key, draft.began))
        draft.attributes |= self._whose() | {
            "gen_ai.tool.name": fact.tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": fact.call_id,
            "kimi_nb.step": fact.step,
            "kimi_nb.call": fact.call,
        }
        self._tools[fact.step, fact.call] = draft

        if self.book.content:
            draft.attributes |= content.tool_asked(fact)

    def _returned(self, fact: ToolReturned) -> None:
        draft = self._tools.get((fact.step, fact.call))

        if draft is None or fact.interrupted:  # a resumed run asks again
            return

        draft.end(self.book.now, "" if fact.ok else "tool_error")

        if self.book.content:
            draft.attributes["gen_ai.tool.call.result"] = fact.text

    def _whose(self) -> dict[str, Value]:
        names = ("gen_ai.agent.id", "gen_ai.agent.name")
        return {name: self.draft.attributes[name] for name in names}
