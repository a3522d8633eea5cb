"""What came of one exercise of one student."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from kimi_nb.teach.exercise import ODD, RAISED, UNANSWERED, Exercise
from kimi_nb.teach.plain import Odd, Raised
from kimi_nb.teach.text import Text

__all__ = ["MISSING", "OTHERS", "SAYS", "UNREAD", "Mark", "said"]

MISSING = "missing"
"""Key: the student's notebooks have no cell of that exercise, or there is none that can be read."""
OTHERS = "others"
"""Key: the right answer to another student's data."""
UNREAD = "unread"
"""Key: no readable result came back."""

SAYS = {
    "": Text("Right.", "正确。"),
    "wrong": Text("The answer is another one.", "答案不是这个。"),
    UNANSWERED: Text(
        "Nothing is there yet, or not by the name that the task gives it: {name}.",
        "还没有答案，或者名字不是题目要求的 {name}。",
    ),
    MISSING: Text(
        "This exercise was not found in what you handed in.", "提交的内容里没有这道练习。"
    ),
    OTHERS: Text(
        'That is right for other data than yours. Put kn.student("{student}") into the first cell '
        "and run the notebook again.",
        '这是另一份数据的答案。请在第一个单元格写上 kn.student("{student}")，再重新运行笔记本。',
    ),
    ODD: Text(
        "Give numbers, texts, lists or dicts: {what}.", "请给出数字、文本、列表或字典：{what}。"
    ),
    RAISED: Text(
        "It raised {error}. Each exercise runs alone: what it needs stands in its cell.",
        "运行时出错：{error}。每道练习单独运行：需要的东西都要写在它的单元格里。",
    ),
    "timeout": Text("It ran longer than {seconds:g} s.", "运行超过了 {seconds:g} 秒。"),
    "memory": Text("It needed too much memory.", "占用内存过多。"),
    "output": Text("It printed too much.", "打印的内容过多。"),
    "threads": Text("It started too many threads.", "启动的线程过多。"),
    "disk": Text("It wrote too much to files.", "写入文件的内容过多。"),
    "ended": Text("It ended Python before there was an answer.", "还没有答案，Python 就被结束了。"),
    UNREAD: Text("It gave nothing that can be read.", "没有给出可以读取的结果。"),
    "unjudged": Text(
        "It could not be judged: is it of the form that the task asks for?",
        "无法评判：答案的形式符合题目要求吗？",
    ),
}
OWN = Text("an error of its own", "自定义的错误")
STRANGE = Text("this is none", "现在的结果不是")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Of one exercise of one student."""

    student: str
    exercise: str
    points: int
    """All or none."""
    most: int
    """The exercise's difficulty."""
    passed: bool
    key: str
    """"" for a right answer; a mistake's; or what else came of it, as "timeout"."""
    says: Text
    """For the student: nothing of hidden cases."""
    detail: str = ""
    """For the teacher besides, untrusted: an error's words, or what was chosen of several."""
    right: int = 0
    cases: int = 0
    """Of so many cases, 0 where nothing ran, `right` were right."""


def said(
    asked: Exercise, key: str, gave: Any = None, student: str = "", seconds: float = 0.0
) -> Text:
    """The message to the student.

    The words of an error, and the name of a type that is not Python's, could carry hidden cases
    out: only who was asked for a value gets to read them.
    """
    for mistake in asked.mistakes:
        if mistake.key == key:
            return mistake.says

    found = SAYS.get(key, SAYS["wrong"])
    error = _error(asked, gave) if isinstance(gave, Raised) else OWN
    what = _what(asked, gave) if isinstance(gave, Odd) else STRANGE
    facts = {"name": asked.name, "student": student, "seconds": seconds}
    return Text(
        found.en.format(error=error.en, what=what.en, **facts),
        found.zh.format(error=error.zh, what=what.zh, **facts),
    )


def _error(asked: Exercise, gave: Raised) -> Text:
    if asked.form == "value":
        return Text(*[f"{gave.error}: {gave.text}"] * 2)

    kind = getattr(builtins, gave.error, None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return Text(gave.error, gave.error) if known else OWN


def _what(asked: Exercise, gave: Odd) -> Text:
    known = asked.form == "value" or gave.what in {"no function", "too large"}
    return Text(gave.what, gave.what) if known else STRANGE
