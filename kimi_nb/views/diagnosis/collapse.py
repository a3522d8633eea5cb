"""Serial collapse: what could have gone side by side went one after the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, pairwise

from kimi_nb.views.diagnosis.case import Case
from kimi_nb.views.diagnosis.features import features
from kimi_nb.views.diagnosis.findings import Cost, Finding, evidence, listed
from kimi_nb.views.diagnosis.flow import OwnCall
from kimi_nb.views.state import Agent, Stage
from kimi_nb.views.words import count, seconds

__all__ = ["alone", "one_by_one"]

SAVED_STAGES = 2
"""Stages that a row must have too many. One too many may be an afterthought, as a check."""
READY_TURNS = 8
"""Turns of own tool calls, foreseeable all, from which sub-agents would have paid. A small job
needs none: to write prompts and to join the results costs turns too."""
SUBJECT = 8
"""Telling words with which a task begins, and in which it says what it is about."""
LINKS = 2
"""Tasks of a row that have a word which ties them. What more have is the vocabulary of the job."""
_MAKES = re.compile(
    r"\b(writ|sav|creat|stor|generat|produc|draft)|写|存|创建|生成|输出", re.IGNORECASE
)
_FILE = re.compile(r"[^.]\.[a-z]\w{0,4}$")
SUB_STEPS = 2
"""Turns that a sub-agent takes for one such call: it calls, and it reports."""


def one_by_one(case: Case) -> Iterator[Finding]:
    """Stages in a row whose sub-agents need nothing of one another, or little.

    Each of one sub-agent, or rounds of several: fan-out that the graph would have allowed.
    Cost: critical steps and seconds that fewer stages would have saved, each as long as its
    slowest: the turns of the orchestrator that fall away, and the time that sub-agents spend side
    by side. Tokens are unknown: how much less the orchestrator would have read, nobody can say.
    """
    for row in filter(None, _rows(case)):
        levels = _levels(case, row)
        saved = len(row) - max(levels.values(), default=0)

        if saved >= SAVED_STAGES:
            yield from _one_by_one(case, row, levels)


def _rows(case: Case) -> Iterator[list[Stage]]:
    """Stages in a row of sub-agents that finished: all of one, or all rounds of several.

    A turn with own tools in between ends a row, and so does a sub-agent that failed: who comes
    next may make up for it.
    """
    row: list[Stage] = []

    for stage in case.stages():
        done = all(agent.state == "finished" for agent in case.team(stage))

        if row and (not done or _apart(case, row[-1], stage)):
            yield row
            row = []

        if done:
            row.append(stage)

    yield row


def _apart(case: Case, before: Stage, after: Stage) -> bool:
    turns = range(before.number, after.number)
    return (
        before.parent != after.parent
        or (len(before.sub_agents) == 1) != (len(after.sub_agents) == 1)
        or any((after.parent, n) in case.own_tools for n in turns)
    )


def _levels(case: Case, row: Sequence[Stage]) -> dict[str, int]:
    """For each sub-agent the stage, from 1, in which it could have begun."""
    teams = [case.team(stage) for stage in row]
    bound = _by_traces(case, teams)
    levels: dict[str, int] = {}

    for agent in chain.from_iterable(teams):
        before = {*case.flow.needs.get(agent.id, ()), *case.flow.doubtful.get(agent.id, ())}
        before |= bound[agent.id]
        levels[agent.id] = 1 + max((levels.get(name, 0) for name in before), default=0)

    return levels


def _by_traces(case: Case, teams: Sequence[Sequence[Agent]]) -> dict[str, set[str]]:
    """By sub-agent, those before it that it may build on although no word of theirs shows it.

    Those whose task names a file or the like that its own names too: the one may write what the
    other reads, unless the goal names it already. Those whose subject its task names and no other
    of their stages does, as a parser "on top of the tokenizer". And all before it, where its task
    is that of another word for word: it is done again because something has changed.
    """
    agents = list(chain.from_iterable(teams))
    given = features(case.run.goal).keys()
    told = {agent.id: list(features(agent.task)) for agent in agents}
    often = Counter(feature for found in told.values() for feature in found)
    vocabulary = {name for name, n in often.items() if n == len(agents)}
    traces = {name for name in often if _identifies(name)} - given - vocabulary
    links = {name for name in _links(teams, told, often) if name.isalpha()} - vocabulary

    if any(_MAKES.search(agent.task) for agent in teams[0]):  # all may name what these make
        traces |= {name for name in vocabulary - given if _FILE.search(name)}

    holders: dict[str, str] = {}
    bound: dict[str, set[str]] = {}
    earlier: dict[str, str] = {}

    for team in teams:
        for agent in team:
            again = agent.task in earlier.values()
            named = {holders[name] for name in told[agent.id] if name in holders}
            bound[agent.id] = named | (earlier.keys() if again else set[str]())

        for agent in team:
            own = [name for name in told[agent.id] if name not in vocabulary][:SUBJECT]
            kept = traces.intersection(told[agent.id]) | links.intersection(own)
            holders |= dict.fromkeys(kept, agent.id)
            earlier[agent.id] = agent.task

    return bound


def _links(
    teams: Sequence[Sequence[Agent]], told: Mapping[str, list[str]], often: Counter[str]
) -> set[str]:
    """Words that tie tasks: of two, or of one in each of some rounds of several."""
    rounds = Counter(
        name for team in teams for name in {name for agent in team for name in told[agent.id]}
    )
    once = {name for name, n in rounds.items() if often[name] == n >= LINKS}
    return {name for name in once if often[name] == LINKS or len(teams[0]) > 1}


def _identifies(feature: str) -> bool:
    return not feature.startswith("#") and not feature.isalpha()


def _one_by_one(case: Case, row: Sequence[Stage], levels: dict[str, int]) -> Iterator[Finding]:
    steps, spent = 0, 0.0
    tallest: dict[int, int] = {}
    longest: dict[int, float] = {}

    for stage in row:
        team = case.team(stage)
        steps += max(agent.steps for agent in team)
        spent += max(agent.seconds(case.run.now) for agent in team)

        if all(levels[agent.id] in tallest for agent in team):  # its launch falls away
            steps += stage.main_steps
            spent += min(case.turns.get((stage.parent, stage.number), 0.0), _before(case, team[0]))

        for agent in team:
            level = levels[agent.id]
            tallest[level] = max(tallest.get(level, 0), agent.steps)
            longest[level] = max(longest.get(level, 0.0), agent.seconds(case.run.now))

    steps -= sum(tallest.values())
    spent = round(min(spent - sum(longest.values()), case.run.now), 6)

    if steps <= 0:  # a long one would have to wait for others that are long
        return

    agents = list(chain.from_iterable(case.team(stage) for stage in row))
    ids = tuple(agent.id for agent in agents)
    cost = Cost(steps, spent if spent > 0 else None)
    rounds = "" if len(row) == len(agents) else f" in {len(row)} stages"
    yield Finding(
        "serial collapse",
        ids,
        evidence(n for agent in agents for n in (agent.record, agent.last_record)),
        cost,
        f"{count(len(agents), 'sub-agent')} ({listed(ids)}) were launched{rounds} one after the "
        f"other, though by what they needed of one another {count(len(tallest), 'stage')} would "
        f"have done: {cost} less.",
        f"Launch those that need nothing of one another in one turn, here up to "
        f"{max(Counter(levels.values()).values())} at once, unless one works on what another "
        f"left behind, such as a file.",
    )


def _before(case: Case, agent: Agent) -> float:
    """Seconds of the launching turn before the sub-agent began: what was not side by side."""
    stage = case.run.stages[agent.parent, agent.stage]
    return max(0.0, agent.began - stage.began)


def alone(case: Case) -> Iterator[Finding]:
    """An orchestrator that made many tool calls itself, and launched nobody.

    Only calls count of which all that their arguments tell was known many turns before: what
    builds on the call before it, as trying and mending does, could not have gone side by side.
    Cost: critical steps and seconds if each such turn had been a sub-agent's, all in one stage,
    each as long as the slowest turn. Tokens are unknown; sub-agents rarely take fewer.
    """
    main = case.run.main()

    if main is None or len(case.run.agents) > 1:
        return

    since, ready = _foreseeable(case.flow.own_calls)

    if len(ready) < READY_TURNS:
        return

    lasted = _durations(case, main)
    spent = [lasted.get(call.turn, 0.0) for call in ready]
    saved = round(sum(spent) - (1 + SUB_STEPS) * max(spent), 6)
    cost = Cost(len(ready) - 1 - SUB_STEPS, saved if saved > 0 else None)
    yield Finding(
        "serial collapse",
        (main.id,),
        evidence(call.record for call in ready),
        cost,
        f"The orchestrator launched no sub-agent and took {len(ready)} turns, one after the other, "
        f"for tool calls that could all have been foreseen {_when(since)}: "
        f"{cost} more than side by side ({seconds(case.run.now)} in all).",
        "Name the parts in the goal (for each of …), so that the orchestrator gives "
        "them to sub-agents, or write a plan.",
    )


def _when(turn: int) -> str:
    return f"after turn {turn}" if turn else "from the goal alone"


def _foreseeable(calls: Sequence[OwnCall]) -> tuple[int, list[OwnCall]]:
    """The turn after which most turns of calls could have been foreseen, and one call of each."""
    first: dict[int, OwnCall] = {}

    for call in calls:  # of a turn with several the latest known one counts: all had to be
        if call.turn not in first or call.since > first[call.turn].since:
            first[call.turn] = call

    change: dict[int, int] = {}

    for call in first.values():
        change[call.since] = change.get(call.since, 0) + 1
        change[call.turn] = change.get(call.turn, 0) - 1

    known = accumulate(change[turn] for turn in sorted(change))
    _, since = max(zip(known, sorted(change), strict=True), default=(0, 0))
    return since, [call for call in first.values() if call.since <= since < call.turn]


def _durations(case: Case, main: Agent) -> dict[int, float]:
    """Seconds from the begin of each turn to that of the next, its tools included."""
    stages = [stage for stage in case.run.stages.values() if stage.parent == main.id]
    begins = [stage.began for stage in stages] + [main.began + main.seconds(case.run.now)]
    return {stage.number: b - a for stage, (a, b) in zip(stages, pairwise(begins), strict=True)}
