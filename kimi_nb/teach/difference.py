"""Where an answer first differs from the true one: its place and its kind, never what is true."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, cast

from kimi_nb.teach.plain import Odd, Raised, same
from kimi_nb.teach.text import Text

__all__ = ["Difference", "difference"]

KINDS: dict[type, Text] = {
    bool: Text("True or False", "True 或 False"),
    int: Text("a number", "数字"),
    float: Text("a number", "数字"),
    str: Text("a text", "文本"),
    list: Text("a list", "列表"),
    dict: Text("a dict", "字典"),
    type(None): Text("None", "None"),
}
NOTHING = Text("nothing", "空缺")
MISSING = object()
DIGITS = (2, 3, 4)
"""Behind the point, to which one rounds. By one alone a number could be another one."""

OTHER_KIND = Text("It is {gave}; asked for is {true}.", "你给的是“{gave}”，要的是“{true}”。")
OTHER_KIND_AT = Text(
    "At {place} there is {gave}; asked for is {true}.", "{place} 处是“{gave}”，要的是“{true}”。"
)
ROUNDED = Text("It is rounded: give the number as it is.", "这是四舍五入过的：请给出原来的数。")
OTHER_AT = Text("The first difference is at {place}.", "第一处不同在 {place}。")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first one."""

    place: str
    """As one would index the answer, `[1]['calls']`; "" for the whole of it."""
    gave: Text
    """The kind of what stands there."""
    true: Text
    """The kind of what should."""
    rounded: bool = False

    @property
    def says(self) -> Text | None:
        """In words; None where they would say no more than that the answer is wrong."""
        if self.rounded:
            return ROUNDED

        if self.gave == self.true:
            text = OTHER_AT if self.place else None
        else:
            text = OTHER_KIND_AT if self.place else OTHER_KIND

        if text is None:
            return None

        gave, true, place = self.gave, self.true, self.place
        return Text(
            text.en.format(place=place, gave=gave.en, true=true.en),
            text.zh.format(place=place, gave=gave.zh, true=true.zh),
        )


def difference(gave: object, true: object, *, deep: bool = True) -> Difference | None:
    """Of two plain values; None where there is none, or where one of them is no value.

    deep: whether to look into lists and dicts, or only at the kind of the whole.
    """
    if isinstance(gave, Odd | Raised) or isinstance(true, Odd | Raised) or same(gave, true):
        return None

    return _at("", gave, true, deep=deep)


def _at(place: str, gave: Any, true: Any, *, deep: bool) -> Difference:
    kinds = _kind(gave), _kind(true)

    if deep and kinds[0] == kinds[1] and isinstance(gave, list | dict):
        for key, mine, other in _pairs(gave, true):
            if mine is MISSING or other is MISSING or not same(mine, other):
                return _at(f"{place}[{key!r}]", mine, other, deep=deep)

    return Difference(place, *kinds, _rounded(cast("object", gave), true))


def _rounded(gave: object, true: object) -> bool:
    return (
        isinstance(gave, float)
        and isinstance(true, float)
        and any(same(gave, round(true, digits)) for digits in DIGITS)
    )


def _pairs(gave: Any, true: Any) -> list[tuple[object, object, object]]:
    """What stands at the same place in both."""
    if isinstance(gave, list):
        both = zip_longest(cast("list[object]", gave), true, fillvalue=MISSING)
        return [(place, *pair) for place, pair in enumerate(both)]

    mine = cast("dict[str, object]", gave)
    keys = [*true, *(key for key in mine if key not in true)]
    return [(key, mine.get(key, MISSING), true.get(key, MISSING)) for key in keys]


def _kind(value: object) -> Text:
    return KINDS.get(type(value), NOTHING)
