"""The spans of a run: one pass over its records, and no SDK.

The run is `invoke_workflow`, every agent `invoke_agent`, every step `chat` and every tool call
`execute_tool`. A sub-agent hangs under the call that launched it, an agent of a plan under the
run, with links to those that it came after. Usage is told by the `chat` spans alone, or who sums
up spans would count it twice.

A call's span begins when it first went out: what it waited in the queue is `kimi_nb.queued_s`.
One that never went out is no span. What is still open at the latest record ends there, with the
status "running".
"""

from __future__ import annotations

from collections.abc import Iterable

from kimi_nb.errors import CorruptTrace, TraceError
from kimi_nb.events import AgentBegan, Fact, Judged, RunBegan, RunEnded, RunForked, RunResumed
from kimi_nb.trace import Record
from kimi_nb.views.fold import records_of
from kimi_nb.views.otel import content
from kimi_nb.views.otel.book import Book, key_of
from kimi_nb.views.otel.draft import ROOT, Draft, identity
from kimi_nb.views.otel.work import Work

__all__ = ["Sketch", "sketch"]


def sketch(records: Iterable[Record], *, content: bool) -> Sketch:
    """The spans of a trace, with what was said if `content`.

    Raises TraceError where it has no begin, and CorruptTrace where an agent has none.
    """
    run = Sketch(content=content)

    for record in records_of(records):
        run.add(record)

    run.close()
    return run


class Sketch:
    """The spans of a run so far."""

    def __init__(self, *, content: bool) -> None:
        self.run = ""
        """Which run it is: the same 32 hexadecimal digits, however often one looks."""
        self._book = Book(content=content)
        self._works: dict[str, Work] = {}
        self._base = 0
        """Nanoseconds since the epoch at second 0 of the records."""

    @property
    def drafts(self) -> dict[str, Draft]:
        """The spans by key, in the order in which they began to be known."""
        return self._book.drafts

    @property
    def simulated(self) -> bool:
        return self._book.simulated

    def add(self, record: Record) -> None:
        """Take in the next record."""
        fact = record.fact

        if isinstance(fact, RunBegan):
            self._begin(fact)
        elif not self.run:
            raise TraceError("the trace does not begin with RunBegan, so nobody knows when it was")

        if isinstance(fact, RunResumed | RunForked):
            self._go_on(record, fact)

        self._book.now = self._base + round(record.t * 1e9)

        if not record.agent:
            self._of_run(fact)
        elif isinstance(fact, AgentBegan):
            self._agent_began(record.agent, fact)
        elif record.agent in self._works:
            self._works[record.agent].add(fact, record.t)
        else:
            message = f"record {record.seq}: agent {record.agent!r} has not begun"
            raise CorruptTrace(message)

    def take(self) -> list[Draft]:
        """The spans that have ended for good since the last call."""
        return self._book.take()

    def take_rest(self) -> list[Draft]:
        """All others, with the run's own as the last; see `close`."""
        return self._book.take_rest()

    def close(self) -> None:
        """What is still open ends at the latest record."""
        for work in self._works.values():
            work.break_off("")

        for draft in self.drafts.values():
            if draft.ended is None:
                draft.end(self._book.now)
                draft.attributes["kimi_nb.status"] = "running"

    def _begin(self, fact: RunBegan) -> None:
        parts = (fact.goal, fact.model, fact.seed, fact.started, fact.options, fact.process)
        self.run = f"{identity(*map(repr, parts), size=16):032x}"
        self._base = round(fact.started * 1e6) * 1000
        book = self._book
        book.model, book.simulated, book.now = fact.model, fact.simulated, self._base
        root = book.draft(ROOT, "invoke_workflow", "kimi_nb")
        root.attributes |= {"gen_ai.workflow.name": "kimi_nb", "kimi_nb.version": fact.version}

        if book.content:
            root.attributes |= content.asked(fact.goal)

    def _go_on(self, record: Record, fact: RunResumed | RunForked) -> None:
        """Another process, perhaps long after the first: its times count from its own start."""
        self._book.now = self._base + round(record.t * 1e9)

        for work in self._works.values():
            work.break_off("interrupted")

        self.drafts[ROOT].ended = None
        self._book.doubt()

        if isinstance(fact, RunForked):  # what follows is not what followed in the other log
            self.run = f"{identity(self.run, repr(fact.started), fact.process, size=16):032x}"

        began = round(fact.started * 1e6) * 1000 - round(record.t * 1e9)
        self._base = max(self._base, began)
        self._book.now = self._base + round(record.t * 1e9)
        self._book.model = fact.model or self._book.model
        name = "kimi_nb.forked" if isinstance(fact, RunForked) else "kimi_nb.resumed"
        self._book.note(self.drafts[ROOT], name, {"kimi_nb.version": fact.version})

    def _of_run(self, fact: Fact) -> None:
        root = self.drafts[ROOT]

        if isinstance(fact, Judged):
            score = {
                "gen_ai.evaluation.name": fact.by,
                "gen_ai.evaluation.score.value": fact.quality,
                "gen_ai.evaluation.score.label": "pass" if fact.success else "fail",
            }
            self._book.note(root, "gen_ai.evaluation.result", {**score})
        elif isinstance(fact, RunEnded):
            root.attributes["kimi_nb.status"] = fact.status
            root.end(self._book.now, "failed" if fact.status == "failed" else "", fact.why)

            if self._book.content:
                root.attributes |= content.answered(fact.answer, "stop")

    def _agent_began(self, id: str, fact: AgentBegan) -> None:
        if id in self._works:
            return

        launcher = key_of("tool", fact.parent, fact.stage, fact.call)
        parents = (launcher, key_of("agent", fact.parent), ROOT) if fact.parent else (ROOT,)
        draft = self._book.draft(key_of("agent", id), "invoke_agent", fact.name, *parents)
        draft.after = tuple(key_of("agent", other) for other in fact.after.split())
        draft.attributes |= {
            "gen_ai.agent.id": id,
            "gen_ai.agent.name": fact.name,
            "kimi_nb.role": fact.role,
            "kimi_nb.stage": fact.stage,
        }
        self._works[id] = Work(self._book, id, draft)

        if launcher not in self.drafts:
            self._book.early.setdefault(launcher, self._book.now)

        if self._book.content:
            draft.attributes |= content.asked(fact.task)
