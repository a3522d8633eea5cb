"""Notebook 03: how a stage is dealt out, and what its barrier costs."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Stages = list[list[int]]


def balance(items: list[int], agents: int) -> list[list[int]]:
    """The longest item first, each to whoever has least so far."""
    shares: list[list[int]] = [[] for _ in range(agents)]

    for item in sorted(items, reverse=True):
        min(shares, key=sum).append(item)

    return shares


def _dealt(items: list[int], agents: int) -> list[list[int]]:
    return [items[first::agents] for first in range(agents)]


def _one_each(items: list[int], agents: int) -> list[list[int]]:
    del agents
    return [[item] for item in items]


def _cut(items: list[int], agents: int) -> list[list[int]]:
    """Equal slices; what is left over falls off."""
    size = len(items) // agents
    return [items[n * size : (n + 1) * size] for n in range(agents)]


def _fair(shares: Any, args: list[Any]) -> str:
    items, agents = args

    if not isinstance(shares, list):
        return WRONG

    dealt = cast("list[list[int]]", shares)

    if not all(isinstance(cast("object", share), list) for share in dealt):
        return WRONG

    every = [item for share in dealt for item in share]

    if not all(type(item) is int for item in every):
        return WRONG

    if len(dealt) > agents:
        return "M2"

    if sorted(every) != sorted(items):
        return "lost"

    return "" if max(map(sum, dealt)) <= max(map(sum, balance(items, agents))) else "M3"


def _loads(dice: Random) -> list[list[Any]]:
    """Long and short ones by turns, so that to deal them out in their order is uneven."""
    cases: list[list[Any]] = []

    for agents in (2, 3, 4):
        pairs = [(dice.randint(7, 12), *(dice.randint(1, 3) for _ in range(agents - 1)))]
        pairs += [(dice.randint(7, 12), *(1 for _ in range(agents - 1))) for _ in range(agents)]
        cases.append([[item for pair in pairs for item in pair] + [2], agents])

    return cases


BALANCE = Exercise(
    id="ex03.balance",
    title=Text("Deal the work out evenly", "把工作分均匀"),
    task=Text(
        "`items` are the steps that each piece of work takes, in the order of a folder; pieces "
        "cannot be cut. Return `agents` lists, one for each sub-agent, such that the stage is as "
        "short as when one hands out the longest piece first, always to whoever has least, or "
        "shorter.",
        "`items` 是每件工作所需的步数，按文件夹里的顺序排列；每件工作不可再拆。返回 "
        "`agents` 个列表，每个子智能体一个。这个阶段不得长于这样分派的结果："
        "从最长的一件开始，每次都分给当前工作最少的那个。",
    ),
    difficulty=3,
    minutes=8,
    form="function",
    name="balance",
    stub='def balance(items, agents):\n    """A list of items for each sub-agent."""\n    ...',
    cases=_loads,
    solve=balance,
    hints=(
        Text("What decides how long the stage is?", "这个阶段的长度由什么决定？"),
        Text(
            "Short pieces fill the gaps that long ones leave, not the other way round: sort first.",
            "短的可以填补长的留下的空隙，反过来不行：先排序。",
        ),
        Text(
            "Keep a list for each agent; `min(shares, key=sum)` is the one with least so far.",
            "为每个智能体留一个列表；`min(shares, key=sum)` 就是目前最少的那个。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M3",
            wrong=_dealt,
            says=Text(
                "Every way to deal these out has the same mean, but not the same end. Which "
                "sub-agent of yours ends last, and what could another take from it?",
                "怎么分，平均值都一样，结束时间却不一样。你的方案里谁最后结束？"
                "别人能从它那里接过什么？",
            ),
        ),
        Mistake(
            key="M2",
            wrong=_one_each,
            says=Text(
                "That takes more sub-agents than there are. Would one for each piece make the "
                "longest piece any shorter?",
                "这样用的子智能体比现有的多。就算一件一个，最长的那件会变短吗？",
            ),
        ),
        Mistake(
            key="lost",
            wrong=_cut,
            says=Text(
                "Some pieces are missing, or there twice. Who does those that are left over?",
                "有的工作漏掉了，或者出现了两次。余下的那些由谁来做？",
            ),
        ),
    ),
    judge=_fair,
)


def barrier_cost(stages: list[list[int]]) -> int:
    with_barriers = sum(max(stage) for stage in stages)
    without = max(sum(chain) for chain in zip(*stages))  # noqa: B905 -- as one would type it
    return with_barriers - without


def _none(stages: Stages) -> int:
    del stages
    return 0


def _over_mean(stages: Stages) -> float:
    return sum(max(stage) - sum(stage) / len(stage) for stage in stages)


def _idle(stages: Stages) -> int:
    return sum(max(stage) - steps for stage in stages for steps in stage)


def _rows(dice: Random) -> list[list[Any]]:
    """Three runs of one's own, beside two in which all mistakes show."""
    runs: list[Stages] = [[[1, 9], [9, 1]], [[6, 9, 4, 7]]]

    for _ in range(3):
        chains = dice.randint(2, 4)
        runs.append([dice.sample(range(1, 13), chains) for _ in range(dice.randint(2, 4))])

    return [[run] for run in runs]


