"""Notebook 02: a plan that lets its tasks run side by side."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.plan import Task, parse_plan
from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Given = dict[str, Any]
Plan = list[dict[str, Any]]


def plan(given: Given) -> Plan:
    return [{**task, "after": given["reads"][task["name"]]} for task in given["plan"]]


def _as_it_was(given: Given) -> Plan:
    return given["plan"]


def _all_free(given: Given) -> Plan:
    return [{**task, "after": []} for task in given["plan"]]


def _without_the_last(given: Given) -> Plan:
    return plan(given)[:-1]


def _in_a_circle(given: Given) -> Plan:
    first, *rest = plan(given)
    return [{**first, "after": [rest[-1]["name"]]}, *rest]


def _judged(output: Any, args: list[Any]) -> str:
    """By a virtual schedule: each task begins when those before it have ended."""
    (given,) = args
    wanted = {task["name"]: task["prompt"] for task in given["plan"]}

    if not isinstance(output, list):
        return WRONG

    try:
        tasks = parse_plan(cast("Plan", output))
    except (UsageFault, TypeError):
        return "no-plan"

    if {task.name: task.prompt for task in tasks} != wanted:
        return "lost"

    if any(set(given["reads"][task.name]) - _before(tasks)[task.name] for task in tasks):
        return "too-early"

    return "" if _length(tasks, given) <= _length(parse_plan(plan(given)), given) else "serial"


def _before(tasks: list[Task]) -> dict[str, set[str]]:
    """All that must have ended before each task; the tasks are in an order that allows it."""
    found: dict[str, set[str]] = {}

    for task in tasks:
        found[task.name] = set(task.after).union(*(found[name] for name in task.after))

    return found


def _length(tasks: list[Task], given: Given) -> int:
    ended: dict[str, int] = {}

    for task in tasks:
        begins = max((ended[name] for name in task.after), default=0)
        ended[task.name] = begins + given["seconds"][task.name]

    return max(ended.values())


def _chained(dice: Random) -> list[list[Any]]:
    """Three files, a check that reads one of them, and a report; all in one chain."""
    shops = dice.sample(["north", "south", "west", "east", "harbour", "station", "airport"], 3)
    names = [*shops, "check", "report"]
    prompts = [f"Give the number of rows of {shop}.csv." for shop in shops]
    prompts += [f"Is the number of rows of {shops[0]}.csv even?", "Join all results in a table."]
    chain: Callable[[int], list[str]] = lambda n: [names[n - 1]] if n else []  # noqa: E731
    listed = [
        {"name": name, "prompt": prompt, "after": chain(n)}
        for n, (name, prompt) in enumerate(zip(names, prompts, strict=True))
    ]
    reads = {name: list[str]() for name in shops} | {"check": [shops[0]]}
    reads["report"] = [*shops[1:], "check"]
    seconds = {name: dice.randint(4, 30) for name in names}
    return [[{"plan": listed, "reads": reads, "seconds": seconds}]]


PLAN = Exercise(
    id="ex02.plan",
    title=Text("Mend a plan that runs one by one", "修好一个只能逐个执行的计划"),
    task=Text(
        '`given["plan"]` is a plan whose tasks wait for each other in one long chain. '
        '`given["reads"]` says whose results a task really reads, `given["seconds"]` how long it '
        "takes. Bind to `plan` a plan of the same tasks, as a list like the given one, that "
        "takes as little time as there can be, if every task gets an agent of its own.",
        '`given["plan"]` 里的任务排成了一条长链，一个等一个。`given["reads"]` '
        "说明每个任务真正要读谁的结果，"
        '`given["seconds"]` 是它的用时。给 `plan` 赋一个同样由这些任务组成的计划，'
        "格式与给出的列表相同，"
        "使得每个任务都有自己的智能体时，总用时尽可能短。",
    ),
    difficulty=3,
    minutes=7,
    form="value",
    name="plan",
    stub=(
        'import kimi_nb as kn\n\ngiven = kn.given("ex02.plan")\n'
        'print(*given["plan"], given["reads"], given["seconds"], sep="\\n")\nplan = None'
    ),
    cases=_chained,
    solve=plan,
    solution=('plan = [{**task, "after": given["reads"][task["name"]]} for task in given["plan"]]'),
    hints=(
        Text(
            "Which `after` is there because a result is needed, and which out of habit?",
            "哪些 `after` 是因为需要结果，哪些只是习惯使然？",
        ),
        Text(
            "A task comes after those whose results it reads, and after nobody else.",
            "一个任务只排在它要读其结果的那些任务之后，不必等别人。",
        ),
    ),
    mistakes=(
        Mistake(
            key="serial",
            wrong=_as_it_was,
            says=Text(
                "Some task still waits for one whose result it does not read. Who could have "
                "begun in the first second?",
                "还有任务在等它根本不读的结果。有谁本来在第一秒就可以开始？",
            ),
        ),
        Mistake(
            key="too-early",
            wrong=_all_free,
            says=Text(
                "Some task begins before what it reads is there. It sees its own prompt and the "
                "results of those in its `after`, nothing else: what does it report?",
                "有任务在它要读的结果出来之前就开始了。它只看得到自己的提示词，和 `after` "
                "里那些任务的结果："
                "它能报告什么？",
            ),
        ),
        Mistake(
            key="lost",
            wrong=_without_the_last,
            says=Text(
                "These are not the same tasks: a name or a prompt is missing, new or changed. A "
                "plan of other work is no faster plan.",
                "任务不是原来那些了：有名称或提示词少了、多了或改了。做别的事，不等于计划更快。",
            ),
        ),
        Mistake(
            key="no-plan",
            wrong=_in_a_circle,
            says=Text(
                "No run could begin with that: it has an unknown name, a task without a prompt, "
                'or tasks that wait for each other. `kn.swarm("try it", plan=plan)` says which.',
                "这样的计划无法开始：有未知的名称、没有提示词的任务，或者互相等待的任务。"
                '运行 `kn.swarm("试试", plan=plan)` 会告诉你是哪一种。',
            ),
        ),
    ),
    judge=_judged,
)

EXERCISES = (PLAN,)
