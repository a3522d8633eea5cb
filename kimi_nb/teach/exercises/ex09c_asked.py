"""Notebook 09: what it has predicted, and its quiz."""

from __future__ import annotations

from typing import Any

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]


def _critical(run: Any) -> float:
    """Of a rollout, whose seconds are steps: briefings are parts of one, which turns are not."""
    from kimi_nb.views.critical import metrics

    return metrics(run).wall_s


PREDICTIONS = (
    Question(
        id="p09.learned",
        asks=Text(
            "Alone, this task takes 48 steps. How many critical steps will the trained policy "
            "need for it?",
            "独自做，这个任务要 48 步。训练好的策略需要多少关键步数？",
        ),
        of=_critical,
    ),
)

QUIZ = Quiz(
    id="quiz09",
    items=(
        QuizItem(
            asks=Text(
                "Auxiliary advantages are divided by their own deviation, and λ is halved. What "
                "changes?",
                "辅助优势除以它自己的标准差，再把 λ 减半。会改变什么？",
            ),
            options=(
                Option(says=Text("updates go half as far", "更新幅度减半"), key="M14"),
                Option(says=Text("half the sub-agents", "子智能体减半"), key="M15"),
                Option(says=Text("nothing: λ cancels out", "不变：λ 被约掉")),
                Option(says=Text("the anneal takes longer", "退火要更久"), key="M16"),
            ),
            because=Text(
                "Scale a reward by λ and its deviation is scaled too: only λ = 0 itself makes a "
                "difference. The report divides by no deviation.",
                "奖励乘上 λ，标准差也随之乘上 λ：只有 λ 恰好为 0 才有区别。报告不除以标准差。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A rollout has 120 steps of work, 46 seconds of wall time, 24 sub-agents, at most "
                "8 at once. Its average concurrency?",
                "一个 rollout 的工作量为 120 步，用时 46 秒，24 个子智能体，同时最多 8 个。"
                "平均并发数是多少？",
            ),
            options=(
                Option(says=Text("8 agents, as at its peak", "8 个，即峰值"), key="M8"),
                Option(says=Text("24 agents, all that began", "24 个，即全部"), key="M2"),
                Option(says=Text("2.6 agents, 120 over 46", "2.6 个，即 120/46")),
            ),
            because=Text(
                "Work over wall time. A peak of 8 that lasts a stage is no average.",
                "工作量除以用时。只持续一个阶段的峰值 8 不是平均值。",
            ),
        ),
        QuizItem(
            asks=Text(
                "The network has more success·Q than list scheduling, 0.83 against 0.81. What does "
                "it pay?",
                "网络策略的 success·Q 高于列表调度，0.83 对 0.81。它付出了什么？",
            ),
            options=(
                Option(
                    says=Text("more steps and more sub-agents", "更多的步数和子智能体"),
                ),
                Option(
                    says=Text("nothing: parallel work is less", "没有：并行的工作更少"),
                    key="M5",
                ),
                Option(
                    says=Text("the orchestrator's time only", "只有编排器的时间，不算数"),
                    key="M9",
                ),
                Option(
                    says=Text("nothing: more helpers never hurt", "没有：帮手多了总没坏处"),
                    key="M6",
                ),
            ),
            because=Text(
                "62 total steps instead of 43, 7.7 sub-agents instead of 4.2, 29.0 critical steps "
                "instead of 26.3 (kimi-nb parl reproduce bounds).",
                "总步数 62 对 43，子智能体 7.7 对 4.2，关键步数 29.0 对 26.3"
                "（kimi-nb parl reproduce bounds）。",
            ),
        ),
        QuizItem(
            asks=Text(
                "At a fan-out of 64 the trained policy launches 113 sub-agents and takes 4.2 times "
                "fewer critical steps. Why not 64 times?",
                "扇出为 64 时，训练好的策略启动了 113 个子智能体，关键步数只降到 1/4.2。"
                "为什么不是 1/64？",
            ),
            options=(
                Option(
                    says=Text("it should have launched more", "应该启动得更多"),
                    key="M6",
                ),
                Option(
                    says=Text("briefing and stages are serial", "分派和阶段是串行的"),
                ),
                Option(
                    says=Text("the mean part takes too long", "平均每个部分太慢"),
                    key="M3",
                ),
                Option(
                    says=Text("it is 113 times, in seconds", "按秒算就是 113 倍"),
                    key="M11",
                ),
            ),
            because=Text(
                "A stage has at most 8, each briefing takes a quarter of a step, every stage waits "
                "for its slowest; and 42 of the 113 are useless.",
                "一个阶段最多 8 个，每次分派要四分之一步，每个阶段都等最慢的那个；"
                "而且 113 个里有 42 个无用。",
            ),
        ),
    ),
)
