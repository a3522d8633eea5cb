"""Other people's spans as a trace, so that what measures a swarm measures theirs too."""

from __future__ import annotations

import warnings
from collections import Counter

import orjson

from kimi_nb._version import __version__
from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.events import RunBegan, RunEnded
from kimi_nb.trace import Record, Trace
from kimi_nb.views.otel.crew import Worker, crew_of
from kimi_nb.views.otel.dialects import kind_of, model_of, own
from kimi_nb.views.otel.lanes import part
from kimi_nb.views.otel.retell import Retold, retell
from kimi_nb.views.otel.spans import Span, read_spans
from kimi_nb.views.words import count

__all__ = ["SpansWarning", "from_spans"]


class SpansWarning(UserWarning):
    """Spans hold more, or less, than a trace can."""


def from_spans(spans: object, *, trace_id: str = "") -> Trace:
    """The run in OpenTelemetry spans of agents, model calls and tools, as a trace.

    `spans` is a path to OTLP JSON (one object with resourceSpans, or one on each line, as the
    Collector's file exporter writes them), such an object, or a list of the SDK's ReadableSpan;
    by the GenAI conventions, in older names of theirs too, OpenInference or OpenLLMetry. Where
    there are several traces, `trace_id` says which by the begin of its id; without it the one
    with most model calls is taken, with a warning that names the others.

    The agent at the top is the orchestrator, or "single" if it launches nobody; agents beneath a
    tool call, a node that runs beside others, or a handoff are its sub-agents, in the stage of
    the model call that began last before them. What spans do not say (queues, retries) is not in
    the trace. Raises TraceError for what is no span and where no model was called, and UsageFault
    for any other source and for an id that is not there.
    """
    chosen = _chosen(read_spans(spans), str(trace_id))

    for span in chosen:
        if own(span, "status") == "running":
            span.ended = None  # our own, of a run that was going on

    root = crew_of(chosen)
    branches = _part(root)
    told = retell(root)
    began, until = min(s.began for s in chosen), max(s.until for s in chosen)
    first = _run_began(chosen, told, began)
    facts = sorted(told.facts, key=lambda fact: fact[0])  # stable: what caused stands first
    records = [Record(0, 0.0, "", first)]

    for at, agent, fact in facts:
        records.append(Record(len(records), round((at - began) / 1e9, 6), agent, fact))

    last = _run_ended(chosen, root, told)

    if last is not None:
        at = max(records[-1].t, round((until - began) / 1e9, 6))
        records.append(Record(len(records), at, "", last))

    _complain(told, branches)
    return Trace(records)


def _chosen(spans: list[Span], trace_id: str) -> list[Span]:
    """The spans of one trace, without the shadows that logfire writes of those still to end."""
    spans = [s for s in spans if s.attributes.get("logfire.span_type") != "pending_span"]
    calls = Counter(span.trace for span in spans if kind_of(span) == "call")

    if not calls:
        message = (
            f"no model call in {count(len(spans), 'span')}: nothing names gen_ai.operation.name, "
            "openinference.span.kind or traceloop.span.kind as one does"
        )
        raise TraceError(message)

    listed = ", ".join(f"{name} ({count(n, 'model call')})" for name, n in calls.most_common(5))

    if not trace_id:
        ((taken, _),) = calls.most_common(1)

        if len(calls) > 1:
            what = f"{count(len(calls), 'trace')}: took {taken}; give trace_id= to choose: {listed}"
            warnings.warn(what, SpansWarning, stacklevel=3)
    else:
        found = [name for name in calls if name.startswith(trace_id.lower())]

        if len(found) != 1:
            how = "no trace" if not found else "more than one trace"
            raise UsageFault(f"{how} begins with {trace_id!r}; there are: {listed}")

        (taken,) = found

    return [span for span in spans if span.trace == taken]


def _part(root: Worker) -> int:
    """Branches for calls that overlap, in any of the team; returns how many."""
    made, waiting = 0, [root]

    while waiting:
        worker = waiting.pop()
        waiting += worker.team
        made += part(worker)

    return made


def _run_began(spans: list[Span], told: Retold, began: int) -> RunBegan:
    models = dict.fromkeys(model for s in spans if kind_of(s) == "call" and (model := model_of(s)))
    marked = any(span.attributes.get("kimi_nb.simulated") is True for span in spans)
    about = {
        "from": sorted({span.scope for span in spans if span.scope}),
        "trace": spans[0].trace,
    }
    options = orjson.dumps({"imported": about}, option=orjson.OPT_SORT_KEYS).decode()
    return RunBegan(
        goal=told.goal,
        model=" + ".join(models),
        simulated=marked or set(models) == {"simulator"},
        seed=0,
        started=began / 1e9,
        version=__version__,
        options=options,
    )


def _run_ended(spans: list[Span], root: Worker, told: Retold) -> RunEnded | None:
    status = next((own(span, "status") for span in spans if own(span, "version")), "")

    if told.running or status == "running":
        return None

    error = root.span.error if root.span else ""

    if status not in {"finished", "partial", "cancelled", "over_budget", "failed"}:
        status = "failed" if error else "finished"

    why = "" if status == "finished" else error or f"its spans say that it was {status}"
    return RunEnded(status=status, answer=told.answer, why=why)


def _complain(told: Retold, branches: int) -> None:
    """Warn of what the trace shows otherwise than it was."""
    said: list[str] = []

    if branches:
        said.append(
            f"model calls of one agent overlap, and no span tells its branches apart: they are "
            f"shared out among {count(branches, 'sub-agent')}, as few as there can have been"
        )

    if told.nested:
        said.append(
            f"{count(told.nested, 'sub-agent')} of sub-agents: shown beside those who launched "
            "them, so the critical steps may be more than what is shown"
        )

    if told.lost:
        said.append(f"{count(told.lost, 'tool call')} before any model call: left out")

    for what in said:
        warnings.warn(what, SpansWarning, stacklevel=3)
