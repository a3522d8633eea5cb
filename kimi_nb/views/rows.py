"""A run as tables for pandas and spreadsheets: lists of flat rows, one type to a column.

    pd.DataFrame(kn.rows(run, "steps"))

A table has the same columns in the same order for every run. None means unknown, or not yet.
Times are seconds since the run began; columns in `_s` are seconds that something took.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import cast

from kimi_nb.errors import UsageFault
from kimi_nb.events import (
    FACTS,
    AgentBegan,
    RunBegan,
    StepBegan,
    StepEnded,
    StepRetried,
    ToolCalled,
)
from kimi_nb.trace import Record
from kimi_nb.views.calls import tool_calls
from kimi_nb.views.fold import Fold, fold, records_of
from kimi_nb.views.measures import measures
from kimi_nb.views.path import critical_path
from kimi_nb.views.state import Agent
from kimi_nb.views.usage import usage

__all__ = ["Row", "Scalar", "columns", "rows", "steps_of"]

Scalar = str | int | float | bool | None
Row = dict[str, Scalar]


def rows(run: Iterable[Record], of: str = "agents") -> list[Row]:
    """One table of a trace, or of a run so far.

    agents  one row an agent, in the order of their begin
    stages  one row a step of the main agent, with the sub-agents that it launched
    steps   one row a step of an agent: what its time went into, tokens, how it ended
    tools   one row a tool call
    path    one row a stretch of the critical path
    facts   one row a record, with the fields of all kinds of facts

    The last column says whether the run is `simulated`: no language model took part. Of the facts
    the first says it. Raises UsageFault for any other name.
    """
    table = TABLES.get(of) if isinstance(cast("object", of), str) else None

    if table is None:
        message = f"there are no rows of {of!r}: give one of {', '.join(TABLES)}"
        raise UsageFault(message)

    records = tuple(records_of(run))
    state = fold(records)
    found = table(records, state)
    return found if of == "facts" else [row | {"simulated": state.simulated} for row in found]


@cache
def columns(of: str = "agents") -> tuple[str, ...]:
    """The names of the columns of a table, which one without rows has too."""
    facts = (
        RunBegan(goal="", model="", simulated=False, seed=0, started=0, version="", options=""),
        AgentBegan(role="single", name="", task="", parent="", stage=0, call=-1),
        StepBegan(step=1),
        ToolCalled(step=1, call=0, call_id="", tool="", arguments=""),
        StepEnded(step=1, finish="tool_calls", tokens_in=0, tokens_out=0, tokens_cached=0),
    )
    least = (Record(n, n, "a" if n else "", fact) for n, fact in enumerate(facts))
    return tuple(rows(least, of)[0])


def _agents(_records: Sequence[Record], run: Fold) -> list[Row]:
    found = measures(run)
    slack = {one.currency: one.slack for one in (found.steps, found.seconds, found.tokens)}
    critical: dict[str, float] = defaultdict(float)

    for segment in critical_path(run):
        critical[segment.agent] += segment.seconds

    return [
        {
            "agent": agent.id,
            "name": agent.name,
            "role": agent.role,
            "parent": agent.parent or None,
            "stage": agent.stage,
            "state": agent.state_at(run.now),
            "worker": agent.where or None,
            "moves": agent.moves,
            "began": agent.began,
            "ended": agent.ended,
            "seconds": round(agent.seconds(run.now), 6),
            "busy_s": round(agent.busy(run.now), 6),
            "queued_s": round(_queued(agent, run.now), 6),
            "steps": agent.steps,
            "tool_calls": agent.tool_calls,
            "failed_tool_calls": agent.failed_tool_calls,
            "retries": agent.retries,
            "tokens_in": agent.tokens_in,
            "tokens_out": agent.tokens_out,
            "tokens_cached": agent.tokens_cached,
            "cost_usd": use.cost_usd,
            **{f"slack_{name}": slack[name].get(agent.id) for name in slack},
            "critical_share": round(critical[agent.id] / (run.now or 1.0), 6),
            "task": agent.task,
            "outcome": agent.outcome,
        }
        for agent, use in zip(run.agents.values(), usage(run), strict=False)
    ]


def _queued(agent: Agent, now: float) -> float:
    return sum((i.ended - i.began for i in agent.timeline(now) if i.kind == "queued"), 0.0)


def _stages(_records: Sequence[Record], run: Fold) -> list[Row]:
    listed: list[Row] = []

    for stage in run.stages.values():
        subs = [run.agents[name] for name in stage.sub_agents]
        ended = stage.ended if all(sub.ended is not None for sub in subs) else None
        row: Row = {
            "parent": stage.parent or None,
            "stage": stage.number,
            "began": stage.began,
            "ended": ended,
            "seconds": round((run.now if ended is None else ended) - stage.began, 6),
            "main_steps": stage.main_steps,
            "main_tokens": stage.main_tokens,
            "sub_agents": len(subs),
            "sub_steps": sum(sub.steps for sub in subs),
            "max_sub_steps": stage.max_sub_steps,
            "critical_steps": stage.critical_steps,
            "sub_busy_s": round(sum((sub.busy(run.now) for sub in subs), 0.0), 6),
            "sub_tokens": sum(sub.tokens_in + sub.tokens_out for sub in subs),
        }
        listed.append(row)

    return listed


@dataclass(slots=True, kw_only=True)
class _Step:
    """One step of an agent so far; its fields are the columns."""

    agent: str
    name: str
    step: int
    began: float
    ended: float | None = None
    """When the turn was complete; its tools run after that."""
    call_s: float = 0.0
    tool_s: float = 0.0
    queued_s: float = 0.0
    retry_s: float = 0.0
    failed_s: float = 0.0
    retries: int = 0
    finish: str | None = None
    """As of StepEnded."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0

    def add(self, fact: StepBegan | StepRetried | StepEnded, t: float) -> None:
        """Take in what happened to it."""
        if isinstance(fact, StepBegan):  # once more, in a run that was resumed
            self.ended = self.finish = None
            return

        self.tokens_in += fact.tokens_in
        self.tokens_out += fact.tokens_out

        if isinstance(fact, StepRetried):
            self.retries += 1
        else:
            self.tokens_cached += fact.tokens_cached
            self.ended, self.finish = t, fact.finish


