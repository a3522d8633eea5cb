"""Notebook 11: how long to wait, and how fast an endpoint lets one go."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.question import Question
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "PREDICTIONS"]

LONGEST = 30.0


def _paid_twice(run: Any) -> int:
    """Calls whose answer stands in the log more than once."""
    ends = (r for r in run if type(r.fact).__name__ == "StepEnded" and r.fact.finish != "failed")
    times = Counter((record.agent, record.fact.step) for record in ends)
    return sum(count > 1 for count in times.values())


PREDICTIONS = (
    Question(
        id="p11.budget",
        asks=Text(
            "Six sub-agents, and a budget of 7,000 tokens, of which the run needs some 5,100. "
            "How many agents are at work on average?",
            "六个子智能体，预算 7,000 个 token，而这次运行大约需要 5,100 个。"
            "平均有几个智能体在工作？",
        ),
        of="average_concurrency",
    ),
    Question(
        id="p11.twice",
        asks=Text(
            "The process is killed in the middle of the run, and another one goes on. How many "
            "of the calls that had been answered are paid for a second time?",
            "进程在运行途中被强行结束，由另一个进程续跑。已经得到应答的调用中，有几次要再付一次钱？",
        ),
        of=_paid_twice,
    ),
)


def wait(attempt: int, luck: float, told: float | None) -> float:
    if told is not None:
        return told + luck * told / 10

    return luck * min(2 ** (attempt - 1), LONGEST)


def _uncapped(attempt: int, luck: float, told: float | None) -> float:
    return wait(attempt, luck, told) if told is not None else luck * 2 ** (attempt - 1)


def _together(attempt: int, luck: float, told: float | None) -> float:
    del luck
    return min(2 ** (attempt - 1), LONGEST) if told is None else told


def _deaf(attempt: int, luck: float, told: float | None) -> float:
    del told
    return wait(attempt, luck, None)


def _steady(attempt: int, luck: float, told: float | None) -> float:
    return wait(attempt, luck, told) if told is not None else luck * min(attempt, LONGEST)


def _cut_afterwards(attempt: int, luck: float, told: float | None) -> float:
    return (
        wait(attempt, luck, told) if told is not None else min(luck * 2 ** (attempt - 1), LONGEST)
    )


def _refusals(dice: Random) -> list[list[Any]]:
    def luck() -> float:
        return round(dice.uniform(0.2, 0.9), 2)

    return [
        [1, luck(), None],
        [dice.randint(3, 5), luck(), None],
        [dice.randint(9, 12), luck(), None],
        [dice.randint(1, 3), luck(), float(dice.randint(5, 20))],
    ]


BACKOFF = Exercise(
    id="ex11.backoff",
    title=Text("How long to wait before the next attempt", "下一次重试前等多久"),
    task=Text(
        "Return the seconds to wait after failed attempt number `attempt`, from 1. `luck` is a "
        "random number from 0 to 1. If the server said a time, `told`: that and `luck` times a "
        "tenth of it. Else (`told` is `None`): `luck` times a bound, which is 1 s after the first "
        "attempt, doubles with each further one, and never exceeds 30 s.",
        "返回第 `attempt` 次尝试（从 1 数起）失败后要等的秒数。`luck` 是 0 到 1 之间的随机数。"
        "如果服务器说了时间 `told`：等这么久，再加上它的十分之一乘以 `luck`。"
        "否则（`told` 为 `None`）：等 `luck` 乘以上限；上限在第一次失败后是 1 秒，"
        "之后每失败一次翻一倍，但不超过 30 秒。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="wait",
    stub='def wait(attempt, luck, told):\n    """Seconds to wait."""\n    ...',
    cases=_refusals,
    solve=wait,
    solution="""\
