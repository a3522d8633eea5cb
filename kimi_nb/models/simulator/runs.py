"""Runs of tokens: what heads them, what they name, what stands for the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_nb.models.simulator.lexicon import Token

__all__ = [
    "COMPARING",
    "GENERIC",
    "HAS",
    "HEADS",
    "NAMES",
    "alternatives",
    "columns_as_words",
    "han_filter",
    "head_of",
    "is_rows",
    "names_of",
    "own_columns",
    "plain_words",
    "split_of",
    "written",
]

_GENERIC = """
    row rows record records entry entries line lines item items person people persons order
    orders customer customers employee employees student students user users product products
    sale sales transaction transactions event events case cases member members sample samples
    measurement measurements observation observations visitor visitors patient patients
    purchase purchases invoice invoices payment payments booking bookings visit visits trip trips
    ride rides flight flights ticket tickets reading readings message messages review reviews
    post posts comment comments log logs day days thing things entry entries book books film films
    movie movies car cars house houses guest guests participant participants
    request requests hit hits call calls country countries city cities course courses lesson lessons
    listing listings name names task tasks issue issues error errors animal animals game games
    match matches song songs player players team teams company companies shop shops store stores
    人 人数 天数 笔数 件数 订单 客户 员工 学生 用户 产品 商品 记录 数据 行 条目
"""
GENERIC = frozenset(_GENERIC.split())
"""What people call the rows of a table."""

HAS = re.compile(r"have|has|had|with|got|a|an", re.IGNORECASE)
HEADS = frozenset({"agg", "metric", "rows", "distinct"})
NAMES = frozenset({"word", "literal", "number"})
COMPARING = frozenset({"cmp", "between", "blank", "filled", "sign"})


def head_of(tokens: Sequence[Token], *, which: bool = False) -> tuple[Token | None, Token | None]:
    """What is asked, and an aggregate over it: in `the most rows`, rows and the most.

    `which`: it asks for an item, as in: which file has the highest average price?
    """
    telling = [t for t in tokens if t.kind in HEADS | NAMES]
    head = next((t for t in telling if t.kind in HEADS), None)

    if head is None or head.kind != "agg":
        return head, None

    after = telling[telling.index(head) + 1 :]
    counted = bool(after) and after[0].kind in {"rows", "metric"}
    counted = counted or (which and bool(after) and after[0].kind == "agg")
    return (after[0], head) if counted else (head, None)


def is_rows(noun: str, op: str) -> bool:
    """Orders over 100 are rows; a customer that contains Ann, or a 客户 that is 王, is a column."""
    named = op in {"=", "!=", "contains", "starts"}
    return noun.casefold() in GENERIC and not (named and (noun[-1] != "s" or not noun.isascii()))


def columns_as_words(tokens: Sequence[Token]) -> list[Token]:
    """The largest count, the smallest max: an aggregate at the end is a column's name."""
    tokens = _han_columns(tokens)
    telling = [n for n, t in enumerate(tokens) if t.kind not in {"noise", "of", "stop"}]
    made = list(tokens)

    if len(telling) > 1:
        before, last = tokens[telling[-2]], tokens[telling[-1]]
        named = last.kind in {"agg", "count"} and last.text.isascii() and " " not in last.text

        if named and before.kind == "agg" and not (before.value == "sum" and last.kind == "count"):
            made[telling[-1]] = Token("word", "", last.text)

    return made


def _han_columns(tokens: Sequence[Token]) -> Sequence[Token]:
    """The maximum of 最高气温: the first aggregate is a part of the column's name."""
    kept = [t for t in tokens if t.kind != "noise"]
    kinds = [t.kind for t in kept]
    nested = kinds in (["agg", "word", "of", "agg"], ["agg", "word", "agg"])

    if nested and not kept[0].text.isascii():
        return [Token("word", "", kept[0].text + kept[1].text), *kept[2:]]

    return tokens


def own_columns(tokens: Sequence[Token]) -> list[Token]:
    """In tables, the sum of bytes is that of a column, unless it asks which file has the most."""
    if any(t.kind == "which" for t in tokens):
        return list(tokens)

    made: list[Token] = []
    after_aggregate = False

    for token in tokens:
        single = after_aggregate and token.kind == "metric" and " " not in token.text
        made.append(Token("word", "", token.text) if single else token)
        after_aggregate = token.kind == "agg" or (after_aggregate and token.kind in {"of", "noise"})

    return made


def han_filter(tokens: Sequence[Token]) -> bool:
    """Chinese puts the condition first, as in 城市是巴黎的人."""
    kinds = [t.kind for t in tokens]
    return (
        "is" in kinds
        and "of" in kinds[kinds.index("is") :]
        and not tokens[kinds.index("is")].text.isascii()
    )


def written(tokens: Sequence[Token]) -> str:
    """The tokens as they stood in the goal."""
    return " ".join(token.text for token in tokens if token.text)


def names_of(tokens: Sequence[Token]) -> list[str]:
    """What may be the name of a column."""
    return [t.text for t in tokens if t.kind in NAMES]


def split_of(tokens: Sequence[Token]) -> tuple[list[str], list[str]]:
    """Names up to the second noun phrase, and the phrases from there on."""
    phrases: list[list[str]] = [[]]

    for token in tokens:
        if token.kind == "of" and phrases[-1]:
            phrases.append([])
        elif token.kind in NAMES:
            phrases[-1].append(token.text)

    return phrases[0], [" ".join(phrase) for phrase in phrases[1:] if phrase]


def alternatives(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The values between `or`s."""
    values: list[list[str]] = [[]]

    for token in tokens:
        if token.kind == "or":
            values.append([])
        elif token.kind in NAMES:
            values[-1].append(token.text)

    return tuple(" ".join(words) for words in values if words)


def plain_words(tokens: Sequence[Token]) -> list[Token]:
    """In tables, what names parts of code or of a text is the name of a column."""
    made: list[Token] = []

    for token in tokens:
        if token.kind != "metric" or token.value not in _CODE:
            made.append(token)
            continue

        *counting, noun = re.split(r"(?<= of) |(?<=how many) ", token.text, flags=re.IGNORECASE)
        made += [Token("count", "", " ".join(counting))] if counting else []
        made.append(Token("word", "", noun))

    return made


_CODE = frozenset(
    [
        "functions",
        "classes",
        "function_names",
        "class_names",
        "imports",
        "links",
        "cells",
        "headings",
        "heading_list",
    ]
)
