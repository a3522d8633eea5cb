"""Notebook 04: what is predicted, and the quiz at its end."""

from __future__ import annotations

from typing import Any

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text
from kimi_nb.views.whatif import what_if

__all__ = ["PREDICTIONS", "QUIZ", "fourth"]

SHORTER = Text("It gets shorter", "变短")
SAME = Text("It stays as long", "不变")
LONGER = Text("It gets longer", "变长")


def fourth(run: Any) -> str:
    """What a fourth worker does to the greedy schedule of a run."""
    three, four = (what_if(run, workers=number).seconds for number in (3, 4))
    return (SHORTER if four < three else LONGER if four > three else SAME).en


PREDICTIONS = (
    Question(
        id="p04.fourth",
        asks=Text(
            "Three workers finish this graph after 12. A fourth worker joins, nothing else "
            "changes. What becomes of the time?",
            "三个工作者用 12 完成这张图。现在加入第四个工作者，其余都不变。用时会怎样？",
        ),
        of=fourth,
        choices=(SHORTER, SAME, LONGER),
    ),
)

QUIZ = Quiz(
    id="quiz04",
    items=(
        QuizItem(
            asks=Text(
                "Task a costs 3 and b costs 4, b after a; c costs 6 and waits for nobody. "
                "What is the span?",
                "任务 a 耗时 3，b 耗时 4 且在 a 之后；c 耗时 6，谁也不等。跨度是多少？",
            ),
            options=(
                Option(says=Text("6: the longest task", "6：最长的任务"), key="M4"),
                Option(says=Text("7: the chain a, b", "7：a、b 这条链")),
                Option(says=Text("13: all of the work", "13：全部的工作量"), key="M5"),
            ),
            because=Text(
                "b ends after 3 + 4 = 7, later than c after 6: the span is the longest chain.",
                "b 在 3 + 4 = 7 时结束，晚于 c 的 6：跨度是最长的一条链。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A run has a work of 60 and a span of 20. What may a greedy schedule on 6 workers "
                "take?",
                "某次运行工作量为 60，跨度为 20。6 个工作者上的贪心调度可能需要多久？",
            ),
            options=(
                Option(
                    says=Text("Exactly 10, for 60 is shared by 6", "正好 10，因为 60 由 6 个平分"),
                    key="M1",
                ),
                Option(
                    says=Text("Any time from 20 to about 26.7", "20 到约 26.7 之间"),
                ),
                Option(says=Text("At most 20: 6 are plenty", "最多 20：6 个够用"), key="M6"),
            ),
            because=Text(
                "At least max(60 / 6, 20) = 20; at most (60 − 20) / 6 + 20 ≈ 26.7.",
                "下界是 max(60 / 6, 20) = 20；上界是 (60 − 20) / 6 + 20 ≈ 26.7。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A sub-agent has a slack of 5 seconds. You make it 3 seconds faster. What does "
                "the span do?",
                "某个子智能体的余量是 5 秒。你让它快了 3 秒。跨度会怎样？",
            ),
            options=(
                Option(
                    says=Text("It falls by the same 3 seconds, too", "也跟着缩短同样的 3 秒"),
                    key="M7",
                ),
                Option(says=Text("It falls by a part of these 3", "缩短其中一部分"), key="M3"),
                Option(says=Text("Nothing: it is not on the chain", "不变：它不在那条链上")),
            ),
            because=Text(
                "With that slack it could have taken 5 seconds more: another chain decides.",
                "有余量说明它再慢 5 秒也无妨。起决定作用的是另一条链。",
            ),
        ),
        QuizItem(
            asks=Text(
                "The span of a run is 10 s; without the orchestrator's own turns it is 7 s. "
                "What follows?",
                "一次运行的跨度是 10 秒；去掉编排器自己的轮次后是 7 秒。由此可知什么？",
            ),
            options=(
                Option(
                    says=Text("3 s of planning delay the end", "规划的 3 秒推迟了结束"),
                ),
                Option(
                    says=Text("Planning is free: the others work", "规划不耗时：别人都在干活"),
                    key="M9",
                ),
                Option(
                    says=Text("More sub-agents save the 3 s", "多加子智能体可省 3 秒"),
                    key="M2",
                ),
            ),
            because=Text(
                "The burden is 3 s: what the orchestrator adds to the longest chain. "
                "More sub-agents give it more to write and to read.",
                "负担是 3 秒：编排器给最长的链增加的部分。子智能体更多，它要写、要读的反而更多。",
            ),
        ),
    ),
)
