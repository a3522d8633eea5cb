"""Notebook 13: what is paid again when a worker is killed."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Call = tuple[str, str, float, float]


def requests(calls: list[Call], dead: str, at: float) -> int:
    return len(calls) + sum(
        worker == dead and began < at < ended for worker, _, began, ended in calls
    )


def _free(calls: list[Call], dead: str, at: float) -> int:
    """What was under way is not lost."""
    del dead, at
    return len(calls)


def _agents_anew(calls: list[Call], dead: str, at: float) -> int:
    """As a task of Dask's is: from its beginning."""
    return len(calls) + sum(worker == dead and began < at for worker, _, began, _ in calls)


def _run_anew(calls: list[Call], dead: str, at: float) -> int:
    del dead
    return len(calls) + sum(began < at for _, _, began, _ in calls)


def _all_in_flight(calls: list[Call], dead: str, at: float) -> int:
    del dead
    return len(calls) + sum(began < at < ended for _, _, began, ended in calls)


def _never_again(calls: list[Call], dead: str, at: float) -> int:
    """The dead worker's agents are given up."""
    return sum(worker != dead or began < at for worker, _, began, _ in calls)


def _runs(dice: Random) -> list[list[Any]]:
    """On five workers; when one dies, each agent has an answer and another call under way."""
    return [_run(dice, agents) for agents in (2, 3, 4)]


def _run(dice: Random, agents: int) -> list[Any]:
    workers = [f"w{number}" for number in range(1, 6)]
    calls: list[list[Any]] = []

    for number in range(agents * len(workers)):
        now = dice.randint(0, 2)

        for _ in range(dice.randint(4, 6)):
            ended = now + dice.randint(3, 6)
            calls.append([workers[number % len(workers)], f"a{number + 1}", now, ended])
            now = ended

    return [calls, dice.choice(workers), dice.randint(8, 11) + 0.5]


MOVED = Exercise(
    id="ex13.moved",
    title=Text("A worker dies: what is sent again?", "一个工作者没了，哪些调用要重发？"),
    task=Text(
        "`calls` has the model calls of a run on five workers that nothing disturbed, as "
        "`[worker, agent, began, ended]`; an agent makes one call after another. An answer is "
        "in the kernel's log as soon as its call ends. Now worker `dead` is killed at second "
        "`at`. Its sub-agents are run again on the others, and whatever is in the log is taken "
        "from there. Return how many requests the endpoint gets in all.",
        "`calls` 是一次未受干扰的运行在五个工作者上的全部模型调用，写作 "
        "`[工作者, 智能体, 开始, 结束]`；每个智能体一次只做一个调用。"
        "调用一结束，应答就写进内核的日志。"
        "现在，工作者 `dead` 在第 `at` 秒被强行结束。它的子智能体改到别的工作者上重新运行，"
        "日志里已有的应答直接取用。返回接口一共收到多少次请求。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="requests",
    stub='def requests(calls, dead, at):\n    """All of the run, those sent again too."""\n    ...',
    cases=_runs,
    solve=requests,
    hints=(
        Text(
            "At second `at` a sub-agent of the dead worker has calls that are done, one under "
            "way, and some to come. Which of them has been sent and has no answer?",
            "第 `at` 秒时，那个工作者上的一个子智能体有做完的调用、进行中的调用和还没做的调用。"
            "哪一种已经发送，却没有应答？",
        ),
        Text(
            "Every call is sent once. To that come those with `worker == dead` and "
            "`began < at < ended`.",
            "每个调用都发送一次。另外再加上满足 `worker == dead` 且 `began < at < ended` 的那些。",
        ),
    ),
    mistakes=(
        Mistake(
            key="free",
            wrong=_free,
            says=Text(
                "You send each call once. Who receives the answer of a call whose worker is gone?",
                "你让每个调用只发送一次。工作者已经没了，它那个进行中的调用由谁来接收应答？",
            ),
        ),
        Mistake(
            key="anew",
            wrong=_agents_anew,
            says=Text(
                "You let the moved sub-agents begin from nothing. Where do the answers stand that "
                "came before the worker died?",
                "你让换了工作者的子智能体从头再来。工作者出事之前收到的应答，都写在哪里？",
            ),
        ),
        Mistake(
            key="run",
            wrong=_run_anew,
            says=Text(
                "You begin the whole run again. Do the sub-agents on the other four workers notice "
                "anything?",
                "你让整个运行从头再来。另外四个工作者上的子智能体会察觉到什么吗？",
            ),
        ),
        Mistake(
            key="all",
            wrong=_all_in_flight,
            says=Text(
                "You lose what was under way on every worker. Which processes were killed?",
                "你把所有工作者上进行中的调用都算作丢失。被强行结束的是哪些进程？",
            ),
        ),
        Mistake(
            key="gone",
            wrong=_never_again,
            says=Text(
                "You give the dead worker's sub-agents up. Does the task say that nobody goes on "
                "with them?",
                "你放弃了那个工作者上的子智能体。题目说过没人接着做吗？",
            ),
        ),
    ),
)

EXERCISES = (MOVED,)
