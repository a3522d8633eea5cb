"""Notebook 08: where λ has to begin and when it has to be gone."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.exercises.anneals import CAME_TO, STARTS, UNTIL
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Given = dict[str, Any]
STRAY = 1
"""Trainings of six that may collapse."""


def _judged(answer: Any, args: list[Any]) -> str:
    """By the table of short trainings."""
    given: Given = args[0]

    if not isinstance(answer, dict) or set(answer) != {"start", "until"}:  # pyright: ignore[reportUnknownArgumentType] -- whatever it has
        return WRONG

    start, until = answer["start"], answer["until"]  # pyright: ignore[reportUnknownVariableType]

    if isinstance(start, bool) or start not in STARTS or until not in UNTIL:
        return "other"

    row = CAME_TO[given["spawning"], start]
    place = UNTIL.index(until)

    if row[place].collapsed > STRAY:  # too early only if going late is sure to help
        return "M16" if all(came.collapsed <= STRAY for came in row[-2:]) else "small"

    return "" if row[place].useless <= given["useless_at_most"] else "M13"


def _given(dice: Random) -> list[list[Any]]:
    limit = round(dice.uniform(2.2, 3.2), 2)
    return [[{"spawning": dice.choice([0, -1]), "useless_at_most": limit}]]


def _good(given: Given) -> dict[str, float]:  # noqa: ARG001 -- good for both priors
    return {"start": 0.5, "until": 0.7}


def _published(given: Given) -> dict[str, float]:  # noqa: ARG001 -- whatever the prior
    return {"start": 0.1, "until": 0.7}


def _between(given: Given) -> dict[str, float]:  # noqa: ARG001 -- whatever the prior
    return {"start": 0.4, "until": 0.6}


def _early(given: Given) -> dict[str, float]:  # noqa: ARG001 -- whatever the prior
    return {"start": 0.3, "until": 0.05}


def _never(given: Given) -> dict[str, float | None]:  # noqa: ARG001 -- whatever the prior
    return {"start": 0.5, "until": None}


CHOOSE = Exercise(
    id="ex08.choose",
    title=Text("Choose an anneal", "选一个退火方案"),
    task=Text(
        "λ goes in a straight line from `start` to 0, which it reaches at the part `until` of a "
        'short training, in the blog\'s form. `given["spawning"]` is added to the logit of every '
        'SPAWN of the prior. Bind `anneal` to `{"start": …, "until": …}` so that at most one '
        "of "
        "six trainings collapses and a task has no more than "
        '`given["useless_at_most"]` useless sub-agents on average. `start` is one of 0.05, 0.1, '
        "0.2, 0.3, 0.5, 0.8; `until` one of 0.05, 0.3, 0.5, 0.7, 1.0, or None for never. The "
        "trainings are of the plan `small` above, with six seeds. Try some: "
        '`figures(trained(0.2, 0.5, spawning=given["spawning"], seed=1))`.',
        "在一次短训练中，按博客写法，λ 沿直线从 `start` 降到 0，在训练的 `until` 这一比例处归零。"
        '`given["spawning"]` 会加到先验中每个 SPAWN 的 logit 上。请把 `{"start": …, "until": …}` '
        "赋给 `anneal`，使六次训练中最多有一次坍缩，并且平均每个任务的无用子智能体不超过 "
        '`given["useless_at_most"]` 个。`start` 取 0.05、0.1、0.2、0.3、0.5、0.8 之一；`until` 取'
        " 0.05、0.3、0.5、0.7、1.0 之一，或取 None 表示永不归零。训练用的就是上面的计划 `small`："
        "种子有六个。可以先试几个："
        '`figures(trained(0.2, 0.5, spawning=given["spawning"], seed=1))`。',
    ),
    difficulty=3,
    minutes=8,
    form="value",
    name="anneal",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex08.choose")\nanneal = None',
    cases=_given,
    solve=_good,
    solution='anneal = {"start": 0.5, "until": 0.7}',
    hints=(
        Text(
            "Two things can go wrong, at two ends: the habit is not learned, or it is not given "
            "up.",
            "两头都可能出错：要么习惯没学会，要么改不掉。",
        ),
        Text(
            "Begin with more than the published 0.1, and be at 0 well before the end.",
            "起点要比公开的 0.1 大，并且在结束之前早早归零。",
        ),
    ),
    mistakes=(
        Mistake(
            key="small",
            wrong=_published,
            says=Text(
                "With this λ it hangs on luck, more than on when it goes, whether a training "
                "collapses: it is too small for this prior. 0.1 is published for another model, "
                "on another scale. How often does this prior delegate before it is trained?",
                "λ 这么小，训练会不会坍缩多半看运气，与何时归零关系不大：对这个先验来说它太小了。"
                "公开的 0.1 是另一个模型、另一种尺度下的数。这里的先验在训练之前多久委派一次？",
            ),
        ),
        Mistake(
            key="M16",
            wrong=_early,
            says=Text(
                "This λ could do it, but it is gone too soon. In how many of the 80 iterations "
                "is a sub-agent still paid for, and how often has a stage paid for itself by then?",
                "这个 λ 本来够用，但归零太早。80 次迭代里，有几次还在为子智能体付钱？"
                "到那时，策略见过几次划算的阶段？",
            ),
        ),
        Mistake(
            key="other",
            wrong=_between,
            says=Text(
                "The six trainings were made for the values that the task lists: which of them are "
                "nearest to yours?",
                "六次训练只针对题目列出的取值做过：离你的最近的是哪几个？",
            ),
        ),
        Mistake(
            key="M13",
            wrong=_never,
            says=Text(
                "Few collapse or none, but sub-agents do useless work to the end. What would "
                "the policy lose by leaving them out, as long as you pay for them?",
                "几乎没有坍缩，但子智能体直到最后还在做无用功。只要你还在付钱，"
                "策略去掉它们会损失什么？",
            ),
        ),
    ),
    judge=_judged,
)

EXERCISES = (CHOOSE,)
