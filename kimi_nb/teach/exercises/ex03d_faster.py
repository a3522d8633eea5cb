"""Notebook 03: whom it helps to make faster."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Stages = list[list[int]]


def helps(stages: list[list[int]]) -> list[list[bool]]:
    return [
        [steps == max(stage) and stage.count(steps) == 1 for steps in stage] for stage in stages
    ]


def _everyone(stages: Stages) -> list[list[bool]]:
    return [[True for _ in stage] for stage in stages]


def _also_tied(stages: Stages) -> list[list[bool]]:
    return [[steps == max(stage) for steps in stage] for stage in stages]


def _longest_of_all(stages: Stages) -> list[list[bool]]:
    longest = max(max(stage) for stage in stages)
    return [[steps == longest for steps in stage] for stage in stages]


def _cases(dice: Random) -> list[list[Any]]:
    """Two in which all mistakes show, and three of one's own."""
    runs: list[Stages] = [[[6, 9, 4, 7], [2, 5, 3]], [[5, 5, 2], [1, 8, 3]]]

    for _ in range(3):
        stages = range(dice.randint(2, 4))
        runs.append([[dice.randint(2, 7) for _ in range(dice.randint(2, 5))] for _ in stages])

    return [[run] for run in runs]


FASTER = Exercise(
    id="ex03.faster",
    title=Text("Whom to make faster", "让谁变快才有用"),
    task=Text(
        "`stages` has a list for each stage: how many steps each of its sub-agents took. Each took "
        "at least one. Return a list like it in which each number is replaced by `True` if one "
        "step less of this sub-agent alone would lower the Critical Steps, by `False` if not.",
        "`stages` 中每个阶段是一个列表：该阶段各子智能体所用的步数，至少 1 步。"
        "返回一个同样形状的列表：如果只让这个子智能体少用一步，关键步数就会下降，"
        "对应位置是 `True`，否则是 `False`。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="helps",
    stub='def helps(stages):\n    """True where one step less would help."""\n    ...',
    cases=_cases,
    solve=helps,
    hints=(
        Text("Each stage stands for itself.", "各个阶段互不影响。"),
        Text(
            "Two share the longest time of a stage. What if one of them gets faster?",
            "某个阶段有两个并列最长。只有其中一个变快，会怎样？",
        ),
    ),
    mistakes=(
        Mistake(
            key="M7",
            wrong=_everyone,
            says=Text(
                "You say that anyone who gets faster makes the run faster. In a stage of 6, 9, 4 "
                "and 7, who waits for the one with 4?",
                "照你说，谁变快都能让整体变快。在 6、9、4、7 的阶段里，有谁在等那个 4 步的？",
            ),
        ),
        Mistake(
            key="M4",
            wrong=_longest_of_all,
            says=Text(
                "You looked for the longest of the whole run. Does another stage not wait for its "
                "own slowest?",
                "你找的是整次运行中最长的那个。其他阶段难道不等自己阶段里最慢的吗？",
            ),
        ),
        Mistake(
            key="tied",
            wrong=_also_tied,
            says=Text(
                "Two sub-agents of a stage are slowest together. If only one gets faster, when "
                "does the stage end?",
                "某个阶段里有两个并列最慢。只有一个变快时，这个阶段何时结束？",
            ),
        ),
    ),
)

EXERCISES = (FASTER,)
