"""Notebook 09: what an update pays attention to."""

from __future__ import annotations

from random import Random
from statistics import fmean, pstdev
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Groups = list[list[float]]


def advantages(groups: list[list[float]]) -> list[list[float]]:
    return [[reward - sum(group) / len(group) for reward in group] for group in groups]


def _divided(groups: Groups) -> Groups:
    """As GRPO does."""
    return [
        [above / pstdev(group) for above in row]
        for group, row in zip(groups, advantages(groups), strict=True)
    ]


def _of_the_batch(groups: Groups) -> Groups:
    mean = fmean(reward for group in groups for reward in group)
    return [[reward - mean for reward in group] for group in groups]


def _below_the_best(groups: Groups) -> Groups:
    return [[reward - max(group) for reward in group] for group in groups]


def _as_paid(groups: Groups) -> Groups:
    return groups


def _groups(dice: Random) -> list[list[Any]]:
    """Easy and hard tasks, in each of which the rollouts differ."""
    found: list[list[Any]] = []

    for _ in range(3):
        size = dice.randint(3, 5)
        easy = [round(dice.uniform(0.7, 0.95), 2) for _ in range(size - 1)]
        hard = [round(dice.uniform(0.05, 0.3), 2) for _ in range(size - 1)]
        found.append([[[*easy, 0.6], [*hard, 0.0]]])

    return found


