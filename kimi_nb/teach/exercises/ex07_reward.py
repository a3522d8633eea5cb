"""Notebook 07: the PARL reward, term by term."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Run = dict[str, float]
ENDINGS = ("finished", "failed", "cancelled")


def reward(form: str, run: dict[str, float], first: float, second: float) -> float:
    perf = run["quality"] if run["success"] else 0.0

    if form == "blog":
        return first * run["parallel"] + (1 - first) * perf

    return first * run["parallel"] + second * run["finish"] + perf


def _never_less(form: str, run: Run, first: float, second: float) -> float:
    """The overview's form without its (1 − λ)."""
    perf = run["quality"] if run["success"] else 0.0
    finish = second * run["finish"] if form == "report" else 0.0
    return first * run["parallel"] + finish + perf


def _always_less(form: str, run: Run, first: float, second: float) -> float:
    """(1 − λ1) in the report's form, too."""
    perf = run["quality"] if run["success"] else 0.0
    finish = second * run["finish"] if form == "report" else 0.0
    return first * run["parallel"] + finish + (1 - first) * perf


def _for_trying(form: str, run: Run, first: float, second: float) -> float:
    """Quality without success."""
    return reward(form, run | {"success": True}, first, second)


def _rewards(dice: Random) -> list[list[Any]]:
    """Both forms, each with a success and with a failure of some quality."""
    found: list[list[Any]] = []

    for form in ("blog", "report"):
        for success in (True, False):
            run = {
                "parallel": dice.randint(2, 8) / 8,
                "finish": dice.randint(2, 9) / 10,
                "success": success,
                "quality": dice.randint(40, 90) / 100,
            }
            found.append([form, run, dice.choice([0.1, 0.2, 0.3]), dice.choice([0.15, 0.25])])

    return found


