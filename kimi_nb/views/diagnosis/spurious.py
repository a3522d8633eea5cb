"""Spurious parallelism: sub-agents whose work came to nothing, or saved no time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from kimi_nb.views.diagnosis.case import MATTERS_S, Case, took
from kimi_nb.views.diagnosis.features import LONGEST, is_common
from kimi_nb.views.diagnosis.findings import Cost, Finding, Kind, evidence, listed, quote
from kimi_nb.views.diagnosis.ledger import Sketch
from kimi_nb.views.state import Agent, Stage
from kimi_nb.views.words import count, seconds

__all__ = ["Copies", "copies_in", "duplicates", "empty", "failed", "idle_splits", "unused"]

KIND: Kind = "spurious parallelism"
ALIKE = 0.9
"""Share of the telling words of two results that both have, from which they are nearly the same."""
ALIKE_WORDS = 30
"""Telling words that both must have: short reports ("no problems found") are often the same."""
REPRESENTATIVES = 8
"""Results that a new one is compared with for each word of its sample."""
PROBES = 4
"""Words of a sample by which likely copies are found: copies share at least one almost surely."""
TAKEN_OVER = 0.5
"""Share of what only a failed task was about that a later task names, to take its place."""
_TOKEN = re.compile(r"[\u0e00-\u0eff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\s.,;:!?\"'()]+")


def unused(case: Case, copies: Copies) -> Iterator[Finding]:
    """Results that turn up in no later prompt, no later turn, and not in the answer; see `flow`.

    Those of copies are not said again.
    Cost: what these sub-agents took: their steps, their seconds of work, their tokens.
    """
    if case.run.status != "finished":  # what was stopped had no time to use them
        return

    again = {agent.id for agent, _ in (*copies.of_task, *copies.of_result)}
    agents = [case.run.agents[name] for name in sorted(case.flow.unused - again)]

    if agents:
        who = listed([agent.id for agent in agents])
        yield _wasted(
            case,
            agents,
            f"Nothing of what {count(len(agents), 'sub-agent')} ({who}) brought back turns up in "
            f"a later prompt, a later turn or the answer",
            "Leave out what the answer does not need, or say in the goal what it is good for; "
            "where results were there to choose from, as in a ranking, all is well.",
        )


class Copies(NamedTuple):
    """Sub-agents that did what another of their stage did, each with that other."""

    of_task: list[tuple[Agent, Agent]]
    of_result: list[tuple[Agent, Agent]]


def copies_in(case: Case) -> Copies:
    """Sub-agents with the task of another, and others with nearly the same result."""
    of_task = _same_task(case)
    return Copies(of_task, _same_result(case, {agent.id for agent, _ in of_task}))


def duplicates(case: Case, copies: Copies) -> Iterator[Finding]:
    """Sub-agents of one stage with the same task, or whose results are nearly the same.

    The same configuration and, but for words that tell nothing, the same words in the same
    order. The same task again in a later stage is none: the world may have changed.
    Cost: what all but the first of each kind took.
    """
    if copies.of_task:
        yield _copied(case, copies.of_task, "had the same task as")

    if copies.of_result:
        yield _copied(case, copies.of_result, "brought back nearly the same as")


def _copied(case: Case, pairs: Sequence[tuple[Agent, Agent]], how: str) -> Finding:
    first = list({of.id: of for _, of in pairs}.values())
    again = [agent for agent, _ in pairs]
    who, of = listed([a.id for a in again]), listed([a.id for a in first])
    found = _wasted(
        case,
        again,
        f"{count(len(again), 'sub-agent')} ({who}) {how} {count(len(first), 'other')} ({of}), "
        f'as "{quote(again[0].task)}"',
        "Give each sub-agent a part of its own, and say in its task what the others do, unless "
        "several tries at the same are meant.",
    )
    records = evidence([*found.records, *(n for a in first for n in (a.record, a.last_record))])
    return found._replace(agents=(*(a.id for a in first), *found.agents), records=records)


def _same_task(case: Case) -> list[tuple[Agent, Agent]]:
    """Agents that finished with the task of another of their stage, each with the first."""
    return _again(
        _finished(case),
        lambda a: (a.parent, a.stage, a.parent and a.name, a.after, tuple(_tokens(a.task))),
    )


def _again(agents: Iterable[Agent], key: Callable[[Agent], object]) -> list[tuple[Agent, Agent]]:
    """Agents that come again by this key, each with the first of its kind."""
    first: dict[object, Agent] = {}
    pairs = [(agent, first.setdefault(key(agent), agent)) for agent in agents]
    return [(agent, of) for agent, of in pairs if agent is not of]


def _tokens(text: str) -> list[str]:
    """Every word, number and sign of a text that is not common; small numbers, too."""
    every = (token.casefold() for token in _TOKEN.findall(text[:LONGEST]))
    return [token for token in every if not is_common(token)]


def _same_result(case: Case, told: set[str]) -> list[tuple[Agent, Agent]]:
    """Agents of one stage, but for those, with nearly the same result, each with the first."""
    buckets: dict[tuple[str, int, int], list[Agent]] = {}
    found: list[tuple[Agent, Agent]] = []

    for agent in _finished(case):
        sketch = case.flow.sketches[agent.id]

        if agent.id in told or sketch.count < ALIKE_WORDS:
            continue

        keys = [(agent.parent, agent.stage, probe) for probe in sorted(sketch.sample)[:PROBES]]
        others = (other for key in keys for other in buckets.get(key, ()))
        of = next((o for o in others if _same(sketch, case.flow.sketches[o.id])), None)

        if of is not None:
            found.append((agent, of))
            continue

        for key in keys:
            if len(bucket := buckets.setdefault(key, [])) < REPRESENTATIVES:
                bucket.append(agent)

    return found


def _same(one: Sketch, other: Sketch) -> bool:
    fewer, more = sorted((one.count, other.count))
    return fewer >= ALIKE * more and one.likeness(other) >= ALIKE


def empty(case: Case) -> Iterator[Finding]:
    """Sub-agents that finished with a result in which there is no letter and no figure.

    Cost: what they took.
    """
    agents = [agent for agent in _finished(case) if not any(map(str.isalnum, agent.outcome))]

    if agents:
        who = listed([agent.id for agent in agents])
        yield _wasted(
            case,
            agents,
            f"{count(len(agents), 'sub-agent')} ({who}) finished with nothing to report",
            "Say in the task what the sub-agent is to return, also when it finds nothing.",
        )


def failed(case: Case, explained: frozenset[str]) -> Iterator[Finding]:
    """Sub-agents that failed and whose place no other took, unless `explained` otherwise.

    Another takes its place if it began later, finished, and its task names at least half of what
    only the failed one's was about. Cost: what the failed ones took.
    """
    if not case.over:
        return

    agents = [a for a in _unreplaced(case) if a.id not in explained]

    if agents:
        why = Counter(quote(agent.outcome) for agent in agents).most_common(1)[0][0]
        who = listed([agent.id for agent in agents])
        yield _wasted(
            case,
            agents,
            f"{count(len(agents), 'sub-agent')} ({who}) failed and no other took the place, "
            f'as "{why}"',
            "Mend what the message says, or let a sub-agent try again: resume the run, or ask for "
            "a second try in the goal.",
        )


def _unreplaced(case: Case) -> list[Agent]:
    every = case.run.sub_agents()
    lost = [agent for agent in every if agent.state == "failed"]

    if not lost:
        return []

    place = {agent.id: n for n, agent in enumerate(every)}
    words = {agent.id: set(_tokens(agent.task)) for agent in every}
    often: dict[tuple[str, int], Counter[str]] = {}
    later: dict[str, list[int]] = {}
    latest: dict[str, int] = {}

    for agent in every:
        often.setdefault((agent.parent, agent.stage), Counter()).update(words[agent.id])

        if agent.state == "finished":
            latest[agent.task] = place[agent.id]

            for word in words[agent.id]:
                later.setdefault(word, []).append(place[agent.id])

    def replaced(agent: Agent) -> bool:
        mine, seen = place[agent.id], often[agent.parent, agent.stage]
        own = [word for word in words[agent.id] if seen[word] == 1]
        hits = Counter(n for word in own for n in later.get(word, ()) if n > mine)
        again = latest.get(agent.task, mine) > mine
        return again or any(hit >= TAKEN_OVER * len(own) for hit in hits.values())

    return [agent for agent in lost if not replaced(agent)]


def idle_splits(case: Case) -> Iterator[Finding]:
    """Stages that one sub-agent alone would have been through as soon.

    In seconds: what the others worked is no more than their share of the turn that launched them,
    and the slowest worked long enough to matter.
    In steps: all steps together, less one report for each of the others, are no more than those
    of the slowest. Not for plans, which have no stages to wait for.
    Cost: what the others took.
    """
    for stage in case.stages():
        team = case.team(stage)

        if (
            len(team) > 1
            and all(a.state == "finished" for a in team)
            and _saves_nothing(case, stage)
        ):
            yield _idle_split(case, team)


def _saves_nothing(case: Case, stage: Stage) -> bool:
    team = case.team(stage)
    work = [agent.busy(case.run.now) for agent in team]
    launch = case.turns.get((stage.parent, stage.number), 0.0) * (len(team) - 1) / len(team)
    steps = [agent.steps for agent in team]
    return (
        sum(work) - max(work) <= launch
        and sum(steps) - (len(team) - 1) <= max(steps)
        and max(work) >= MATTERS_S
    )


def _idle_split(case: Case, team: Sequence[Agent]) -> Finding:
    now = case.run.now
    longest = max(team, key=lambda agent: agent.busy(now))
    others = [agent for agent in team if agent is not longest]
    cost = took(others, now)
    found = _wasted(
        case,
        others,
        f"{quote(longest.id)} worked {seconds(longest.busy(now))} and {_rest(others)} of its stage "
        f"{seconds(cost.seconds or 0.0)}, no more than it took to launch them: the split saved no "
        f"time",
        "Split the long part, or leave all to one sub-agent.",
    )
    records = evidence([*found.records, longest.record, longest.last_record])
    return found._replace(agents=tuple(agent.id for agent in team), records=records)


def _rest(others: Sequence[Agent]) -> str:
    return "the other" if len(others) == 1 else f"the {len(others)} others together"


def _finished(case: Case) -> list[Agent]:
    return [agent for agent in case.run.sub_agents() if agent.state == "finished"]


def _wasted(case: Case, agents: Sequence[Agent], what: str, advice: str) -> Finding:
    cost: Cost = took(agents, case.run.now)
    records = evidence(n for agent in agents for n in (agent.record, agent.last_record))
    ids = tuple(agent.id for agent in agents)
    return Finding(KIND, ids, records, cost, f"{what}.", advice)
