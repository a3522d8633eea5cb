"""Notebook 03: stages, barriers and Critical Steps."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Stages = list[list[int]]


def critical_steps(stages: list[list[int]]) -> int:
    return sum(1 + max(stage) for stage in stages)


def _by_mean(stages: Stages) -> float:
    return sum(1 + sum(stage) / len(stage) for stage in stages)


def _without_orchestrator(stages: Stages) -> int:
    return sum(max(stage) for stage in stages)


def _one_for_all(stages: Stages) -> int:
    """The orchestrator works once."""
    return 1 + sum(max(stage) for stage in stages)


def _total(stages: Stages) -> int:
    return sum(1 + sum(stage) for stage in stages)


def _longest_chain(stages: Stages) -> int:
    """Each sub-agent goes on without waiting for the others."""
    chains = zip(*stages, strict=False)
    return len(stages) + max(sum(chain) for chain in chains)


def _stages(dice: Random) -> list[list[Any]]:
    """Five runs. In one the two longest follow one another in different chains: 9 then 1, 1 then 9.

    At least two sub-agents of different length in each stage, so that mean and maximum differ.
    """
    runs: list[Stages] = [[[9, 1], [1, 9]], [[6, 9, 4, 7]]]

    for _ in range(3):
        agents = dice.randint(2, 5)
        runs.append([dice.sample(range(1, 13), agents) for _ in range(dice.randint(2, 4))])

    return [[run] for run in runs]


CRITICAL = Exercise(
    id="ex03.critical",
    title=Text("Critical Steps from the steps of each stage", "由各阶段的步数求关键步数"),
    task=Text(
        "`stages` has a list for each stage: how many steps each of its sub-agents took. The "
        "orchestrator takes 1 step for each stage. Return the Critical Steps of the run.",
        "`stages` 中每个阶段是一个列表：该阶段各子智能体所用的步数。编排器在每个阶段用 1 步。"
        "返回这次运行的关键步数。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="critical_steps",
    stub='def critical_steps(stages):\n    """Sum over the stages."""\n    ...',
    cases=_stages,
    solve=critical_steps,
    hints=(
        Text("When does a stage end?", "一个阶段什么时候才算结束？"),
        Text(
            "For each stage: the orchestrator's step, and then the slowest sub-agent's steps.",
            "每个阶段：编排器的一步，再加上最慢的那个子智能体的步数。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M3",
            wrong=_by_mean,
            says=Text(
                "You took the mean of each stage. Of sub-agents with 1 and 9 steps, when has the "
                "second one ended?",
                "你对每个阶段取了平均值。两个子智能体分别用 1 步和 9 步，后一个什么时候才结束？",
            ),
        ),
        Mistake(
            key="M9",
            wrong=_without_orchestrator,
            says=Text(
                "Who works between two stages, while all sub-agents wait?",
                "两个阶段之间，子智能体都在等的时候，是谁在工作？",
            ),
        ),
        Mistake(
            key="one-for-all",
            wrong=_one_for_all,
            says=Text(
                "Your orchestrator takes a single step in the whole run. Who launches the second "
                "stage?",
                "你的编排器在整次运行里只走了一步。第二个阶段是谁启动的？",
            ),
        ),
        Mistake(
            key="M5",
            wrong=_total,
            says=Text(
                "That is the work of all. What goes on at the same time counts once.",
                "这是所有人的总步数。同时进行的部分只应计一次。",
            ),
        ),
        Mistake(
            key="M12",
            wrong=_longest_chain,
            says=Text(
                "That is the longest chain, as if nobody waited. At a barrier everyone waits for "
                "the slowest: try stages of (9, 1) and (1, 9).",
                "这是最长的一条链，好像谁也不用等。但在屏障处，所有人都要等最慢的那个："
                "试试 (9, 1) 和 (1, 9) 这两个阶段。",
            ),
        ),
    ),
)

EXERCISES = (CRITICAL,)
