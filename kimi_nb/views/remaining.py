"""How long a run is likely to go on, as far as its own past tells."""

from __future__ import annotations

from kimi_nb.views.state import Agent, Run, Stage

__all__ = ["remaining"]

ENOUGH = 1 / 3
"""Part of a stage that has come back before it tells anything of the rest."""


def remaining(run: Run, now: float) -> float | None:
    """Expected seconds to a running run's end, if after its current stage only the answer comes.

    The sub-agents that are out take as long as those of their stage take on average, as many at a
    time as are at work now; then the orchestrator takes one more step of its mean length. The
    average is the usual one where some have not ended: time of all ÷ number of those that have.
    None before a third of them is back, or where nothing runs.
    """
    main = run.main()

    if run.status != "running" or main is None or not main.intervals:
        return None

    calls = [span.ended - span.began for span in main.intervals if span.kind == "call"]
    step = sum(calls) / len(calls) if calls else 0.0
    stage = run.stages.get((main.id, main.step))
    out = _out(run, stage)

    if not out:
        return max(0.0, step - (now - main.since)) if main.kind == "call" else None

    came = [a.seconds(now) for a in _subs(run, stage) if a.state == "finished"]

    if len(came) < ENOUGH * (len(came) + len(out)):
        return None

    # All the time so far for each that came back: the quick ones come first, and their mean alone
    # would promise too much of the others.
    spent = [agent.seconds(now) for agent in out]
    mean = (sum(came) + sum(spent)) / len(came)
    left = [max(0.0, mean - seconds) for seconds in spent]
    at_work = sum(1 for agent in out if agent.state != "queued")
    return round(max(sum(left) / max(at_work, 1), *left) + step, 1)


def _subs(run: Run, stage: Stage | None) -> list[Agent]:
    return [run.agents[name] for name in stage.sub_agents] if stage else []


def _out(run: Run, stage: Stage | None) -> list[Agent]:
    return [agent for agent in _subs(run, stage) if agent.ended is None]
