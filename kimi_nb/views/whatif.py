"""What if: a run's tasks scheduled again, with something changed. Predictions, no measurements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.diagnosis.flow import needs
from kimi_nb.views.fold import Fold, as_fold, records_of
from kimi_nb.views.forecast.changes import by_level, in_parts, rescaled, unbarred, without_after
from kimi_nb.views.forecast.prediction import Prediction
from kimi_nb.views.forecast.schedule import Row, schedule
from kimi_nb.views.forecast.wish import Wish, known
from kimi_nb.views.tasks import Task, tasks

__all__ = ["what_if"]


def what_if(  # noqa: PLR0913 -- one keyword for each thing that one may change
    run: Fold | Iterable[Record],
    *,
    workers: int | None = None,
    barriers: bool | None = None,
    faster: Mapping[str, float] | None = None,
    split: Mapping[str, int] | None = None,
    sizes: Mapping[str, int] | None = None,
    assign: Mapping[str, int] | None = None,
    without: Collection[tuple[str, str]] = (),
    order: Sequence[str] | None = None,
) -> Prediction:
    """How long the run would have taken with something changed, in seconds and in steps.

    Its tasks, sub-agents and the steps of the main agent (`measures` has the same), are
    scheduled greedily: whenever a worker is free it takes the first ready task of the list. The
    list is the order in which they began. Waiting for a limit, retries' pauses and hand-over
    are no tasks: the run as it was, reckoned in the same way, stands beside the prediction.

    workers: how many agents work at once, an orchestrator's step too; None: all that are ready.
    barriers: True: stage by stage (of an explicit plan, each level waits for all of the one
        before). False: without. None: as the run was.
    faster: by task, how many times as fast; steps and tokens stay.
    split: by sub-agent, how many share its steps, seconds and tokens: "a3.1", "a3.2" ….
    sizes: by task, how many steps it takes; seconds and tokens in proportion.
    assign: by task, the number of the worker that does it, from 1. Others go to any worker;
        without a number of `workers`, to one of their own.
    without: pairs (a, b) where b does not wait for a.
    order: ids that stand in front of the list, in this order.

    Without barriers, a sub-agent is launched as soon as those earlier ones have ended whose
    results its prompt shows, at once if there are none; the turn that launches it is paid for
    in front of it, once for each set of results that is waited for. The last turn waits for
    all. That is optimistic: what an orchestrator took from a result without a trace in the
    prompt, what it learnt from its other turns, and that it writes one turn at a time, is left
    out.

    Raises UsageFault for a task that is not there, a factor that is not above 0, fewer than one
    part, step or worker, a dependency that is not there, and where tasks wait for each other.
    """
    if barriers is False and not isinstance(run, Fold | Sequence):
        run = list(records_of(run))  # read twice

    wish = Wish(
        workers=workers,
        barriers=barriers,
        faster=faster or {},
        split=split or {},
        sizes=sizes or {},
        assign=assign or {},
        without=without,
        order=order or (),
    )
    state = as_fold(run)
    was = tasks(state)
    needed: Mapping[str, frozenset[str]] = _needs(run) if barriers is False else {}
    wish.check(was, needed)
    listed, turns = _untied(rescaled(was, wish.sizes, wish.faster), wish, needed)
    listed, parts = in_parts(listed, wish.split)
    named = {task.id: [task.id] for task in listed if task.role} | turns | parts
    known(named, *wish.assign, *wish.order)
    pinned = {part: n for name, n in wish.assign.items() for part in named[name]}
    listed = _in_order(listed, [part for name in wish.order for part in named[name]])
    now, before = _reckon(listed, workers, pinned), _reckon(was)
    return Prediction(
        change=str(wish),
        workers=workers,
        seconds=now.seconds,
        critical_steps=now.steps,
        work_s=now.work_s,
        tokens=now.tokens,
        was_seconds=before.seconds,
        was_steps=before.steps,
        was_work_s=before.work_s,
        was_tokens=before.tokens,
        wall_s=round(state.now, 6),
        rows=now.rows,
        simulated=state.simulated,
    )


class _Reckoned(NamedTuple):
    seconds: float
    steps: int
    work_s: float
    tokens: int
    rows: tuple[Row, ...]


def _reckon(
    listed: Sequence[Task], workers: int | None = None, pinned: Mapping[str, int] | None = None
) -> _Reckoned:
    gates = {task.id for task in listed if not task.role}
    rows = schedule(listed, "seconds", workers=workers, pinned=pinned)
    steps = schedule(listed, "steps", workers=workers, pinned=pinned)
    return _Reckoned(
        seconds=max((row.ended for row in rows), default=0.0),
        steps=round(max((row.ended for row in steps), default=0.0)),
        work_s=round(sum(row.ended - row.began for row in rows), 6),
        tokens=round(sum(task.tokens for task in listed)),
        rows=tuple(row for row in rows if row.task not in gates),
    )


def _needs(run: Fold | Iterable[Record]) -> Mapping[str, frozenset[str]]:
    if isinstance(run, Fold):
        message = "barriers=False reads prompts and results: give the trace itself, not its fold"
        raise UsageFault(message)

    return needs(run)


def _untied(
    listed: list[Task], wish: Wish, needed: Mapping[str, Collection[str]]
) -> tuple[list[Task], dict[str, list[str]]]:
    """The tasks with the dependencies that are wished for, and the names of turns made anew."""
    gone = set(wish.without)

    if wish.barriers is False:
        kept = {sub: [n for n in names if (n, sub) not in gone] for sub, names in needed.items()}
        listed, turns = unbarred(listed, kept)
        pairs = {(a, b) for x, y in gone for a in turns.get(x, [x]) for b in turns.get(y, [y])}
        return without_after(listed, pairs), turns

    listed = without_after(listed, gone)
    planned = all(task.role == "sub-agent" for task in listed)
    return by_level(listed) if wish.barriers and planned else listed, {}


def _in_order(listed: Sequence[Task], first: Iterable[str]) -> list[Task]:
    """The tasks, those named `first` in front."""
    by_name = {task.id: task for task in listed}
    return list(({name: by_name[name] for name in first} | by_name).values())
