"""Notebook 01: what is predicted, and the quiz at its end."""

from __future__ import annotations

from typing import Any, cast

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text
from kimi_nb.views.rows import rows

__all__ = ["PREDICTIONS", "QUIZ"]


def read_again(run: Any) -> float | None:
    """Input tokens of all steps over those of the last one; None before there is one."""
    read = [cast("int", row["tokens_in"]) for row in rows(run, "steps") if row["agent"] == "a0"]
    return round(sum(read) / read[-1], 2) if read and read[-1] else None


PREDICTIONS = (
    Question(
        id="p01.tokens",
        asks=Text(
            "One agent alone works through six small files in eight steps. Its last prompt holds "
            "all messages so far. How many times as many tokens as in that last prompt has it "
            "read in all?",
            "单个智能体用八步处理六个小文件。它的最后一个提示词里有到那时为止的全部消息。"
            "它一共读过的 token，是最后这个提示词的多少倍？",
        ),
        of=read_again,
    ),
)

QUIZ = Quiz(
    id="quiz01",
    items=(
        QuizItem(
            asks=Text(
                "An agent alone has 20 files, a file in each step. Now it gets 40 of the same "
                "kind. What becomes of its input tokens in all?",
                "单个智能体有 20 个文件，每步处理一个。现在换成 40 个同样的文件。输入 token "
                "的总数会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "They double, as the number of its steps does", "翻一倍，因为步数翻了一倍"
                    ),
                    key="M11",
                ),
                Option(
                    says=Text(
                        "About four times: each step reads all before it",
                        "约为四倍，因为每步要重读之前的",
                    )
                ),
                Option(
                    says=Text(
                        "They stay: all of the calls are in one parallel turn",
                        "不变，因为调用都在同一轮里",
                    ),
                    key="M5",
                ),
            ),
            because=Text(
                "The prompt grows by the same amount at each step, so that the sum grows with the "
                "square of the steps: 20 · 21 / 2 = 210 parts, 40 · 41 / 2 = 820.",
                "提示词每一步增长同样多，总和随步数的平方增长：20 · 21 / 2 = 210 份，40 · 41 / 2 = "
                "820 份。",
            ),
        ),
        QuizItem(
            asks=Text(
                "In one turn a model calls three tools. How many steps are these?",
                "模型在一轮里调用了三个工具。这是几步？",
            ),
            options=(
                Option(
                    says=Text(
                        "One: a step is a model call and its tools", "一步：一次模型调用及其工具"
                    )
                ),
                Option(
                    says=Text(
                        "Three: every call of a tool is a step", "三步：每个工具调用各算一步"
                    ),
                    key="M11",
                ),
                Option(
                    says=Text(
                        "None: tools cost nothing, so they don't count", "零步：工具不花钱，不算步"
                    ),
                    key="M9",
                ),
            ),
            because=Text(
                "A step is one turn of the model, with all that it asks for in it. Steps count "
                "how often one waits for the model, be there one tool or ten.",
                "一步就是模型的一轮，连同这一轮里要求的一切。步数数的是等了模型多少次，"
                "工具是一个还是十个都一样。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Forty files are shared out to four agents, each alone with ten of them, instead "
                "of to one agent. A file is a step. What becomes of the input tokens in all?",
                "四十个文件不再交给一个智能体，而是分给四个，每个单独处理十个，每步一个文件。"
                "输入 token 的总数会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "They stay: there are as many steps as before",
                        "不变：步数和原来一样多",
                    ),
                    key="M11",
                ),
                Option(
                    says=Text(
                        "About a quarter: each reads its own past only",
                        "约为四分之一：各读各的历史",
                    )
                ),
                Option(
                    says=Text(
                        "A fortieth: all that is parallel costs once",
                        "四十分之一：并行的只算一次",
                    ),
                    key="M5",
                ),
            ),
            because=Text(
                "The sum grows with the square of the steps: four times 10 · 11 / 2 = 55 parts are "
                "220, where one agent reads 40 · 41 / 2 = 820.",
                "总和随步数的平方增长：四次 10 · 11 / 2 = 55 份共 220 份，"
                "而单个智能体要读 40 · 41 / 2 = 820 份。",
            ),
        ),
    ),
)
