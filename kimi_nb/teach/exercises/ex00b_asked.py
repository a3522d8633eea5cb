"""Notebook 00: what is predicted, and the quiz at its end."""

from __future__ import annotations

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]

PREDICTIONS = (
    Question(
        id="p00.critical",
        asks=Text(
            "A hundred sub-agents share out the installed packages, and each takes a few steps: "
            "some hundreds in all. How many of these are critical steps, which must follow one "
            "another before the run can end?",
            "一百个子智能体分担所有已安装的包，每个走几步，合计几百步。其中有多少是关键步数，"
            "也就是必须一步接一步走完、运行才能结束的步数？",
        ),
        of="critical_steps",
    ),
)

QUIZ = Quiz(
    id="quiz00",
    items=(
        QuizItem(
            asks=Text(
                "A goal was given to a swarm and to one agent alone. What is the speed-up?",
                "同一个目标交给了集群和单个智能体。加速比是什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "The number of sub-agents that it launched", "集群启动的子智能体的数量"
                    ),
                    key="M2",
                ),
                Option(
                    says=Text(
                        "The time alone, divided by the swarm's time", "单独用时除以集群的用时"
                    )
                ),
                Option(
                    says=Text(
                        "The most agents that were at work together", "同时在工作的智能体的峰值"
                    ),
                    key="M8",
                ),
                Option(
                    says=Text(
                        "The tokens alone, divided by the swarm's tokens",
                        "单独用的 token 除以集群用的",
                    ),
                    key="M11",
                ),
            ),
            because=Text(
                "Faster means that less time passes; so two times are compared, of the same goal.",
                "快，就是用时更短；所以要比的是同一个目标的两个用时。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Five sub-agents take 40 seconds, the orchestrator's own steps included. Fifty "
                "take the same goal. How long?",
                "五个子智能体用了 40 秒，其中包括编排器自己的步骤。同一个目标换成五十个，要多久？",
            ),
            options=(
                Option(
                    says=Text(
                        "4 seconds: ten times as many agents share the work",
                        "4 秒：十倍的智能体来分担",
                    ),
                    key="M1",
                ),
                Option(
                    says=Text(
                        "As long as its mean sub-agent takes for its own part",
                        "就是各子智能体用时的平均值",
                    ),
                    key="M3",
                ),
                Option(
                    says=Text(
                        "More than 4 seconds: the orchestrator's steps stay",
                        "超过 4 秒：编排器那几步还在",
                    )
                ),
            ),
            because=Text(
                "Only what was handed out is divided further. Planning, briefing and joining are "
                "not, and with fifty reports joining gets longer.",
                "能继续拆的只有分派出去的部分。规划、分派和汇总拆不了，报告有五十份时汇总还会更久。"
                "",
            ),
        ),
        QuizItem(
            asks=Text(
                "With three small files the swarm was hardly faster than one agent alone, if at "
                "all, and it took twice the steps. Why?",
                "只有三个小文件时，集群并不比单个智能体快多少，步数却是两倍。为什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "It went wrong: work that is shared is less work in all",
                        "出错了：分担之后总工作量应该变小",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "Handing out and joining cost steps of their own as well",
                        "分派和汇总本身也要花步数",
                    )
                ),
                Option(
                    says=Text(
                        "It had too few agents: with twenty it would have been faster",
                        "智能体太少：有二十个就会更快",
                    ),
                    key="M6",
                ),
            ),
            because=Text(
                "An orchestrator plans, briefs and joins; one agent alone need not. It is worth it "
                "where the parts are large or many.",
                "编排器要规划、分派、汇总，单个智能体都不用付这些开销。拆出的部分足够大或足够多时"
                "才划算。",
            ),
        ),
    ),
)
