"""Notebook 07: what a reward can be farmed for, and from which λ on that pays."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Given = dict[str, Any]
Plans = dict[str, list[str]]
ENOUGH = 8
FILES = ("north", "south", "west", "east", "harbour", "airport", "station", "market", "castle")


def _plans(given: Given) -> Plans:
    files: list[str] = given["files"]
    return {"farmed": [files[0]] * ENOUGH, "honest": files}


def _padded(given: Given) -> Plans:
    """More is better, also where nothing is left to do."""
    files: list[str] = given["files"]
    return _plans(given) | {"honest": files + [files[0]] * (ENOUGH - len(files))}


def _useful(given: Given) -> Plans:
    """Farms, but does the work as well."""
    return _plans(given) | {"farmed": _padded(given)["honest"]}


def _few(given: Given) -> Plans:
    return _plans(given) | {"farmed": given["files"][:1]}


def _left(given: Given) -> Plans:
    return _plans(given) | {"honest": given["files"][1:]}


def _unknown(given: Given) -> Plans:
    return _plans(given) | {"farmed": ["nothing"] * ENOUGH}


def _is_plans(answer: object) -> bool:
    if not isinstance(answer, dict) or set(answer) != {"farmed", "honest"}:  # pyright: ignore[reportUnknownArgumentType] -- whatever it has
        return False

    lists: list[Any] = list(answer.values())  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
    return all(isinstance(plan, list) and all(isinstance(n, str) for n in plan) for plan in lists)  # pyright: ignore[reportUnknownVariableType]


def _judged(answer: Any, args: list[Any]) -> str:
    """Which files each plan does, and how many sub-agents it has for that."""
    if not _is_plans(answer):
        return WRONG

    files: set[str] = set(args[0]["files"])
    farmed, honest = answer["farmed"], answer["honest"]

    if len(farmed) < ENOUGH:
        return "few"

    if not set(farmed) <= files:
        return "unfinished"

    return "useful" if len(set(farmed)) > 1 else _earned(honest, files)


def _earned(honest: list[str], files: set[str]) -> str:
    if set(honest) == files and len(honest) > len(files):
        return "M15"

    if set(honest) < files:
        return "left"

    return "" if sorted(honest) == sorted(files) else WRONG


def _files(dice: Random) -> list[list[Any]]:
    return [[{"files": dice.sample(FILES, dice.randint(3, 6))}]]


HACK = Exercise(
    id="ex07.hack",
    title=Text("Farm it, then earn it", "先刷分，再老实挣"),
    task=Text(
        'Each file of `given["files"]` has to be counted once. A plan is a list of file names, one '
        "for each sub-agent of a single stage. A sub-agent finishes if its file is one of these; a "
        "file that was counted already is counted for nothing. Bind `plans` to "
        '`{"farmed": […], "honest": […]}`: `farmed` has r_parallel = 1 and r_finish = 1 and gets '
        "no more than one file counted; `honest` gets all of them counted with no sub-agent "
        "in vain.",
        '`given["files"]` 中的每个文件都要统计一次。计划是一个文件名列表，对应同一个阶段里的各个'
        "子智能体。文件名在其中，子智能体就能完成；已经统计过的文件再统计一次则毫无用处。请把 "
        '`{"farmed": […], "honest": […]}` 赋给 `plans`：`farmed` 的 r_parallel = 1、r_finish = 1'
        "，却最多只统计一个文件；`honest` 把所有文件都统计到，而且没有一个子智能体白跑。",
    ),
    difficulty=2,
    minutes=6,
    form="value",
    name="plans",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex07.hack")\nplans = None',
    cases=_files,
    solve=_plans,
    solution=('files = given["files"]\nplans = {"farmed": [files[0]] * 8, "honest": files}'),
    hints=(
        Text(
            "r_parallel counts sub-agents and r_finish those that finish. Neither asks for what.",
            "r_parallel 只数子智能体，r_finish 只数完成的。两者都不问做了什么。",
        ),
        Text(
            "Eight times the same file finishes eight times.",
            "同一个文件给八次，就会完成八次。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M15",
            wrong=_padded,
            says=Text(
                "Your honest plan has sub-agents that count again what was counted. They raise "
                "r_parallel: do they raise Q?",
                "你的 honest 计划里，有子智能体在重复统计已经统计过的文件。"
                "它们抬高了 r_parallel：能抬高 Q 吗？",
            ),
        ),
        Mistake(
            key="useful",
            wrong=_useful,
            says=Text(
                "Your farmed plan is paid in full, and gets more than one file counted besides. "
                "Can you have the pay without the work?",
                "你的 farmed 计划拿满了奖励，却统计了不止一个文件。能不能只拿钱、不干活？",
            ),
        ),
        Mistake(
            key="left",
            wrong=_left,
            says=Text(
                "Your honest plan leaves a file out. Is a run a success that answers for some of "
                "the files?",
                "你的 honest 计划漏掉了文件。只回答了一部分文件的运行，还算成功吗？",
            ),
        ),
        Mistake(
            key="few",
            wrong=_few,
            says=Text(
                "With so few sub-agents r_parallel is below 1. From how many on is it 1?",
                "子智能体这么少，r_parallel 到不了 1。要多少个才到 1？",
            ),
        ),
        Mistake(
            key="unfinished",
            wrong=_unknown,
            says=Text(
                "A sub-agent of yours cannot finish: there is no such file, and r_finish sees "
                "that. What does it not see?",
                "你有子智能体完成不了：没有这个文件，而 r_finish 看得到这一点。它看不到的是什么？",
            ),
        ),
    ),
    judge=_judged,
)


def break_even(honest: list[float], farmed: list[float]) -> float:
    lost = honest[1] - farmed[1]
    won = farmed[0] - honest[0]
    return lost / (lost + won)


def _without_share(honest: list[float], farmed: list[float]) -> float:
    return (honest[1] - farmed[1]) / (farmed[0] - honest[0])


def _by_perf_alone(honest: list[float], farmed: list[float]) -> float:  # noqa: ARG001 -- of all cases
    """The better run stays the better one, whatever is added."""
    return 1.0


def _turned(honest: list[float], farmed: list[float]) -> float:
    return 1 - break_even(honest, farmed)


def _pairs(dice: Random) -> list[list[Any]]:
    """Two runs as [r_parallel, r_perf]; what is lost and what is won differ by a third at least."""
    found: list[list[Any]] = []

    for won in dice.sample(range(2, 6), 3):
        agents = dice.randint(0, 8 - won)
        lost = won / 8 * dice.choice([0.3, 0.5, 0.6])
        perf = round(lost + dice.randint(5, 20) / 100, 4)
        found.append([[agents / 8, perf], [(agents + won) / 8, round(perf - lost, 4)]])

    return found


EVEN = Exercise(
    id="ex07.even",
    title=Text("The λ from which farming pays", "从哪个 λ 起刷分更划算"),
    task=Text(
        "`honest` and `farmed` are two runs as `[r_parallel, r_perf]`: the second has more "
        "r_parallel and less r_perf. Return the λ of the blog's form, "
        "λ·r_parallel + (1 − λ)·r_perf, at which both are paid the same. Above it, farming wins.",
        "`honest` 和 `farmed` 是两次运行，写作 `[r_parallel, r_perf]`：后者 r_parallel 更高，"
        "r_perf 更低。按博客写法 λ·r_parallel + (1 − λ)·r_perf，"
        "返回使两者奖励相等的 λ。超过它，刷分就赢了。",
    ),
    difficulty=3,
    minutes=8,
    form="function",
    name="break_even",
    stub='def break_even(honest, farmed):\n    """λ at which both are paid the same."""\n    ...',
    cases=_pairs,
    solve=break_even,
    hints=(
        Text("Write down both rewards and set them equal.", "写出两边的奖励，令它们相等。"),
        Text(
            "λ times what farming wins equals (1 − λ) times what it loses.",
            "λ 乘以刷分所得，等于 (1 − λ) 乘以刷分所失。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M13",
            wrong=_by_perf_alone,
            says=Text(
                "You say that only λ = 1 makes farming as good. Put λ = 0.9 in: which of the two "
                "is paid more?",
                "你认为只有 λ = 1 时刷分才不吃亏。代入 λ = 0.9 看看：哪一边拿得更多？",
            ),
        ),
        Mistake(
            key="report",
            wrong=_without_share,
            says=Text(
                "That is the λ₁ of the report's form, which takes nothing from r_perf. What stands "
                "before r_perf in the blog's?",
                "这是报告写法里的 λ₁，它不从 r_perf 里扣。博客写法里，r_perf 前面乘的是什么？",
            ),
        ),
        Mistake(
            key="turned",
            wrong=_turned,
            says=Text(
                "That is the share of r_perf at that point. At λ = 0, who wins in your answer?",
                "这是那一点上 r_perf 的份额。按你的答案，λ = 0 时谁赢？",
            ),
        ),
    ),
)

EXERCISES = (HACK, EVEN)
