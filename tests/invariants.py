"""What must hold of every run that has ended, whatever went wrong in it: I1 to I7.

    before = held()                                   # what the process holds, for I4
    async with KimiServer(script) as server:
        run = await kn.swarm("…", base_url=server.base_url, key=KEY, model="kimi-k3", trace=path)
    check_invariants(run, server=server, before=before, secrets=[KEY], paths=[tmp_path])

I1  Each agent that began has ended in exactly one terminal state, and what has finished stays so.
I2  No call goes out once the budget is spent: what was out by then is all that may exceed it.
I3  What was acknowledged, in memory or to a follower (`seen`), is in the file.
I4  No task, child process or file descriptor is left. Give `before`, from `held()`, taken before
    the server of the test was started, and check after it was closed.
I5  No secret stands in the trace, in what shows a run, in `paths` or in `texts`.
I6  No completed call was paid for twice, over all processes that wrote the log.
I7  What is measured fits: two reckonings of the span agree, and it is no longer than the wall time.
    Only where sub-agents went on after their orchestrator's next step had begun, as with a larger
    budget, may that of the graph be more: the step waits twice there and is one task in the graph.

`server` is whatever answered: a scripted model, a mock server, or a list of all that did. It may
have `completed`, the answers that it gave to their end, as a number or as something with a length,
and `paid_twice`, of the same kind: those of them that it had given already. A model that has
neither is not asked. It must have answered all of the run and nothing else.

`check_so_far` is the part that holds of every beginning of a run as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

import kimi_nb as kn
from kimi_nb.events import (
    AgentBegan,
    AgentEnded,
    RunBegan,
    RunEnded,
    RunResumed,
    StepBegan,
    StepEnded,
    StepRetried,
    ToolCalled,
    ToolReturned,
)
from kimi_nb.swarm.runtime import runtime
from kimi_nb.trace import Record, Trace
from kimi_nb.views.critical import run_cost
from kimi_nb.views.fold import Fold
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.report import report_html

__all__ = [
    "Held",
    "answered",
    "check_invariants",
    "check_so_far",
    "held",
    "lost_calls",
    "paid_calls",
    "tasks_left",
]

STATUSES = {"finished", "partial", "cancelled", "over_budget", "failed"}
OUTCOMES = {"finished", "failed", "cancelled", "over_budget"}
EPS = 1e-4
SETTLE = 30.0
"""Seconds that closed sockets and ended children have to be gone."""


def check_invariants(
    run: kn.Replay | Trace,
    *,
    server: Any = None,
    budget: kn.Budget | None = None,
    before: Held | None = None,
    secrets: Iterable[str] = (),
    paths: Iterable[Path] = (),
    texts: Iterable[str] = (),
    seen: Sequence[Record] = (),
) -> None:
    """Assert I1 to I7 of a run that has ended. See above for what they are and what they need."""
    run = kn.Replay(run) if isinstance(run, Trace) else run
    budget = budget or _budget_of(run)
    check_so_far(run.trace, budget=budget, prices=run.prices, server=server)
    _ended_once(run)
    _on_disk(run, seen)
    left = tasks_left()
    assert left == [], f"I4: tasks are left: {left}"

    if before is not None:
        left = _left(before)
        assert left == [], f"I4: this is left: {left}"

    _no_secrets(run, [s for s in secrets if s], paths, texts)
    _measured(run)


def check_so_far(
    trace: Iterable[Record],
    *,
    budget: kn.Budget | None = None,
    prices: Mapping[str, Price] = PRICES,
    server: Any = None,
) -> None:
    """Assert what holds of every beginning of a run: the parts of I1, I2 and I6 that do."""
    records = list(trace)
    _orderly(records)

    if budget is not None:
        _within(records, budget, prices)

    if server is not None:
        _paid_once(records, server)


# I1


def _ended_once(run: kn.Replay) -> None:
    last = run.trace[_last_start(run.trace) :]
    ends = [r for r in last if isinstance(r.fact, RunEnded)]
    assert ends == [run.trace[-1]], "I1: the run's end is not one, and the last"
    began = {r.agent for r in run.trace if isinstance(r.fact, AgentBegan)}
    ended = {r.agent: r.fact for r in run.trace if isinstance(r.fact, AgentEnded)}
    assert set(ended) == began, "I1: agents that began and did not end, or the reverse"
    assert {fact.outcome for fact in ended.values()} <= OUTCOMES
    told = {id: (agent.state, agent.outcome) for id, agent in run.fold.agents.items()}
    assert told == {id: (f.outcome, f.text) for id, f in ended.items()}, "I1: what the fold says"
    assert run.status in STATUSES
    assert bool(run.why) == (run.status != "finished" or "could not be written" in run.why)


def _last_start(records: Sequence[Record]) -> int:
    """The place of the record with which the last process began."""
    starts = [i for i, r in enumerate(records) if isinstance(r.fact, RunBegan | RunResumed)]
    return starts[-1]


def _orderly(records: Sequence[Record]) -> None:
    """I1 of a beginning: nobody acts before they began or after they ended, in one process."""
    began: set[str] = set()
    ended: set[str] = set()
    finished: dict[str, str] = {}
    calls: dict[str, set[tuple[int, int]]] = defaultdict(set)

    for record in records:
        id, fact = record.agent, record.fact
        where = f"I1: record {record.seq}, {type(fact).__name__} of {id}"

        if isinstance(fact, RunBegan | RunResumed):
            ended.clear()
            continue

        if not id:
            continue

        assert (id in began) != isinstance(fact, AgentBegan), f"{where}: not begun, or twice"
        began.add(id)
        assert id not in ended, f"{where}: after its end"

        if isinstance(fact, AgentEnded):
            assert finished.get(id, fact.text) == fact.text, f"{where}: with another text"
            ended.add(id)

            if fact.outcome == "finished":
                finished[id] = fact.text
        else:
            assert id not in finished, f"{where}: it had finished in an earlier process"

        if isinstance(fact, ToolReturned):
            assert (fact.step, fact.call) not in calls[id], f"{where}: answered twice"
            calls[id] |= set() if fact.interrupted else {(fact.step, fact.call)}


def answered(records: Iterable[Record]) -> Iterator[tuple[str, ToolCalled, ToolReturned]]:
    """(agent, call, answer) of all tool calls that were answered for good, in that order.

    What a turn asked for that was cut off is void: another call may stand in its place.
    """
    asked: dict[str, dict[tuple[int, int], ToolCalled]] = defaultdict(dict)

    for record in records:
        mine = asked[record.agent]

        match record.fact:
            case StepBegan(step=step) | StepRetried(step=step):
                for key in [key for key in mine if key[0] == step]:
                    del mine[key]
            case ToolCalled(step=step, call=call) as fact:
                mine[step, call] = fact
            case ToolReturned(step=step, call=call, interrupted=False) as fact:
                yield record.agent, mine[step, call], fact
            case _:
                pass


# I7


def _measured(run: kn.Replay) -> None:
    found, live = kn.measures(run.trace), run.metrics
    over = found.seconds.span - live.span_s
    assert over > -EPS, f"I7: two reckonings of the span, {over:+} s: {_told(run.trace)}"
    assert over < EPS or _went_back(run.trace), (
        f"I7: two reckonings of the span, {over:+} s: {_told(run.trace)}"
    )
    assert live.span_s <= live.wall_s + EPS, "I7: the span is longer than the run"
    assert (found.steps.work, found.steps.critical) == (live.total_steps, live.critical_steps)
    assert live.critical_steps <= live.total_steps, "I7: more critical steps than steps"
    assert kn.what_if(run.trace, workers=1).seconds >= found.seconds.work - EPS
    told = {number for finding in kn.diagnose(run.trace) for number in finding.records}
    assert told <= set(range(len(run.trace))), "I7: a finding whose evidence is nowhere"


def _told(records: Iterable[Record]) -> str:
    """All that a span depends on, for a failure that does not come again."""
    return "".join(
        f"\n{r.t} {r.agent} {type(r.fact).__name__} {getattr(r.fact, 'step', '')}" for r in records
    )


def _went_back(records: Iterable[Record]) -> bool:
    """Whether a sub-agent took a step after the step of its orchestrator that came after it."""
    launched: dict[str, tuple[str, int]] = {}
    at: Counter[str] = Counter()
    """The step at which an orchestrator is."""

    for record in records:
        match record.fact:
            case AgentBegan(role="sub-agent", parent=parent, stage=stage):
                launched[record.agent] = (parent, stage)
            case StepBegan(step=step) if record.agent not in launched:
                at[record.agent] = step
            case StepBegan() if at[launched[record.agent][0]] > launched[record.agent][1]:
                return True
            case _:
                pass

    return False


# I2


def _budget_of(run: kn.Replay) -> kn.Budget | None:
    """The budget that held last; None where the trace alone does not say."""
    if isinstance(run, kn.Run):
        return run._engine.account.budget

    first = run.trace[0].fact
    resumed = any(isinstance(r.fact, RunResumed) for r in run.trace)

    if resumed or not isinstance(first, RunBegan):
        return None

    return kn.Budget(**orjson.loads(first.options or "{}").get("budget", {}))


def _within(records: Sequence[Record], budget: kn.Budget, prices: Mapping[str, Price]) -> None:
    start = _last_start(records)
    fold = Fold()
    over = False
    late: dict[str, bool] = {}
    """Whether the latest step of an agent began when the budget was spent already."""

    for place, record in enumerate(records):
        fold.add(record)
        where = f"I2: record {record.seq}: {budget}"

        match record.fact:
            case StepBegan():
                late[record.agent] = over and place > start
            case StepEnded(finish=finish) if finish != "failed":
                assert not late[record.agent], f"{where}: a call went out after it was spent"
            case _:
                pass

        over = over or _spent(fold, budget, prices)

        if place > start:
            _below(len(fold.sub_agents()), budget.agents, records, start, where)
            _below(fold.steps, budget.steps, records, start, where)
            _below(fold.critical_steps, budget.critical_steps, records, start, where)


def _spent(fold: Fold, budget: kn.Budget, prices: Mapping[str, Price]) -> bool:
    tokens = budget.tokens is not None and fold.tokens_in + fold.tokens_out > budget.tokens
    usd = budget.usd is not None and (run_cost(fold, prices) or 0.0) > budget.usd + 1e-9
    return tokens or usd


def _below(
    value: int, limit: int | None, records: Sequence[Record], start: int, where: str
) -> None:
    """A limit that is kept to the last one; an earlier process may have had a larger one."""
    if limit is not None and value > limit:
        earlier = Fold()

        for record in records[:start]:
            earlier.add(record)

        had = max(len(earlier.sub_agents()), earlier.steps, earlier.critical_steps)
        assert had >= value, f"{where}: {value}"


# I3


def _on_disk(run: kn.Replay, seen: Sequence[Record]) -> None:
    if run.path is None:
        return

    written = kn.read(run.path)
    fault = run._log.fault if isinstance(run, kn.Run) else None

    if fault is None:
        assert written == run.trace, "I3: memory and file differ"
    else:
        assert list(written) == list(run.trace[: len(written)]), "I3: the file is no beginning"
        assert run.path.name in run.why, "I3: the run does not say that its log is cut"

    for record in seen:
        assert record.seq < len(written) or fault, f"I3: {record} is lost"
        assert record.seq >= len(written) or written[record.seq] == record, f"I3: not {record}"


# I4


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds of the system."""

    children: frozenset[str]
    files: frozenset[str]


