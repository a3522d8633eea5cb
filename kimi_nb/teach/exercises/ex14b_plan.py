"""Notebook 14: a plan that takes fewer Critical Steps than a given one."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Given = dict[str, Any]
Plan = list[list[list[str]]]
"""Stages; of each its sub-agents; of each its tasks, one after the other."""

SOLUTION = '''
import kimi_nb as kn

given = kn.given("ex14.plan")


def load(agent):
    return sum(given["steps"][name] for name in agent)


def dealt(names):
    """The longest first, always to whoever has least."""
    agents = [[] for _ in range(min(given["agents"], len(names)))]

    for name in sorted(names, key=given["steps"].get, reverse=True):
        min(agents, key=load).append(name)

    return agents


first = [name for name in given["steps"] if name not in given["after"]]
plan = [dealt(first), dealt(list(given["after"]))]
'''.strip()


def _dealt(names: list[str], given: Given) -> list[list[str]]:
    """The longest first, always to whoever has least."""
    steps: dict[str, int] = given["steps"]
    agents: list[list[str]] = [[] for _ in range(min(given["agents"], len(names)))]

    def load(agent: list[str]) -> int:
        return sum(steps[name] for name in agent)

    for name in sorted(names, key=lambda name: -steps[name]):
        min(agents, key=load).append(name)

    return agents


def _best(given: Given) -> Plan:
    first = [name for name in given["steps"] if name not in given["after"]]
    return [_dealt(first, given), _dealt(list(given["after"]), given)]


def _critical(plan: Plan, given: Given) -> int:
    steps = given["steps"]
    longest = (max(sum(steps[name] for name in agent) for agent in stage) for stage in plan)
    return sum(1 + most for most in longest)


def _judged(plan: Any, args: list[Any]) -> str:
    """The key of what is wrong with the plan, in the order in which one mends it."""
    given: Given = args[0]

    if not _is_plan(plan):
        return "form"

    done: set[str] = set()
    names = [name for stage in plan for agent in stage for name in agent]

    if sorted(names) != sorted(given["steps"]):
        return "whole"

    for stage in plan:
        for agent in stage:
            for place, name in enumerate(agent):
                if not set(given["after"].get(name, ())) <= done | set(agent[:place]):
                    return "order"

        done |= {name for agent in stage for name in agent}

    if max(map(len, plan)) > given["agents"]:
        return "M2"

    if _critical(plan, given) <= given["limit"]:
        return ""

    return "M9" if len(plan) > len(_best(given)) else "M3"


def _is_plan(plan: Any) -> bool:
    """Lists of lists of lists of names, none of them empty."""
    return _filled(plan) and all(
        _filled(stage)
        and all(_filled(agent) and all(isinstance(n, str) for n in agent) for agent in stage)
        for stage in cast("list[Any]", plan)
    )


def _filled(value: Any) -> bool:
    return isinstance(value, list) and bool(cast("list[Any]", value))


def _in_order(given: Given) -> Plan:
    """As the tasks stand there: the same number for each sub-agent."""
    first = [name for name in given["steps"] if name not in given["after"]]
    each = -(-len(first) // given["agents"])
    shares = [first[at : at + each] for at in range(0, len(first), each)]
    return [shares, _dealt(list(given["after"]), given)]


def _one_agent_a_task(given: Given) -> Plan:
    first = [name for name in given["steps"] if name not in given["after"]]
    return [[[name] for name in first], [[name] for name in given["after"]]]


def _one_stage(given: Given) -> Plan:
    """No dependency is waited for."""
    return [_dealt(list(given["steps"]), given)]


def _batches(given: Given) -> Plan:
    """A stage as soon as there are as many tasks as agents."""
    agents = given["agents"]
    names = list(given["steps"])
    first = [name for name in names if name not in given["after"]]
    cut = [first[at : at + agents] for at in range(0, len(first), agents)]
    stages = [*cut, list(given["after"])]
    return [[[name] for name in stage] for stage in stages]


def _without_joins(given: Given) -> Plan:
    return _best(given)[:1]


def _flat(given: Given) -> list[str]:
    return list(given["steps"])


def _tasks(dice: Random) -> list[list[Any]]:
    """Nine files for three sub-agents, the long ones first and together; two tables of them."""
    sizes = [dice.randint(9, 12) for _ in range(3)] + [dice.randint(1, 4) for _ in range(6)]
    steps = {f"read{number}": size for number, size in enumerate(sizes, 1)}
    reads = list(steps)
    after: dict[str, list[str]] = {}

    for number in range(1, 3):
        after[f"table{number}"] = sorted(dice.sample(reads, 6))
        steps[f"table{number}"] = dice.randint(2, 5)

    given: Given = {"agents": 3, "steps": steps, "after": after}
    given["baseline"] = _critical(_in_order(given), given)
    given["limit"] = _critical(_best(given), given) + 1
    return [[given]]


PLAN = Exercise(
    id="ex14.plan",
    title=Text("A plan with fewer Critical Steps", "关键步数更少的计划"),
    task=Text(
        "`given` has tasks and their `steps`; what each comes `after`; and how many sub-agents "
        "(`agents`) one stage may have. Bind `plan` to a list of stages; a stage is a list of "
        "sub-agents, a sub-agent a list of the tasks that it does one after the other: "
        '`[[["read1", "read4"], ["read2"]], [["table1"]]]`. The orchestrator takes 1 step for '
        "each stage. Dealing the tasks out as they stand there takes `baseline` Critical Steps; "
        "yours may take `limit`.",
        "`given` 里有各任务的步数 `steps`、每个任务要排在谁之后（`after`），"
        "以及一个阶段最多几个子智能体（`agents`）。把一个阶段列表赋给 `plan`；"
        "阶段是子智能体的列表，子智能体是它依次完成的任务的列表："
        '`[[["read1", "read4"], ["read2"]], [["table1"]]]`。编排器每个阶段走 1 步。'
        "照原来的先后直接分派要 `baseline` 个关键步数；你的最多可用 `limit`。",
    ),
    difficulty=4,
    minutes=10,
    form="value",
    name="plan",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex14.plan")\nplan = None',
    cases=_tasks,
    solve=_best,
    solution=SOLUTION,
    judge=_judged,
    hints=(
        Text(
            "How many stages does the order of the tasks ask for, at the least?",
            "任务之间的先后，至少要求几个阶段？",
        ),
        Text(
            "Within a stage: deal out the longest task first, always to the sub-agent that has "
            "least so far.",
            "阶段之内：先分最长的任务，每次都分给目前工作最少的那个子智能体。",
        ),
    ),
    mistakes=(
        Mistake(
            key="form",
            wrong=_flat,
            says=Text(
                "A plan is a list of stages, a stage a list of sub-agents, a sub-agent a list of "
                "names of tasks; none of them is empty.",
                "计划是阶段的列表，阶段是子智能体的列表，子智能体是任务名的列表；都不能为空。",
            ),
        ),
        Mistake(
            key="whole",
            wrong=_without_joins,
            says=Text(
                "Not every task of `given` is in your plan exactly once. A faster plan that "
                "leaves work out is no plan for it.",
                "`given` 的任务没有全部恰好出现一次。漏掉工作的计划再快也不算数。",
            ),
        ),
        Mistake(
            key="order",
            wrong=_one_stage,
            says=Text(
                "A task begins before one that it comes after has ended. Which barrier would it "
                "have to wait for?",
                "有一个任务在它所依赖的任务结束之前就开始了。它该等哪一道屏障？",
            ),
        ),
        Mistake(
            key="M2",
            wrong=_one_agent_a_task,
            says=Text(
                "A stage has more sub-agents than may run at once. What shortens a stage, if not "
                "their number?",
                "有一个阶段的子智能体超过了上限。除了数量，还有什么能缩短一个阶段？",
            ),
        ),
        Mistake(
            key="M9",
            wrong=_batches,
            says=Text(
                "Your plan has more stages than the order asks for. Who takes a step in each, and "
                "who waits at each barrier?",
                "你的阶段比任务先后所要求的多。每个阶段谁要走一步，每道屏障谁在等？",
            ),
        ),
        Mistake(
            key="M3",
            wrong=_in_order,
            says=Text(
                "The longest sub-agent of each stage decides. Which one has the long tasks, and "
                "who could take some of them?",
                "起决定作用的是每个阶段最长的那个子智能体。长任务都在谁那里，谁可以分担一些？",
            ),
        ),
    ),
)

EXERCISES = (PLAN,)
