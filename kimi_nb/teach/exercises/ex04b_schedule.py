"""Notebook 04: greedy schedules, and where one worker more makes them longer."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.exercises.ex04_span import GRAHAM, graphs, span
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

MOST = 8
"""Workers that are tried."""


def makespan(cost: dict[str, int], after: dict[str, list[str]], workers: int) -> int:
    waiting = list(cost)
    running: dict[str, int] = {}
    ended: set[str] = set()
    now = 0

    while waiting or running:
        for task in list(waiting):
            if len(running) < workers and ended.issuperset(after[task]):
                waiting.remove(task)
                running[task] = now + cost[task]

        now = min(running.values())
        ended |= {task for task, end in running.items() if end == now}
        running = {task: end for task, end in running.items() if end > now}

    return now


def _shared(cost: dict[str, int], after: dict[str, list[str]], workers: int) -> float:
    del after
    return sum(cost.values()) / workers


def _bound(cost: dict[str, int], after: dict[str, list[str]], workers: int) -> float:
    return max(sum(cost.values()) / workers, span(cost, after))


def _untied(cost: dict[str, int], after: dict[str, list[str]], workers: int) -> int:
    return makespan(cost, {task: [] for task in after}, workers)


def _longest_first(cost: dict[str, int], after: dict[str, list[str]], workers: int) -> int:
    order = sorted(cost, key=lambda task: -cost[task])
    return makespan({task: cost[task] for task in order}, after, workers)


def _no_more(cost: dict[str, int], after: dict[str, list[str]], workers: int) -> int:
    """The best of so many workers or fewer."""
    return min(makespan(cost, after, fewer) for fewer in range(1, workers + 1))


def _cases(dice: Random) -> list[list[Any]]:
    """Graham's on 2, 3 and 4 workers, and one that meets no bound; and one's own."""
    own = [[*graph, dice.randint(2, 3)] for graph in graphs(dice)[1:]]
    alike: list[Any] = [dict.fromkeys("abc", 2), {task: [] for task in "abc"}, 2]
    return [[*GRAHAM, 2], [*GRAHAM, 3], [*GRAHAM, 4], alike, *own]


SCHEDULE = Exercise(
    id="ex04.schedule",
    title=Text("A greedy scheduler", "贪心调度器"),
    task=Text(
        "Write a greedy list scheduler, as `kn.what_if` has one. The list is `cost`, in the dict's "
        "order. Whenever a worker is free it takes the first task that has not begun and whose "
        "`after` have all ended; nobody waits for a better one. Return when the last task ends. "
        "Tasks that end at the same time free their workers at the same time.",
        "写一个贪心列表调度器，`kn.what_if` 里就有这样一个。列表就是 `cost`，按字典的顺序。"
        "工作者一空闲，就取第一个尚未开始、且 `after` 全部完成的任务；"
        "谁也不会为了更好的任务而等待。返回最后一个任务的结束时间。同时结束的任务同时释放各自的工作者。",
    ),
    difficulty=4,
    minutes=12,
    form="function",
    name="makespan",
    stub="def makespan(cost, after, workers):\n"
    '    """When the last task of a greedy list schedule ends."""\n    ...',
    cases=_cases,
    solve=makespan,
    hints=(
        Text(
            "Time moves from one end of a task to the next; in between nothing can change.",
            "时间从一个任务的结束跳到下一个任务的结束；其间什么也不会变。",
        ),
        Text(
            "Keep three things: the tasks that wait, those that run with their end, and those "
            "that have ended. Begin what may begin, then go to the earliest end.",
            "维护三样东西：等待的任务、运行中的任务及其结束时间、已结束的任务。"
            "先启动能启动的，再跳到最早的结束时间。",
        ),
        Text(
            "A task may begin if fewer than `workers` run and "
            "`all(before in ended for before in after[task])`.",
            "当运行中的任务少于 `workers` 个，且 "
            "`all(before in ended for before in after[task])` 时，任务可以开始。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M1",
            wrong=_shared,
            says=Text(
                "You divided the work by the workers. Which of them helps task 9 of Graham's "
                "graph while it runs for 9 units, and before task 1 has ended?",
                "你用工作量除以工作者数。Graham 图里的任务 9 要跑 9 个单位，而且要等任务 1："
                "其他工作者能帮上什么忙？",
            ),
        ),
        Mistake(
            key="bound",
            wrong=_bound,
            says=Text(
                "That is the lower bound. Greedy schedules do not always reach it: draw Graham's "
                "graph on two workers.",
                "这是下界。贪心调度不一定达得到：试着画出两个工作者时 Graham 图的调度。",
            ),
        ),
        Mistake(
            key="untied",
            wrong=_untied,
            says=Text(
                "Somebody began before the task that it waits for had ended. Where do you look "
                "at `after`?",
                "有任务在它所等的任务结束之前就开始了。你在哪里检查了 `after`？",
            ),
        ),
        Mistake(
            key="order",
            wrong=_longest_first,
            says=Text(
                "You let the longest go first. Often that is better, but this scheduler takes "
                "the first ready one of the list, whatever it costs.",
                "你让最长的先走。那样往往更好，但这个调度器取列表中第一个就绪的任务，不看耗时。",
            ),
        ),
        Mistake(
            key="M6",
            wrong=_no_more,
            says=Text(
                "You never let more workers make it longer. Does a greedy worker, idle and with "
                "a task ready, ask whether taking it is wise?",
                "你假定工作者多了绝不会更慢。贪心的工作者一空闲、又有就绪的任务，"
                "它会考虑该不该接吗？",
            ),
        ),
    ),
)


def _hurts(graph: dict[str, Any]) -> list[int]:
    """The numbers of workers to which one more makes the schedule longer."""
    times = [makespan(graph["cost"], graph["after"], n) for n in range(1, MOST + 1)]
    return [n for n in range(1, MOST) if times[n] > times[n - 1]]


def _first(graph: dict[str, Any]) -> int:
    return _hurts(graph)[0]


def _never(graph: dict[str, Any]) -> int:
    del graph
    return 0


def _already(graph: dict[str, Any]) -> int:
    return _first(graph) + 1


def _one_each(graph: dict[str, Any]) -> int:
    return len(graph["cost"])


def _anomalous(dice: Random) -> list[list[Any]]:
    """A graph like Graham's, with other names and costs, in which one worker more hurts."""
    while True:
        scale = dice.randint(2, 5)
        names = dice.sample("ABCDEFGHJKLMNPQRSTUVWXYZ", len(GRAHAM[0]))
        called = dict(zip(GRAHAM[0], names, strict=True))
        cost = {called[t]: scale * c + dice.randint(-1, 1) for t, c in GRAHAM[0].items()}
        after = {called[t]: [called[b] for b in before] for t, before in GRAHAM[1].items()}
        graph = {"cost": cost, "after": after}

        if len(_hurts(graph)) == 1:
            return [[graph]]