def steps_of(records: Iterable[Record], run: Fold) -> list[Row]:
    """One row a step, of records and of what they fold into."""
    found: dict[tuple[str, int], _Step] = {}

    for record in records:
        fact = record.fact

        if isinstance(fact, StepBegan | StepRetried | StepEnded):
            agent = run.agents[record.agent]
            new = _Step(agent=agent.id, name=agent.name, step=fact.step, began=record.t)
            found.setdefault((agent.id, fact.step), new).add(fact, record.t)

    for agent in run.agents.values():
        for span in agent.timeline(run.now):
            step, column = found[agent.id, span.step], f"{span.kind}_s"
            setattr(step, column, round(getattr(step, column) + span.ended - span.began, 6))

    return [asdict(step) for step in found.values()]


def _tools(records: Sequence[Record], run: Fold) -> list[Row]:
    return [
        {
            "agent": call.agent,
            "name": run.agents[call.agent].name,
            "step": call.step,
            "call": call.call,
            "tool": call.tool,
            "began": call.began,
            "ended": call.ended,
            "seconds": round((run.now if call.ended is None else call.ended) - call.began, 6),
            "outcome": call.outcome,
            "arguments": call.arguments,
            "text": call.text,
            "record": call.record,
        }
        for call in tool_calls(records)
    ]


def _path(_records: Sequence[Record], run: Fold) -> list[Row]:
    return [
        {
            "agent": segment.agent,
            "name": run.agents[segment.agent].name,
            "kind": segment.kind,
            "step": segment.step,
            "began": segment.began,
            "ended": segment.ended,
            "seconds": round(segment.seconds, 6),
            "share": segment.share,
            "record": segment.record,
        }
        for segment in critical_path(run)
    ]


def _facts(records: Sequence[Record], _run: Fold) -> list[Row]:
    columns = {field.name: field.type for cls in FACTS.values() for field in fields(cls)}
    empty = dict.fromkeys(columns)
    listed: list[Row] = []

    for record in records:
        fact = record.fact
        row: Row = {
            "seq": record.seq,
            "t": float(record.t),
            "agent": record.agent,
            "fact": type(fact).__name__,
        }
        values = {name: getattr(fact, name) for name in fact.__slots__}
        reals = {n: float(v) for n, v in values.items() if columns[n] == "float"}
        listed.append(row | empty | values | reals)

    return listed


TABLES: Mapping[str, Callable[[Sequence[Record], Fold], list[Row]]] = {
    "agents": _agents,
    "stages": _stages,
    "steps": steps_of,
    "tools": _tools,
    "path": _path,
    "facts": _facts,
}
