"""The agent that sees the whole package: which modules fail, who mends which, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.memory import Done
from kimi_nb.models.simulator.orchestrator import most_agents
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.skills import team
from kimi_nb.models.simulator.skills.code.job import ROLE, job_of, share_of
from kimi_nb.models.simulator.skills.code.known import Known, imports_of, tested
from kimi_nb.models.simulator.skills.code.worker import next_calls, what_changed
from kimi_nb.models.simulator.tables import read_tables, write_table

__all__ = [
    "AGENT",
    "HEADERS",
    "TestRun",
    "answer",
    "below",
    "chains",
    "imports_known",
    "last_work",
    "packed",
    "survey",
    "test_runs",
    "whole",
]

AGENT = "mender"
ROUNDS = 3
"""Times that work is handed out."""
HEADERS = ("module", "result", "change")
_GOOD, _BAD = "tests pass", "tests fail"


class TestRun(NamedTuple):
    """One run of all tests."""

    turn: int
    passed: dict[str, bool]
    """By module."""
    problem: str


def whole(known: Known, *, alone: bool) -> Turn:
    """The next turn of an agent that has to mend a whole package."""
    runs = test_runs(known)
    worked = last_work(known)

    if not runs:
        return Turn(thinking="First see what fails, and what imports what.", calls=survey(known))

    if runs[-1].problem:
        return Turn(text=f"{runs[-1].problem}\n\n{phrases.signature(chinese=False)}")

    failing = [name for name, passed in runs[-1].passed.items() if not passed]
    groups = chains(failing, imports_known(known))
    left = 0 if alone else _left(known)

    if worked > runs[-1].turn:
        return _go_on(known, runs, alone=alone)

    if left > 0 and failing and _rounds(known) < ROUNDS and _worth_it(runs):
        return _hand_out(known, groups, left)

    started = any(done.name == "write_file" for done in known.past.done)
    calls = () if started and not alone else _alone(known, groups)

    if calls and (not started or len(runs) < 2):
        return Turn(calls=calls)

    return Turn(text=answer(known, runs))


def chains(modules: Iterable[str], imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The modules in groups that do not import each other, each from the bottom up."""
    groups: list[list[str]] = []
    wanted = list(modules)

    for module in wanted:
        linked = [g for g in groups if any(_linked(module, each, imports) for each in g)]
        merged = [*(each for group in linked for each in group), module]
        groups = [group for group in groups if group not in linked] + [merged]

    return [sorted(group, key=lambda each: (_height(each, imports), each)) for group in groups]


def _linked(a: str, b: str, imports: Mapping[str, set[str]]) -> bool:
    return b in below(a, imports) or a in below(b, imports)


def below(module: str, imports: Mapping[str, set[str]]) -> set[str]:
    """All that it imports, directly or not."""
    found: set[str] = set()
    waiting = [module]

    while waiting:
        new = imports.get(waiting.pop(), set()) - found
        found |= new
        waiting += new

    return found


def _height(module: str, imports: Mapping[str, set[str]]) -> int:
    return len(below(module, imports) - {module})


def survey(known: Known) -> tuple[Call, ...]:
    """What imports what, and what fails."""
    pattern = _import_pattern(known)
    return (
        Call("grep", {"pattern": pattern, "path": known.job.package}),
        Call("run_tests", {}),
    )


def _import_pattern(known: Known) -> str:
    return rf"^from {known.job.package}\."


def imports_known(known: Known) -> dict[str, set[str]]:
    """What imports what; nothing if that was forgotten: then later rounds find out."""
    return imports_of(known.searched(_import_pattern(known)) or "", known.job.package)


def test_runs(known: Known) -> list[TestRun]:
    """The runs of all tests that it remembers, in order."""
    found: list[TestRun] = []

    for done in known.past.done:
        if done.name == "run_tests" and not done.arguments.get("path") and done.result is not None:
            passed = tested(done.result)
            problem = "" if passed else f"The tests did not run: {done.result[:500]}"
            found.append(TestRun(done.turn, passed, problem))

    return found


