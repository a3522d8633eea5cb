"""Notebook 05: which disease a run has, and how many agents were at work."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Stages = list[list[str]]
Needs = dict[str, list[str]]
FEW = 3
"""Sub-agents below which the believer in numbers sees a collapse."""
PLACES = ("north", "south", "west", "east", "port", "hill", "lake", "mill", "zoo", "fair")


def name(stages: list[list[str]], needs: dict[str, list[str]], used: list[str]) -> str:
    if any(task not in used for stage in stages for task in stage):
        return "spurious parallelism"

    level: dict[str, int] = {}

    for stage in stages:
        for task in stage:
            level[task] = 1 + max((level[before] for before in needs[task]), default=0)

    return "serial collapse" if len(stages) - max(level.values()) >= 2 else "healthy"


def _by_number(stages: Stages, needs: Needs, used: list[str]) -> str:
    del needs, used
    return "healthy" if max(map(len, stages)) >= FEW else "serial collapse"


def _by_shape(stages: Stages, needs: Needs, used: list[str]) -> str:
    """A row of single sub-agents is a collapse, whatever they need."""
    return name(stages, {task: [] for task in needs}, used)


def _never_spurious(stages: Stages, needs: Needs, used: list[str]) -> str:
    del used
    return name(stages, needs, [task for stage in stages for task in stage])


def _one_stage_is_enough(stages: Stages, needs: Needs, used: list[str]) -> str:
    """One stage too many is a collapse already."""
    found = name(stages, needs, used)
    free = len(stages) > 1 and not any(needs.values())
    return "serial collapse" if found == "healthy" and free else found


def _any_need_excuses(stages: Stages, needs: Needs, used: list[str]) -> str:
    """Somebody needed something, so that all had to wait."""
    found = name(stages, needs, used)
    return "healthy" if found == "serial collapse" and any(needs.values()) else found


def _traces(dice: Random) -> list[list[Any]]:
    """Rows, chains, teams and joins, such that each part of the question decides some case."""
    tasks = dice.sample(PLACES, dice.randint(4, 7))
    free: Needs = {task: [] for task in tasks}
    chain = {task: [before] for before, task in pairwise(tasks)}
    joined: Needs = {**free, tasks[-1]: [*tasks[:-1]]}
    row = [[task] for task in tasks]
    useful = dice.sample(tasks, len(tasks) - dice.randint(1, 2))
    cases: list[list[Any]] = [
        [row, free, tasks],
        [row, {tasks[0]: [], **chain}, tasks],
        [[tasks], free, tasks],
        [[tasks], free, [task for task in tasks if task in useful]],
        [[tasks[:-2], tasks[-2:-1], tasks[-1:]], free, tasks],
        [[tasks[:-1], tasks[-1:]], free, tasks],
        [row, joined, tasks],
        [row, free, useful],
        [[tasks[:-1], tasks[-1:]], joined, tasks],
    ]
    return dice.sample(cases, len(cases))


NAME = Exercise(
    id="ex05.name",
    title=Text("Name the disease", "说出病名"),
    task=Text(
        "`stages` lists for each stage the tasks that were launched together, `needs` for each "
        "task the earlier tasks whose results it reads, `used` the tasks whose results turn up "
        "later. Return `'spurious parallelism'` if a result was never used; else "
        "`'serial collapse'` if at least two stages fewer would have done, each task as early as "
        "its needs allow; else `'healthy'`.",
        "`stages` 列出每个阶段一起启动的任务，`needs` 是每个任务要读哪些先前任务的结果，"
        "`used` 是结果后来被用到的任务。如果有结果从未被用到，返回 `'spurious parallelism'`；"
        "否则，如果让每个任务在依赖允许时尽早开始，可以少用至少两个阶段，返回 `'serial collapse'`；"
        "否则返回 `'healthy'`。",
    ),
    difficulty=3,
    minutes=10,
    form="function",
    name="name",
    stub='def name(stages, needs, used):\n    """The disease of this run."""\n    ...',
    cases=_traces,
    solve=name,
    hints=(
        Text(
            "Two questions: was everything used? And how early could each task have begun?",
            "两个问题：结果都用上了吗？每个任务最早能在第几阶段开始？",
        ),
        Text(
            "The earliest stage of a task is 1 + the latest of those that it needs; 1 if it needs "
            "nobody.",
            "一个任务最早的阶段，是它所需任务中最晚阶段加 1；谁也不需要则为 1。",
        ),
        Text(
            "Compare `len(stages)` with the largest of these numbers.",
            "拿 `len(stages)` 和这些数中最大的比较。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M2",
            wrong=_by_number,
            says=Text(
                "You went by the number of sub-agents at once. Can six be useless, and can one "
                "after the other be all that the task allows?",
                "你是按同时启动的数量判断的。六个会不会全是白费？一个接一个，会不会本来就是任务的"
                "极限？",
            ),
        ),
        Mistake(
            key="chain",
            wrong=_by_shape,
            says=Text(
                "You called a chain a collapse. If each task reads the result of the one before, "
                "what could have gone side by side?",
                "你把一条链当成了坍缩。如果每个任务都要读前一个的结果，哪些能并行？",
            ),
        ),
        Mistake(
            key="strict",
            wrong=_one_stage_is_enough,
            says=Text(
                "You call one stage too many a collapse already. How many does the task ask for?",
                "只多出一个阶段，你就判为坍缩。题目要求多出几个？",
            ),
        ),
        Mistake(
            key="excused",
            wrong=_any_need_excuses,
            says=Text(
                "Where one task needs another, you let all of them wait. Which of the tasks in "
                "that run needs nobody, and when did it begin?",
                "只要有一个任务需要别人，你就让所有任务都等。那次运行里谁也不需要的任务有哪些，"
                "又是什么时候才开始的？",
            ),
        ),
        Mistake(
            key="M15",
            wrong=_never_spurious,
            says=Text(
                "You never doubt a sub-agent that was launched. What did the run get from one "
                "whose result nobody read?",
                "凡是启动了的子智能体，你从不怀疑。结果没人读的那个，给这次运行带来了什么？",
            ),
        ),
    ),
)


def average(intervals: list[list[float]]) -> float:
    work = sum(ended - began for began, ended in intervals)
    return work / (max(ended for _, ended in intervals) - min(began for began, _ in intervals))


def _peak(intervals: list[list[float]]) -> int:
    return max(sum(b <= t < e for b, e in intervals) for t, _ in intervals)


def _number(intervals: list[list[float]]) -> int:
    return len(intervals)


def _while_busy(intervals: list[list[float]]) -> float:
    """Over the time in which anybody was at work."""
    busy, until = 0.0, float("-inf")

    for began, ended in sorted(intervals):
        busy += max(0.0, ended - max(began, until))
        until = max(until, ended)

    return sum(ended - began for began, ended in intervals) / busy


def _from_zero(intervals: list[list[float]]) -> float:
    return sum(ended - began for began, ended in intervals) / max(end for _, end in intervals)


def _per_agent(intervals: list[list[float]]) -> float:
    return sum(ended - began for began, ended in intervals) / len(intervals)


def _intervals(dice: Random) -> list[list[Any]]:
    """Three runs of one's own, behind one that begins late and has a pause."""
    runs: list[list[list[float]]] = [[[2, 6], [2, 4], [8, 10]]]

    for _ in range(3):
        begins = [dice.randint(0, 6) for _ in range(dice.randint(3, 6))]
        runs.append([[began, began + dice.randint(1, 8)] for began in begins])

    return [[run] for run in runs]


