"""Notebook 08: how λ goes, and which rewards leave the best plan the best."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi
from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Plan = dict[str, Any]


def weight(start: float, shape: str, until: float, progress: float) -> float:
    part = min(1, progress / until)

    if shape == "linear":
        return start * (1 - part)

    return start * (1 + cos(pi * part)) / 2


def _below(start: float, shape: str, until: float, progress: float) -> float:
    """Goes on after `until`."""
    part = progress / until
    return start * (1 - part) if shape == "linear" else start * (1 + cos(pi * part)) / 2


def _to_the_end(start: float, shape: str, until: float, progress: float) -> float:  # noqa: ARG001 -- it has no say
    return weight(start, shape, 1, progress)


def _decays(start: float, shape: str, until: float, progress: float) -> float:  # noqa: ARG001 -- all alike
    """As a learning rate does: by a factor for each part of the way."""
    return start * 0.1 ** (progress / until)


def _quarter(start: float, shape: str, until: float, progress: float) -> float:
    """A cosine from 1 to 0, instead of from 1 to −1."""
    part = min(1, progress / until)
    return start * (1 - part if shape == "linear" else cos(pi * part / 2))


def _points(dice: Random) -> list[list[Any]]:
    """Of each shape a point on the way and one beyond its end."""
    found: list[list[Any]] = []

    for shape in ("linear", "cosine"):
        until = dice.choice([0.4, 0.5, 0.6])
        start = dice.choice([0.1, 0.2, 0.3, 0.5])
        within, beyond = until * dice.choice([0.25, 0.4, 0.75]), until * dice.choice([1.2, 1.5])
        found += [[start, shape, until, round(at, 4)] for at in (within, beyond)]

    return found


SCHEDULE = Exercise(
    id="ex08.schedule",
    title=Text("What λ is at a given progress", "某个进度上的 λ"),
    task=Text(
        "λ goes from `start` to 0, which it reaches when the part `until` of the training is done, "
        "and stays 0. Return λ at `progress`, from 0 to 1. `shape` is "
        '`"linear"`, a straight line, or `"cosine"`: with u the part of the way that is gone, '
        "start·(1 + cos πu)/2.",
        "λ 从 `start` 降到 0，在训练完成 `until` 这一比例时到达 0，之后一直为 0。"
        "返回 `progress`（0 到 1）处的 λ。"
        '`shape` 为 `"linear"` 时是一条直线；为 `"cosine"` 时，设 u 为已走过的路程比例，'
        "λ = start·(1 + cos πu)/2。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="weight",
    stub=(
        "from math import cos, pi\n\n"
        'def weight(start, shape, until, progress):\n    """λ at that progress."""\n    ...'
    ),
    cases=_points,
    solve=weight,
    solution=(
        "from math import cos, pi\n\n"
        "def weight(start, shape, until, progress):\n"
        "    part = min(1, progress / until)\n\n"
        '    if shape == "linear":\n'
        "        return start * (1 - part)\n\n"
        "    return start * (1 + cos(pi * part)) / 2"
    ),
    hints=(
        Text(
            "Which part of the way is gone at `progress`?", "到 `progress` 为止，走完了几成路程？"
        ),
        Text(
            "`min(1, progress / until)` does not go on beyond the end.",
            "`min(1, progress / until)` 到了终点就不再增加。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M16",
            wrong=_to_the_end,
            says=Text(
                "Yours takes the whole training, whatever `until` says. Whether λ is gone at 5 % "
                "or at 70 %: does a policy learn the same?",
                "不管 `until` 是多少，你的 λ 都要到训练结束才归零。在 5% 处归零和在 70% 处归零，"
                "策略学到的会一样吗？",
            ),
        ),
        Mistake(
            key="M14",
            wrong=_decays,
            says=Text(
                "That is how a learning rate decays: by a factor, and never to 0. What is still "
                "paid for sub-agents at the end of your training?",
                "学习率才是这样衰减的：每次乘一个系数，永远到不了 0。按你的写法，"
                "训练结束时还在为子智能体付多少？",
            ),
        ),
        Mistake(
            key="below",
            wrong=_below,
            says=Text(
                "Look beyond `until`: there a straight line goes below 0 and a cosine comes back "
                "up. What would a negative λ pay for?",
                "看看 `until` 之后：直线会降到 0 以下，余弦又会升上来。λ 为负时奖励的是什么？",
            ),
        ),
        Mistake(
            key="quarter",
            wrong=_quarter,
            says=Text(
                "Your cosine goes a quarter of its period, from 1 to 0. That of the task goes "
                "half of it, and is flat at both ends.",
                "你的余弦只走了四分之一周期，从 1 到 0。题目里的走半个周期，两端都是平的。",
            ),
        ),
    ),
)


def best(plans: list[Plan], shaping: str, weight: float) -> str:
    def paid(plan: Plan) -> float:
        done = plan["done"]

        if shaping == "potential":
            extra = sum(after - before for before, after in pairwise([*done, 0]))
        elif shaping == "visits":
            extra = sum(done)
        else:
            extra = min(1, plan["spawned"] / 8)

        return plan["perf"] + weight * extra

    return max(plans, key=paid)["name"]


def _as_if_none(plans: list[Plan], shaping: str, weight: float) -> str:  # noqa: ARG001 -- that is it
    return best(plans, shaping, 0)


def _without_end(plans: list[Plan], shaping: str, weight: float) -> str:
    """The potential of the end is kept, instead of being given back."""
    if shaping != "potential":
        return best(plans, shaping, weight)

    return max(plans, key=lambda plan: plan["perf"] + weight * plan["done"][-1])["name"]


def _uncapped(plans: list[Plan], shaping: str, weight: float) -> str:
    if shaping != "spawns":
        return best(plans, shaping, weight)

    return max(plans, key=lambda plan: plan["perf"] + weight * plan["spawned"] / 8)["name"]


def _choices(dice: Random) -> list[list[Any]]:
    """Three plans: the best one; one that does more parts, slowly; one that spawns, in vain."""
    perf = dice.randint(85, 95) / 100
    parts = dice.randint(4, 6)
    names = dice.sample(["ada", "bo", "chen", "dai", "eva", "fu"], 4)
    good = {"name": names[0], "perf": perf, "spawned": 3, "done": [0, parts - 1]}
    slow = {
        "name": names[1],
        "perf": round(perf - 0.2, 2),
        "spawned": 1,
        "done": list(range(parts + 1)),
    }
    farm = {"name": names[2], "perf": round(perf - 0.3, 2), "spawned": 8, "done": [0, 1]}
    mass = {"name": names[3], "perf": round(perf - 0.5, 2), "spawned": 24, "done": [0, 1]}
    plans = [good, slow, farm, mass]
    dice.shuffle(plans)
    return [
        [plans, "potential", dice.choice([1, 2])],
        [plans, "visits", dice.choice([0.3, 0.5])],
        [plans, "spawns", 1],
        [plans, "spawns", 0.1],
    ]


SHAPING = Exercise(
    id="ex08.shaping",
    title=Text("Which shaping leaves the best plan alone?", "哪种塑形不改变最优计划？"),
    task=Text(
        'Return the name of the plan that is paid most: `plan["perf"]` + `weight` times an extra. '
        '`plan["done"]` has how many parts are done at the beginning and after each stage. The '
        "extra is, for each `shaping`:\n\n"
        '- `"potential"`: after each stage the parts done now less those done before; and at the '
        "end of the episode all is over: the potential of the end is 0, as one more stage to 0.\n"
        '- `"visits"`: the parts done, added up over the list.\n'
        '- `"spawns"`: min(1, `plan["spawned"]` / 8).',
        '返回拿到奖励最多的计划的名字：`plan["perf"]` 加上 `weight` 乘以一个附加项。'
        '`plan["done"]` 是开始时和每个阶段之后已完成的部分数。各种 `shaping` 的附加项是：\n\n'
        '- `"potential"`：每个阶段之后，现在完成的部分数减去之前的；'
        "回合结束时一切归零：终点的势为 0，相当于再多一个把势降到 0 的阶段。\n"
        '- `"visits"`：把列表里的完成数加起来。\n'
        '- `"spawns"`：min(1, `plan["spawned"]` / 8)。',
    ),
    difficulty=3,
    minutes=10,
    form="function",
    name="best",
    stub='def best(plans, shaping, weight):\n    """Name of the plan paid most."""\n    ...',
    cases=_choices,
    solve=best,
    solution=(
        "from itertools import pairwise\n\n"
        "def best(plans, shaping, weight):\n"
        "    def paid(plan):\n"
        '        done = plan["done"]\n\n'
        '        if shaping == "potential":\n'
        "            extra = sum(after - before for before, after in pairwise([*done, 0]))\n"
        '        elif shaping == "visits":\n'
        "            extra = sum(done)\n"
        "        else:\n"
        '            extra = min(1, plan["spawned"] / 8)\n\n'
        '        return plan["perf"] + weight * extra\n\n'
        '    return max(plans, key=paid)["name"]'
    ),
    hints=(
        Text(
            "Add up the differences of one plan's potential, the last step to 0 included.",
            "把一个计划的势差加起来，别漏了最后降到 0 的那一步。",
        ),
        Text(
            "Differences telescope: what is left is the end less the beginning.",
            "差分会逐项相消：剩下的只是终点减起点。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M13",
            wrong=_as_if_none,
            says=Text(
                "You have the same plan win whatever is added. That holds for one of the three. "
                "Work out the extra of a plan that spawns 8 for nothing.",
                "不管加什么，你都让同一个计划赢。三种里只有一种是这样。"
                "算一算白白创建 8 个子智能体的计划能拿多少附加项。",
            ),
        ),
        Mistake(
            key="kept",
            wrong=_without_end,
            says=Text(
                "Under the potential your plans keep what they were paid for done parts. What is "
                "left once the episode's end, with potential 0, is counted?",
                "用势函数时，你的计划留住了完成部分所得的奖励。把势为 0 的回合终点也算上，"
                "还剩多少？",
            ),
        ),
        Mistake(
            key="M15",
            wrong=_uncapped,
            says=Text(
                "Yours pays for every spawn. r_parallel is at most 1: what do the 16 beyond the "
                "eighth add?",
                "你为每次创建都付钱。r_parallel 最多为 1：第八个之后的 16 个又能加多少？",
            ),
        ),
    ),
)

EXERCISES = (SCHEDULE, SHAPING)