BARRIER = Exercise(
    id="ex03.barrier-cost",
    title=Text("What the barriers cost", "屏障的代价"),
    task=Text(
        "`stages` has a list for each stage: how many steps each of its sub-agents took, equally "
        "many sub-agents in each. Sub-agent *i* of a stage needs only what sub-agent *i* "
        "of the stage before it found. Return by how many steps the barriers make the run longer "
        "than if nobody waited for the others. Leave the orchestrator out.",
        "`stages` 中每个阶段是一个列表：该阶段各子智能体所用的步数；每个阶段的子智能体数量相同。"
        "某阶段的第 *i* 个子智能体只需要上一阶段"
        "第 *i* 个的结果。返回屏障让这次运行比谁也不等别人时多出多少步。不计编排器。",
    ),
    difficulty=3,
    minutes=7,
    form="function",
    name="barrier_cost",
    stub='def barrier_cost(stages):\n    """Steps with barriers less steps without."""\n    ...',
    cases=_rows,
    solve=barrier_cost,
    hints=(
        Text(
            "Write both lengths for (1, 9), (9, 1) first: 18 and 10.",
            "先对 (1, 9)、(9, 1) 写出两种长度：18 和 10。",
        ),
        Text(
            "Without barriers each *i* is a chain through all stages; `zip(*stages)` gives them.",
            "没有屏障时，每个 *i* 是一条贯穿各阶段的链；`zip(*stages)` 可以取出这些链。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M12",
            wrong=_none,
            says=Text(
                "You say that barriers cost nothing. In (1, 9), (9, 1), what does the sub-agent "
                "that needed 1 step do while the other takes 9?",
                "照你说，屏障没有代价。在 (1, 9)、(9, 1) 里，只用 1 步的那个子智能体，"
                "在另一个走完 9 步之前在做什么？",
            ),
        ),
        Mistake(
            key="M3",
            wrong=_over_mean,
            says=Text(
                "You compared the slowest with the mean. But without barriers a run is not as "
                "long as its mean: try a single stage, which no barrier can make longer.",
                "你拿最慢的和平均值相比。可没有屏障时，运行也不会只有平均值那么长："
                "试试只有一个阶段的情形，那里屏障不会让它变长。",
            ),
        ),
        Mistake(
            key="idle",
            wrong=_idle,
            says=Text(
                "That adds up the waiting of all sub-agents. When two wait at the same time, does "
                "the run get longer twice?",
                "你把所有子智能体的等待加在了一起。两个同时在等，运行会因此延长两次吗？",
            ),
        ),
    ),
)

EXERCISES = (BALANCE, BARRIER)
