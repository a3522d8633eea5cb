"""A run in Chrome's trace event format, which ui.perfetto.dev and chrome://tracing open.

One process; the critical path as its first thread, then a thread for each agent. Within a thread
slices nest, as both programs demand: an agent's whole time, in it its model calls and waits, and
after each turn the tools that it asked for, the longest outermost. Arrows go from who assigned
to who began, and from who came back to the step that waited. Times are whole microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kimi_nb.events import StepRetried
from kimi_nb.trace import Record
from kimi_nb.views.calls import Call, tool_calls
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.fold import Fold, fold, records_of
from kimi_nb.views.graph import graph
from kimi_nb.views.path import critical_path
from kimi_nb.views.rows import Row, Scalar, steps_of
from kimi_nb.views.state import Agent, Interval
from kimi_nb.views.steps import DELEGATES
from kimi_nb.views.text import clean, one_line
from kimi_nb.views.words import label

__all__ = ["chrome_trace"]

Event = dict[str, Any]

PROCESS = 1
PATH = 1
"""Thread of the critical path; those of the agents follow. 0 means "idle" to some readers."""
SHOWN = 400
"""Characters of a text that one sees on clicking at a slice."""
NAMED = 80
"""Characters of a slice's or the process's name."""
TITLES = {
    "call": "step {step}",
    "failed": "step {step}: no answer",
    "queued": "queued",
    "retry": "waiting to try again",
}


class Stretch(NamedTuple):
    """Where something lies: a thread, and microseconds since the run began."""

    thread: int
    began: int
    ended: int


def chrome_trace(run: Iterable[Record]) -> dict[str, Any]:
    """The whole JSON object of a trace, or of a run so far: events in the order of their time."""
    records = tuple(records_of(run))
    state = fold(records)
    threads = {name: PATH + 1 + place for place, name in enumerate(state.agents)}
    events = [
        *_agents(records, state, threads),
        *_path(state),
        *_arrows(state, threads),
        *_counter(state),
    ]
    events.sort(key=lambda event: (event["ts"], -event.get("dur", -1)))
    return {
        "traceEvents": [*_names(state, threads), *events],
        "displayTimeUnit": "ms",
        "otherData": {
            "goal": _cut(state.goal, SHOWN),
            "model": one_line(state.model),
            "simulated": state.simulated,
            "status": one_line(state.status),
            "began": datetime.fromtimestamp(state.started, UTC).isoformat(),
            "version": one_line(state.version),
        },
    }


def _us(t: float) -> int:
    return round(t * 1e6)


def _cut(text: str, most: int) -> str:
    """`text` without what no JSON or page can show, and not longer than that."""
    text = clean(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _names(run: Fold, threads: dict[str, int]) -> Iterator[Event]:
    title = _cut(one_line(run.goal), NAMED) or "a run without a goal"
    simulated = "SIMULATOR: " if run.simulated else ""  # in front: long names lose their middle
    yield _about("process_name", PATH, name=simulated + title)
    yield _about("thread_name", PATH, name="critical path")
    yield _about("thread_sort_index", PATH, sort_index=PATH)

    for agent in run.agents.values():
        thread = threads[agent.id]
        yield _about("thread_name", thread, name=_cut(label(agent), NAMED))
        yield _about("thread_sort_index", thread, sort_index=thread)


def _about(what: str, thread: int, **args: Scalar) -> Event:
    return {"name": what, "ph": "M", "pid": PROCESS, "tid": thread, "ts": 0, "args": args}


def _slice(where: Stretch, kind: str, name: str, **args: Scalar) -> Event:
    return {
        "name": _cut(one_line(name), NAMED) or kind,
        "cat": kind,
        "ph": "X",
        "pid": PROCESS,
        "tid": where.thread,
        "ts": where.began,
        "dur": where.ended - where.began,
        "args": {n: _cut(v, SHOWN) if isinstance(v, str) else v for n, v in args.items()},
    }


# The agents.


def _agents(records: Sequence[Record], run: Fold, threads: dict[str, int]) -> Iterator[Event]:
    steps = {(row["agent"], row["step"]): row for row in steps_of(records, run)}
    calls: dict[str, list[Call]] = {}

    for call in tool_calls(records):
        calls.setdefault(call.agent, []).append(call)

    for agent in run.agents.values():
        thread = threads[agent.id]
        yield _slice(
            _whole(agent, thread, run.now),
            "agent",
            agent.task or agent.name,
            agent=agent.id,
            role=agent.role,
            state=agent.state_at(run.now),
            steps=agent.steps,
            tokens_in=agent.tokens_in,
            tokens_out=agent.tokens_out,
            task=agent.task,
            outcome=agent.outcome,
        )

        for span in agent.timeline(run.now):
            if span.kind != "tool":  # its single tools are there
                yield _turn(span, thread, records, steps[agent.id, span.step])

        yield from _tools(calls.get(agent.id, []), thread, run.now)


def _whole(agent: Agent, thread: int, now: float) -> Stretch:
    return Stretch(thread, _us(agent.began), _us(now if agent.ended is None else agent.ended))


def _turn(span: Interval, thread: int, records: Sequence[Record], row: Row) -> Event:
    args: dict[str, Scalar] = {"step": span.step, "record": span.record}
    fact = records[span.record].fact

    if span.kind == "call":
        args |= {name: row[name] for name in ("finish", "tokens_in", "tokens_out", "tokens_cached")}
    elif span.kind == "retry" and isinstance(fact, StepRetried):
        args |= {"attempt": fact.attempt, "error": fact.error, "why": fact.why}

    where = Stretch(thread, _us(span.began), _us(span.ended))
    return _slice(where, span.kind, TITLES[span.kind].format(step=span.step), **args)


def _tools(calls: Iterable[Call], thread: int, now: float) -> Iterator[Event]:
    waits: dict[float, list[Call]] = {}

    for call in calls:
        if call.tool in DELEGATES:  # of a hundred, one slice: their time is that of sub-agents
            waits.setdefault(call.began, []).append(call)
            continue

        args = {"step": call.step, "outcome": call.outcome, "record": call.record}
        texts = {"arguments": call.arguments, "text": call.text}
        yield _slice(_ran([call], thread, now), "tool", call.tool, **args, **texts)

    for some in waits.values():
        args = {"step": some[0].step, "assignments": len(some), "record": some[0].record}
        yield _slice(_ran(some, thread, now), "wait", "waiting for sub-agents", **args)


def _ran(calls: Sequence[Call], thread: int, now: float) -> Stretch:
    ended = max(now if call.ended is None else call.ended for call in calls)
    return Stretch(thread, _us(calls[0].began), _us(ended))


# What goes across the agents.


def _path(run: Fold) -> Iterator[Event]:
    for segment in critical_path(run):
        where = Stretch(PATH, _us(segment.began), _us(segment.ended))
        yield _slice(
            where,
            "critical path",
            f"{label(run.agents[segment.agent])}: {segment.kind}",
            agent=segment.agent,
            step=segment.step,
            share=segment.share,
            record=segment.record,
        )


def _arrows(run: Fold, threads: dict[str, int]) -> Iterator[Event]:
    """A flow for each edge between two agents, tied to the slices that are open at its ends."""
    found = graph(run)
    whole = {a.id: _whole(a, threads[a.id], run.now) for a in run.agents.values()}
    nodes = whole | _steps(run, whole)
    number = 0

    for source, target in found.edges:
        kind = str(found.edges[source, target]["kind"])
        a, b = nodes[source], nodes[target]
        sent = max(a.began, min(a.ended, b.began) - 1)
        open_at = (whole[found.nodes[node]["agent"]].ended for node in (source, target))

        if kind != "then" and all(t < end for t, end in zip((sent, b.began), open_at, strict=True)):
            number += 1
            common: Event = {"name": kind, "cat": "flow", "id": number, "pid": PROCESS}
            yield common | {"ph": "s", "tid": a.thread, "ts": sent}
            yield common | {"ph": "f", "bp": "e", "tid": b.thread, "ts": b.began}


def _steps(run: Fold, whole: dict[str, Stretch]) -> dict[str, Stretch]:
    """From when to when the turn of each step of a main agent was, by its node in the graph."""
    found = {
        f"{parent}/{step}": Stretch(whole[parent].thread, _us(stage.began), _us(stage.began))
        for (parent, step), stage in run.stages.items()
        if parent
    }

    for agent in run.agents.values():
        for span in agent.timeline(run.now):
            node = f"{agent.id}/{span.step}"

            if node in found and span.kind != "tool":
                found[node] = found[node]._replace(ended=_us(span.ended))

    return found


def _counter(run: Fold) -> Iterator[Event]:
    for began, _, number in concurrency(run):
        common: Event = {"name": "agents", "ph": "C", "pid": PROCESS, "tid": PATH}
        yield common | {"ts": _us(began), "args": {"at work": number}}
