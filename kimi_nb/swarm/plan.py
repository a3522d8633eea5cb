"""An explicit task graph instead of an orchestrating model.

A list; `after:` names the tasks that must have ended before.

    - rows: Count the rows of data/a.csv.
    - prices: Give the highest price in data/b.csv.
    - report: Join both into one sentence.
      after: [rows, prices]
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.assignment import Assignment
from kimi_nb.swarm.engine import Engine, Report
from kimi_nb.swarm.subagent import launch, report_of
from kimi_nb.tools.render import clean
from kimi_nb.tools.rights import NONE, marked

__all__ = ["Task", "parse_plan", "read_plan", "run_plan"]

EXAMPLE = "write a list such as\n- rows: Count the rows of a.csv.\n- report: …\n  after: [rows]"
SHOWN = 3
"""Failed tasks that a run's end names; all are in the trace."""
SYSTEM_PROMPT = "You carry out one task of a plan, carefully and completely."


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One node of the graph."""

    name: str
    prompt: str
    after: tuple[str, ...] = ()


def parse_plan(plan: str | Sequence[Mapping[str, Any]]) -> list[Task]:
    """The tasks, each behind those that it comes after.

    `plan` is YAML or JSON text, or the list itself. Raises UsageFault for anything that is not
    such a list, for an unknown name in `after`, a name used twice, and a cycle.
    """
    entries: Any = _load(plan) if isinstance(plan, str) else list(plan)

    if not isinstance(entries, list) or not entries:
        message = f"a plan is a list of tasks; {EXAMPLE}"
        raise UsageFault(message)

    tasks = [_task(entry) for entry in cast("list[Any]", entries)]
    by_name = {task.name: task for task in tasks}

    if len(by_name) < len(tasks):
        message = "two tasks of the plan have the same name; every name must be its own"
        raise UsageFault(message)

    for task in tasks:
        for name in task.after:
            if name not in by_name:
                message = f"task {task.name!r} comes after {name!r}, which the plan does not have"
                raise UsageFault(message)

    try:
        order = TopologicalSorter({task.name: task.after for task in tasks}).static_order()
        return [by_name[name] for name in order]
    except CycleError as error:
        message = f"the plan goes round in a circle: {' → '.join(error.args[1])}"
        raise UsageFault(message) from None


def read_plan(path: str | Path) -> str:
    """The text of a plan's file. Raises UsageFault if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read the plan {str(path)!r}: {error}"
        raise UsageFault(message) from None


def _load(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"the plan cannot be read: {' '.join(str(error).split())}; {EXAMPLE}"
        raise UsageFault(message) from None


def _task(entry: Any) -> Task:
    """A task from {name: prompt, after: …}, or from {name: …, prompt: …, after: …}."""
    if not isinstance(entry, Mapping):
        message = f"{entry!r} is not a task; {EXAMPLE}"
        raise UsageFault(message)

    rest = dict(cast("Mapping[str, Any]", entry))
    after = rest.pop("after", ())

    if rest.keys() == {"name", "prompt"}:
        rest = {rest["name"]: rest["prompt"]}

    if len(rest) != 1:
        found = sorted(map(str, rest))
        message = f"a task has a name, a prompt and perhaps `after`, not {found}; {EXAMPLE}"
        raise UsageFault(message)

    names = after.split(",") if isinstance(after, str) else after
    (name, prompt), *_ = rest.items()

    if prompt is None or not str(prompt).strip():
        message = f"task {str(name)!r} of the plan has no prompt; {EXAMPLE}"
        raise UsageFault(message)

    return Task(
        name=clean(str(name)),
        prompt=clean(str(prompt)),
        after=tuple(clean(str(item)).strip() for item in names or ()),
    )


async def run_plan(engine: Engine, tasks: Sequence[Task]) -> tuple[str, str, str]:
    """(status, answer, why). Each task starts when those before it have ended: no barriers.

    The answer is the last task's message, or all messages that no later task has read.
    """
    ids: dict[str, str] = {}
    stages: dict[str, int] = {}
    results: dict[str, asyncio.Future[Report]] = {
        task.name: asyncio.get_running_loop().create_future() for task in tasks
    }

    for task in tasks:
        stages[task.name] = 1 + max((stages[name] for name in task.after), default=0)

    async def carry_out(position: int, task: Task, group: asyncio.TaskGroup) -> None:
        before = {name: await results[name] for name in task.after}
        failed = [name for name, report in before.items() if not report.ok]

        if failed:
            results[task.name].set_result(
                Report(ok=False, text=f"not begun: {', '.join(failed)} failed")
            )
            return

        known = engine.past.count("", stages[task.name], task.name, task.prompt)

        if not known and engine.account.agents_left(engine.settings.max_agents) < 1:
            results[task.name].set_result(
                Report(ok=False, text="not begun: no more sub-agents are allowed")
            )
            return

        work = Assignment(
            name=task.name,
            system_prompt=SYSTEM_PROMPT,
            task=task.prompt,
            parent="",
            stage=stages[task.name],
            call=position,
            context="".join(
                f"Result of {name}:\n{marked(report.text, report.labels)}\n\n"
                for name, report in before.items()
            ),
            after=" ".join(ids[name] for name in task.after),
            labels=NONE.union(*(report.labels for report in before.values())),
        )
        ids[task.name] = launch(engine, group, work)
        results[task.name].set_result(await report_of(engine, ids[task.name]))

    async with asyncio.TaskGroup() as group:
        for position, task in enumerate(tasks):
            group.create_task(carry_out(position, task, group))

    return _joined(tasks, {name: future.result() for name, future in results.items()})


def _joined(tasks: Sequence[Task], results: Mapping[str, Report]) -> tuple[str, str, str]:
    read = {name for task in tasks for name in task.after}
    last = [task.name for task in tasks if task.name not in read]
    failed = [name for name, report in results.items() if not report.ok]
    good = [name for name in last if results[name].ok]

    if len(last) == 1 and good:
        answer = results[last[0]].text
    else:
        answer = "\n\n".join(f"### {name}\n\n{results[name].text}" for name in good)

    if not failed:
        return "finished", answer, ""

    why = "; ".join(f"{name}: {results[name].text[:200]}" for name in failed[:SHOWN])

    if len(failed) > SHOWN:
        why = f"{len(failed)} of {len(results)} tasks failed, such as {why}"

    if any(report.interrupted for report in results.values()):
        return "over_budget", answer, why

    return ("partial" if len(failed) < len(results) else "failed"), answer, why
