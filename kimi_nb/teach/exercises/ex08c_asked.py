"""Notebook 08: what it has predicted, and its quiz."""

from __future__ import annotations

from typing import Any

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]


def _sub_agents(run: Any) -> int:
    from kimi_nb.views.critical import metrics

    return metrics(run).agents - 1


def _useless(run: Any) -> float:
    """Sub-agents of a rollout that did not finish, as a share of all; 0 without any."""
    from kimi_nb.parl import of_trace

    found = of_trace(run, success=True, quality=1.0)
    return 100 * (1 - found.r_finish) if found.r_parallel else 0.0


PREDICTIONS = (
    Question(
        id="p08.alone",
        asks=Text(
            "A policy that began as a single agent was trained by the outcome alone, λ = 0. How "
            "many sub-agents does it create for a task of eleven parts, ten of which need no "
            "other?",
            "一个从单智能体起步的策略只按结果训练，λ = 0。面对一个由十一个部分组成的任务，其中十"
            "个谁也不依赖，它会创建多少个子智能体？",
        ),
        of=_sub_agents,
    ),
    Question(
        id="p08.constant",
        asks=Text(
            "Now λ = 0.3 for good. Of the sub-agents that it creates for the same task, how many "
            "in a hundred complete no part?",
            "现在 λ 一直是 0.3。它为同一个任务创建的子智能体，每一百个里有多少个什么也没完成？",
        ),
        of=_useless,
        most=100,
    ),
)

QUIZ = Quiz(
    id="quiz08",
    items=(
        QuizItem(
            asks=Text("What does annealing λ change?", "λ 退火改变的是什么？"),
            options=(
                Option(says=Text("how far each update may go", "每次更新能走多远"), key="M14"),
                Option(says=Text("what a rollout is paid for", "rollout 因什么得奖励")),
                Option(says=Text("nothing that is optimal", "最优策略不受影响"), key="M13"),
                Option(says=Text("how soon a training is done", "训练多快能结束"), key="M16"),
            ),
            because=Text(
                "First creating sub-agents is paid as well, in the end only the result. The "
                "learning rate is another number.",
                "起初创建子智能体也有奖励，最后只看结果。学习率是另一个数。",
            ),
        ),
        QuizItem(
            asks=Text(
                "λ = 0.3 is gone after 3 % of the training, not 70 %. What came of twelve seeds?",
                "λ = 0.3 在训练的 3% 处归零，而不是 70%。十二个种子的结果如何？",
            ),
            options=(
                Option(
                    says=Text("the same policies, only sooner", "策略相同，只是更早学成"),
                    key="M16",
                ),
                Option(
                    says=Text("the same policies, only later", "策略相同，只是更晚学成"),
                    key="M14",
                ),
                Option(says=Text("all twelve work alone", "十二个全都只靠自己做")),
                Option(
                    says=Text("fewer sub-agents, of more use each", "子智能体更少，但个个更有用"),
                    key="M15",
                ),
            ),
            because=Text(
                "The habit was not learned yet when its pay ended: serial collapse, as with λ = 0 "
                "(kimi-nb parl reproduce when).",
                "习惯还没养成，奖励就停了：和 λ = 0 一样，串行坍缩（kimi-nb parl reproduce "
                "when）。",
            ),
        ),
        QuizItem(
            asks=Text(
                "λ = 0.3 never goes. What do the policies look like beside the annealed ones?",
                "λ = 0.3 一直不归零。与退火得到的策略相比，它们是什么样？",
            ),
            options=(
                Option(
                    says=Text("the same: 0.3 was needed anyway", "一样：反正都需要 0.3"),
                    key="M13",
                ),
                Option(
                    says=Text("better: they have more helpers", "更好：帮手更多"),
                    key="M15",
                ),
                Option(
                    says=Text("lighter: less work in total", "更省：总的工作量更小"),
                    key="M5",
                ),
                Option(says=Text("spurious: half help nobody", "虚假：一半都没用")),
            ),
            because=Text(
                "12.6 sub-agents a task, 5.9 of them useless, instead of 5.3 and 0.8 "
                "(kimi-nb parl reproduce spurious).",
                "每个任务 12.6 个子智能体，其中 5.9 个无用；退火时是 5.3 和 0.8"
                "（kimi-nb parl reproduce spurious）。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Which figure shows spurious parallelism most clearly?",
                "哪个数字最清楚地暴露虚假并行？",
            ),
            options=(
                Option(says=Text("the critical steps of a run", "一次运行的关键步数"), key="M12"),
                Option(says=Text("the total steps of a run", "一次运行的总步数")),
                Option(says=Text("the tokens, which become fewer", "token 会变少"), key="M5"),
                Option(says=Text("the peak number of agents", "智能体数量的峰值"), key="M8"),
            ),
            because=Text(
                "What runs side by side hides behind the slowest one: critical steps went from "
                "25.0 to 26.1, total steps from 48 to 74.",
                "同时运行的都藏在最慢的那个后面：关键步数从 25.0 变成 26.1，总步数从 48 变成 74。",
            ),
        ),
    ),
)