def held() -> Held:
    """What it holds now, with the runtime's loop at work. Nothing where there is no /proc."""
    _ = runtime().loop
    return Held(frozenset(_children()), frozenset(_files()))


def tasks_left() -> list[str]:
    """What still runs on the loop of the engine."""

    async def look() -> list[str]:
        await asyncio.sleep(0)
        return [_where(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]

    return runtime().spawn(look()).result(50)


def _where(task: asyncio.Task[Any]) -> str:
    """Its name, and the lines at which it waits, the innermost last."""
    lines: list[str] = []
    waits: Any = task.get_coro()

    while (frame := getattr(waits, "cr_frame", None)) is not None:
        lines.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        waits = waits.cr_await

    return f"{task.get_name()} at {' '.join(lines)}, {waits!r}"


def _left(before: Held) -> list[str]:
    """What is there now and was not then, a little later where need be."""
    end = time.monotonic() + SETTLE

    while True:
        now = held()
        left = sorted(now.children - before.children) + sorted(now.files - before.files)

        if not left or time.monotonic() > end:
            return left

        time.sleep(0.01)


def _children() -> Iterator[str]:
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            for pid in path.read_text().split():
                with contextlib.suppress(OSError):
                    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                    yield f"process {pid}: {command.decode(errors='replace')[:200]}"


def _files() -> Iterator[str]:
    folder = Path("/proc/self/fd")

    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(OSError):  # the descriptor of this very listing
            yield f"descriptor {path.name}: {path.readlink()}"


# I5


def _no_secrets(
    run: kn.Replay, secrets: Sequence[str], paths: Iterable[Path], texts: Iterable[str]
) -> None:
    if not secrets:
        return

    for name, data in _artefacts(run, paths, texts):
        for secret in secrets:
            assert secret.encode() not in data, f"I5: a secret stands in {name}"


def _artefacts(
    run: kn.Replay, paths: Iterable[Path], texts: Iterable[str]
) -> Iterator[tuple[str, bytes]]:
    yield "repr(run)", repr(run).encode()
    yield "the run's HTML", run._repr_html_().encode()
    yield "the report", report_html(run.trace).encode()
    yield "the records", "\n".join(map(repr, run.trace)).encode()

    if isinstance(run, kn.Run):
        yield "the engine's repr", repr(run._engine).encode()
        yield "the progress", run.progress().encode()

    for number, text in enumerate(texts):
        yield f"text {number}", text.encode()

    for path in (*paths, *([run.path] if run.path else [])):
        for file in (path, *path.rglob("*")):
            if file.is_file():
                yield f"file {file}", file.read_bytes()


# I6


def paid_calls(records: Iterable[Record]) -> int:
    """The steps of a log that were paid for and complete."""
    return sum(isinstance(r.fact, StepEnded) and r.fact.finish != "failed" for r in records)


def lost_calls(records: Iterable[Record]) -> int:
    """The calls that were out when their process or their agent ended, once for each time.

    Their answers may have been complete and may have to be asked for again.
    """
    out: Counter[str] = Counter()
    lost = 0

    for record in records:
        match record.fact:
            case RunResumed():
                lost += out.total()
                out.clear()
            case StepBegan():
                out[record.agent] = 1
            case StepEnded():
                del out[record.agent]
            case AgentEnded():
                lost += out.pop(record.agent, 0)
            case _:
                pass

    return lost + out.total()


def _paid_once(records: Sequence[Record], server: Any) -> None:
    servers = server if isinstance(server, list | tuple) else [server]
    paid, lost = paid_calls(records), lost_calls(records)

    if all(hasattr(each, "completed") for each in servers):
        completed = sum(_count(each.completed) for each in servers)
        told = f"I6: {completed} answers were completed, {paid} are in the log, {lost} were out"
        assert paid <= completed <= paid + lost, told

    twice = sum(_count(getattr(each, "paid_twice", 0)) for each in servers)
    assert twice <= lost, f"I6: {twice} answers were paid for twice, {lost} calls were lost"


def _count(value: Any) -> int:
    value = value() if callable(value) else value
    return value if isinstance(value, int) else len(value)
