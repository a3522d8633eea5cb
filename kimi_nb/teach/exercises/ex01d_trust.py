"""Notebook 01: which calls are refused to an agent that has read text of strangers."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Calls = list[dict[str, Any]]

TOOLS: dict[str, tuple[bool, bool, bool]] = {
    "notes": (True, False, False),
    "fetch": (False, True, True),
    "post": (False, False, True),
    "read_file": (True, True, False),
    "clock": (False, False, False),
}
"""Whether each is private, untrusted, outward."""


def refused(calls: list[dict[str, Any]]) -> list[bool]:
    private = untrusted = False
    answers: list[bool] = []

    for call in calls:
        answers.append(call["outward"] and private and untrusted)
        private = private or call["private"]
        untrusted = untrusted or call["untrusted"]

    return answers


def _either(calls: Calls) -> list[bool]:
    return [
        call["outward"] and any(each["private"] or each["untrusted"] for each in calls[:place])
        for place, call in enumerate(calls)
    ]


def _own_result(calls: Calls) -> list[bool]:
    """What the call itself brings counts before it is made."""
    return [call["outward"] and _both(calls[: place + 1]) for place, call in enumerate(calls)]


def _everything(calls: Calls) -> list[bool]:
    return [_both(calls[:place]) for place in range(len(calls))]


def _always(calls: Calls) -> list[bool]:
    return [call["outward"] for call in calls]


def _whole_run(calls: Calls) -> list[bool]:
    return [call["outward"] and _both(calls) for call in calls]


def _both(calls: Calls) -> bool:
    return any(call["private"] for call in calls) and any(call["untrusted"] for call in calls)


def _call(tool: str) -> dict[str, Any]:
    private, untrusted, outward = TOOLS[tool]
    return {"tool": tool, "private": private, "untrusted": untrusted, "outward": outward}


def _agents(dice: Random) -> list[list[Any]]:
    """Three in which all mistakes show, and three of one's own."""
    agents = [
        ["notes", "fetch", "post", "read_file", "clock"],
        ["fetch", "fetch", "clock", "notes", "post", "read_file"],
        ["fetch", "post", "clock"],
    ]
    agents += [dice.choices(list(TOOLS), k=dice.randint(4, 7)) for _ in range(3)]
    return [[[_call(tool) for tool in tools]] for tools in agents]


REFUSED = Exercise(
    id="ex01.refused",
    title=Text("Which calls are refused", "哪些调用会被拒绝"),
    task=Text(
        "`calls` are the tool calls of one agent, in their order. Each says what its tool is: "
        "`private`, `untrusted`, `outward`, as in the table above, by `True` or `False`. A call "
        "that was made has its result taken in. Return a list with `True` for each call that is "
        "refused, `False` for each that is made.",
        "`calls` 是一个智能体的工具调用，按先后顺序排列。每个调用用 `True` 或 `False` "
        "写明它的工具属于哪几类：`private`、`untrusted`、`outward`，含义同上表。"
        "调用一旦执行，结果就被读入。返回一个列表：会被拒绝的调用对应 `True`，"
        "会执行的对应 `False`。",
    ),
    difficulty=2,
    minutes=5,
    form="function",
    name="refused",
    stub='def refused(calls):\n    """True for each call that is refused."""\n    ...',
    cases=_agents,
    solve=refused,
    hints=(
        Text(
            "Before each call: what can be in the agent's messages by then?",
            "每次调用之前想一想：到那时，智能体的消息里可能有什么？",
        ),
        Text(
            "Keep two marks, and set them after a call, not before.",
            "用两个标记，在调用之后而不是之前更新。",
        ),
    ),
    mistakes=(
        Mistake(
            key="either",
            wrong=_either,
            says=Text(
                "One kind is enough for you. An agent that has only read your own notes: who could "
                "have told it to give them away?",
                "你认为有一类就够了。一个只读过你自己笔记的智能体：谁能唆使它把笔记送出去？",
            ),
        ),
        Mistake(
            key="own-result",
            wrong=_own_result,
            says=Text(
                "You count the result of the call itself. Its arguments are written before that "
                "result is read: what can stand in them?",
                "你把这次调用自己的结果也算了进去。参数在读到结果之前就写好了：里面可能有什么？",
            ),
        ),
        Mistake(
            key="everything",
            wrong=_everything,
            says=Text(
                "You refuse what sends nothing out as well. What can a call of `clock` give away?",
                "不往外发东西的调用也被你拒绝了。调用 `clock` 能泄露什么？",
            ),
        ),
        Mistake(
            key="always",
            wrong=_always,
            says=Text(
                "You refuse every outward call. The first `fetch` of an agent that has read "
                "nothing yet: what could it give away?",
                "凡是往外发的调用你都拒绝。一个还什么都没读过的智能体，第一次 `fetch` 能泄露什么？",
            ),
        ),
        Mistake(
            key="whole-run",
            wrong=_whole_run,
            says=Text(
                "You refuse a call for what is read only later. What was in the agent's messages "
                "when it called?",
                "你因为之后才读到的内容拒绝了之前的调用。调用的那一刻，智能体的消息里有什么？",
            ),
        ),
    ),
)

EXERCISES = (REFUSED,)
