"""Notebook 09: rules that an orchestrator has to beat."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, NamedTuple

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Part = dict[str, Any]
Rule = dict[str, Any]
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
    names = _always(parts, most)
    batch = [part for part in parts if part["name"] in names]
    worth = sum(part["work"] * part["chance"] for part in batch)
    return names if worth > 1 + max(part["work"] for part in batch) else []


def _always(parts: list[Part], most: int) -> list[str]:
    """More sub-agents are better."""
    return launch([part | {"chance": 9} for part in parts], most)


def _states(dice: Random) -> list[list[Any]]:
    """A stage that pays; one that nearly does; one of traps."""
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
    # 2 · 4 · 0.7 = 5.6 is more than 1 + 4, and less than 1 + 0.5 + 1 + 4.
    second = [_part(names[0], 4, 9, 0.7), _part(names[1], 4, dice.randint(10, 15), 0.7)]
    third = [_part(name, dice.randint(4, 6), 12, dice.choice([0.2, 0.25])) for name in names[:3]]
    states = [first, second, third]

    for parts in states:
        dice.shuffle(parts)

    return [[parts, MOST] for parts in states]


def _part(name: str, work: int, to_end: int, chance: float, *, ready: bool = True) -> Part:
    return {"name": name, "ready": ready, "work": work, "to_end": to_end, "chance": chance}


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
        "写出用来和学到的策略比较的那条规则。每个部分是一个字典：`name`、`ready`、"
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
                "Your stage costs no turn and no briefing. Who writes the assignments, and who "
                "waits meanwhile?",
                "在你这里，一个阶段既不花编排器的一步，也不花分派的时间。"
                "任务是谁写的？这期间谁在等？",
            ),
        ),
        Mistake(
            key="M15",
            wrong=_always,
            says=Text(
                "You launch whatever is ready. Three parts with a chance of 0.2: what do you get "
                "for the steps of that stage?",
                "只要就绪你就启动。三个概率为 0.2 的部分：这个阶段花掉的步数换来了什么？",
            ),
        ),
    ),
)


class Played(NamedTuple):
    """Means of a rule over tasks."""

    success: float
    """Success × quality."""
    critical: float
    sub_agents: float


@cache
def _played(coupling: float, at_least: int, seed: int, turn: float, start: float) -> Played:
    import numpy as np

    from kimi_nb.parl import Costs, World, draw, play, splitting

    tasks = draw(np.random.default_rng(seed), 200)
    world = World(tasks, np.random.default_rng(seed), Costs(turn=turn, start=start, briefing=0.5))
    outcome = play(world, splitting(coupling, at_least))
    return Played(
        float((outcome.success * outcome.quality).mean()),
        float(outcome.critical_steps.mean()),
        float(outcome.sub_agents.mean()),
    )


def _judged(answer: Any, args: list[Any]) -> str:
    """Both on the same tasks, with the same luck."""
    given: dict[str, Any] = args[0]

    if not isinstance(answer, dict) or set(answer) != {"coupling", "at_least"}:  # pyright: ignore[reportUnknownArgumentType] -- whatever it has
        return WRONG

    coupling, at_least = answer["coupling"], answer["at_least"]  # pyright: ignore[reportUnknownVariableType]

    if type(coupling) not in {int, float} or type(at_least) is not int:  # pyright: ignore[reportUnknownArgumentType]
        return WRONG

    there = (given["seed"], given["turn"], given["start"])
    mine, greedy = _played(float(coupling), at_least, *there), _played(0.5, 2, *there)  # pyright: ignore[reportUnknownArgumentType]

    if mine.sub_agents < 0.5:
        return "collapse"

    if mine.success >= greedy.success + 0.01 and mine.critical < greedy.critical:
        return ""

    return "M15" if mine.sub_agents > 1.1 * greedy.sub_agents else "same"


def _always_this(coupling: float, at_least: int) -> Callable[[object], Rule]:
    """Whatever a stage costs."""
    return lambda _: {"coupling": coupling, "at_least": at_least}


def _costs(dice: Random) -> list[list[Any]]:
    turn, start = (dice.choice([2.0, 2.5, 3.0]) for _ in range(2))
    return [[{"seed": dice.randint(0, 10**6), "turn": turn, "start": start}]]


BEAT = Exercise(
    id="ex09.beat",
    title=Text("Beat greedy where stages are dear", "在阶段昂贵的地方胜过贪心"),
    task=Text(
        "Greedy gives ready parts of coupling below 0.5 to sub-agents if there are at least 2. In "
        "`given` a stage is dearer than usual: `turn` steps of the orchestrator, `start` of each "
        'sub-agent, ½ for each briefing. Bind `rule` to `{"coupling": …, "at_least": …}`, the '
        "bounds of a rule of the same kind that has at least 0.01 more success·Q than greedy, and "
        "fewer critical steps, on 200 tasks with your seed. Try it out:\n\n"
        "```python\n"
        "import numpy as np\n\n"
        'costs = kn.parl.Costs(turn=given["turn"], start=given["start"], briefing=0.5)\n'
        'seed = given["seed"]\n'
        "tasks = kn.parl.draw(np.random.default_rng(seed), 200)\n"
        "world = kn.parl.World(tasks, np.random.default_rng(seed), costs)\n"
        "out = kn.parl.play(world, kn.parl.splitting(0.5, 2))\n"
        "(out.success * out.quality).mean(), out.critical_steps.mean()\n"
        "```",
        "贪心规则把耦合度低于 0.5 的就绪部分交给子智能体，前提是至少有 2 个。"
        "在 `given` 里，一个阶段比平常更贵：编排器 `turn` 步，每个子智能体 `start` 步，每次分派 ½ "
        "步。"
        '请让 `rule` 等于 `{"coupling": …, "at_least": …}`，即同类规则的两个界限：'
        "在你的种子所给的 200 个任务上，"
        "它的 success·Q 比贪心至少高 0.01，关键步数更少。可以这样试：\n\n"
        "```python\n"
        "import numpy as np\n\n"
        'costs = kn.parl.Costs(turn=given["turn"], start=given["start"], briefing=0.5)\n'
        'seed = given["seed"]\n'
        "tasks = kn.parl.draw(np.random.default_rng(seed), 200)\n"
        "world = kn.parl.World(tasks, np.random.default_rng(seed), costs)\n"
        "out = kn.parl.play(world, kn.parl.splitting(0.5, 2))\n"
        "(out.success * out.quality).mean(), out.critical_steps.mean()\n"
        "```",
    ),
    difficulty=3,
    minutes=7,
    form="value",
    name="rule",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex09.beat")\nrule = None',
    cases=_costs,
    solve=_always_this(0.5, 4),
    solution='rule = {"coupling": 0.5, "at_least": 4}',
    hints=(
        Text(
            "What a stage costs has to be paid by those who run at the same time.",
            "一个阶段的成本，要由同时运行的那些部分来分摊。",
        ),
        Text(
            "Leave the coupling; try `at_least` from 1 to 7.",
            "coupling 不用动；把 `at_least` 从 1 试到 7。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M15",
            wrong=_always_this(1.1, 1),
            says=Text(
                "Your rule creates more sub-agents than greedy and gets less for it. Each stage is "
                "paid for: which of yours bring in more than they cost?",
                "你的规则创建的子智能体比贪心多，得到的却更少。每个阶段都要付费："
                "你的哪些阶段挣回了成本？",
            ),
        ),
        Mistake(
            key="collapse",
            wrong=_always_this(0.5, 99),
            says=Text(
                "Your rule works alone: serial collapse, written by hand. How many parts side by "
                "side would pay for a stage?",
                "你的规则全都自己做：这是手写出来的串行坍缩。要几个部分并行，一个阶段才划算？",
            ),
        ),
        Mistake(
            key="same",
            wrong=_always_this(0.5, 2),
            says=Text(
                "Not better than greedy on your tasks. Greedy does not look at the price: what "
                "should change when a stage becomes dearer?",
                "在你的任务上没有胜过贪心。贪心不看价格：阶段变贵了，应该改变什么？",
            ),
        ),
    ),
    judge=_judged,
)

EXERCISES = (HEURISTIC, BEAT)
