"""A quiz without a widget: as text, and as escaped HTML without script."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_nb.teach.language import here
from kimi_nb.teach.posed import MARKS, Posed
from kimi_nb.teach.text import Text
from kimi_nb.views.text import escape, one_line

__all__ = ["quiz_html", "quiz_text", "title"]

TITLE = Text("Quiz", "测验")
SCORE = Text("Quiz: {right} of {all} right at the first try", "测验：{all} 题中首次答对 {right} 题")
HOW = Text(
    'To answer: kn.quiz("{id}").answer({number}, "{letter}")',
    '作答：kn.quiz("{id}").answer({number}, "{letter}")',
)


def title(items: Sequence[Posed]) -> str:
    """The score, once there is one."""
    if not any(item.tried for item in items):
        return here(TITLE)

    return here(SCORE).format(right=sum(item.first is True for item in items), all=len(items))


def quiz_text(identity: str, items: Sequence[Posed]) -> str:
    """The items, their options, what was answered, and how to answer the next."""
    lines = [title(items)]

    for item in items:
        lines += ["", f"{item.number}. {one_line(here(item.item.asks))}"]
        lines += [f"   {option}" for option in _options(item)]
        lines += [f"   {line}" for line in item.lines()]

    how = _how(identity, items)
    return "\n".join([*lines, "", how] if how else lines)


def quiz_html(identity: str, items: Sequence[Posed]) -> str:
    """The same as a fragment of HTML."""
    parts = [f"<p><strong>{escape(title(items))}</strong></p>"]

    for item in items:
        rows = "".join(f"<div>{escape(option)}</div>" for option in _options(item))
        told = "".join(f"<p>{escape(line)}</p>" for line in item.lines())
        asks = escape(f"{item.number}. {here(item.item.asks)}")
        parts.append(f"<p><strong>{asks}</strong></p>{rows}{told}")

    how = _how(identity, items)
    return "".join([*parts, f"<p>{escape(how)}</p>" if how else ""])


def _options(item: Posed) -> list[str]:
    return [
        f"{letter}) {one_line(here(option.says))}{_mark(item.mark(letter))}"
        for letter, option in item.options.items()
    ]


def _mark(name: str) -> str:
    if not name:
        return ""

    shape, word = MARKS[name]
    return f"  {shape} {here(word)}"


def _how(identity: str, items: Sequence[Posed]) -> str:
    """What one types for the first item that is open; "" where none is."""
    for item in items:
        if not item.over:
            letter = next(each for each in item.options if each not in item.tried)
            return here(HOW).format(id=identity, number=item.number, letter=letter)

    return ""
