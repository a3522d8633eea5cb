"""Where a run lost steps, time and tokens, and what to change: from its trace alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kimi_nb.trace import Record
from kimi_nb.views.diagnosis import bound, collapse, overflow, spurious
from kimi_nb.views.diagnosis.case import Case, read_case
from kimi_nb.views.diagnosis.findings import Cost, Diagnosis, Finding
from kimi_nb.views.diagnosis.rollouts import fitting
from kimi_nb.views.diagnosis.uneven import uneven

__all__ = ["Cost", "Diagnosis", "Finding", "diagnose"]


def diagnose(run: Iterable[Record]) -> Diagnosis:
    """The findings about a trace, or about a run so far, the most costly first.

    Serial collapse, spurious parallelism, stragglers, imbalance, an orchestrator that took most
    of the time, waiting for limits, and what did not fit into a window. Every finding names the
    records that are its evidence and what it cost; the rules, with their thresholds and what their
    cost means, are in the modules that hold them. What an agent that still works may yet do is
    held against nobody.

    Raises CorruptTrace where an agent does something before it began.
    """
    case = read_case(run)
    told = (fitting(finding, case.run.options) for finding in _found(case))
    found = sorted(told, key=lambda finding: -_weight(case, finding.cost))
    return Diagnosis(tuple(found), case.run.status == "running", case.run.simulated)


def _found(case: Case) -> Iterator[Finding]:
    yield from collapse.one_by_one(case)
    yield from collapse.alone(case)
    copies = spurious.copies_in(case)
    yield from spurious.duplicates(case, copies)
    yield from spurious.unused(case, copies)
    yield from spurious.empty(case)
    yield from spurious.failed(case, frozenset(agent.id for agent in overflow.overflown(case)))
    idle = list(spurious.idle_splits(case))
    yield from idle
    limited = list(bound.limiter(case))
    yield from limited
    told = {agent for finding in idle for agent in finding.agents}
    yield from (f for f in uneven(case, limited=bool(limited)) if told.isdisjoint(f.agents))
    yield from bound.orchestrator(case)
    yield from overflow.too_long(case)
    yield from overflow.cut_turns(case)
    yield from overflow.long_results(case)


def _weight(case: Case, cost: Cost) -> float:
    """The largest share that a cost has: of the run's steps, its wall time, its tokens."""
    whole = case.run.steps, case.run.now, case.run.tokens_in + case.run.tokens_out
    shares = ((part or 0.0) / every for part, every in zip(cost, whole, strict=True) if every)
    return max(shares, default=0.0)
