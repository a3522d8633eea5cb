"""How long a run is likely to go on, as far as its own past tells."""

from __future__ import annotations

from kimi_nb.views.state import Agent, Run, Stage

__all__ = ["remaining"]


def remaining(run: Run, now: float) -> float | None:
    """Expected seconds to a running run's end, if after its current stage only the answer comes.

    The sub-agents that are out take as long as those of their stage that have come back, as many
    at a time as are at work now; then the orchestrator takes one more step of its mean length.
    None where nothing of the kind has ended yet, or nothing runs.
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

    if not came:
        return None

    mean = sum(came) / len(came)
    begun = [agent for agent in out if agent.state != "queued"]
    left = sum(max(0.0, mean - agent.seconds(now)) for agent in out)
    longest = max(max(0.0, mean - agent.seconds(now)) for agent in out)
    return round(max(left / max(len(begun), 1), longest) + step, 1)


def _subs(run: Run, stage: Stage | None) -> list[Agent]:
    return [run.agents[name] for name in stage.sub_agents] if stage else []


def _out(run: Run, stage: Stage | None) -> list[Agent]:
    return [agent for agent in _subs(run, stage) if agent.ended is None]
