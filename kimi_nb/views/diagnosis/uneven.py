"""Stages that waited: for a straggler, or because the work was dealt out unevenly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from statistics import mean, median

from kimi_nb.views.diagnosis.case import Case
from kimi_nb.views.diagnosis.findings import Cost, Finding, evidence, listed, quote
from kimi_nb.views.state import Agent, Kind
from kimi_nb.views.words import count, seconds

__all__ = ["uneven"]

SLOWER = 2.0
"""Times the median of its stage from which a sub-agent straggles. Half as much again is usual."""
FEW = 1 / 3
"""Share of a stage that may straggle; if more do, it is the stage that is uneven."""
UNEVEN = 1.5
"""Times the mean from which the slowest of a stage makes it uneven. 6, 9, 4 and 7 are 1.4."""
MORE_STEPS = 1.5
"""Times the steps of the others from which many steps, not slow calls, are what took so long."""
ALIKE = 0.01
"""Squared sine between the steps and the tokens of agents, up to which they say the same."""
WAITS = frozenset({"queued", "retry"})
WORK = frozenset({"call", "tool"})
"""Kinds of time that can be dealt out otherwise."""


def uneven(case: Case, *, limited: bool) -> Iterator[Finding]:
    """Stages in which the rest waited for few (straggler), or in which max ≫ mean (imbalance).

    Never both for one stage, and only for what decided the wall time: the slowest is on the
    critical path, and the wait matters. Slower calls for the same work make no imbalance. Where
    waiting itself was the cause and is a finding already (`limited`), it is not said again. Plans
    have no stages that wait.

    Cost: of a straggler, critical steps and seconds between the slowest and the slowest of the
    rest; of an imbalance, between the slowest and the mean (the barrier). Tokens: none, for the
    work stays the same.
    """
    path = set(case.path.agents)

    for stage in case.stages():
        team = case.team(stage)

        if len(team) > 1 and all(agent.ended is not None for agent in team):
            last = max(team, key=_end)
            found = _straggler(case, team, last) or _imbalance(case, team, last)

            if (
                last.id in path
                and found is not None
                and not (limited and _cause(case, last, team)[0] in WAITS)
            ):
                yield found


def _end(agent: Agent) -> float:
    return agent.ended or 0.0


def _straggler(case: Case, team: Sequence[Agent], last: Agent) -> Finding | None:
    lasted = {agent.id: agent.seconds(case.run.now) for agent in team}
    usual = median(lasted.values())
    slow = [agent for agent in team if lasted[agent.id] > SLOWER * usual]
    rest = [agent for agent in team if lasted[agent.id] <= SLOWER * usual]

    if not slow or len(slow) > FEW * len(team):
        return None

    spared = _end(last) - max(map(_end, rest))

    if not case.matters(spared):
        return None

    steps = max(a.steps for a in team) - max(a.steps for a in rest)
    _, why, advice = _cause(case, last, rest)
    ids = tuple(agent.id for agent in slow)
    return Finding(
        "straggler",
        ids,
        evidence(n for agent in slow for n in (agent.record, agent.last_record)),
        Cost(steps or None, round(spared, 6)),
        f"{quote(last.id)} took {seconds(lasted[last.id])}, the median of its stage is "
        f"{seconds(usual)}, and {count(len(rest), 'sub-agent')} waited {seconds(spared)}: {why}.",
        advice,
    )


def _imbalance(case: Case, team: Sequence[Agent], last: Agent) -> Finding | None:
    lasted = {agent.id: agent.seconds(case.run.now) for agent in team}
    usual = mean(lasted.values())
    barrier = lasted[last.id] - usual

    if lasted[last.id] <= UNEVEN * usual or not case.matters(barrier):
        return None

    steps = [agent.steps for agent in team]
    saved = max(steps) - ceil(mean(steps))
    kind, why, advice = _cause(case, last, team)
    why = f": {why}"

    if kind == "call" and last.state != "failed" and not _had_more(last, team, case.run.now):
        return None

    if kind in WORK and last.state != "failed":
        why = ""
        advice = (
            f"Deal the work out more evenly: give a part of what {listed([last.id])} did to the "
            f"others, or split it further."
        )

    return Finding(
        "imbalance",
        tuple(agent.id for agent in team),
        evidence(n for agent in team for n in (agent.record, agent.last_record)),
        Cost(saved or None, round(barrier, 6)),
        f"In a stage of {count(len(team), 'sub-agent')} the slowest, {quote(last.id)}, took "
        f"{seconds(lasted[last.id])} and the mean {seconds(usual)}, so that the barrier cost "
        f"{seconds(barrier)}{why}.",
        advice,
    )


def _had_more(last: Agent, team: Sequence[Agent], now: float) -> bool:
    """Whether it would be the slowest by far with calls as fast as those of the others.

    Of a hundred that do alike some get slower answers, and some of these wrote more than others,
    too, by chance: no other way to deal the work helps.
    """
    rest = [agent for agent in team if agent is not last]
    own = last.seconds(now) - _in_calls(last, now) + _at_pace_of(rest, last, now)
    return own > UNEVEN * mean([own, *(agent.seconds(now) for agent in rest)])


def _at_pace_of(others: Sequence[Agent], agent: Agent, now: float) -> float:
    """Seconds that its calls would have taken at the others' seconds a step and a written token.

    Both by least squares over the others, neither below zero. Where all of these wrote alike in
    each step, nobody can tell one from the other: then whichever says more.
    """
    rows = [(a.steps, a.tokens_out, _in_calls(a, now)) for a in others]
    steps, tokens = sum(s * s for s, _, _ in rows), sum(t * t for _, t, _ in rows)
    both = sum(s * t for s, t, _ in rows)
    by_step, by_token = sum(s * y for s, _, y in rows), sum(t * y for _, t, y in rows)
    only = (
        agent.steps * by_step / steps if steps else 0.0,
        agent.tokens_out * by_token / tokens if tokens else 0.0,
    )
    apart = steps * tokens - both * both

    if apart <= ALIKE * steps * tokens:
        return max(only)

    a_step = (tokens * by_step - both * by_token) / apart
    a_token = (steps * by_token - both * by_step) / apart

    if a_token < 0:
        return only[0]

    return only[1] if a_step < 0 else agent.steps * a_step + agent.tokens_out * a_token


def _in_calls(agent: Agent, now: float) -> float:
    return _by_kind(agent, now).get("call", 0.0)


def _cause(case: Case, slowest: Agent, others: Sequence[Agent]) -> tuple[str, str, str]:
    """(kind of time, why, advice): the kind of time of which it had most more than the others."""
    now = case.run.now
    rest = [agent for agent in others if agent is not slowest]
    own = _by_kind(slowest, now)
    kinds: tuple[Kind, ...] = ("call", "tool", "failed", "queued", "retry")
    usual = {
        kind: median([_by_kind(agent, now).get(kind, 0.0) for agent in rest]) for kind in kinds
    }
    most = max(kinds, key=lambda kind: own.get(kind, 0.0) - usual[kind])
    steps = median([agent.steps for agent in rest])
    why, advice = _WORDS[most](slowest, own.get(most, 0.0), usual[most], steps)

    if slowest.state == "failed" and most in WORK:
        why = "it failed in the end"
        advice = "See why it failed, and say in its task when to give up."

    return most, why, advice


def _by_kind(agent: Agent, now: float) -> dict[Kind, float]:
    found: dict[Kind, float] = {}

    for span in agent.timeline(now):
        found[span.kind] = found.get(span.kind, 0.0) + span.ended - span.began

    return found


def _calls(agent: Agent, own: float, usual: float, steps: float) -> tuple[str, str]:
    if agent.steps > MORE_STEPS * steps:
        why = f"it took {count(agent.steps, 'step')}, the others {steps:g}"
        return why, "Give its work to several sub-agents, or name in its task when it is done."

    each, theirs = own / max(agent.steps, 1), usual / max(steps, 1)
    why = f"its calls were slower, {seconds(each)} a step beside {seconds(theirs)}"
    return why, "Ask it for a shorter answer, or give what it wrote at length to several."


def _tools(_agent: Agent, own: float, usual: float, _steps: float) -> tuple[str, str]:
    why = f"its tools ran {seconds(own)} beside {seconds(usual)}"
    return why, "Make that tool faster, give it a time limit, or split what it works on."


def _fails(agent: Agent, own: float, _usual: float, _steps: float) -> tuple[str, str]:
    attempts = sum(1 for span in agent.intervals if span.kind == "failed")
    why = f"{count(attempts, 'attempt')} failed, which took {seconds(own)}"
    return why, "See why its attempts failed, and shorten the time limit of a call."


def _waits(agent: Agent, own: float, _usual: float, _steps: float) -> tuple[str, str]:
    after = f", with {count(agent.retries, 'attempt')} that failed" if agent.retries else ""
    why = f"it waited {seconds(own)}{after}"
    return why, "Launch fewer sub-agents at once, or let the endpoint allow more."


_WORDS: Mapping[Kind, Callable[[Agent, float, float, float], tuple[str, str]]] = {
    "call": _calls,
    "tool": _tools,
    "failed": _fails,
    "queued": _waits,
    "retry": _waits,
}
