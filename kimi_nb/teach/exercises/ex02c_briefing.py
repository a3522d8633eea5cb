"""Notebook 02: what goes to a sub-agent."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from kimi_nb.teach.exercise import WRONG, Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Given = dict[str, Any]

ELSEWHERE = re.compile(
    r"\b(?:as|see|mentioned|listed|described|given|named) (?:above|before|earlier)\b(?! the\b)"
    r"|\bpreviously\b|\bas (?:discussed|agreed|usual)\b|\bthe user asked\b"
    r"|\b(?:this|our|the) conversation\b|\byou know\b"
    r"|同上|如上|刚才|之前说|前面说|用户要求|这次对话|像之前|上面(?:说|提到|讲)|上述(?:要求|方法|格式|规则)",
    re.IGNORECASE,
)
"""Words for what only the orchestrator has seen."""
LEAST = 30
"""Letters beside what was given that can say what is to be done; a Chinese character is three."""


def prompt(given: Given) -> str:
    return (
        f"Read the file {given['file']}. Of the rows whose column {given['filter']} is at least "
        f"{given['least']}, give their number and the highest value in column {given['column']}. "
        f"Say so if there are none. Return exactly one line: {given['line']}"
    )


def _as_before(given: Given) -> str:
    return f"{prompt(given)} Treat doubtful rows as above."


def _without_file(given: Given) -> str:
    return prompt(given).replace(f"the file {given['file']}", "your file")


def _without_rule(given: Given) -> str:
    return (
        f"Read the file {given['file']}. Give the number of rows and the highest price. "
        f"Return exactly one line: {given['line']}"
    )


def _without_form(given: Given) -> str:
    return prompt(given).split("Return exactly")[0]


def _whole_list(given: Given) -> str:
    return f"{prompt(given)} The other files are {', '.join(given['others'])}."


def _bare(given: Given) -> str:
    return " ".join(given[name] for name in ("file", "filter", "least", "column", "line"))


def _judged(output: Any, args: list[Any]) -> str:
    (given,) = args

    if not isinstance(output, str):
        return WRONG

    faults = {
        "elsewhere": ELSEWHERE.search(output),
        "file": given["file"] not in output,
        "rule": any(given[name] not in output for name in ("filter", "least", "column")),
        "form": given["line"] not in output,
        "whole-list": any(name in output for name in given["others"]),
        "bare": _said(output, given) < LEAST,
    }
    return next((key for key, fault in faults.items() if fault), "")


def _said(output: str, given: Given) -> int:
    """How many letters are left without what was given."""
    for name in ("file", "filter", "least", "column", "line"):
        output = output.replace(given[name], "")

    chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in output)
    return sum(map(str.isalpha, output)) + 2 * chinese


def _briefings(dice: Random) -> list[list[Any]]:
    year = dice.randint(2031, 2049)
    files = [f"{year}/{shop}.csv" for shop in dice.sample(["north", "south", "west", "east"], 4)]
    given = {
        "file": files[0],
        "others": files[1:],
        "filter": dice.choice(["sold_on", "ordered_on", "sent_on"]),
        "least": f"{year}-{dice.randint(1, 12):02}-15",
        "column": dice.choice(["price_eur", "total_eur", "net_eur"]),
        "line": dice.choice(["file;rows;highest", "file,rows,highest", "file|rows|highest"]),
    }
    return [[given]]


BRIEFING = Exercise(
    id="ex02.briefing",
    title=Text("A briefing that says everything", "把话说全的任务说明"),
    task=Text(
        'An orchestrator has talked with its user and knows all of `given`. Of `given["file"]` it '
        'wants, from the rows whose column `given["filter"]` is at least `given["least"]`, their '
        'number and the highest value in `given["column"]`; back should come one line of the '
        'form `given["line"]`. The `given["others"]` go to other sub-agents. Bind to `prompt` the '
        "text for the sub-agent of this file, in any language. File, columns, date and form are "
        "looked for as they stand in `given`.",
        '一个编排器和用户谈过，知道 `given` 里的一切。对于 `given["file"]`，它要的是：在 '
        '`given["filter"]` 列不小于 `given["least"]` 的那些行中，行数是多少、`given["column"]` 列'
        '的最大值是多少；应返回一行，格式为 `given["line"]`。`given["others"]` 分给别的子智能体。'
        "把写给负责这个文件的子智能体的文本赋给 `prompt`，用什么语言都行。检查时会按 `given` 里的"
        "原样查找文件、列名、日期和格式。",
    ),
    difficulty=2,
    minutes=6,
    form="value",
    name="prompt",
    stub=('import kimi_nb as kn\n\ngiven = kn.given("ex02.briefing")\nprint(given)\nprompt = None'),
    cases=_briefings,
    solve=prompt,
    solution=(
        "prompt = (\n"
        "    f\"Read the file {given['file']}. Of the rows whose column {given['filter']} is at "
        '"\n'
        "    f\"least {given['least']}, give their number and the highest value in column \"\n"
        "    f\"{given['column']}. Say so if there are none. \"\n"
        "    f\"Return exactly one line: {given['line']}\"\n"
        ")"
    ),
    hints=(
        Text(
            "Read your text as someone who has just walked in. Which question would you ask?",
            "把自己当成刚进门的人，读一遍你的文本。你会问什么？",
        ),
        Text(
            "Which file? Which rows of it, and which column? In which form shall it come back?",
            "哪个文件？其中哪些行、哪一列？以什么格式返回？",
        ),
    ),
    mistakes=(
        Mistake(
            key="elsewhere",
            wrong=_as_before,
            says=Text(
                "Your text points to something that was said elsewhere. A sub-agent sees its own "
                "prompt and nothing of the conversation before it: what would it find there?",
                "你的文本指向了别处说过的话。子智能体只看得到自己的提示词，看不到之前的任何对话："
                "它能在那里找到什么？",
            ),
        ),
        Mistake(
            key="file",
            wrong=_without_file,
            says=Text(
                "Which file? The one that you mean is only in your own context.",
                "哪个文件？你指的那个文件只在你自己的上下文里。",
            ),
        ),
        Mistake(
            key="rule",
            wrong=_without_rule,
            says=Text(
                "Whoever reads that would take other rows, or another column, than the user "
                "meant. And the answer would look just as good: who would notice?",
                "照这段话去做，取到的行或者列会和用户要的不一样。而答案看上去照样漂亮：谁会发现？",
            ),
        ),
        Mistake(
            key="form",
            wrong=_without_form,
            says=Text(
                "Twenty reports come back and are to be joined. In which form do they arrive, if "
                "nobody said so?",
                "会有二十份报告回来等着汇总。没人说过格式，它们会是什么格式？",
            ),
        ),
        Mistake(
            key="bare",
            wrong=_bare,
            says=Text(
                "All the data are there, and next to no words between them. What is the sub-agent "
                "to do with the date, and what with the second column?",
                "数据都在，却几乎没有别的话。那个日期要拿来做什么，第二列又要拿来做什么？",
            ),
        ),
        Mistake(
            key="whole-list",
            wrong=_whole_list,
            says=Text(
                "It names the files of the others too. A helpful model will read them: how often "
                "is each file read then, by twenty sub-agents?",
                "你的文本把别人的文件也列了出来。热心的模型会去读：有二十个子智能体的话，每个文件"
                "会被读几次？",
            ),
        ),
    ),
    judge=_judged,
)

EXERCISES = (BRIEFING,)
