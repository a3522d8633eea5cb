"""Notebook 09: the rule that learned policies are held against."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Part = dict[str, Any]
MOST = 4
"""Sub-agents of a stage."""


def launch(parts: list[Part], most: int) -> list[str]:
    ready = [part for part in parts if part["ready"]]
    batch = sorted(ready, key=lambda part: -part["to_end"])[:most]
    worth = sum(part["work"] * part["chance"] for part in batch)
    costs = 1 + len(batch) / 4 + 1 + max((part["work"] for part in batch), default=0)
    return [part["name"] for part in batch] if worth > costs else []


def _blocked(parts: list[Part], most: int) -> list[str]:
    return launch([part | {"ready": True} for part in parts], most)


def _by_work(parts: list[Part], most: int) -> list[str]:
    """The longest part first, whatever waits for it."""
    return launch([part | {"to_end": part["work"]} for part in parts], most)


def _free(parts: list[Part], most: int) -> list[str]:
    """Turn and briefings cost nothing."""
    return _at(parts, most, steps=1, briefing=0)


def _unbriefed(parts: list[Part], most: int) -> list[str]:
    return _at(parts, most, steps=2, briefing=0)


def _one_step(parts: list[Part], most: int) -> list[str]:
    """The turn or the start is left out."""
    return _at(parts, most, steps=1, briefing=0.25)


def _at(parts: list[Part], most: int, steps: float, briefing: float) -> list[str]:
    names = _always(parts, most)
    batch = [part for part in parts if part["name"] in names]
    worth = sum(part["work"] * part["chance"] for part in batch)
    costs = steps + briefing * len(batch) + max(part["work"] for part in batch)
    return names if worth > costs else []


def _surely(parts: list[Part], most: int) -> list[str]:
    """Every part is done well."""
    return launch([part | {"chance": 1} for part in parts], most)


def _always(parts: list[Part], most: int) -> list[str]:
    """More sub-agents are better."""
    return launch([part | {"chance": 9} for part in parts], most)


def _states(dice: Random) -> list[list[Any]]:
    """A stage that pays; three that nearly do; one of short parts, one of traps."""
    names = dice.sample("abcdefgh", 6)
    works = dice.sample([5, 6, 7, 8], 4)
    waits = [dice.randint(10, 19) for _ in range(3)]
    # In the first the shortest part has the longest way to the end; the last two are blocked.
    first = [
        _part(names[0], 3, 30, 0.95),
        *(_part(names[1 + at], works[at], works[at] + waits[at], 0.95) for at in range(3)),
        _part(names[4], works[3] + 5, works[3] + 5, 0.95),
        _part(names[5], 9, 40, 0.95, ready=False),
    ]
    # Worth 5.2, 5.6 and 6.24: each is more than the price with something else left out of it, as
    # 1 + 4, 1 + 0.5 + 4 and 2 + 4, and all are less than 2 + 0.5 + 4.
    pairs = [
        [_part(names[0], 4, 9, chance), _part(names[1], 4, dice.randint(10, 15), chance)]
        for chance in (0.65, 0.7, 0.78)
    ]
    # Without the chance it is worth 2 + 2, less than the 4.5 that it costs.
    short = [_part(names[0], 2, 9, 0.95), _part(names[1], 2, dice.randint(10, 15), 0.95)]
    traps = [_part(name, dice.randint(4, 6), 12, dice.choice([0.2, 0.25])) for name in names[:3]]
    states = [first, *pairs, short, traps]

    for parts in states:
        dice.shuffle(parts)

    return [[parts, MOST] for parts in states]


def _part(name: str, work: int, to_end: int, chance: float, *, ready: bool = True) -> Part:
    return {"name": name, "ready": ready, "work": work, "to_end": to_end, "chance": chance}


SOLUTION = """\
def launch(parts, most):
    ready = [part for part in parts if part["ready"]]
    batch = sorted(ready, key=lambda part: -part["to_end"])[:most]
    worth = sum(part["work"] * part["chance"] for part in batch)
    costs = 2 + len(batch) / 4 + max((part["work"] for part in batch), default=0)
    return [part["name"] for part in batch] if worth > costs else []