def last_work(known: Known) -> int:
    """The last turn in which anything can have changed."""
    return max((done.turn for done in known.past.done if _changes(done)), default=-1)


def _changes(done: Done) -> bool:
    return done.name in {team.ASSIGN, "write_file"}


def _left(known: Known) -> int:
    """Sub-agents that may still be launched."""
    results = [text for _, text in team.reports(known.past)]
    refused = any(text.startswith("ERROR") and "sub-agent" in text for text in results)
    return 0 if refused else most_agents(known.past.system) - len(results)


def _rounds(known: Known) -> int:
    return len({done.turn for done in known.past.done if done.name == team.ASSIGN})


def _worth_it(runs: Sequence[TestRun]) -> bool:
    """The last round has mended something, or there was none."""
    return len(runs) < 2 or sum(runs[-1].passed.values()) > sum(runs[-2].passed.values())


def _hand_out(known: Known, groups: Sequence[Sequence[str]], left: int) -> Turn:
    shares = packed(groups, left)
    number = sum(map(len, shares))
    thinking = (
        f"{number} modules fail. What imports each other goes to one sub-agent, from the bottom "
        f"up; the rest can be mended side by side: {len(shares)} sub-agents."
    )

    if not any(done.name == "create_subagent" for done in known.past.done):
        arguments = {"name": AGENT, "system_prompt": ROLE}
        return Turn(thinking=thinking, calls=(Call("create_subagent", arguments),))

    tasks = [share_of(known.job, share) for share in shares]
    calls = (Call(team.ASSIGN, {"agent": AGENT, "prompt": task}) for task in tasks)
    return Turn(thinking=thinking, calls=tuple(calls))


def packed(groups: Sequence[Sequence[str]], most: int) -> list[list[str]]:
    """The groups in at most so many shares of nearly equal size; a group stays together."""
    shares: list[list[str]] = [[] for _ in range(min(most, len(groups)))]

    for group in sorted(groups, key=len, reverse=True):
        min(shares, key=len).extend(group)

    return shares


def _go_on(known: Known, runs: Sequence[TestRun], *, alone: bool) -> Turn:
    """After some work: its next step if it is the agent's own, otherwise all tests again."""
    if alone or _last_own(known) == last_work(known):
        failing = [name for name, passed in runs[0].passed.items() if not passed]
        calls = _alone(known, chains(failing, imports_known(known)))

        if calls:
            return Turn(calls=calls)

    return Turn(thinking="See what passes now.", calls=(Call("run_tests", {}),))


def _last_own(known: Known) -> int:
    return max((done.turn for done in known.past.done if done.name == "write_file"), default=-1)


def _alone(known: Known, groups: Sequence[Sequence[str]]) -> tuple[Call, ...]:
    return next_calls(known, [module for group in groups for module in group])


def answer(known: Known, runs: Sequence[TestRun]) -> str:
    """What is told the user: what passes now, and what was changed."""
    told = _told(known)
    last = runs[-1].passed
    changed = [name for name in last if name in told or known.tries(name)]
    failing = [name for name, passed in last.items() if not passed]
    names = list(dict.fromkeys([*changed, *failing]))
    rows = [
        (name, _GOOD if last[name] else _BAD, told.get(name) or what_changed(known, name) or "none")
        for name in names
    ]
    head = f"{sum(last.values())} of {len(last)} modules pass all of their tests."

    if failing:
        head += f" I found no remedy for {len(failing)}: {', '.join(failing)}."

    table = write_table(HEADERS, rows)
    return "\n\n".join([head, table, phrases.signature(chinese=False)])


def _told(known: Known) -> dict[str, str]:
    """By module: what the sub-agents say they changed."""
    found: dict[str, str] = {}

    for task, text in team.reports(known.past):
        job = job_of(task)
        given = job.modules if job else ()

        for table in read_tables(text):
            for row in table.rows:
                if len(row) == len(HEADERS) and row[0] in given and row[2].strip(" -"):
                    found[row[0]] = row[2]

    return found
