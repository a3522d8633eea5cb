"""Notebook 03: what is predicted, and the quiz at its end."""

from __future__ import annotations

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]

PREDICTIONS = (
    Question(
        id="p03.critical",
        asks=Text(
            "Ten small files, at most four sub-agents, a step for each file and one to report. "
            "The orchestrator looks, creates, assigns and joins. How many Critical Steps?",
            "十个小文件，最多四个子智能体，每个文件一步，再用一步汇报。"
            "编排器查看、创建、分派、汇总。关键步数是多少？",
        ),
        of="critical_steps",
    ),
)

QUIZ = Quiz(
    id="quiz03",
    items=(
        QuizItem(
            asks=Text(
                "A stage launches three sub-agents that take 2, 2 and 11 steps; the "
                "orchestrator takes 1. What does the stage add to the Critical Steps?",
                "某阶段启动三个子智能体，分别用 2、2、11 步；编排器用 1 步。"
                "这个阶段给关键步数加上多少？",
            ),
            options=(
                Option(
                    says=Text("6: 1 and the mean of all three", "6：1 加三个的平均值"), key="M3"
                ),
                Option(says=Text("12: 1 and the slowest", "12：1 加最慢的")),
                Option(says=Text("11: the slowest alone", "11：只算最慢的那个"), key="M9"),
            ),
            because=Text(
                "A stage is over when its last sub-agent is: 1 + max(2, 2, 11) = 12. The "
                "orchestrator's step comes first, and nobody works beside it.",
                "最后一个子智能体结束，阶段才结束：1 + max(2, 2, 11) = 12。编排器的一步排在前面，"
                "那时别人都没有在工作。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Two runs have 20 Critical Steps each. What do you know?",
                "两次运行的关键步数都是 20。由此能知道什么？",
            ),
            options=(
                Option(
                    says=Text("Both took the same number of seconds", "两次运行花的秒数一样多"),
                    key="M11",
                ),
                Option(
                    says=Text("Both read and wrote as many tokens", "两次读写的 token 一样多"),
                    key="M5",
                ),
                Option(
                    says=Text("Both waited for 20 turns in a row", "都接连等了 20 轮"),
                ),
            ),
            because=Text(
                "Critical Steps count turns that had to follow one another. How long a turn takes, "
                "and how many tokens it reads, they do not say.",
                "关键步数数的是必须前后相继的轮次。一轮花多久、读多少 token，它都不反映。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Two stages: in the first, agents A and B take 8 and 3 steps, in the second 2 and "
                "7, and each goes on with its own work only. The orchestrator is left out. What is "
                "true?",
                "两个阶段：第一阶段智能体 A、B 分别用 8 和 3 步，第二阶段分别用 2 和 7 步，"
                "各自只接着做自己的事。不计编排器。哪个说法对？",
            ),
            options=(
                Option(
                    says=Text(
                        "Critical Steps and the span are both 10", "关键步数和跨度都是 10 步"
                    ),
                    key="M12",
                ),
                Option(
                    says=Text("Critical Steps are 15, the span is 10", "关键步数 15，跨度 10"),
                ),
                Option(
                    says=Text("Critical Steps are 20, the span is 8", "关键步数是 20，跨度是 8"),
                    key="M4",
                ),
            ),
            because=Text(
                "With barriers 8 + 7 = 15. Without, A's chain is 8 + 2 = 10 and B's 3 + 7 = 10.",
                "有屏障时是 8 + 7 = 15。没有屏障时，A 的链是 8 + 2 = 10，B 的链是 3 + 7 = 10。",
            ),
        ),
        QuizItem(
            asks=Text(
                "One sub-agent of four has 12 of the 24 steps. What shortens the stage most?",
                "四个子智能体共 24 步，其中一个占了 12 步。怎样最能缩短这个阶段？",
            ),
            options=(
                Option(
                    says=Text(
                        "Launch four more sub-agents for the short parts",
                        "给短的部分再加四个子智能体",
                    ),
                    key="M2",
                ),
                Option(
                    says=Text("Make the other three twice as fast", "让另外三个快一倍"),
                    key="M7",
                ),
                Option(
                    says=Text("Let others take over some of the 12", "把那 12 步分一些出去"),
                ),
            ),
            because=Text(
                "Only the slowest decides. Dealt out evenly, 24 steps among four are 6 each.",
                "起决定作用的只有最慢的那个。分均匀之后，四个各 6 步。",
            ),
        ),
    ),
)
