"""Notebook 11: its quiz."""

from __future__ import annotations

from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["QUIZ"]

QUIZ = Quiz(
    id="quiz11",
    items=(
        QuizItem(
            asks=Text(
                "An endpoint allows 60 requests a minute, and each call takes 2 s. What do 200 "
                "agents instead of 20 bring?",
                "接口每分钟允许 60 次请求，每次调用 2 秒。智能体从 20 个加到 200 个会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "Ten times the pace: asyncio waits for all of them.",
                        "快十倍：asyncio 可以同时等它们全部。",
                    ),
                    key="M10",
                ),
                Option(
                    says=Text(
                        "No more pace: the minute is full with two already.",
                        "不会更快：两个智能体就已用满限额。",
                    ),
                ),
                Option(
                    says=Text(
                        "Ten times the pace: speed-up is the agents spawned.",
                        "快十倍：加速比就是创建的智能体数。",
                    ),
                    key="M2",
                ),
            ),
            because=Text(
                "Two agents with calls of 2 s make one call a second, which is 60 a minute. All "
                "others wait in the limiter's queue.",
                "两个智能体、每次调用 2 秒，就是每秒一次、每分钟 60 次。"
                "其余的都在限流器的队列里等。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A fifth of the calls fails and is tried again. The run takes the same number of "
                "critical steps. What of its time?",
                "五分之一的调用失败并重试，关键步数与原来相同。用时会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "It stays: as many steps, as many seconds.", "不变：步数相同，秒数也相同。"
                    ),
                    key="M11",
                ),
                Option(
                    says=Text(
                        "It grows by a fifth: the mean call decides.",
                        "增加五分之一：取决于平均值。",
                    ),
                    key="M3",
                ),
                Option(
                    says=Text(
                        "It grows, and by the unluckiest of a stage.",
                        "变长，取决于阶段里最慢的那个。",
                    ),
                ),
            ),
            because=Text(
                "A failed attempt is no step, but it takes time; so does the wait. A stage ends "
                "with its last sub-agent.",
                "失败的尝试不算一步，但要花时间，等待也要花时间。阶段要等最后一个子智能体结束。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A budget of 12,000 tokens suffices for a run. Each call reserves up to 12,000. "
                "What happens?",
                "12,000 个 token 的预算够一次运行用。每次调用最多预留 12,000。会发生什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "Nothing: what is enough does not slow it down.",
                        "没有影响：够用的预算不会拖慢运行。",
                    ),
                    key="M11",
                ),
                Option(
                    says=Text(
                        "It needs fewer tokens, for it is done in parallel.",
                        "用的 token 更少：因为是并行做的。",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "One call at a time: the rest waits for room.",
                        "一次只有一个调用：其余的等余额。",
                    ),
                ),
            ),
            because=Text(
                "While one call is out, it holds the whole budget; the next is sent when it has "
                "come back. A smaller longest answer lets more of them go at once.",
                "一次调用在途时就占住了全部预算，等它回来，下一个才能发送。"
                "把最长回答设小一些，就能同时放行更多调用。",
            ),
        ),
    ),
)
