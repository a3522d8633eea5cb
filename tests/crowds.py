"""Large traces that look like those of real runs: for pictures, and to measure with.

crowd(100)              # 100 sub-agents in a few stages, some slow, retried, failed
crowd(300, calls=4000)  # as many tool calls in all
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from operator import attrgetter

from traces import Actor, Script

from kimi_nb import events as e
from kimi_nb.trace import Trace

__all__ = ["crowd", "until"]

NAMES = ("museum-reader", "ticket-checker", "archivist", "translator", "fact-checker", "analyst")
TOOLS = ("read_file", "search_files", "python", "list_files")
FOUND = "It opens at 9:00 and costs 12 euros."
ANSWER = "**All are compared.**\n\n| museum | opens | price |\n|---|---|---:|\n| Zoo | 9:00 | 12 |"
PARALLEL = 64
"""Sub-agents of a crowd that are at work at once; the others wait for the limiter."""


def crowd(agents: int, *, calls: int | None = None, seed: int = 0) -> Trace:
    """A finished run of so many sub-agents; `calls` tool calls, four for each without it."""
    dice = random.Random(seed)
    budget = {"budget": {"tokens": 4_000_000, "critical_steps": 60, "agents": agents + 10}}
    script = Script(
        goal=f"Compare the opening hours and prices of {agents} museums.",
        options=json.dumps(budget),
        simulated=True,
        model="simulator",
    )
    main = script.orchestrator()
    main.step(1.4, said="I split this up: a sub-agent for each museum.")
    left = 4 * agents if calls is None else calls

    for size in _stages(agents):
        subs = main.assign([dice.choice(NAMES) for _ in range(size)], seconds=1.0 + size / 40)

        for number, sub in enumerate(subs):
            mine = round(left / (agents - len(script.actors) + size - number + 1))
            left -= _work(sub, dice, max(1, mine), late=number // PARALLEL * 4.0)

        main.join(subs)

    main.step(2.2, said=ANSWER)
    main.end(ANSWER)
    return script.end(ANSWER)


def _stages(agents: int) -> list[int]:
    if agents < 8:
        return [agents]

    last = max(1, agents // 10)
    second = agents // 4
    return [agents - second - last, second, last]


def _work(sub: Actor, dice: random.Random, calls: int, late: float) -> int:
    """Steps with so many tool calls among them; returns how many it made."""
    made = 0
    slow = 3.0 if dice.random() < 0.04 else 1.0
    sub.t += dice.uniform(0.0, 0.3)

    while made < calls:
        number = min(calls - made, dice.choice((1, 1, 2, 3)))
        sub.begin(0.0 if made else late)
        _turn(sub, dice, number, slow)
        made += number

        if dice.random() < 0.01:
            sub.end("the endpoint answered 500 six times", "failed")
            return made

    sub.step(dice.uniform(0.4, 1.2) * slow, said=FOUND)
    sub.end(FOUND)
    return made


def _turn(sub: Actor, dice: random.Random, number: int, slow: float) -> None:
    if dice.random() < 0.03:
        wait = round(dice.uniform(0.5, 2.0), 2)
        why = "429: too many requests"
        fact = e.StepRetried(step=sub.n, attempt=1, error="RateLimited", why=why, wait=wait)
        sub.t += 0.3
        sub._add(fact)
        sub.t += wait

    sub.t += dice.uniform(0.5, 1.8) * slow
    file = f"museums/{sub.id}-{sub.n}.txt"
    calls = [(dice.choice(TOOLS), {"path": file}) for _ in range(number)]
    sub._turn(calls, f"Next I look into {file}.", (800 + 90 * sub.n, 60, 400))
    took = [dice.uniform(0.05, 0.7) for _ in calls]

    for call, seconds in enumerate(took):
        fine = dice.random() > 0.05
        sub.returned(call, sub.t + seconds, ok=fine, text=FOUND if fine else "ERROR: no such file")

    sub.t += max(took)


def until(trace: Trace, t: float) -> Trace:
    """The part of a trace that had happened at `t` seconds."""
    return trace[: bisect_right(trace, t, key=attrgetter("t"))]