"""

HEURISTIC = Exercise(
    id="ex09.heuristic",
    title=Text("List scheduling that knows its price", "知道成本的列表调度"),
    task=Text(
        "Write the rule that learned policies are held against. A part is a dict: `name`, `ready`, "
        "`work` in steps, `to_end` (work on the longest way from it to the end) and `chance` that "
        "a sub-agent does it well. Take the ready parts, those with the largest `to_end` first, "
        "`most` of them at most. Launching them costs 1 + ¼ for each + 1 + the largest work among "
        "them; it is worth the sum of work × chance. Return the names in that order if the worth "
        "exceeds the cost; else `[]`: then the orchestrator does a part itself.",
        "写出拿来和学到的策略作对比的那条规则。每个部分是一个字典：`name`、`ready`、"
        "`work`（步数）、`to_end`（从它到终点的最长路径上的工作量），"
        "以及子智能体做好它的概率 `chance`。"
        "取已就绪的部分，`to_end` 大的优先，最多 `most` 个。启动它们的费用是 "
        "1 + 每个 ¼ + 1 + 其中最大的 work；收益是 work × chance 之和。"
        "收益大于费用就按这个顺序返回名字；否则返回 `[]`：由编排器自己做一个部分。",
    ),
    difficulty=4,
    minutes=10,
    form="function",
    name="launch",
    stub='def launch(parts, most):\n    """Names, in the order of launching."""\n    ...',
    cases=_states,
    solve=launch,
    solution=SOLUTION,
    hints=(
        Text(
            "Three steps: which are ready, in which order, and does it pay?",
            "三步：哪些就绪了，按什么顺序，划不划算？",
        ),
        Text(
            '`sorted(ready, key=lambda part: -part["to_end"])[:most]`; then a sum and a maximum.',
            '`sorted(ready, key=lambda part: -part["to_end"])[:most]`；然后求和与最大值。',
        ),
    ),
    mistakes=(
        Mistake(
            key="blocked",
            wrong=_blocked,
            says=Text(
                "You launch a part that is not ready. What does its sub-agent find when it begins?",
                "你启动了还没就绪的部分。它的子智能体开工时会看到什么？",
            ),
        ),
        Mistake(
            key="M4",
            wrong=_by_work,
            says=Text(
                "You rank by a part's own work. A short part for which much waits: how long is the "
                "way to the end if it begins last?",
                "你按各部分自己的工作量排序。有的部分很短，但后面有很多在等它："
                "如果它最后才开始，到终点的路有多长？",
            ),
        ),
        Mistake(
            key="M9",
            wrong=_free,
            says=Text(
                "Your stage is too cheap by more than a step. Who writes the assignments, and who "
                "waits meanwhile?",
                "你的阶段便宜了不止一步。任务是谁写的？这期间谁在等？",
            ),
        ),
        Mistake(
            key="briefing",
            wrong=_unbriefed,
            says=Text(
                "Your stage costs the same for two sub-agents as for eight of the same work. Who "
                "tells each of them what to do?",
                "在你这里，同样的活，派两个子智能体和派八个一样贵。是谁逐个告诉它们要做什么的？",
            ),
        ),
        Mistake(
            key="step",
            wrong=_one_step,
            says=Text(
                "Your stage is too cheap by a step. There is one of the orchestrator, and one of "
                "each sub-agent before its work: which of the two do you count?",
                "你的阶段便宜了一步。编排器要花一步，每个子智能体开工前也要一步：你算了哪一步？",
            ),
        ),
        Mistake(
            key="sure",
            wrong=_surely,
            says=Text(
                "You count every part as done well. Of five parts of 4 steps with a chance of 0.2, "
                "how many steps' work come back done?",
                "你把每个部分都当作一定能做好。五个部分各 4 步、概率 0.2，"
                "平均有多少步的活真的做成了？",
            ),
        ),
        Mistake(
            key="M15",
            wrong=_always,
            says=Text(
                "You launch whatever is ready. Three parts with a chance of 0.2: what do you get "
                "for the steps of that stage?",
                "只要就绪你就启动。三个概率为 0.2 的部分：这个阶段花掉的步数，换来了什么？",
            ),
        ),
    ),
)


EXERCISES = (HEURISTIC,)
