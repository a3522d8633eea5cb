"""What else held a run up: its orchestrator, or the limits of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kimi_nb.views.diagnosis.case import Case
from kimi_nb.views.diagnosis.findings import MOST_RECORDS, Cost, Finding, evidence, quote
from kimi_nb.views.path import Segment
from kimi_nb.views.state import BUSY
from kimi_nb.views.words import count, seconds

__all__ = ["limiter", "orchestrator"]

BOUND_SHARE = 0.5
"""Of the wall time, from which the orchestrator is what took most of it."""
BOUND_S = 5.0
"""Seconds of its turns from which that matters: to launch and to join takes some in any run."""
LEAST_TEAM = 2
"""Sub-agents from which there is something to hold up."""


def orchestrator(case: Case) -> Iterator[Finding]:
    """The orchestrator's own turns and tools are most of the critical path, in spite of sub-agents.

    Only where something of it can be spared: turns between the first and the last that launched
    nobody, or a turn that took longer than any sub-agent on the path.
    Cost: what its turns took that launched nobody, save the first (which may set the team up) and
    the last (the answer): their steps, their seconds on the critical path, their tokens. The rest
    of its time was needed in some form, so how much of it can be saved is unknown.
    """
    main = case.run.main()

    if main is None or main.role != "orchestrator" or len(case.run.agents) <= LEAST_TEAM:
        return

    own = [s for s in case.path if s.agent == main.id and s.kind in BUSY]
    spent = sum(segment.seconds for segment in own)
    turns = [stage for stage in case.run.stages.values() if stage.parent == main.id]
    idle = {stage.number for stage in turns[1:-1] if not stage.sub_agents}

    if spent < BOUND_S or spent <= BOUND_SHARE * case.run.now or not _in_the_way(case, own, idle):
        return

    saved = sum(segment.seconds for segment in own if segment.step in idle)
    steps = sum(stage.main_steps for stage in turns if stage.number in idle)
    tokens = sum(stage.main_tokens for stage in turns if stage.number in idle)
    tools = sum(segment.seconds for segment in own if segment.kind == "tool")
    more = [f", {seconds(tools)} of it tools"] if tools else []
    more += (
        [f"; {count(len(idle), 'turn')} between the first and the last launched nobody"]
        if idle
        else []
    )
    yield Finding(
        "orchestrator-bound",
        (main.id,),
        _longest(own),
        Cost(steps or None, round(saved, 6) or None, tokens or None),
        f"The orchestrator's own {count(main.steps, 'turn')} took {seconds(spent)} of "
        f"{seconds(case.run.now)} ({spent / case.run.now:.0%}){''.join(more)}.",
        _relief(case, own, idle),
    )


def _in_the_way(case: Case, own: Sequence[Segment], idle: set[int]) -> bool:
    """Whether something of it can be spared: to launch and to join once, shortly, is in any run.

    Turns that launched nobody can, and what made one longer than any sub-agent on the path.
    """
    subs = [leg.seconds for leg in case.path.legs() if leg.agent != own[0].agent]
    return bool(idle) or max(segment.seconds for segment in own) > max(subs, default=0.0)


def _relief(case: Case, own: Sequence[Segment], idle: set[int]) -> str:
    """What to change, by what most of its time went into."""
    launches = {stage.number for stage in case.stages()}
    spent = sum(s.seconds for s in own)
    parts = {
        "Leave to sub-agents what those turns did": sum(s.seconds for s in own if s.step in idle),
        "Launch with less to write: map_task takes one template for many": sum(
            s.seconds for s in own if s.step in launches
        ),
    }
    rest = "Ask sub-agents for short results, and let them write what is long"
    parts[rest] = spent - sum(parts.values())

    if 2 * sum(s.seconds for s in own if s.kind == "tool") > spent:
        return "Let sub-agents call those tools, and the orchestrator only launch and join."

    small = sum(agent.busy(case.run.now) for agent in case.run.sub_agents()) <= spent
    advice = max(parts, key=lambda part: parts[part])
    return advice + (", or let a single agent do so small a job." if small else ".")


def limiter(case: Case) -> Iterator[Finding]:
    """Waiting for the limiter, for a budget or after a failed attempt on the critical path.

    Cost: those seconds of the critical path. Steps and tokens: none, a wait takes neither.
    """
    waits = [s for s in case.path if s.kind in {"queued", "retry"}]
    spent = sum(segment.seconds for segment in waits)

    if not case.matters(spent):
        return

    queued = sum(segment.seconds for segment in waits if segment.kind == "queued")
    refused = sum(case.refusals.values())
    longest = max(waits, key=lambda segment: segment.seconds)
    yield Finding(
        "limiter-bound",
        tuple(dict.fromkeys(segment.agent for segment in waits)),
        _longest(waits),
        Cost(seconds=round(spent, 6)),
        f"{seconds(spent)} of {seconds(case.run.now)} ({spent / case.run.now:.0%}) on the critical "
        f"path were waiting, {_parts(queued, spent - queued)}, the longest "
        f"{seconds(longest.seconds)} of {quote(longest.agent)}{_refusals(refused)}.",
        _advice(case, mostly_queued=2 * queued >= spent),
    )


def _parts(queued: float, after: float) -> str:
    """What the waits were for; what there was none of is not said."""
    said = {"in the queue": queued, "after failed attempts": after}
    return " and ".join(f"{seconds(t)} {where}" for where, t in said.items() if t)


def _refusals(number: int) -> str:
    return f"; the endpoint refused {count(number, 'call')} for a limit" if number else ""


def _advice(case: Case, *, mostly_queued: bool) -> str:
    if not mostly_queued and not case.refusals:
        return "See why the attempts failed: the endpoint was not reached, or answered with errors."

    if case.refusals.get("Overloaded", 0) > case.refusals.get("RateLimited", 0):
        return "Launch fewer sub-agents at once, or have the endpoint allow more calls at once."

    return (
        "Raise the limits (a higher tier; concurrency, rpm, tpm; a budget), give fewer max_tokens, "
        "or launch fewer sub-agents at once."
    )


def _longest(segments: Sequence[Segment]) -> tuple[int, ...]:
    longest = sorted(segments, key=lambda segment: -segment.seconds)[:MOST_RECORDS]
    return evidence(segment.record for segment in longest)