def wait(attempt, luck, told):
    if told is not None:
        return told + luck * told / 10

    return luck * min(2 ** (attempt - 1), 30)""",
    hints=(
        Text(
            "Two cases: the server said a time, or it did not.",
            "分两种情况：服务器说了时间，或者没说。",
        ),
        Text(
            "The bound after attempt 1, 2, 3 is 1, 2, 4 seconds: a power of two, cut at 30.",
            "第 1、2、3 次失败后的上限是 1、2、4 秒：2 的幂，到 30 为止。",
        ),
    ),
    mistakes=(
        Mistake(
            key="cap",
            wrong=_uncapped,
            says=Text(
                "Nothing holds your bound. How long would one wait after the twelfth attempt?",
                "你的上限没有封顶。第十二次失败之后要等多久？",
            ),
        ),
        Mistake(
            key="together",
            wrong=_together,
            says=Text(
                "All agents that failed together come back together. What is `luck` for?",
                "一起失败的智能体又会一起回来。`luck` 是做什么用的？",
            ),
        ),
        Mistake(
            key="deaf",
            wrong=_deaf,
            says=Text(
                "The server named a time. What becomes of a request that comes earlier?",
                "服务器已经说了时间。提前到的请求会怎么样？",
            ),
        ),
        Mistake(
            key="steady",
            wrong=_steady,
            says=Text(
                "Your bound grows by one second with each attempt. What is it after the fifth, if "
                "it doubles each time?",
                "你的上限每次只增加一秒。如果每次翻一倍，第五次之后是多少？",
            ),
        ),
        Mistake(
            key="cut",
            wrong=_cut_afterwards,
            says=Text(
                "You cut the wait at 30 s, and not its bound. Two agents have a luck of 0.4 and of "
                "0.8 after the ninth attempt: when does each of them come back?",
                "你给封顶的是等待时间，而不是它的上限。第九次失败之后，"
                "两个智能体的 `luck` 分别是 0.4 和 0.8：它们各在什么时候回来？",
            ),
        ),
    ),
)


def seconds(calls: int, agents: int, each: float, concurrency: int, rpm: float) -> float:
    return calls / min(agents / each, concurrency / each, rpm / 60)


def _unlimited(calls: int, agents: int, each: float, concurrency: int, rpm: float) -> float:
    del concurrency, rpm
    return calls / (agents / each)


def _for_each(calls: int, agents: int, each: float, concurrency: int, rpm: float) -> float:
    return seconds(calls, agents, each, concurrency, rpm * agents)


def _at_once_only(calls: int, agents: int, each: float, concurrency: int, rpm: float) -> float:
    del rpm
    return calls / (min(agents, concurrency) / each)


def _a_second(calls: int, agents: int, each: float, concurrency: int, rpm: float) -> float:
    return seconds(calls, agents, each, concurrency, rpm * 60)


def _accounts(dice: Random) -> list[list[Any]]:
    """Held up by the minute, by the calls at once, by the minute with few agents, by nothing.

    And by three requests a minute, which are few even for a second. Counting whole rounds gives
    the same, for it is right, too, where all calls take as long.
    """
    few, least, each = dice.randint(3, 9), dice.randint(3, 8), dice.choice([1.5, 2.0, 2.5, 4.0])
    return [
        [dice.randint(20, 60) * 10, 50, each, 50, dice.choice([60, 120, 200])],
        [dice.randint(20, 60) * least, 50, each, least, 5_000],
        [dice.randint(4, 9) * 10, 4, 1.0, 10, dice.choice([20, 30, 40])],
        [dice.randint(9, 19) * few, few, each, 200, 5_000],
        [dice.randint(4, 9), 20, 1.0, 15, 3],
    ]


LIMIT = Exercise(
    id="ex11.limit",
    title=Text("How fast an endpoint lets a swarm go", "接口允许集群跑多快"),
    task=Text(
        "`calls` calls are to be made by `agents` agents, each of whom has one call out at a time, "
        "which takes `each` seconds. The endpoint allows `concurrency` calls at once and `rpm` "
        "requests a minute, for the whole account. Return the seconds that `calls` take: `calls` "
        "÷ the pace that all of this allows, in calls a second.",
        "共有 `calls` 次调用，由 `agents` 个智能体来做，每个同一时刻只有一次调用在途，"
        "每次用 `each` 秒。"
        "接口对整个账号合计只允许同时 `concurrency` 次调用、每分钟 `rpm` 次请求。"
        "返回 `calls` 次调用要用多少秒：`calls` ÷ 这些限制允许的速度（每秒调用数）。",
    ),
    difficulty=3,
    minutes=7,
    form="function",
    name="seconds",
    stub='def seconds(calls, agents, each, concurrency, rpm):\n    """Calls ÷ pace."""\n    ...',
    cases=_accounts,
    solve=seconds,
    hints=(
        Text(
            "Put three paces into calls a second: the agents', the concurrency's, the minute's.",
            "把三种速度都换算成每秒调用数：智能体的、并发上限的、每分钟限额的。",
        ),
        Text(
            "Five calls at once of 2 s each are 2.5 a second; 60 a minute are 1 a second. The "
            "slowest pace holds.",
            "同时 5 次、每次 2 秒，就是每秒 2.5 次；每分钟 60 次就是每秒 1 次。以最慢的为准。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M10",
            wrong=_unlimited,
            says=Text(
                "You let all agents go at once. An event loop can wait for a thousand calls: who "
                "says how many of them are answered in a minute?",
                "你让所有智能体都放开跑。事件循环可以同时等一千次调用：一分钟内应答几次，谁说了算？",
            ),
        ),
        Mistake(
            key="account",
            wrong=_for_each,
            says=Text(
                "You gave every agent a minute of its own. Whose limit is it?",
                "你给每个智能体都单独算了每分钟限额。这个限额是谁的？",
            ),
        ),
        Mistake(
            key="minute",
            wrong=_at_once_only,
            says=Text(
                "So few at once, but each of them short: how many would that be in a minute, and "
                "how many are allowed?",
                "同时进行的不多，但每次都很短：一分钟合计多少次，又允许多少次？",
            ),
        ),
        Mistake(
            key="units",
            wrong=_a_second,
            says=Text(
                "You compared requests a minute with calls a second. How many a second are 30 a "
                "minute?",
                "你拿每分钟请求数和每秒调用数相比。每分钟 30 次是每秒几次？",
            ),
        ),
    ),
)

EXERCISES = (BACKOFF, LIMIT)
