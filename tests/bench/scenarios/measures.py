"""A long trace: what it takes to read, to fold and to measure, beside what parsing alone takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from bench import Columns, Options, Report, Row, Target

from kimi_nb import events as e
from kimi_nb.trace import Record, Trace
from kimi_nb.views.concurrency import concurrency
from kimi_nb.views.critical import metrics
from kimi_nb.views.diagnose import diagnose
from kimi_nb.views.fold import Fold, fold
from kimi_nb.views.measures import measures
from kimi_nb.views.path import critical_path
from kimi_nb.views.whatif import what_if

__all__ = ["run"]

AGENTS = 300
"""Sub-agents of a stage: what Kimi announces for K2.6."""
STEPS = 40
SLICES = 10

COLUMNS: Columns = {
    "what": lambda row: row["label"],
    "s": lambda row: f"{row['s']:.3f}",
    "µs a record": lambda row: f"{row['us']:.2f}",
    "÷ parsing": lambda row: f"{row['ratio']:.2f}",
}


def long_run(count: int) -> Iterator[Record]:
    """Stages of 300 sub-agents with 40 steps each, interleaved as in a real run, of that length."""
    facts = _facts()

    for seq in range(count):
        t, agent, fact = next(facts)
        yield Record(seq, round(t, 6), agent, fact)


def _facts() -> Iterator[tuple[float, str, e.Fact]]:
    yield (
        0.0,
        "",
        e.RunBegan(
            goal="Compare the museums.",
            model="kimi-k3",
            simulated=False,
            seed=0,
            started=1_790_000_000.0,
            version="bench",
            options="{}",
        ),
    )
    main = {"role": "orchestrator", "name": "orchestrator", "task": "Compare the museums."}
    yield 0.0, "a0", e.AgentBegan(**main, parent="", stage=0, call=-1)
    t, stage, born = 0.0, 0, 0

    while True:
        stage += 1
        names = [f"a{born + i + 1}" for i in range(AGENTS)]
        born += AGENTS
        yield t, "a0", e.StepBegan(step=stage)
        t += 2.0

        for call in range(AGENTS):
            yield t, "a0", _called(stage, call, "assign_task")

        yield t, "a0", _ended(stage, "tool_calls")

        for call, name in enumerate(names):
            task = f"Look into museum {name}."
            sub = {"role": "sub-agent", "name": "reader", "task": task}
            yield t, name, e.AgentBegan(**sub, parent="a0", stage=stage, call=call)

        for step in range(1, STEPS + 1):
            for fact, seconds in _step(step):
                for name in names:
                    t += seconds / AGENTS
                    yield t, name, fact

        for call, name in enumerate(names):
            yield t, name, e.AgentEnded(outcome="finished", text=f"{name} opens at 10, 12 euros.")
            yield t, "a0", e.ToolReturned(step=stage, call=call, ok=True, text="opens at 10")


def _step(step: int) -> list[tuple[e.Fact, float]]:
    """A turn of a sub-agent, and what passes before each of its facts, in seconds."""
    return [
        (e.StepBegan(step=step), 0.01),
        (_called(step, 0, "read_file"), 2.0),
        (e.Said(step=step, text="I read the next file."), 0.0),
        (_ended(step, "tool_calls"), 0.0),
        (e.ToolReturned(step=step, call=0, ok=True, text="open 10-18"), 0.3),
    ]


def _called(step: int, call: int, tool: str) -> e.ToolCalled:
    return e.ToolCalled(step=step, call=call, call_id=f"{tool}:{call}", tool=tool, arguments="{}")


def _ended(step: int, finish: str) -> e.StepEnded:
    return e.StepEnded(step=step, finish=finish, tokens_in=900, tokens_out=80, tokens_cached=500)


def run(options: Options) -> Report:
    """Seconds of each view over one trace; and of a record by itself, early and late in it."""
    count = 20_000 if options.quick else 1_000_000
    report = Report("measures", f"A trace of {count:,} records", COLUMNS)
    trace = Trace(long_run(count))
    parsing = _parsing(options, trace)
    state = fold(trace)
    views: dict[str, Callable[[], Any]] = {
        "fold": lambda: fold(trace),
        "metrics of the fold": lambda: metrics(state),
        "measures of the fold": lambda: measures(state),
        "critical path of the fold": lambda: critical_path(state),
        "concurrency of the fold": lambda: concurrency(state),
        "what if, 32 workers": lambda: what_if(state, workers=32),
        "diagnosis, from the records": lambda: diagnose(trace),
    }
    took = {"parsing alone (orjson)": parsing}
    took |= {name: _best(options, view) for name, view in views.items()}
    report.rows = [_row(name, s, count, parsing) for name, s in took.items()]
    done = state.count == count and measures(state).steps.work == state.steps
    report.rows = [row | {"ok": done} for row in report.rows]
    early, late = _early_and_late(trace)
    report.targets = [
        Target("fold ÷ parsing of the same records", took["fold"] / parsing, 3.0),
        Target("a record late in the trace ÷ one early in it", late / early, 1.5),
    ]
    agents = f"{len(state.agents):,} agents, {len(state.stages):,} stages"
    report.notes.append(f"{agents}; a record costs {early:.2f} µs early, {late:.2f} µs late.")
    return report


def _parsing(options: Options, trace: Trace) -> float:
    lines = [orjson.dumps(_plain(record)) for record in trace]
    return _best(options, lambda: [orjson.loads(line) for line in lines])


def _plain(record: Record) -> dict[str, Any]:
    fact = record.fact
    fields = {name: getattr(fact, name) for name in type(fact).__dataclass_fields__}
    return {"seq": record.seq, "t": record.t, "agent": record.agent} | fields


def _best(options: Options, work: Callable[[], Any]) -> float:
    times: list[float] = []

    for _ in range(options.repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)

    return min(times)


def _row(label: str, s: float, count: int, parsing: float) -> Row:
    return {"name": label, "label": label, "s": s, "us": s / count * 1e6, "ratio": s / parsing}


def _early_and_late(trace: Trace) -> tuple[float, float]:
    """µs of a record in the second and in the last tenth, while the run is being followed."""
    state = Fold()
    size = len(trace) // SLICES
    costs: list[float] = []

    for start in range(0, size * SLICES, size):
        part = trace[start : start + size]
        began = time.perf_counter()

        for record in part:
            state.add(record)

        costs.append((time.perf_counter() - began) / size * 1e6)

    return costs[1], costs[-1]
