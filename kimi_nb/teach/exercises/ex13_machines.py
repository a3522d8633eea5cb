"""Notebook 13: what more cores bring, and how much a log and the wire carry."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]


def speedup(calls: int, compute: float, wait: float, cores: int) -> float:
    rounds = -(-calls // cores)
    return (calls * compute + wait) / (rounds * compute + wait)


def _cores(calls: int, compute: float, wait: float, cores: int) -> float:
    del calls, compute, wait
    return cores


def _none(calls: int, compute: float, wait: float, cores: int) -> float:
    """All cores are used anyway."""
    del calls, compute, wait, cores
    return 1.0


def _waits_add_up(calls: int, compute: float, wait: float, cores: int) -> float:
    return calls * (compute + wait) / (math.ceil(calls / cores) * (compute + wait))


def _waits_in_line(calls: int, compute: float, wait: float, cores: int) -> float:
    rounds = math.ceil(calls / cores)
    return calls * (compute + wait) / (rounds * compute + calls * wait)


def _split_evenly(calls: int, compute: float, wait: float, cores: int) -> float:
    return (calls * compute + wait) / (calls / cores * compute + wait)


def _loads(dice: Random) -> list[list[Any]]:
    """Calls that do not come out even; one that waits alone, one that computes alone."""
    cores = dice.choice((4, 8))
    odd = cores * dice.randint(2, 5) + dice.randint(1, cores - 1)
    return [
        [odd, dice.randint(2, 9) / 10, 0.0, cores],
        [dice.randint(10, 200), 0.0, dice.randint(1, 9), cores],
        [cores * dice.randint(2, 5) + 1, dice.randint(2, 9) / 10, dice.randint(1, 5), cores],
        [cores - 1, dice.randint(2, 9) / 10, dice.randint(1, 5), cores],
    ]


CORES = Exercise(
    id="ex13.cores",
    title=Text("What do more cores bring?", "多几个核能快多少？"),
    task=Text(
        "`calls` tool calls begin at the same moment. Each computes for `compute` seconds, then "
        "waits for a server for `wait` seconds. On one core the computing goes on one after "
        "another; the waiting overlaps. In processes, each of `cores` cores computes for one call "
        "at a time. Return how many times as fast the processes are.",
        "`calls` 次工具调用同时开始。每次先计算 `compute` 秒，再等服务器 `wait` 秒。"
        "在一个核上，计算只能一个接一个地做，等待可以重叠。"
        "放到多个进程里，`cores` 个核各自一次为一个调用计算。返回多进程快多少倍。",
    ),
    difficulty=3,
    minutes=7,
    form="function",
    name="speedup",
    stub=(
        "def speedup(calls, compute, wait, cores):\n"
        '    """Seconds on one core over seconds in processes."""\n    ...'
    ),
    cases=_loads,
    solve=speedup,
    hints=(
        Text(
            "When does the last call end on one core? It has to compute after all others.",
            "在一个核上，最后一次调用什么时候结束？它要等其他的都算完才轮到。",
        ),
        Text(
            "With 9 calls on 4 cores, how many rounds of computing are there? The wait of the "
            "last one comes on top, in both.",
            "9 次调用、4 个核，要算几轮？两种情况都还要加上最后一个的等待。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M1",
            wrong=_cores,
            says=Text(
                "You said: as many times as there are cores. What do they bring where a call only "
                "waits?",
                "你认为有几个核就快几倍。如果调用只是在等，多几个核有什么用？",
            ),
        ),
        Mistake(
            key="M10",
            wrong=_none,
            says=Text(
                "You said that processes bring nothing. Does one event loop, or one Python "
                "process, compute on all cores?",
                "你认为多进程毫无帮助。一个事件循环、一个 Python 进程，会在所有核上计算吗？",
            ),
        ),
        Mistake(
            key="serial",
            wrong=_waits_in_line,
            says=Text(
                "You let the calls wait one after another. What does a core do while a server is "
                "asked?",
                "你让这些等待一个接一个地进行。等服务器的时候，核在做什么？",
            ),
        ),
        Mistake(
            key="rounds",
            wrong=_waits_add_up,
            says=Text(
                "Your factor is the calls over the rounds, whatever the wait. Where nothing is "
                "computed and all calls wait at the same time: what is left to make faster?",
                "你的倍数是调用次数除以轮数，与等待无关。如果什么都不用计算，"
                "所有调用同时在等：还有什么可以加快？",
            ),
        ),
        Mistake(
            key="fraction",
            wrong=_split_evenly,
            says=Text(
                "You cut a call into pieces: 9 calls on 4 cores are not two and a quarter rounds. "
                "How long does the ninth take?",
                "你把一次调用切开了：9 次调用、4 个核，不是两轮又四分之一。第九次要多久？",
            ),
        ),
    ),
)


def characters(agents: int, steps: int, brief: int, turn: int) -> list[int]:
    logged = agents * (brief + steps * turn)
    sent = agents * sum(brief + before * turn for before in range(steps))
    return [logged, sent]


def _sent_once(agents: int, steps: int, brief: int, turn: int) -> list[int]:
    return [characters(agents, steps, brief, turn)[0]] * 2


def _logged_again(agents: int, steps: int, brief: int, turn: int) -> list[int]:
    return [characters(agents, steps, brief, turn)[1]] * 2


def _of_one(agents: int, steps: int, brief: int, turn: int) -> list[int]:
    del agents
    return characters(1, steps, brief, turn)


def _brief_each_time(agents: int, steps: int, brief: int, turn: int) -> list[int]:
    """The endpoint remembers what was said."""
    return [agents * (brief + steps * turn), agents * steps * brief]


def _swarms(dice: Random) -> list[list[Any]]:
    return [
        [agents, dice.randint(4, 40), dice.randint(10, 40) * 100, dice.randint(3, 30) * 100]
        for agents in (dice.randint(2, 9) * 10, 10_000, 1_000_000)
    ]


LOG = Exercise(
    id="ex13.log",
    title=Text("What the log holds, and what the wire carries", "日志有多大，网络上传了多少"),
    task=Text(
        "Each of `agents` sub-agents takes `steps` steps. Its instructions have `brief` "
        "characters; each step adds `turn` characters to its messages. The log keeps every "
        "message once. An endpoint keeps nothing: each request has the instructions and all that "
        "the steps before it added. Return `[logged, sent]`, in characters, for all sub-agents.",
        "`agents` 个子智能体各走 `steps` 步。每个的指示有 `brief` 个字符；"
        "每一步给它的消息增加 `turn` 个字符。日志把每条消息只记一次。"
        "接口什么也不保留：每次请求都带上指示以及此前各步增加的全部内容。"
        "返回所有子智能体合计的 `[logged, sent]`，单位为字符。",
    ),
    difficulty=3,
    minutes=7,
    form="function",
    name="characters",
    stub=(
        "def characters(agents, steps, brief, turn):\n"
        '    """In the log, and in all requests."""\n    ...'
    ),
    cases=_swarms,
    solve=characters,
    hints=(
        Text(
            "What does the first request of a sub-agent send? And the second?",
            "一个子智能体的第一次请求发送什么？第二次呢？",
        ),
        Text(
            "Request number k, from 0, sends `brief + k * turn`. The log has `brief` once and "
            "`turn` for each step.",
            "第 k 次请求（从 0 数起）发送 `brief + k * turn`。日志里 `brief` 一次，"
            "每一步一个 `turn`。",
        ),
    ),
    mistakes=(
        Mistake(
            key="once",
            wrong=_sent_once,
            says=Text(
                "You send as much as you log. Does a model remember the requests before?",
                "你发送的和记录的一样多。模型记得之前的请求吗？",
            ),
        ),
        Mistake(
            key="again",
            wrong=_logged_again,
            says=Text(
                "You log every request as a whole. Which part of it stands in the log already?",
                "你把每次请求都整个记进了日志。其中哪些早已在日志里？",
            ),
        ),
        Mistake(
            key="M5",
            wrong=_of_one,
            says=Text(
                "You counted one sub-agent. They work at the same time; do they share what they "
                "write?",
                "你只算了一个子智能体。它们同时工作，写下的东西也是共用的吗？",
            ),
        ),
        Mistake(
            key="brief",
            wrong=_brief_each_time,
            says=Text(
                "You send the instructions each time and nothing else. How does the model know "
                "what its tools returned a step ago?",
                "你每次只发送指示。模型怎么知道上一步工具返回了什么？",
            ),
        ),
    ),
)

EXERCISES = (CORES, LOG)
