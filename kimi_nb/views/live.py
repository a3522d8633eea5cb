"""A run while it goes on, in a few lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from kimi_nb.events import ToolCalled
from kimi_nb.views.critical import run_cost
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.state import ENDED, Agent, Run
from kimi_nb.views.text import clean, fit, one_line
from kimi_nb.views.words import (
    SIMULATOR,
    count,
    dollars,
    label,
    model_name,
    seconds,
    shape,
    short,
    state_word,
)

__all__ = ["budget_rows", "doing", "live_text"]

ORDER = ("finished", "thinking", "tool", "queued", "retrying", "waiting")
NARROWEST = 40
NAME = 24
BAR = 30


def live_text(
    run: Run,
    now: float,
    width: int = 80,
    *,
    name: str = "",
    rows: int = 7,
    prices: Mapping[str, Price] = PRICES,
) -> str:
    """What a running swarm is at: at most `rows` + 7 lines of at most `width` columns.

    `now` is in seconds since the run began; `name` is what the notebook calls it.
    """
    wide = max(width, NARROWEST)
    title = " · ".join(part for part in (name, model_name(run), seconds(now)) if part)
    lines = [f"{state_word(run.status)} {title}"]

    if run.simulated:
        lines.append(SIMULATOR)

    lines += [*_progress(run, now), _spent(run, prices)]
    left = _budget_left(run, now, prices)

    if left:
        lines.append(f"budget left: {left}")

    busy = _busiest(run, now)
    lines += [f"{shape(a.state_at(now))} {label(a)}: {doing(a, run, now)}" for a in busy[:rows]]

    if len(busy) > rows:
        lines.append(f"… and {len(busy) - rows} more at work")

    return "\n".join(fit(line, wide).rstrip() for line in lines)


def doing(agent: Agent, run: Run, now: float) -> str:
    """What an agent is at, in a few words: the tool with its arguments, or its state."""
    state = agent.state_at(now)

    if state in ENDED:
        return one_line(agent.outcome or state)

    if agent.unplaced:
        return "waits for a worker of the cluster"

    if state == "tool" and agent.outstanding:
        calls = [_call(call) for call in agent.outstanding.values()]
        return calls[0] + (f" and {len(calls) - 1} more" if len(calls) > 1 else "")

    if state == "waiting":
        return _waiting(agent, run)

    if state == "retrying":
        wait = max(0.0, agent.until - now)
        return f"again in {seconds(wait)} ({one_line(agent.why)})"

    return f"step {agent.step}" if state == "thinking" else f"step {agent.step}, queued"


def _waiting(agent: Agent, run: Run) -> str:
    stage = run.stages.get((agent.id, agent.step))
    subs = [run.agents[name] for name in stage.sub_agents] if stage else []
    out = sum(1 for sub in subs if sub.ended is None)
    return f"waits for {count(out, 'sub-agent')} of {len(subs)}" if out else "about to begin"


def _call(call: ToolCalled) -> str:
    """A tool call as one would type it: read_file(notes.txt)."""
    try:
        arguments: Any = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        arguments = call.arguments

    values = arguments.values() if isinstance(arguments, dict) else [arguments]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    shown = ", ".join(one_line(str(value)) for value in values)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return f"{one_line(call.tool)}({shown})"


def _progress(run: Run, now: float) -> list[str]:
    total = len(run.agents)

    if total == 0:
        return ["no agent has begun"]

    states = Counter(agent.state_at(now) for agent in run.agents.values())
    known = [(state, states.pop(state, 0)) for state in ORDER]
    parts = [f"{n} {state.replace('_', ' ')}" for state, n in [*known, *states.items()] if n]
    unplaced = sum(agent.unplaced for agent in run.agents.values() if agent.ended is None)
    parts += [f"{unplaced} of them for a worker"] if unplaced else []
    ended = sum(1 for agent in run.agents.values() if agent.ended is not None)
    filled = BAR * ended // total
    bar = "█" * filled + "░" * (BAR - filled)
    return [f"{bar} {ended} of {count(total, 'agent')} ended", ", ".join(parts)]


def _spent(run: Run, prices: Mapping[str, Price]) -> str:
    about = "about " if run.estimated else ""
    steps = f"{count(run.steps, 'step')} ({run.critical_steps:,} critical)"
    tokens = f"{about}{short(run.tokens_in)} tokens in, {short(run.tokens_out)} out"
    cost = "$0" if run.simulated else dollars(run_cost(run, prices), simulated=False)
    return f"{steps} · {count(run.tool_calls, 'tool call')} · {tokens} · {cost}"


def _busiest(run: Run, now: float) -> list[Agent]:
    """Who is at work: main agents first, then by what one can see, latest first."""
    going = [agent for agent in run.agents.values() if agent.ended is None]
    order = {"tool": 0, "retrying": 1, "thinking": 2, "queued": 3, "waiting": 4}

    def rank(agent: Agent) -> tuple[bool, int, float]:
        return agent.role == "sub-agent", order[agent.state_at(now)], -agent.since

    return sorted(going, key=rank)


def _budget_left(run: Run, now: float, prices: Mapping[str, Price]) -> str:
    parts: list[str] = []

    for what, limit, used in budget_rows(run, now, prices):
        left = max(0, limit - used)
        number = f"{left:,.2f}" if isinstance(left, float) else f"{left:,}"
        parts.append(f"{number} {what}")

    return ", ".join(parts)


def budget_rows(
    run: Run, now: float, prices: Mapping[str, Price]
) -> list[tuple[str, int | float, int | float]]:
    """(what, its limit, what is spent of it) of every limit that the run has."""
    spent = {
        "agents": len(run.sub_agents()),
        "steps": run.steps,
        "critical_steps": run.critical_steps,
        "tokens": run.tokens_in + run.tokens_out,
        "seconds": round(now, 1),
        "usd": run_cost(run, prices),
    }
    found: list[tuple[str, int | float, int | float]] = []

    for what, limit in _budget(run.options).items():
        used = spent.get(what)

        if used is not None and isinstance(limit, int | float):
            found.append((clean(what).replace("_", " "), limit, used))

    return found


def _budget(options: str) -> dict[str, Any]:
    try:
        found: Any = orjson.loads(options or "{}")["budget"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}

    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]