def _found(answer: Any, args: list[Any]) -> str:
    hurts = _hurts(args[0])

    if type(answer) not in {int, float}:
        return WRONG

    if answer == 0:
        return "M6"

    if answer - 1 in hurts:
        return "after"

    return "" if answer in hurts else "M2" if answer == len(args[0]["cost"]) else WRONG


ANOMALY = Exercise(
    id="ex04.anomaly",
    title=Text("The worker who makes it slower", "越帮越慢的那个工作者"),
    task=Text(
        "`given` has a graph of your own. For which number of workers, up to 7, does **one worker "
        "more** make the greedy schedule longer? Bind it to `workers`; bind 0 if you find none.",
        "`given` 是你自己的一张图。工作者为多少个（不超过 7）时，**再多一个**反而让贪心调度变长？"
        "把这个数赋给 `workers`；如果找不到，就赋 0。",
    ),
    difficulty=2,
    minutes=6,
    form="value",
    name="workers",
    stub="import kimi_nb as kn\n"
    "from kimi_nb.teach.byhand import planned\n\n"
    'given = kn.given("ex04.anomaly")\n'
    'run = planned(given["cost"], given["after"])\n'
    "workers = None",
    cases=_anomalous,
    solve=_first,
    solution="times = {n: kn.what_if(run, workers=n).critical_steps for n in range(1, 9)}\n"
    "workers = next(n for n in range(1, 8) if times[n + 1] > times[n])",
    hints=(
        Text("Try them all; there are only eight.", "全试一遍；一共只有八种。"),
        Text(
            "`kn.what_if(run, workers=n).critical_steps` is the length of the schedule.",
            "`kn.what_if(run, workers=n).critical_steps` 就是调度的长度。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M6",
            wrong=_never,
            says=Text(
                "You say that one worker more never hurts. Schedule it on 1, 2, 3 … 8 workers "
                "and put the eight lengths beside each other.",
                "照你说，多一个工作者绝不会坏事。请分别用 1、2、3……8 个工作者调度，"
                "再把八个长度放在一起看。",
            ),
        ),
        Mistake(
            key="after",
            wrong=_already,
            says=Text(
                "That is the number at which it has become longer. With how many was it still "
                "shorter?",
                "这是已经变长之后的数目。变长之前是几个？",
            ),
        ),
        Mistake(
            key="M2",
            wrong=_one_each,
            says=Text(
                "With a worker for each task nobody waits for a worker. Does one more change "
                "anything there?",
                "一个任务一个工作者时，谁也不用等工作者。这时再多一个会有什么变化吗？",
            ),
        ),
    ),
    judge=_found,
)

EXERCISES = (SCHEDULE, ANOMALY)
