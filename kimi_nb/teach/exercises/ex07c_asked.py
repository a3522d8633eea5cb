"""Notebook 07: what it has predicted, and its quiz."""

from __future__ import annotations

from typing import Any

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]

BOTH = Text("both", "两个都是")
FIRST = Text("only r_parallel", "只有 r_parallel")
SECOND = Text("only r_finish", "只有 r_finish")
NEITHER = Text("neither", "都不是")


def _parallel(run: Any) -> float:
    from kimi_nb.parl import of_trace

    return of_trace(run, success=True, quality=1.0).r_parallel


def _full(run: Any) -> str:
    """Which of the two helpers is 1."""
    from kimi_nb.parl import of_trace

    found = of_trace(run, success=True, quality=1.0)
    which = {(True, True): BOTH, (True, False): FIRST, (False, True): SECOND}
    return which.get((found.r_parallel == 1, found.r_finish == 1), NEITHER).en


PREDICTIONS = (
    Question(
        id="p07.four",
        asks=Text(
            "Four files, and a sub-agent for each. What is r_parallel, from 0 to 1?",
            "四个文件，每个文件一个子智能体。r_parallel 是多少（0 到 1）？",
        ),
        of=_parallel,
        most=1,
    ),
    Question(
        id="p07.farmed",
        asks=Text(
            "Eight sub-agents, all with the same file. Which of the two helpers pays in full, 1?",
            "八个子智能体，都分到同一个文件。两个辅助奖励中，哪个会给满分 1？",
        ),
        of=_full,
        choices=(FIRST, SECOND, BOTH, NEITHER),
    ),
)

QUIZ = Quiz(
    id="quiz07",
    items=(
        QuizItem(
            asks=Text("What does r_parallel pay for?", "r_parallel 奖励的是什么？"),
            options=(
                Option(
                    says=Text(
                        "sub-agents that make the answer better",
                        "让答案变得更好的那些子智能体",
                    ),
                    key="M15",
                ),
                Option(
                    says=Text(
                        "how many times faster the run has become",
                        "这次运行快了多少倍",
                    ),
                    key="M2",
                ),
                Option(
                    says=Text(
                        "sub-agents created, whatever they do",
                        "创建了子智能体，不管做什么",
                    ),
                ),
                Option(
                    says=Text(
                        "tokens that were saved by going parallel",
                        "因并行而省下来的那些 token",
                    ),
                    key="M5",
                ),
            ),
            because=Text(
                "It is an instantiation reward: against serial collapse, and blind to use.",
                "它是创建奖励：用来对付串行坍缩，看不出子智能体有没有用处。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Eight sub-agents read the same file. What shows that it was in vain?",
                "八个子智能体读了同一个文件。哪里能看出是白费功夫？",
            ),
            options=(
                Option(says=Text("the total steps, beside r_perf", "总步数，与 r_perf 对照着看")),
                Option(
                    says=Text("r_parallel, which falls below 1", "r_parallel 会降到 1 以下"),
                    key="M15",
                ),
                Option(
                    says=Text("critical steps, eight times as many", "关键步数会变成原来的八倍"),
                    key="M3",
                ),
                Option(
                    says=Text(
                        "the peak, which is below eight agents", "并发的峰值会低于八个智能体"
                    ),
                    key="M8",
                ),
            ),
            because=Text(
                "They run side by side, so that critical steps and the peak look fine; only the "
                "work and the result tell.",
                "它们同时运行，所以关键步数和峰值看上去都很好；只有工作量和结果说得出真相。",
            ),
        ),
        QuizItem(
            asks=Text(
                "λ stays at 0.5 for good. Which policy is then paid best?",
                "λ 一直保持 0.5。这时哪种策略拿到的奖励最多？",
            ),
            options=(
                Option(
                    says=Text(
                        "the same one as without any λ at all",
                        "与完全没有 λ 时相同的那个",
                    ),
                    key="M13",
                ),
                Option(
                    says=Text(
                        "one that sells some r_perf for r_parallel",
                        "拿一些 r_perf 换 r_parallel 的",
                    ),
                ),
                Option(
                    says=Text(
                        "the same one, which it takes longer to learn",
                        "还是那个，只是学得更久一些",
                    ),
                    key="M16",
                ),
                Option(
                    says=Text(
                        "one with more sub-agents, and so more quality",
                        "子智能体更多、因而质量更高的",
                    ),
                    key="M15",
                ),
            ),
            because=Text(
                "r_parallel is no potential: as long as it is paid, it moves the optimum.",
                "r_parallel 不是势函数：只要还在付，最优策略就会被它改变。",
            ),
        ),
        QuizItem(
            asks=Text(
                "How do Critical Steps enter PARL's reward?",
                "关键步数是怎样进入 PARL 奖励的？",
            ),
            options=(
                Option(
                    says=Text("as the span of the graph, taken off", "作为任务图的跨度，从中扣除"),
                    key="M12",
                ),
                Option(
                    says=Text("as tokens, each at its own price", "折算成 token，按各自的价格扣"),
                    key="M11",
                ),
                Option(
                    says=Text("only those of the sub-agents count", "只计入子智能体的那一部分"),
                    key="M9",
                ),
                Option(says=Text("not at all: they are the budget", "不进入：它们是运行的预算")),
            ),
            because=Text(
                "A run is limited to so many critical steps, orchestrator included; within that "
                "limit their number does not change what it is paid.",
                "一次运行的关键步数有上限，编排器的步数也算在内；在上限之内，多几步少几步，奖励都一样。",
            ),
        ),
    ),
)
