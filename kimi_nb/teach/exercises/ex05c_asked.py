"""Notebook 05: what is predicted, and the quiz at its end."""

from __future__ import annotations

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]


PREDICTIONS = (
    Question(
        id="p05.average",
        asks=Text(
            "A run launches six sub-agents, one in each stage. All finish, and the answer is "
            "right. How many agents are at work, on average over the run?",
            "一次运行启动了六个子智能体，每个阶段一个。全部完成，答案也对。"
            "平均而言，同时有几个智能体在工作？",
        ),
        of="average_concurrency",
    ),
)

QUIZ = Quiz(
    id="quiz05",
    items=(
        QuizItem(
            asks=Text(
                "A run launched ten sub-agents, one in each of ten stages; none read what another "
                "found. What is wrong with it?",
                "一次运行在十个阶段里各启动一个子智能体；谁也没有读别人的结果。问题在哪里？",
            ),
            options=(
                Option(
                    says=Text("Nothing: ten sub-agents are a swarm", "没问题：十个智能体就是集群"),
                    key="M2",
                ),
                Option(says=Text("Serial collapse: one stage would do", "串行坍缩：一个阶段就够")),
                Option(
                    says=Text("It is too small: launch twenty", "太小：应启动二十个"), key="M15"
                ),
            ),
            because=Text(
                "Nothing kept the ten apart. In one stage the slowest alone would have counted.",
                "这十个没有理由要分开。放在一个阶段里，只有最慢的那个才计入。",
            ),
        ),
        QuizItem(
            asks=Text(
                "For 9 of 10 seconds one agent works, for 1 second eleven do. What is the average "
                "concurrency?",
                "10 秒里有 9 秒只有一个智能体在工作，另外 1 秒有十一个。平均并发数是多少？",
            ),
            options=(
                Option(says=Text("11: the most at once", "11：同时最多的"), key="M8"),
                Option(says=Text("6: between 1 and 11", "6：1 和 11 的平均值就是 6"), key="M3"),
                Option(says=Text("2: 20 seconds in 10", "2：10 秒做了 20 秒的")),
            ),
            because=Text(
                "Work is 9 · 1 + 1 · 11 = 20 seconds; over 10 seconds of wall time that is 2.",
                "工作量是 9 · 1 + 1 · 11 = 20 秒；除以 10 秒的实际用时，得 2。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Three sub-agents have the same task, word for word, in one stage. The run is as "
                "fast as with one of them. What did it cost?",
                "一个阶段里三个子智能体的任务一字不差。运行和只有一个时一样快。代价是什么？",
            ),
            options=(
                Option(
                    says=Text("Nothing: they ran at the same time", "没有代价：它们是同时运行的"),
                    key="M5",
                ),
                Option(says=Text("The steps and tokens of two of them", "两个的步数和 token")),
                Option(
                    says=Text("Seconds: the stage took thrice as long", "时间：阶段长了两倍"),
                    key="M11",
                ),
            ),
            because=Text(
                "What goes on beside the rest takes no time, but its steps and tokens are paid "
                "for. It is spurious parallelism, unless three tries were meant.",
                "同时进行不多花时间，步数和 token 却照付。除非本来就要试三次，否则就是虚假并行。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A plan sets three counts one after the other by `after`, though none needs "
                "another. The diagnosis finds nothing. What does that show?",
                "一份计划用 `after` 把三项统计排成一个接一个，尽管谁也不需要谁。"
                "诊断什么也没查出。这说明什么？",
            ),
            options=(
                Option(
                    says=Text("That nothing is lost: it is the same work", "没有损失：工作量不变"),
                    key="M5",
                ),
                Option(
                    says=Text("That it takes your word for each `after`", "你写的 `after` 它都信"),
                ),
                Option(
                    says=Text("That all is well: three agents had a part", "都好：三个都参与了"),
                    key="M2",
                ),
            ),
            because=Text(
                "It sees that each task waited as it was told to, not whether it had to. "
                "`kn.what_if` says what the waiting cost; whether it was needed, only you know.",
                "它看得到任务照吩咐等了，看不到是否非等不可。等待的代价 `kn.what_if` 会说，"
                "有没有必要只有你知道。",
            ),
        ),
    ),
)
