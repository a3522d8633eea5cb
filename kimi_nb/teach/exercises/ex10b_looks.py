"""Notebook 10: how many looks a budget pays for. And its quiz."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "QUIZ"]


def looks(budget: int, brief: int, picture: int) -> int:
    seen, spent, request = 0, 0, brief + picture

    while spent + request <= budget:
        seen, spent, request = seen + 1, spent + request, request + picture

    return seen


def _each_alike(budget: int, brief: int, picture: int) -> int:
    return budget // (brief + picture)


def _brief_once(budget: int, brief: int, picture: int) -> int:
    return (budget - brief) // picture


def _one_too_many(budget: int, brief: int, picture: int) -> int:
    return looks(budget, brief, picture) + 1


def _just_not(budget: int, brief: int, picture: int) -> int:
    return looks(budget - 1, brief, picture)


def _brief_of_the_run(budget: int, brief: int, picture: int) -> int:
    return looks(budget - brief, 0, picture)


def _cost(times: int, brief: int, picture: int) -> int:
    return sum(brief + picture * look for look in range(1, times + 1))


def _budgets(dice: Random) -> list[list[Any]]:
    """Spent to the last token; a long brief; a rest that buys a look of one picture fewer; any."""
    times = dice.randint(5, 8)
    brief, picture = dice.randint(200, 900), dice.randint(700, 1_600)
    long, small = dice.randint(3_000, 5_000), dice.randint(300, 500)
    return [
        [_cost(times, brief, picture), brief, picture],
        [_cost(times, long, small) + 50, long, small],
        [_cost(times + 1, brief, picture) + brief, brief, picture],
        *([dice.randint(30_000, 150_000), dice.randint(200, 2_000), 1_400] for _ in range(2)),
    ]


LOOKS = Exercise(
    id="ex10.looks",
    title=Text("How many looks a budget pays for", "一份预算够看几眼"),
    task=Text(
        "An agent draws, looks, mends, and looks again. The request of its n-th look sends "
        "`brief` tokens and the pictures 1 to n, of `picture` tokens each: nothing leaves the "
        "context. Return how many looks fit into `budget` tokens altogether.",
        "一个智能体画图、查看、修改、再查看。第 n 次查看的请求发送 `brief` 个 token 和第 1 到第 n "
        "张图，每张 `picture` 个 token：上下文里的东西不会消失。"
        "返回合计 `budget` 个 token 够看几次。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="looks",
    stub='def looks(budget, brief, picture):\n    """How many looks fit."""\n    ...',
    cases=_budgets,
    solve=looks,
    hints=(
        Text("What does the second look send beside the first?", "第二次比第一次多发送什么？"),
        Text(
            "The requests send brief + picture, brief + 2 · picture, brief + 3 · picture, …: add "
            "them up while they fit.",
            "各次请求依次发送 brief + picture、brief + 2 · picture、brief + 3 · picture……"
            "在装得下时逐个相加。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M11",
            wrong=_each_alike,
            says=Text(
                "You took every step to cost the same number of tokens. What does the tenth "
                "request send, beside the tenth picture?",
                "你把每一步的 token 都当成一样多。第十次请求除了第十张图，还要发送什么？",
            ),
        ),
        Mistake(
            key="once",
            wrong=_brief_once,
            says=Text(
                "You paid for the brief and for each picture once. What does an endpoint still "
                "know of an earlier request?",
                "提示词和每张图，你都只付了一次钱。对之前的请求，接口还记得什么？",
            ),
        ),
        Mistake(
            key="over",
            wrong=_one_too_many,
            says=Text(
                "Your last look is the one that no longer fits. A budget is reserved before a "
                "request is sent, not looked up afterwards.",
                "你的最后一次查看已经装不下了。预算要在请求发出之前预留，而不是事后才查。",
            ),
        ),
        Mistake(
            key="just",
            wrong=_just_not,
            says=Text(
                "You leave one out that fits. Is a budget exceeded when its last token is used?",
                "有一次装得下，你没有算。用掉预算的最后一个 token，算超出预算吗？",
            ),
        ),
        Mistake(
            key="brief",
            wrong=_brief_of_the_run,
            says=Text(
                "You sent the pictures again with each request, but the brief only with the "
                "first. How does the endpoint know it at the second?",
                "每次请求你都重发了图，提示词却只在第一次发送。到第二次时，接口从哪里知道它？",
            ),
        ),
    ),
)

EXERCISES = (LOOKS,)

QUIZ = Quiz(
    id="quiz10",
    items=(
        QuizItem(
            asks=Text(
                "One agent looks at eight pictures in turn. Where do most of its tokens go?",
                "一个智能体依次看八张图。它的 token 大多花在哪里？",
            ),
            options=(
                Option(
                    says=Text("Into the eight pictures, each read once.", "八张图，每张读一遍。"),
                    key="M11",
                ),
                Option(
                    says=Text("Into pictures that it has seen before.", "重读已经看过的图。"),
                ),
                Option(
                    says=Text(
                        "Into its steps alike: each costs the same.", "平摊到各步：每步一样多。"
                    ),
                    key="M11",
                ),
            ),
            because=Text(
                "Every later request sends all earlier pictures again: 1 + 2 + … + 8 pictures are "
                "read, of which 28 of 36 were seen before.",
                "之后的每次请求都会重发之前所有的图：一共读了 1 + 2 + … + 8 = 36 张次，"
                "其中 28 次是看过的。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Twelve pictures are to be turned into code. Each is drawn, looked at and mended "
                "four times. What can be done at the same time?",
                "要把十二幅图变成代码，每幅都要画、看、改四遍。哪些可以同时进行？",
            ),
            options=(
                Option(
                    says=Text(
                        "The four rounds of each picture.",
                        "每幅图的四遍。",
                    ),
                    key="M4",
                ),
                Option(
                    says=Text(
                        "All 48 rounds, with 48 sub-agents.",
                        "全部 48 遍，用 48 个子智能体。",
                    ),
                    key="M1",
                ),
                Option(
                    says=Text(
                        "The pictures, but not their rounds.",
                        "十二幅图，但不是各自的四遍。",
                    ),
                ),
            ),
            because=Text(
                "What is mended is what was seen: each round waits for the one before. The "
                "pictures do not wait for one another.",
                "改的依据是看到的内容：每一遍都要等上一遍。而各幅图之间互不等待。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Twelve sub-agents draw at once where one drew before. What of the tokens?",
                "原来一个智能体画，现在十二个子智能体同时画。token 会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "They fall: nobody has others' pictures in the context.",
                        "变少：别人的图不在自己的上下文里。",
                    ),
                ),
                Option(
                    says=Text(
                        "They fall, as twelve at once are counted as one.",
                        "变少：十二个同时进行，只算一份。",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "They grow twelve times, since twelve look at once.",
                        "变成十二倍：有十二个在同时看。",
                    ),
                    key="M2",
                ),
            ),
            because=Text(
                "The pictures to be seen are the same. What falls away is that one agent reads "
                "the pictures of finished targets again at each step.",
                "要看的图一样多。省下的是：单个智能体每一步都在重读已完成目标的图。",
            ),
        ),
    ),
)
