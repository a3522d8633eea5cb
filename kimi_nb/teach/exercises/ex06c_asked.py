"""Notebook 06: what it has predicted, and its quiz."""

from __future__ import annotations

import re
from typing import Any

from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["PREDICTIONS", "QUIZ"]

_ROW = re.compile(r"(?m)^\|.*\blog-\d+.*\|\s*\d+\s*m\b")


def _filled(run: Any) -> int:
    """Rows of the answer's table that have a depth."""
    return len(_ROW.findall(run.answer))


PREDICTIONS = (
    Question(
        id="p06.remembered",
        asks=Text(
            "Ten logbooks, one agent: in how many of the ten rows will there be a depth?",
            "十本日志、一个智能体：十行中会有几行填上水深？",
        ),
        of=_filled,
        most=10,
    ),
)

QUIZ = Quiz(
    id="quiz06",
    items=(
        QuizItem(
            asks=Text(
                "Ten shards read a third of the tokens that one agent read for the same. Why?",
                "处理同样的文件，十个分片读入的 token 只有单个智能体的三分之一。为什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "What runs at the same time is counted only once.",
                        "同时进行的部分只计一次。",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "No agent sends files again that others have read.",
                        "没人重发别人读过的文件。",
                    ),
                ),
                Option(
                    says=Text(
                        "Fewer critical steps always mean fewer tokens.",
                        "关键步数少，token 就一定少。",
                    ),
                    key="M11",
                ),
            ),
            because=Text(
                "Each request sends the whole context again. In a small shard there is little "
                "to send again; the files themselves are read as before.",
                "每次请求都要把整个上下文再发一遍。分片小，需要重发的就少；文件本身该读的还是要读。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Five shards remember everything. What do ten shards bring?",
                "五个分片已经什么都不会忘。换成十个分片会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "Twice the speed, as there are twice as many agents.",
                        "快一倍，因为智能体多了一倍。",
                    ),
                    key="M1",
                ),
                Option(
                    says=Text(
                        "No harm in any case: more workers never cost.",
                        "至少没有坏处：人多从不费事。",
                    ),
                    key="M6",
                ),
                Option(
                    says=Text(
                        "The same quality, more briefings and reports.",
                        "质量相同，分派和汇报更多。",
                    ),
                ),
            ),
            because=Text(
                "What is remembered already cannot be remembered better. Steps in all grow with "
                "each briefing and report; whether it is faster has to be measured.",
                "已经记住的不可能记得更牢。每多一次分派和汇报，总步数就多一些；是否更快要靠测量。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A chain of clues: each can only be looked for once the one before is found. What "
                "do shards do to it?",
                "一串线索：找到前一条才能去找下一条。分片对它有什么作用？",
            ),
            options=(
                Option(
                    says=Text(
                        "Hand-overs are added, and the chain stays as long.",
                        "多出交接，而链条一样长。",
                    ),
                ),
                Option(
                    says=Text(
                        "The span falls to the longest single clue.",
                        "跨度缩短为最长的一条线索。",
                    ),
                    key="M4",
                ),
                Option(
                    says=Text(
                        "The time falls, the orchestrator works for free.",
                        "用时变短，编排器不费时间。",
                    ),
                    key="M9",
                ),
            ),
            because=Text(
                "What depends on what came before cannot be at the same time, and what one agent "
                "knows has to be written down for the next.",
                "依赖前一步的事不能同时做，而且一个智能体知道的内容要写出来，才能交给下一个。",
            ),
        ),
    ),
)