REWARD = Exercise(
    id="ex07.reward",
    title=Text("One reward, two published forms", "一个奖励，两种公开的写法"),
    task=Text(
        'Return what a run is paid. `form` is `"blog"`: λ·r_parallel + (1 − λ)·1[success]·Q; or '
        '`"report"`: λ₁·r_parallel + λ₂·r_finish + r_perf. `run` has `"parallel"`, `"finish"`, '
        '`"success"` and `"quality"` (Q); r_perf is 1[success]·Q. `first` is λ, or λ₁; `second` is '
        "λ₂, which the blog's form does not have.",
        '返回一次运行得到的奖励。`form` 为 `"blog"` 时：λ·r_parallel + (1 − λ)·1[success]·Q；'
        '为 `"report"` 时：λ₁·r_parallel + λ₂·r_finish + r_perf。`run` 有 `"parallel"`、'
        '`"finish"`、'
        '`"success"` 和 `"quality"`（即 Q）；r_perf 就是 1[success]·Q。`first` 是 λ 或 λ₁；'
        "`second` 是 λ₂，博客写法里没有它。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="reward",
    stub='def reward(form, run, first, second):\n    """What the run is paid."""\n    ...',
    cases=_rewards,
    solve=reward,
    hints=(
        Text(
            "Work out r_perf first. What is the quality of an answer worth that failed?",
            "先算 r_perf。答案失败了，质量再高，值多少？",
        ),
        Text(
            "Blog: λ says how much of one coin goes to each side. Report: nothing is taken from "
            "r_perf.",
            "博客写法：λ 决定同一份奖励怎样分给两边。报告写法：r_perf 一分也不扣。",
        ),
    ),
    mistakes=(
        Mistake(
            key="whole",
            wrong=_never_less,
            says=Text(
                "In the blog's form λ is a share. At λ = 1, is anything left for r_perf?",
                "在博客写法里，λ 是一个比例。λ = 1 时，r_perf 还剩下什么吗？",
            ),
        ),
        Mistake(
            key="shared",
            wrong=_always_less,
            says=Text(
                "You took (1 − λ₁) in the report's form, too. There λ₁ may be 1, or 5: what would "
                "become of r_perf?",
                "你在报告写法里也乘了 (1 − λ₁)。那里的 λ₁ 可以是 1，甚至是 5：r_perf 会变成什么？",
            ),
        ),
        Mistake(
            key="M15",
            wrong=_for_trying,
            says=Text(
                "You paid quality without success. A run that has delegated everything and failed: "
                "what does 1[success] make of its Q?",
                "没有成功，你也为质量付了钱。一次运行把什么都委派出去却失败了，1[success] 会让它"
                "的 Q 变成多少？",
            ),
        ),
    ),
)


def auxiliary(endings: list[str]) -> list[float]:
    count = len(endings)
    done = endings.count("finished")
    return [min(1, count / 8), done / count if count else 0]


def _uncapped(endings: list[str]) -> list[float]:
    return [len(endings) / 8, auxiliary(endings)[1]]


def _only_useful(endings: list[str]) -> list[float]:
    return [min(1, endings.count("finished") / 8), auxiliary(endings)[1]]


def _of_eight(endings: list[str]) -> list[float]:
    return [auxiliary(endings)[0], min(1, endings.count("finished") / 8)]


def _nobody_failed(endings: list[str]) -> list[float]:
    return auxiliary(endings) if endings else [0, 1]


def _endings(dice: Random) -> list[list[Any]]:
    """Nobody; a few of whom some fail; and more than r_parallel counts."""
    few = ["finished", dice.choice(ENDINGS[1:]), *dice.choices(ENDINGS, k=dice.randint(1, 4))]
    many = ["finished", "failed", *dice.choices(ENDINGS, k=dice.randint(8, 14))]
    runs: list[list[str]] = [[], few, many]

    for endings in runs:
        dice.shuffle(endings)

    return [[endings] for endings in runs]


PARALLEL = Exercise(
    id="ex07.parallel",
    title=Text("Closed forms of the two helpers", "两个辅助奖励的闭式"),
    task=Text(
        "`endings` says how each sub-agent of a run ended. Return `[r_parallel, r_finish]` in the "
        "closed forms of this project: r_parallel is 1 from 8 sub-agents on, and in proportion "
        "below, whatever became of them; r_finish is the share that ended as "
        '`"finished"`, and 0 where there was nobody.',
        "`endings` 记录一次运行中每个子智能体是怎样结束的。按本项目的闭式返回 "
        "`[r_parallel, r_finish]`：r_parallel 从 8 个子智能体起为 1，不足 8 个时按比例计，"
        '不管它们结果如何；r_finish 是以 `"finished"` 结束的比例，一个也没有时为 0。',
    ),
    difficulty=1,
    minutes=5,
    form="function",
    name="auxiliary",
    stub='def auxiliary(endings):\n    """[r_parallel, r_finish]."""\n    ...',
    cases=_endings,
    solve=auxiliary,
    hints=(
        Text("How many were created? How many finished?", "创建了多少个？完成了多少个？"),
        Text(
            "`min(1, …)` for the first, and a division that may not be by 0 for the second.",
            "第一个用 `min(1, …)`；第二个是除法，要避免除以 0。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M15",
            wrong=_uncapped,
            says=Text(
                "Yours goes on growing beyond 8 sub-agents. What would a policy do for which "
                "hundred of them pay twelve times as much?",
                "你的 r_parallel 超过 8 个子智能体后还在涨。如果一百个能拿到十二倍的钱，"
                "策略会怎么做？",
            ),
        ),
        Mistake(
            key="useful",
            wrong=_only_useful,
            says=Text(
                "You counted in r_parallel only those that finished. It pays for creating them: "
                "that is how it can be farmed, and what r_finish is there for.",
                "你在 r_parallel 里只数了完成的。它奖励的是创建本身：正因如此才会被刷分，"
                "也才需要 r_finish。",
            ),
        ),
        Mistake(
            key="eight",
            wrong=_of_eight,
            says=Text(
                "r_finish is a share of those that were assigned, not of 8. Two of two: what "
                "share?",
                "r_finish 是占已分派数量的比例，不是占 8 的比例。两个里完成了两个，比例是多少？",
            ),
        ),
        Mistake(
            key="empty",
            wrong=_nobody_failed,
            says=Text(
                "A run without sub-agents gets the whole r_finish from you. Which policy would be "
                "paid best for doing all alone?",
                "没有子智能体的运行，在你这里拿到了满分的 r_finish。那么全都自己做的策略会拿多少？",
            ),
        ),
    ),
)

EXERCISES = (REWARD, PARALLEL)
