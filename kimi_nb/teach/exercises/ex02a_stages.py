"""Notebook 02: which sub-agents are at work together."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Call = dict[str, str]


def together(turns: list[list[Call]]) -> list[list[str]]:
    groups: list[list[str]] = []

    for turn in turns:
        group = [call["prompt"] for call in turn if call["tool"] == "assign_task"]

        if group:
            groups.append(group)

    return groups


def _flat(turns: list[list[Call]]) -> list[Call]:
    return [call for turn in turns for call in turn if call["tool"] == "assign_task"]


def _all_at_once(turns: list[list[Call]]) -> list[list[str]]:
    return [[call["prompt"] for call in _flat(turns)]]


def _one_by_one(turns: list[list[Call]]) -> list[list[str]]:
    return [[call["prompt"]] for call in _flat(turns)]


def _by_agent(turns: list[list[Call]]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}

    for call in _flat(turns):
        groups.setdefault(call["agent"], []).append(call["prompt"])

    return list(groups.values())


def _empty_too(turns: list[list[Call]]) -> list[list[str]]:
    return [[call["prompt"] for call in turn if call["tool"] == "assign_task"] for turn in turns]


def _any_call(turns: list[list[Call]]) -> list[list[str]]:
    return [[call["prompt"] for call in turn] for turn in turns]


def _create(agent: str) -> Call:
    return {"tool": "create_subagent", "agent": agent, "prompt": "You look at one file."}


def _assign(agent: str, prompt: str) -> Call:
    return {"tool": "assign_task", "agent": agent, "prompt": prompt}


def _runs(dice: Random) -> list[list[Any]]:
    """Each has a turn without sub-agents, a turn with several, and two turns with some."""
    runs: list[list[Any]] = []

    for _ in range(4):
        left = [f"{dice.choice(['read', 'count', 'check'])} {n}.csv" for n in range(1, 10)]
        turns = [[_create("reader"), _create("checker")]]

        for size in (dice.randint(2, 3), 1, dice.randint(1, 3)):
            names = ["reader", "checker", *dice.choices(["reader", "checker"], k=size)][:size]
            turns.append([_assign(name, left.pop()) for name in names])

        turns.insert(2, [{"tool": "list_files", "agent": "", "prompt": ""}])
        runs.append([turns])

    return runs


TOGETHER = Exercise(
    id="ex02.together",
    title=Text("Which sub-agents are at work together", "哪些子智能体同时在工作"),
    task=Text(
        "`turns` has the tool calls of an orchestrator, turn by turn. A call has a `tool`, an "
        "`agent` and a `prompt`. Return a list of groups: the prompts of those sub-agents that "
        "are at work together, in the order of the calls. A turn that launches no sub-agent "
        "makes no group.",
        "`turns` 按轮给出一个编排器的工具调用。每个调用有 `tool`、`agent` 和 `prompt`。"
        "返回分组的列表：每一组是同时在工作的那些子智能体的 prompt，按调用的顺序排列。"
        "一轮里没有启动子智能体，就没有这一组。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="together",
    stub='def together(turns):\n    """The prompts of each group."""\n    ...',
    cases=_runs,
    solve=together,
    hints=(
        Text("When does the orchestrator write its next turn?", "编排器什么时候才会写它的下一轮？"),
        Text(
            "It has to read the results of this one first. So a turn is a group, if it launches "
            "any.",
            "它得先读到这一轮的结果。所以凡是启动了子智能体的一轮，就是一组。",
        ),
        Text(
            "Which tool launches, and which only describes?", "哪个工具会启动智能体，哪个只是描述？"
        ),
    ),
    mistakes=(
        Mistake(
            key="all-at-once",
            wrong=_all_at_once,
            says=Text(
                "All in one group, as if everything that is asynchronous ran at once. The second "
                "assignment may quote what the first one found: when can that be written?",
                "你把它们全放进了一组，好像只要是异步的就会同时运行。第二次分派可能会引用第一次查"
                "到的内容：那要到什么时候才写得出来？",
            ),
        ),
        Mistake(
            key="one-by-one",
            wrong=_one_by_one,
            says=Text(
                "Every sub-agent by itself: then nothing runs in parallel. How many calls of one "
                "turn does the orchestrator write before it reads a result?",
                "每个子智能体各成一组，那就没有任何并行了。编排器在读到结果之前，"
                "一轮里可以写几个调用？",
            ),
        ),
        Mistake(
            key="by-agent",
            wrong=_by_agent,
            says=Text(
                "You grouped by configuration. `reader` is a recipe, of which as many agents can "
                "be made as one likes, at different times. What says when?",
                "你按配置分了组。`reader` 只是一份配方，可以在不同的时间照它造出任意多个智能体。"
                "是什么决定了时间？",
            ),
        ),
        Mistake(
            key="created",
            wrong=_any_call,
            says=Text(
                "You took every call for a launch. Which tools only describe an agent, or look "
                "something up?",
                "你把每个调用都当成了启动。哪些工具只是描述一个智能体，或者只是查点东西？",
            ),
        ),
        Mistake(
            key="empty",
            wrong=_empty_too,
            says=Text(
                "There are groups in which nobody is at work. What did these turns launch?",
                "有的组里没有人在工作。这些轮启动了谁？",
            ),
        ),
    ),
)

EXERCISES = (TOGETHER,)
