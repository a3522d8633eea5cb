"""Traces in which the words matter: what sub-agents were asked, and what they brought back."""

from __future__ import annotations

from typing import NamedTuple

from traces import Actor, Script

from kimi_nb.trace import Trace
from kimi_nb.views.diagnose import Diagnosis, Finding, diagnose
from kimi_nb.views.diagnosis.findings import KINDS

__all__ = ["GOAL", "PLACES", "Job", "clean", "conversation", "jobs", "only", "stage"]

GOAL = "Compare the museums of the town."
PLACES = ("north", "south", "west", "east", "centre", "harbour")


class Job(NamedTuple):
    """A sub-agent's task and what came of it."""

    task: str
    result: str = "done"
    steps: int = 1
    seconds: float = 1.0
    """Of each step."""
    outcome: str = "finished"
    name: str = "worker"


def stage(main: Actor, *jobs: Job, seconds: float = 1.0) -> list[Actor]:
    """A turn that launches these, all of which end, and whose results come back."""
    main.begin()
    main.t += seconds
    subs: list[Actor] = []

    for call, job in enumerate(jobs):
        sub = main.script.actor(
            main.t, name=job.name, task=job.task, parent=main.id, stage=main.n, call=call
        )
        subs.append(sub)

    main._turn([("assign_task", {"agent": j.name, "prompt": j.task}) for j in jobs], "", (9, 9, 0))

    for sub, job in zip(subs, jobs, strict=True):
        for _ in range(job.steps):
            sub.step(job.seconds)

        sub.end(job.result, job.outcome)

    main.t = max([main.t, *(sub.t for sub in subs)])

    for call, job in enumerate(jobs):
        main.returned(call, main.t, ok=job.outcome == "finished", text=job.result)

    return subs


def conversation(goal: str, *stages: tuple[Job, ...] | str, answer: str = "All done.") -> Trace:
    """An orchestrator's run: stages of jobs, and turns in which it only says something."""
    script = Script(goal=goal)
    main = script.orchestrator()

    for part in stages:
        if isinstance(part, str):
            main.step(said=part)
        else:
            stage(main, *part)

    main.step(said=answer)
    main.end(answer)
    return script.end(answer)


def jobs(*steps: int, seconds: float = 1.0) -> tuple[Job, ...]:
    """Sub-agents with a place each, which take so many steps."""
    return tuple(
        Job(f"Look into the {place}.", steps=n, seconds=seconds)
        for place, n in zip(PLACES, steps, strict=False)
    )


def only(trace: Trace, kind: str) -> Finding:
    """The one finding about a trace."""
    found = diagnose(trace)
    assert [f.kind for f in found] == [kind], found
    _sound(trace, found)
    return found[0]


def clean(trace: Trace) -> None:
    """Nothing is found."""
    found = diagnose(trace)
    assert not found, found


def _sound(trace: Trace, found: Diagnosis) -> None:
    for finding in found:
        assert finding.records
        assert list(finding.records) == sorted(set(finding.records))
        assert finding.records[-1] < len(trace)
        assert set(finding.agents) <= {record.agent for record in trace}
        assert {trace[n].agent for n in finding.records} <= set(finding.agents)
        assert finding.what.endswith(".")
        assert finding.advice.endswith(".")
        assert finding.kind in KINDS
