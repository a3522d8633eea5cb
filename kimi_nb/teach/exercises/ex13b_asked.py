"""Notebook 13: what is predicted, and its quiz."""

from __future__ import annotations

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]

PREDICTIONS = (
    Question(
        id="p13.average",
        asks=Text(
            "One kernel launches 150 sub-agents in one stage, each with a file of its own. How "
            "many agents are at work, on average over the run?",
            "一个内核在一个阶段里启动 150 个子智能体，每个处理一个文件。"
            "整个运行中，平均同时有几个智能体在工作？",
        ),
        of="average_concurrency",
    ),
    Question(
        id="p13.wall",
        asks=Text(
            "The same swarm once more, its 40 sub-agents on two workers instead of in the kernel. "
            "How many seconds will it take by the clock?",
            "同样的任务再运行一次，40 个子智能体不在内核里，而在两个工作者上。按时钟要多少秒？",
        ),
        of="wall_s",
    ),
)

QUIZ = Quiz(
    id="quiz13",
    items=(
        QuizItem(
            asks=Text(
                "Sub-agents spend 98 % of their time waiting for the model. You move them from the "
                "kernel to a cluster of 32 workers. What happens to the run?",
                "子智能体 98% 的时间都在等模型。你把它们从内核搬到有 32 个工作者的计算集群上。"
                "运行会怎样？",
            ),
            options=(
                Option(
                    says=Text("32 times as fast: 32 workers for one", "快 32 倍：多了这么多工作者"),
                    key="M1",
                ),
                Option(
                    says=Text("Next to nothing: it waits as before", "几乎不变：它照样在等模型")
                ),
                Option(
                    says=Text("Faster: asyncio spreads to all cores", "更快：asyncio 会用满所有核"),
                    key="M10",
                ),
            ),
            because=Text(
                "Another core or machine can only help with what is computed. The waiting overlaps "
                "already, on one core, by asyncio.",
                "多一个核、多一台机器，只对计算有帮助。等待在一个核上就已经由 asyncio 重叠起来了。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Four machines run a swarm each, all with keys of one account that allows 200 "
                "requests a minute. How many requests go through?",
                "四台机器各运行一个智能体集群，密钥都属于同一个账号，限额每分钟 200 次请求。"
                "一共能通过多少次？",
            ),
            options=(
                Option(
                    says=Text("800 a minute: 200 for each machine", "每分钟 800：每台 200"),
                    key="M10",
                ),
                Option(
                    says=Text("800 a minute: four keys, four limits", "每分钟 800：四个密钥"),
                    key="M2",
                ),
                Option(says=Text("200 a minute: the account has one", "每分钟 200：按账号算")),
            ),
            because=Text(
                "The account is limited, not the key and not the machine. Each machine sees only "
                "its own part of the 200, and finds out by being refused.",
                "受限的是账号，不是密钥，也不是机器。每台机器只看得到自己的那部分，"
                "要靠被拒绝才知道。",
            ),
        ),
        QuizItem(
            asks=Text(
                "One tool computes for 2 s in an `async def`. Fifty sub-agents are at work. Who "
                "waits while it computes?",
                "一个工具在 `async def` 里计算 2 秒。有五十个子智能体在工作。计算时谁在等？",
            ),
            options=(
                Option(says=Text("All of them: there is one loop", "全部：事件循环只有一个")),
                Option(
                    says=Text("Its own agent: the others go on", "只有它自己的智能体"), key="M10"
                ),
                Option(
                    says=Text("Nobody who is off the critical path", "不在关键路径上的不等"),
                    key="M7",
                ),
            ),
            because=Text(
                "A coroutine gives the loop back only where it awaits. A plain `def` goes to a "
                'thread, one with executor="processes" to another core.',
                "协程只有在 await 处才交还事件循环。普通的 `def` 会放到线程里，"
                '加上 executor="processes" 则放到另一个核上。',
            ),
        ),
    ),
)
