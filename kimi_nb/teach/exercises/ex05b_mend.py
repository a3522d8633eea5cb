"""Notebook 05: a plan to mend."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.teach.byhand import planned
from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text
from kimi_nb.views.measures import measures

__all__ = ["EXERCISES"]

Plan = dict[str, dict[str, Any]]
"""By task: its prompt, the steps that it takes, `after` which others it is to begin, and whose
results it `reads`."""
Mended = dict[str, list[str]]
"""By task: after which others it is to begin."""
SHOPS = ("north", "south", "west", "east", "port", "hill")


def _copies(plan: Plan) -> set[str]:
    """All but the first of each prompt."""
    first: dict[str, str] = {}
    return {name for name, task in plan.items() if first.setdefault(task["prompt"], name) != name}


def _first(plan: Plan, name: str) -> str:
    """The first task with the same prompt: a copy of it brings the same result."""
    prompt = plan[name]["prompt"]
    return next(other for other, task in plan.items() if task["prompt"] == prompt)


def _mended(plan: Plan) -> Mended:
    copies = _copies(plan)
    return {name: list(task["reads"]) for name, task in plan.items() if name not in copies}


def _with_copies(plan: Plan) -> Mended:
    return {name: list(task["reads"]) for name, task in plan.items()}


def _still_waiting(plan: Plan) -> Mended:
    """The copies are gone; who came after one comes after what that came after."""
    copies = _copies(plan)

    def before(name: str) -> Iterator[str]:
        for other in plan[name]["after"]:
            yield from before(other) if other in copies else [other]

    return {name: sorted(set(before(name))) for name in plan if name not in copies}


def _all_at_once(plan: Plan) -> Mended:
    return {name: [] for name in _mended(plan)}


def _as_a_plan(plan: Plan) -> Plan:
    """In the form of the plan that was given."""
    return {name: {**plan[name], "after": after} for name, after in _mended(plan).items()}


def _without_last(plan: Plan) -> Mended:
    """Two of the tables are not counted at all: less work is faster."""
    mended = _mended(plan)
    gone = next(iter(mended))
    return {
        name: [other for other in after if other != gone]
        for name, after in mended.items()
        if name != gone
    }


def _judge(answer: Any, args: list[Any]) -> str:
    plan = cast("Plan", args[0])

    if not isinstance(answer, dict):
        return WRONG

    mended = cast("Mended", answer)

    if not all(_named(plan, after) for after in [list(mended), *mended.values()]):
        return "form"

    kept = [_first(plan, name) for name in mended]

    if any(name not in kept for name in _mended(plan)):
        return "lost"

    if len(kept) > len(set(kept)):
        return "M15"

    mended = {
        _first(plan, name): [_first(plan, other) for other in after]
        for name, after in mended.items()
    }

    if any(not _waits(mended, name, other) for name in mended for other in plan[name]["reads"]):
        return "needs"

    return "waits" if _span(plan, mended) > _span(plan, _mended(plan)) else ""


def _named(plan: Plan, names: object) -> bool:
    """Whether it is a list of tasks of the plan."""
    return isinstance(names, list) and all(
        isinstance(name, str) and name in plan for name in cast("list[object]", names)
    )


def _waits(mended: Mended, name: str, other: str) -> bool:
    """Whether the task begins after the other has ended, be it by way of a third."""
    seen: set[str] = set()
    ways = list(mended.get(name, ()))

    while ways:
        way = ways.pop()

        if way == other:
            return True

        if way not in seen:
            seen.add(way)
            ways += mended.get(way, ())

    return False


def _span(plan: Plan, mended: Mended) -> float:
    try:
        run = planned({name: plan[name]["steps"] for name in mended if name in plan}, mended)
    except UsageFault:  # a ring, or a task that is not there
        return float("inf")

    return measures(run).steps.span


def _sick(dice: Random) -> list[list[Any]]:
    """A row of counts, one of them twice, then a table of all, then a sentence about it."""
    shops = dice.sample(SHOPS, dice.randint(3, 5))
    plan: Plan = {}

    for shop in shops:
        prompt = f"Give the number of rows of {shop}.csv."
        after = list(plan)[-1:]
        plan[shop] = {"prompt": prompt, "steps": dice.randint(2, 6), "after": after, "reads": []}

    twin = dice.choice(shops)
    plan[f"{twin}-check"] = {**plan[twin], "after": list(plan)[-1:], "reads": []}
    last = f"{twin}-check"
    joined = {"prompt": "Join the counts into one table.", "steps": dice.randint(1, 3)}
    plan["table"] = {**joined, "after": [last], "reads": shops}
    said = {"prompt": "Say which shop has the most rows.", "steps": 1}
    plan["answer"] = {**said, "after": ["table"], "reads": ["table"]}
    return [[plan]]


MEND = Exercise(
    id="ex05.mend",
    title=Text("Mend a plan", "修好一份计划"),
    task=Text(
        "`given` is a plan: for each task its `prompt`, the `steps` that it takes, `after` which "
        "others it is set to begin, and whose results it really `reads`. It has both diseases. "
        "Bind `mended` to a dict: for each task that you keep, the list of those after which it "
        "begins. Every result must still be had, and the plan must be as short as its needs "
        "allow.",
        "`given` 是一份计划：每个任务有提示词 `prompt`、步数 `steps`、"
        "被设定要等哪些任务的 `after`，以及它真正要读谁的结果 `reads`。"
        "两种病它都有。把一个字典赋给 `mended`：你保留的每个任务，"
        "对应它要等的任务的列表。所有结果仍要得到，计划要短到依赖所允许的极限。",
    ),
    difficulty=3,
    minutes=10,
    form="value",
    name="mended",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex05.mend")\nmended = None',
    cases=_sick,
    solve=_mended,
    solution="mended, prompts = {}, set()\n\n"
    "for task, about in given.items():\n"
    '    if about["prompt"] not in prompts:\n'
    '        prompts.add(about["prompt"])\n'
    '        mended[task] = about["reads"]',
    hints=(
        Text(
            "Print `given`, one task to a line. Which two prompts are the same?",
            "把 `given` 逐个任务打印出来。哪两个提示词相同？",
        ),
        Text(
            "A task has to wait for those whose results it reads, and for nobody else.",
            "一个任务只需等它要读其结果的那些任务，别的都不必等。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M15",
            wrong=_with_copies,
            says=Text(
                "One piece of work is still done twice. What does the answer gain by the second "
                "time?",
                "有一件工作仍然做了两遍。第二遍给答案带来了什么？",
            ),
        ),
        Mistake(
            key="waits",
            wrong=_still_waiting,
            says=Text(
                "Somebody still waits for a result that it does not read. Compare your lists with "
                "`reads`, task by task.",
                "还有任务在等自己不读的结果。请逐个任务对比你的列表和 `reads`。",
            ),
        ),
        Mistake(
            key="needs",
            wrong=_all_at_once,
            says=Text(
                "Now a task begins before a result that it reads is there. What does it read then?",
                "现在有任务在它要读的结果出来之前就开始了。那它读到的是什么？",
            ),
        ),
        Mistake(
            key="form",
            wrong=_as_a_plan,
            says=Text(
                "For each task only a list is asked for: the names of tasks of the plan after "
                "which it begins, `[]` where it waits for nobody.",
                "每个任务只要一个列表：计划里它要等的那些任务的名称；谁也不等就写 `[]`。",
            ),
        ),
        Mistake(
            key="lost",
            wrong=_without_last,
            says=Text(
                "A piece of work is missing. Faster by leaving work out is another plan, not a "
                "better one.",
                "少了一件工作。靠省略工作变快，是另一份计划，不是更好的计划。",
            ),
        ),
    ),
    judge=_judge,
)

EXERCISES = (MEND,)
