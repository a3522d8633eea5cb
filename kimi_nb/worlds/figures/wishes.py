"""Sentences that ask for an interactive page, and how its behaviour is tried."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from kimi_nb.worlds.figures.things import WORDS

__all__ = ["NAMED", "Step", "Wish", "wish"]

NAMED = {
    "red": ("红色", (255, 0, 0)),
    "green": ("绿色", (0, 128, 0)),
    "blue": ("蓝色", (0, 0, 255)),
    "orange": ("橙色", (255, 165, 0)),
    "purple": ("紫色", (128, 0, 128)),
    "teal": ("青色", (0, 128, 128)),
}
"""Each colour's Chinese name, and what CSS means by the English one."""
IDS = ("total", "count", "note", "basket", "entry", "level", "answer", "score", "field", "out")


class Step(NamedTuple):
    """One thing that is done with a page, or one that must then be true."""

    what: str
    """"click" (a button by its label), "fill" (by id); "text", "value", "hidden", "shown"
    (by id) or "colour" (of a button by its label)."""
    where: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A page that is asked for in words."""

    text: str
    steps: tuple[Step, ...]


def wish(draw: random.Random) -> Wish:
    """One of five kinds, in English or Chinese."""
    kind = draw.choice((_count, _toggle, _greet, _level, _basket))
    return kind(draw, chinese=draw.random() < 0.4)


def _count(draw: random.Random, *, chinese: bool) -> Wish:
    label, box, colour, start = (
        draw.choice(WORDS),
        draw.choice(IDS),
        _colour(draw),
        draw.randint(0, 9),
    )
    text = (
        f"一个写着“{label}”的{NAMED[colour][0]}按钮，它在下方 id 为 {box} 的框里数自己被点击的"
        f"次数，从 {start} 开始。"
        if chinese
        else f'{_a(colour)} button labelled "{label}" that counts its clicks in the box with id '
        f"{box} below it, from {start}."
    )
    clicks = draw.randint(2, 5)
    steps = [Step("colour", label, colour), Step("text", box, str(start))]
    steps += [Step("click", label)] * clicks
    return Wish(text, (*steps, Step("text", box, str(start + clicks))))


def _toggle(draw: random.Random, *, chinese: bool) -> Wish:
    label, said, third = draw.sample(WORDS, 3)
    box, colour = draw.choice(IDS), _colour(draw)
    text = (
        f"一个写着“{label}”的{NAMED[colour][0]}按钮，点击它就显示或隐藏 id 为 {box} 的段落"
        f"“{said} {third}”；段落一开始是隐藏的。"
        if chinese
        else f'{_a(colour)} button labelled "{label}" that shows and hides the paragraph '
        f'"{said} {third}" with id {box}, which is hidden at first.'
    )
    click = Step("click", label)
    return Wish(
        text,
        (
            *(Step("colour", label, colour), Step("hidden", box), click, Step("shown", box)),
            *(Step("text", box, f"{said} {third}"), click, Step("hidden", box)),
        ),
    )


def _greet(draw: random.Random, *, chinese: bool) -> Wish:
    label, first, typed, again = draw.sample(WORDS, 4)
    (field, box), colour = draw.sample(IDS, 2), _colour(draw)
    text = (
        f"一个 id 为 {field} 的文本框，一个写着“{label}”的{NAMED[colour][0]}按钮：点击后在 id 为 "
        f"{box} 的框里写出“{first}”、一个空格和文本框的内容。"
        if chinese
        else f'A text field with id {field} and {_a(colour).lower()} button labelled "{label}": '
        f'a click writes "{first}", a space and the text of the field into the box with id {box}.'
    )
    click = Step("click", label)
    return Wish(
        text,
        (
            *(Step("colour", label, colour), Step("fill", field, typed), click),
            *(Step("text", box, f"{first} {typed}"), Step("fill", field, again), click),
            Step("text", box, f"{first} {again}"),
        ),
    )


def _level(draw: random.Random, *, chinese: bool) -> Wish:
    up, down = draw.sample(WORDS, 2)
    box, by, start = draw.choice(IDS), draw.randint(1, 9), draw.randint(-20, 90)
    text = (
        f"两个按钮，写着“{up}”和“{down}”，分别把 id 为 {box} 的框里的数字增加和减少 {by}；"
        f"数字从 {start} 开始。"
        if chinese
        else f'Two buttons labelled "{up}" and "{down}" that raise and lower the number in the box '
        f"with id {box} by {by}; it begins with {start}."
    )
    return Wish(
        text,
        (
            *(Step("text", box, str(start)), Step("click", up), Step("click", up)),
            *(Step("text", box, str(start + 2 * by)), *[Step("click", down)] * 3),
            Step("text", box, str(start - by)),
        ),
    )


def _basket(draw: random.Random, *, chinese: bool) -> Wish:
    label, one, two = draw.sample(WORDS, 3)
    (field, box), colour = draw.sample(IDS, 2), _colour(draw)
    text = (
        f"一个 id 为 {field} 的文本框和一个写着“{label}”的{NAMED[colour][0]}按钮：点击后把文本框的"
        f"内容作为新的一项加到 id 为 {box} 的列表里，并清空文本框。"
        if chinese
        else f'A text field with id {field} and {_a(colour).lower()} button labelled "{label}": '
        f"a click adds the text of the field as a new item to the list with id {box}, "
        "and empties the field."
    )
    click = Step("click", label)
    return Wish(
        text,
        (
            *(Step("colour", label, colour), Step("fill", field, one), click),
            *(Step("text", box, one), Step("value", field), Step("fill", field, two), click),
            Step("text", box, f"{one} {two}"),
        ),
    )


def _colour(draw: random.Random) -> str:
    return draw.choice(tuple(NAMED))


def _a(colour: str) -> str:
    return f"{'An' if colour[0] in 'aeiou' else 'A'} {colour}"
