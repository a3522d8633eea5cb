"""Notebook 09: a rule of one's own against greedy, where stages are dear."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, NamedTuple

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Rule = dict[str, Any]


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

    if mine.sub_agents < 0.9 * greedy.sub_agents:
        return "strict"

    return "M15" if mine.sub_agents > 1.1 * greedy.sub_agents else "same"


def _always_this(coupling: float, at_least: int) -> Callable[[object], Rule]:
    """Whatever a stage costs."""
    return lambda _: {"coupling": coupling, "at_least": at_least}


def _costs(dice: Random) -> list[list[Any]]:
    turn, start = (dice.choice([2.0, 2.5, 3.0]) for _ in range(2))
    return [[{"seed": dice.randint(0, 10**6), "turn": turn, "start": start}]]


BEAT = Exercise(
    id="ex09.beat",
    title=Text("Beat greedy where stages are dear", "阶段变贵时胜过贪心"),
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
        "在 `given` 里，一个阶段比平常贵：编排器 `turn` 步，每个子智能体 `start` 步，每次分派 ½ "
        "步。"
        '请把 `{"coupling": …, "at_least": …}` 赋给 `rule`，即同类规则的两个界限：'
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
                "Your rule creates more sub-agents than greedy and is not better by both measures. "
                "Each stage is paid for: which of yours bring in more than they cost?",
                "你的规则创建的子智能体比贪心多，却没有在两个指标上都胜出。每个阶段都要付费："
                "你的哪些阶段挣回了成本？",
            ),
        ),
        Mistake(
            key="strict",
            wrong=_always_this(0.5, 8),
            says=Text(
                "Your rule creates fewer sub-agents than greedy, as it should where stages are "
                "dear, but not better by enough. Which of your two bounds keeps back stages that "
                "would have paid?",
                "阶段贵了，就该少创建子智能体，你的规则确实比贪心少，但胜得不够。"
                "你的两个界限中，哪一个把本来划算的阶段也挡住了？",
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

EXERCISES = (BEAT,)
