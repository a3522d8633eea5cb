"""A package in parts: what fails, what each waits for, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.division import Division, Part, label
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.orchestrator import most_agents
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.skills.code.job import ROLE, job_of, share_of
from kimi_nb.models.simulator.skills.code.known import Known
from kimi_nb.models.simulator.skills.code.orchestrate import (
    AGENT,
    HEADERS,
    answer,
    below,
    chains,
    imports_known,
    last_work,
    packed,
    survey,
    test_runs,
)
from kimi_nb.models.simulator.skills.code.worker import next_calls
from kimi_nb.models.simulator.skills.team import reports
from kimi_nb.models.simulator.tables import read_tables

__all__ = ["division"]

CALLS = 4
"""For one module, reckoned beforehand: read it and its tests, run these, write, run them again."""
_NOTE = re.compile(r"(?m)^Failing, with what they import: (.+)$")
Imports = Mapping[str, set[str]]


def division(past: Past, options: Options) -> Division | Turn | None:
    """The goal in modules that fail, each of which needs those it imports; see `divided_goal`.

    With more of them than sub-agents, in groups that do not import each other. A module's coupling
    is the part of the other failing ones that it imports or that import it. When all parts are
    done all tests run once more, and what still fails is not done.
    """
    del options
    job = job_of(past.goal)

    if job is None or job.modules:
        return None

    known = Known(job, past)
    runs = test_runs(known)
    noted = _noted(past)

    if not (runs or noted):
        return Turn(thinking="First see what fails, and what imports what.", calls=survey(known))

    if runs and runs[-1].problem:
        return Turn(text=f"{runs[-1].problem}\n\n{phrases.signature(chinese=False)}")

    linked = noted if noted is not None else _found(known, runs[0].passed)
    groups = _groups(linked, most_agents(past.system))
    checked = bool(runs) and runs[-1].turn >= last_work(known)
    done = [_done(known, group, runs[-1].passed if checked else None) for group in groups]

    if all(done) and not checked:
        return Turn(thinking="See what passes now.", calls=(Call("run_tests", {}),))

    def alone(place: int) -> Turn | None:
        calls = next_calls(known, groups[place])
        return Turn(calls=calls) if calls else None

    return Division(
        parts=tuple(_parts(known, groups, linked, done)),
        agent=AGENT,
        role=ROLE,
        alone=alone,
        join=lambda: _join(known),
        note="" if noted is not None else _told(linked),
    )


def _join(known: Known) -> Turn:
    runs = test_runs(known)

    if not runs or runs[-1].turn < last_work(known):
        return Turn(thinking="See what passes now.", calls=(Call("run_tests", {}),))

    return Turn(text=answer(known, runs))


def _found(known: Known, passed: Mapping[str, bool]) -> dict[str, set[str]]:
    """Failing modules, with the failing ones that they import, directly or not."""
    failing = [name for name, good in passed.items() if not good]
    imports = imports_known(known)
    return {name: (below(name, imports) - {name}) & set(failing) for name in failing}


def _told(linked: Imports) -> str:
    """The note of it, for the results of the first look drop out of the memory."""
    lines = (f"{name} ({', '.join(sorted(under))})" for name, under in linked.items())
    return f"Failing, with what they import: {'; '.join(lines) or 'nothing'}"


def _noted(past: Past) -> dict[str, set[str]] | None:
    for text in past.said:
        if found := _NOTE.search(text):
            pairs = re.findall(r"(\w+) \(([\w, ]*)\)", found[1])
            return {name: set(filter(None, under.split(", "))) for name, under in pairs}

    return None


def _groups(linked: Imports, most: int) -> list[list[str]]:
    """Each module by itself, the lowest first; with too many of them, chains put together."""
    ordered = sorted(linked, key=lambda name: (len(linked[name]), name))

    if len(ordered) <= max(1, most):
        return [[name] for name in ordered]

    return packed(chains(ordered, linked), max(1, most))


def _parts(
    known: Known, groups: Sequence[Sequence[str]], linked: Imports, done: Sequence[bool]
) -> list[Part]:
    place = {name: at for at, group in enumerate(groups) for name in group}
    parts: list[Part] = []

    for at, group in enumerate(groups):
        needs = {place[under] for name in group for under in linked[name] if under in place}
        parts.append(
            Part(
                name=label(group),
                task=share_of(known.job, group),
                work=CALLS * len(group),
                coupling=_coupling(group, linked),
                needs=tuple(sorted(under for under in needs if under < at)),
                done=done[at],
            )
        )

    return parts


def _coupling(group: Sequence[str], linked: Imports) -> float:
    others = set(linked) - set(group)
    tied = {
        other
        for other in others
        if linked[other] & set(group) or any(other in linked[name] for name in group)
    }
    return len(tied) / len(others) if others else 0.0


def _done(known: Known, group: Sequence[str], passed: Mapping[str, bool] | None) -> bool:
    """By the last run of all tests; else by what sub-agents report, or as nothing is left to do."""
    if passed is not None:
        return all(passed.get(name, False) for name in group)

    return all(_reported(known, name) or not next_calls(known, [name]) for name in group)


def _reported(known: Known, module: str) -> bool:
    """Whether a sub-agent says that its tests pass, and nobody has written it since."""
    return any(
        row[0] == module and row[1] == "tests pass"
        for _, text in reports(known.past)
        for table in read_tables(text)
        if tuple(table.headers) == HEADERS
        for row in table.rows
    )
