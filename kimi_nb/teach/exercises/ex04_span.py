"""Notebook 04: the longest chain of a task graph, and the bounds that it sets."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "GRAHAM", "Graph", "graphs", "span"]

Graph = tuple[dict[str, int], dict[str, list[str]]]
"""What each task costs, and after which others it begins."""
GRAHAM: Graph = (
    dict(zip("123456789", (3, 2, 2, 2, 4, 4, 4, 4, 9), strict=True)),
    {**{name: [] for name in "1234"}, **{name: ["4"] for name in "5678"}, "9": ["1"]},
)
"""Graham 1969."""


def graphs(dice: Random) -> list[Graph]:
    """Graham's, and three of one's own."""
    return [GRAHAM, *(_graph(dice) for _ in range(3))]


def _graph(dice: Random) -> Graph:
    """Some tasks, each after at most two earlier ones; those do not stand in front in the dict."""
    names = [f"t{number}" for number in range(1, dice.randint(6, 9))]
    after: dict[str, list[str]] = {}

    for place, name in enumerate(names):
        after[name] = sorted(dice.sample(names[:place], min(place, dice.randint(0, 2))))

    shown = dice.sample(names, len(names))
    return {name: dice.randint(1, 9) for name in shown}, {name: after[name] for name in shown}


def span(cost: dict[str, int], after: dict[str, list[str]]) -> int:  # noqa: D103 -- as it is shown
    def ends(task: str) -> int:
        return cost[task] + max((ends(before) for before in after[task]), default=0)

    return max(ends(task) for task in cost)


def _longest_task(cost: dict[str, int], after: dict[str, list[str]]) -> int:
    del after
    return max(cost.values())


def _work(cost: dict[str, int], after: dict[str, list[str]]) -> int:
    del after
    return sum(cost.values())


def _counted(cost: dict[str, int], after: dict[str, list[str]]) -> int:
    return span(dict.fromkeys(cost, 1), after)


def _two(cost: dict[str, int], after: dict[str, list[str]]) -> int:
    """Only to the task right in front."""
    return max(cost[name] + max((cost[b] for b in after[name]), default=0) for name in cost)


def _summed(cost: dict[str, int], after: dict[str, list[str]]) -> int:
    def ends(task: str) -> int:
        return cost[task] + sum(ends(before) for before in after[task])

    return max(ends(task) for task in cost)


def _chained(dice: Random) -> list[list[Any]]:
    chain: Graph = (
        {"d": 1, "c": 2, "a": 5, "b": 4, "e": 3},
        {"d": ["a", "c"], "c": ["b"], "a": [], "b": ["a"], "e": []},
    )
    return [list(graph) for graph in (chain, *graphs(dice))]


SPAN = Exercise(
    id="ex04.span",
    title=Text("The longest chain", "最长的一条链"),
    task=Text(
        "`cost` says what each task costs, `after` after which others it begins (a list, empty "
        "for those that wait for nobody). Return the span: how long it takes with as many workers "
        "as one could wish for. The graph has no rings; the tasks stand in no particular order.",
        "`cost` 是每个任务的耗时，`after` 是它要等哪些任务完成（一个列表；谁也不等则为空）。"
        "返回跨度：工作者要多少有多少时所需的时间。图中没有环；任务没有特定的先后顺序。",
    ),
    difficulty=3,
    minutes=8,
    form="function",
    name="span",
    stub='def span(cost, after):\n    """What the costliest chain of tasks costs."""\n    ...',
    cases=_chained,
    solve=span,
    hints=(
        Text("When does one task end, at the earliest?", "某一个任务最早什么时候结束？"),
        Text(
            "It ends its own cost after the latest of those that it waits for; the span is the "
            "latest end of all.",
            "一个任务的结束时间，是它所等的任务中最晚的结束时间加上它自己的耗时；跨度就是所有结束"
            "时间中最晚的。",
        ),
        Text(
            "A function `ends(task)` may call itself for each of `after[task]`.",
            "函数 `ends(task)` 可以对 `after[task]` 中的每一个调用自己。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M4",
            wrong=_longest_task,
            says=Text(
                "That is the longest single task. May it begin at once? In Graham's graph task 9 "
                "costs 9; when does it end?",
                "这是最长的单个任务。它能一开始就启动吗？在 Graham 的图里任务 9 耗时 9，"
                "它什么时候结束？",
            ),
        ),
        Mistake(
            key="work",
            wrong=_work,
            says=Text(
                "That is the work, as if one worker did it all. Which of these tasks could go on "
                "at the same time?",
                "这是工作量，好像只有一个工作者。哪些任务其实可以同时进行？",
            ),
        ),
        Mistake(
            key="M11",
            wrong=_counted,
            says=Text(
                "You counted the tasks of the longest chain. A task is not a unit of time: what "
                "does each of them cost?",
                "你数的是最长链上有几个任务。任务不是时间单位：它们各自的耗时是多少？",
            ),
        ),
        Mistake(
            key="summed",
            wrong=_summed,
            says=Text(
                "You added up all that a task waits for. Two tasks of 5 that go on at the same "
                "time: when may a third one begin that waits for both?",
                "你把一个任务所等的全部加了起来。两个耗时 5 的任务同时进行，"
                "等它们两个的第三个任务什么时候能开始？",
            ),
        ),
        Mistake(
            key="two",
            wrong=_two,
            says=Text(
                "You looked one task back only. The one in front may itself have waited: try "
                "a → b → c.",
                "你只往前看了一个任务。前面那个自己可能也在等别人：试试 a → b → c。",
            ),
        ),
    ),
)


def bounds(work: float, span: float, workers: int) -> list[float]:
    return [max(work / workers, span), (work - span) / workers + span]


def _shared(work: float, span: float, workers: int) -> list[float]:
    del span
    return [work / workers, work / workers]


def _loose(work: float, span: float, workers: int) -> list[float]:
    return [max(work / workers, span), work / workers + span]


def _no_span(work: float, span: float, workers: int) -> list[float]:
    return [work / workers, (work - span) / workers + span]


def _amounts(dice: Random) -> list[list[Any]]:
    """Few workers and more than the span lets one use, by turns."""
    cases: list[list[Any]] = [[34, 12, 2], [34, 12, 4]]

    for workers in (2, 3, 30):
        span_ = dice.randint(5, 20)
        cases.append([span_ * dice.randint(3, 8) + dice.randint(1, 4), span_, workers])

    return cases


BOUNDS = Exercise(
    id="ex04.bounds",
    title=Text("Brent's bounds", "Brent 界"),
    task=Text(
        "Return `[least, most]`: between which two times a greedy schedule of so much `work` and "
        "`span` lies on so many `workers`, by Brent's two inequalities.",
        "返回 `[least, most]`：在 `workers` 个工作者上，工作量为 `work`、跨度为 `span` 的贪心调度"
        "所需时间的下界和上界，按 Brent 的两个不等式。",
    ),
    difficulty=1,
    minutes=4,
    form="function",
    name="bounds",
    stub='def bounds(work, span, workers):\n    """[least, most]"""\n    ...',
    cases=_amounts,
    solve=bounds,
    hints=(
        Text(
            "Two things stop a schedule: too few workers, and the longest chain.",
            "限制调度的有两样：工作者太少，以及最长的链。",
        ),
        Text(
            "Most: while the chain stands still, all workers are busy with the rest of the work, "
            "work − span at most.",
            "上界：最长链没有进展的时候，所有工作者都在忙其余的工作，这部分最多是 work − span。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M1",
            wrong=_shared,
            says=Text(
                "That is N workers, N times as fast. With a work of 34, a span of 12 and 30 "
                "workers: can it end after 1.2?",
                "这是“N 个工作者就快 N 倍”。工作量 34、跨度 12、30 个工作者：可能在 1.2 时结束吗？",
            ),
        ),
        Mistake(
            key="M4",
            wrong=_no_span,
            says=Text(
                "Your lower bound falls below the span when there are many workers. Who would "
                "shorten the longest chain?",
                "工作者很多时，你的下界低于跨度。最长的那条链又由谁来缩短？",
            ),
        ),
        Mistake(
            key="loose",
            wrong=_loose,
            says=Text(
                "That holds, but it counts the chain twice: its tasks are part of the work as "
                "well. What is left to share?",
                "这个界成立，但把链算了两遍：链上的任务也属于工作量。真正要分摊的还剩多少？",
            ),
        ),
    ),
)

EXERCISES = (SPAN, BOUNDS)
