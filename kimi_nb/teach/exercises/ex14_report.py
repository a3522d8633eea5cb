"""Notebook 14: the figures of a report, from what the traces say."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.question import Question
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "PREDICTIONS"]

Figures = dict[str, Any]


def report(swarm: dict[str, Any], single: dict[str, Any]) -> dict[str, float]:
    critical = sum(1 + max(stage, default=0) for stage in swarm["stages"])
    total = sum(1 + sum(stage) for stage in swarm["stages"])
    return {
        "speedup_steps": single["steps"] / critical,
        "speedup_s": single["seconds"] / swarm["seconds"],
        "times_the_steps": total / single["steps"],
        "times_the_tokens": swarm["tokens"] / single["tokens"],
        "quality": swarm["quality"] - single["quality"],
    }


def _with(swarm: Figures, single: Figures, **other: float) -> dict[str, float]:
    return report(swarm, single) | other


def _steps_for_seconds(swarm: Figures, single: Figures) -> dict[str, float]:
    return _with(swarm, single, speedup_s=report(swarm, single)["speedup_steps"])


def _number_of_agents(swarm: Figures, single: Figures) -> dict[str, float]:
    agents = sum(len(stage) for stage in swarm["stages"])
    return _with(swarm, single, speedup_steps=agents)


def _sub_agents_only(swarm: Figures, single: Figures) -> dict[str, float]:
    critical = sum(max(stage, default=0) for stage in swarm["stages"])
    return _with(swarm, single, speedup_steps=single["steps"] / critical)


def _mean_of_a_stage(swarm: Figures, single: Figures) -> dict[str, float]:
    critical = sum(1 + sum(stage) / max(1, len(stage)) for stage in swarm["stages"])
    return _with(swarm, single, speedup_steps=single["steps"] / critical)


def _critical_for_total(swarm: Figures, single: Figures) -> dict[str, float]:
    """What went on at the same time counts once."""
    critical = sum(1 + max(stage, default=0) for stage in swarm["stages"])
    return _with(swarm, single, times_the_steps=critical / single["steps"])


def _tokens_upside_down(swarm: Figures, single: Figures) -> dict[str, float]:
    return _with(swarm, single, times_the_tokens=single["tokens"] / swarm["tokens"])


def _pairs(dice: Random) -> list[list[Any]]:
    drawn: list[list[Any]] = []

    for _ in range(3):
        helpers = [dice.sample(range(2, 14), dice.randint(3, 6)) for _ in range(2)]
        stages: list[list[int]] = [[], helpers[0], helpers[1], []]
        steps = sum(map(sum, helpers)) - dice.randint(0, 3)
        swarm = {
            "stages": stages,
            "seconds": dice.randint(200, 400) / 10,
            "tokens": dice.randint(40, 90) * 1_000,
            "quality": dice.randint(80, 99) / 100,
        }
        single = {
            "steps": steps,
            "seconds": dice.randint(500, 900) / 10,
            "tokens": dice.randint(100, 300) * 1_000,
            "quality": dice.randint(80, 99) / 100,
        }
        drawn.append([swarm, single])

    return drawn


REPORT = Exercise(
    id="ex14.compare",
    title=Text("The table of a report", "报告里的那张表"),
    task=Text(
        "`swarm` has its `stages` (a list of each stage's sub-agents, by their steps; the "
        "orchestrator takes 1 step in each stage), `seconds`, `tokens` and `quality`; `single` has "
        "`steps`, `seconds`, `tokens` and `quality`. Return a dict as `kn.compare` reckons: "
        "`speedup_steps` (critical steps) and `speedup_s`, single over swarm; `times_the_steps` "
        "(total steps) and `times_the_tokens`, swarm over single; and `quality`, swarm − single.",
        "`swarm` 有 `stages`（每个阶段一个列表，是各子智能体的步数；编排器每个阶段走 1 步）、"
        "`seconds`、`tokens` 和 `quality`；`single` 有 `steps`、`seconds`、`tokens` 和 "
        "`quality`。按 `kn.compare` 的算法返回一个字典：`speedup_steps`（关键步数）和 "
        "`speedup_s` 是单个智能体除以集群；`times_the_steps`（总步数）和 `times_the_tokens` "
        "是集群除以单个智能体；`quality` 是集群减去单个智能体。",
    ),
    difficulty=3,
    minutes=8,
    form="function",
    name="report",
    stub='def report(swarm, single):\n    """The five figures, by their names."""\n    ...',
    cases=_pairs,
    solve=report,
    hints=(
        Text(
            "Speed-ups have the single agent above the line, costs have the swarm above it.",
            "加速比以单个智能体为分子，代价以集群为分子。",
        ),
        Text(
            "Critical steps: for each stage 1 and its longest sub-agent; a stage without any has "
            "1. Total steps: for each stage 1 and all of them.",
            "关键步数：每个阶段 1 步，加上其中最长的子智能体；没有子智能体的阶段就是 1。"
            "总步数：每个阶段 1 步，加上全部子智能体。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M11",
            wrong=_steps_for_seconds,
            says=Text(
                "Your factor of seconds is that of critical steps. Which figures were measured "
                "with a clock?",
                "你给出的秒数倍数其实是关键步数的倍数。哪些数据才是用时钟量的？",
            ),
        ),
        Mistake(
            key="M2",
            wrong=_number_of_agents,
            says=Text(
                "You gave the number of sub-agents as the speed-up. What if half of them had "
                "waited?",
                "你把子智能体的数量当成了加速比。如果其中一半一直在等呢？",
            ),
        ),
        Mistake(
            key="M9",
            wrong=_sub_agents_only,
            says=Text(
                "Your critical steps have none of the orchestrator's. Who works in a stage that "
                "has no sub-agent?",
                "你的关键步数里没有编排器的。没有子智能体的阶段里，是谁在工作？",
            ),
        ),
        Mistake(
            key="M3",
            wrong=_mean_of_a_stage,
            says=Text(
                "You took the mean sub-agent of each stage. When does the next stage begin?",
                "你取了每个阶段子智能体的平均值。下一个阶段什么时候开始？",
            ),
        ),
        Mistake(
            key="M5",
            wrong=_critical_for_total,
            says=Text(
                "Your work is that of the critical steps alone. Who did the rest, and who pays "
                "for it?",
                "你的工作量只算了关键步数。其余的是谁做的，又由谁付钱？",
            ),
        ),
        Mistake(
            key="upside",
            wrong=_tokens_upside_down,
            says=Text(
                "Your factor of tokens is upside down. If the swarm needs twice as many, is it 2 "
                "or 0.5 times?",
                "你的 token 倍数上下颠倒了。集群用了两倍，应该是 2 倍还是 0.5 倍？",
            ),
        ),
    ),
)

PREDICTIONS = (
    Question(
        id="p14.critical",
        asks=Text(
            "How many critical steps will the swarm take? Think of its stages first.",
            "这个集群会用多少关键步数？先想想它有哪几个阶段。",
        ),
        of="critical_steps",
    ),
)

EXERCISES = (REPORT,)