CONCURRENCY = Exercise(
    id="ex05.concurrency",
    title=Text("Average concurrency", "平均并发数"),
    task=Text(
        "`intervals` are the times, `[began, ended]`, in which an agent was at work, one for each "
        "agent. Return the average concurrency from the first begin to the last end.",
        "`intervals` 是各智能体工作的时间 `[began, ended]`，每个智能体一段。"
        "返回从最早的开始到最晚的结束之间的平均并发数。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="average",
    stub='def average(intervals):\n    """Agents at work, on average over the time."""\n    ...',
    cases=_intervals,
    solve=average,
    hints=(
        Text(
            "Which area lies under the curve of agents at work?",
            "“工作中的智能体”这条曲线下的面积是什么？",
        ),
        Text("Work over wall time.", "工作量除以实际用时。"),
    ),
    mistakes=(
        Mistake(
            key="M8",
            wrong=_peak,
            says=Text(
                "That is the peak. How long did it last, and how many were at work the rest of "
                "the time?",
                "这是峰值。它持续了多久？其余时间里又有几个在工作？",
            ),
        ),
        Mistake(
            key="M2",
            wrong=_number,
            says=Text(
                "You counted the agents. Were all of them at work from the begin to the end?",
                "你数的是智能体的个数。它们从头到尾都在工作吗？",
            ),
        ),
        Mistake(
            key="pause",
            wrong=_while_busy,
            says=Text(
                "You left out the time in which nobody worked. Does the run's clock stand still "
                "then?",
                "你没有计入谁也不工作的时间。那段时间里，这次运行的时钟会停吗？",
            ),
        ),
        Mistake(
            key="from-zero",
            wrong=_from_zero,
            says=Text(
                "You divided by the last end. A run whose first agent begins at 100 and whose "
                "last one ends at 110: how long did it last?",
                "你除以了最后的结束时间。一次运行的第一个智能体在 100 时开始，"
                "最后一个在 110 时结束：它持续了多久？",
            ),
        ),
        Mistake(
            key="per-agent",
            wrong=_per_agent,
            says=Text(
                "That is how long an agent works, on average: seconds. Asked for is how many work, "
                "on average over the time.",
                "这是每个智能体平均工作了多久，单位是秒。要求的是按时间平均有几个在工作。",
            ),
        ),
    ),
)

EXERCISES = (NAME, CONCURRENCY)