ADVANTAGE = Exercise(
    id="ex09.advantage",
    title=Text("Better than one's own group", "比同组的平均好多少"),
    task=Text(
        "`groups` has a list for each task: what each rollout of that task was paid. Return the "
        "advantages, in the same form, as the Kimi K2.5 report has them (§4.4): the reward less "
        "the mean of the rollouts of the same task.",
        "`groups` 中每个任务是一个列表：该任务各个 rollout 得到的奖励。按 Kimi K2.5 "
        "报告（§4.4）的写法，"
        "以同样的形式返回优势：奖励减去同一任务各 rollout 的均值。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="advantages",
    stub='def advantages(groups):\n    """One number for each rollout."""\n    ...',
    cases=_groups,
    solve=advantages,
    hints=(
        Text("A mean for each task, not one for all.", "每个任务一个均值，不是所有任务一个。"),
        Text(
            "`[reward - mean for reward in group]`, and nothing is divided.",
            "`[reward - mean for reward in group]`，然后什么也不除。",
        ),
    ),
    mistakes=(
        Mistake(
            key="divided",
            wrong=_divided,
            says=Text(
                "You divided by the standard deviation, as GRPO does; the report does not. If an "
                "auxiliary reward is divided by its own, what is left of its λ?",
                "你除以了标准差，这是 GRPO 的做法，报告里没有。如果辅助奖励除以它自己的标准差，"
                "它的 λ 还剩下什么？",
            ),
        ),
        Mistake(
            key="batch",
            wrong=_of_the_batch,
            says=Text(
                "You took the mean of all tasks. On an easy task every rollout is then above it: "
                "what would be learned from that?",
                "你取的是所有任务的均值。那样在容易的任务上，每个 rollout 都高于均值："
                "能从中学到什么？",
            ),
        ),
        Mistake(
            key="best",
            wrong=_below_the_best,
            says=Text(
                "Nobody is above the best, so that yours pushes all away and nobody up. What do "
                "the advantages of a group add up to?",
                "没有谁能高过最好的，所以你的写法只会往下压，没有谁被抬高。"
                "一组优势加起来应该是多少？",
            ),
        ),
        Mistake(
            key="paid",
            wrong=_as_paid,
            says=Text(
                "Those are the rewards. If all of them are above 0, even the worst rollout becomes "
                "likelier. Than what should it be better?",
                "这是奖励本身。如果都大于 0，连最差的 rollout 也会变得更可能。它该比什么更好才算"
                "好？",
            ),
        ),
    ),
)


def say(ratio: float, advantage: float, low: float, high: float) -> float:
    return ratio * advantage if low <= ratio <= high else 0


def _clipped(ratio: float, advantage: float, low: float, high: float) -> float:
    """PPO's: the smaller of the two."""
    return min(ratio * advantage, min(max(ratio, low), high) * advantage)


def _one_sided(ratio: float, advantage: float, low: float, high: float) -> float:
    """Zero only where the action would be pushed further away."""
    outside = ratio > high if advantage > 0 else ratio < low
    return 0 if outside else ratio * advantage


def _unweighted(ratio: float, advantage: float, low: float, high: float) -> float:
    return advantage if low <= ratio <= high else 0


def _always(ratio: float, advantage: float, low: float, high: float) -> float:  # noqa: ARG001 -- no mask
    return ratio * advantage


def _ratios(dice: Random) -> list[list[Any]]:
    """Below, within and above, with both signs."""
    low, high = dice.choice([[0.8, 1.2], [0.7, 1.3], [0.82, 1.22]])
    found: list[list[Any]] = []

    for bounds in ((0.3, low - 0.1), (low + 0.02, high - 0.02), (high + 0.1, 2)):
        for sign in (1, -1):
            ratio = round(dice.uniform(*bounds), 3)
            found.append([ratio, sign * dice.randint(2, 9) / 10, low, high])

    return found


MASK = Exercise(
    id="ex09.mask",
    title=Text("A mask instead of a clip", "用掩码代替裁剪"),
    task=Text(
        "`ratio` is π/π_old of an action, `advantage` that of its rollout. Return the term of the "
        "report's objective without its τ: mask · ratio · advantage, where the mask is 1 for a "
        "ratio within [`low`, `high`] and 0 outside, whatever the sign of the advantage.",
        "`ratio` 是一个动作的 π/π_old，`advantage` 是所属 rollout 的优势。"
        "返回报告目标函数中不含 τ 的那一项：掩码 · ratio · advantage。"
        "ratio 在 [`low`, `high`] 之内掩码为 1，之外为 0，与优势的正负无关。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="say",
    stub='def say(ratio, advantage, low, high):\n    """What the action adds."""\n    ...',
    cases=_ratios,
    solve=say,
    hints=(
        Text(
            "There are two cases, and the sign makes no third one.",
            "只有两种情况，与正负号无关。",
        ),
        Text("`low <= ratio <= high`, and 0 outside.", "`low <= ratio <= high`，之外都是 0。"),
    ),
    mistakes=(
        Mistake(
            key="clip",
            wrong=_clipped,
            says=Text(
                "That is PPO's clipped objective. With a ratio of 3 and an advantage of −0.5, what "
                "does it give, and what would a mask give?",
                "这是 PPO 的裁剪目标。ratio 为 3、优势为 −0.5 时它给出多少？掩码又会给出多少？",
            ),
        ),
        Mistake(
            key="sided",
            wrong=_one_sided,
            says=Text(
                "You mask only what would be pushed further away. The report's mask does not ask "
                "for the sign: try a ratio of 0.3 with a good advantage.",
                "你只遮住会被推得更远的动作。报告的掩码不看正负：试试 ratio 为 0.3、"
                "优势为正的情形。",
            ),
        ),
        Mistake(
            key="ratio",
            wrong=_unweighted,
            says=Text(
                "Within the bounds the advantage counts by the ratio. An action that became 1.1 "
                "times as likely: with which weight?",
                "在界内，优势还要乘上 ratio。一个动作的概率变成 1.1 倍，它的权重是多少？",
            ),
        ),
        Mistake(
            key="always",
            wrong=_always,
            says=Text(
                "Nothing is masked. What would one rollout do to the policy with a ratio of 50?",
                "你什么也没遮。ratio 为 50 的一个 rollout，会把策略带到哪里去？",
            ),
        ),
    ),
)

EXERCISES = (ADVANTAGE, MASK)
