"""Context overflow: turns, prompts and results that were longer than they might be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kimi_nb.views.diagnosis.case import Case, took
from kimi_nb.views.diagnosis.findings import NOTHING, Cost, Finding, evidence, listed, quote
from kimi_nb.views.state import Agent
from kimi_nb.views.words import count, short

__all__ = ["cut_turns", "long_results", "overflown", "too_long"]

MESSAGE = 20_000
"""Characters that an orchestrator gets of one message."""
_TOO_LONG = re.compile(
    r"model token limit|context.{0,20}(length|window|limit|size)|prompt is too long"
    r"|(input|prompt|request).{0,40}(too long|exceeds? the .{0,20}(maximum|limit))|max_model_len"
    r"|thinking used up the \d+ tokens|上下文",
    re.IGNORECASE,
)
"""How endpoints say that a prompt does not fit, and how the engine says that an answer did not."""
READ = 2_000
"""Characters of a failure's text that are looked at."""


def overflown(case: Case) -> list[Agent]:
    """Agents that failed because a prompt or an answer did not fit."""
    lost = (agent for agent in case.run.agents.values() if agent.state == "failed")
    return [agent for agent in lost if _TOO_LONG.search(agent.outcome[:READ])]


def too_long(case: Case) -> Iterator[Finding]:
    """Agents that failed because a prompt exceeded the window, or thinking used up an answer.

    Cost: what they took.
    """
    agents = overflown(case)

    if agents:
        ids = tuple(agent.id for agent in agents)
        cost = took(agents, case.run.now)
        yield Finding(
            "context overflow",
            ids,
            evidence(n for agent in agents for n in (agent.record, agent.last_record)),
            cost,
            f"{count(len(agents), 'agent')} ({listed(ids)}) failed for want of room, as "
            f'"{quote(agents[0].outcome)}".',
            "Give each sub-agent less to read, raise max_tokens if it was the answer that did not "
            "fit, or take a model with a larger window.",
        )


def cut_turns(case: Case) -> Iterator[Finding]:
    """Turns that were cut because they reached the most tokens that they might have.

    Those of agents that failed for it are not said again. Cost: these turns: how many, their
    seconds of work, their tokens; what was asked for has to be asked for again.
    """
    said = {agent.id for agent in overflown(case)}
    cut = [step for step in case.cut if step.agent not in said]

    if not cut:
        return

    ids = tuple(dict.fromkeys(step.agent for step in cut))
    turns = {(step.agent, step.step) for step in cut}
    spent = sum(
        span.ended - span.began
        for name in ids
        for span in case.run.agents[name].intervals
        if span.kind == "call" and (name, span.step) in turns
    )
    tokens = sum(step.tokens for step in cut)
    yield Finding(
        "context overflow",
        ids,
        evidence(step.record for step in cut),
        Cost(len(cut), round(spent, 6) or None, tokens or None),
        f"{count(len(cut), 'turn')} of {count(len(ids), 'agent')} ({listed(ids)}) reached the most "
        f"tokens that an answer may have and stopped short.",
        f"Raise {_limit(case)}, ask for shorter answers, or split the work further.",
    )


def _limit(case: Case) -> str:
    """What kept answers short. The last calls of a budget get what is left of it."""
    return "the budget" if case.run.status == "over_budget" else "max_tokens"


def long_results(case: Case) -> Iterator[Finding]:
    """Results longer than what an orchestrator gets of one, so that it never saw the rest.

    Cost: unknown; how many tokens the rest had is not in a trace.
    """
    done = (agent for agent in case.run.sub_agents() if agent.state == "finished")
    agents = [agent for agent in done if len(agent.outcome) > MESSAGE]

    if agents:
        ids = tuple(agent.id for agent in agents)
        longest = max(agents, key=lambda agent: len(agent.outcome))
        yield Finding(
            "context overflow",
            ids,
            evidence(agent.last_record for agent in agents),
            NOTHING,
            f"{count(len(agents), 'result')} ({listed(ids)}) had more than {short(MESSAGE)} "
            f"characters, that of {quote(longest.id)} {short(len(longest.outcome))}: the rest was "
            f"cut before anybody read it.",
            "Ask sub-agents for the result only, or to write the long part to a file.",
        )
