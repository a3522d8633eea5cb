"""Turns of phrase that put the comparison after the number, put before it."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re

__all__ = ["rephrase"]

_NUMBER = r"(?P<n>[$€£¥]?-?\d[\d,]*(?:\.\d+)?%?)"
_SECOND = _NUMBER.replace("?P<n>", "?P<m>")
_UNIT = r"\s*(?:元|块|美元|欧元|岁|分|度|个|件|次|天|公里|公斤|€|EUR|USD|euros?|dollars?)?\s*"
_RULES: tuple[tuple[str, str], ...] = (
    (
        rf"\b{_NUMBER} (?P<w>[A-Za-z]\w*) or (?:more|above|over|higher|greater|up)\b(?!\s+than)",
        " >= {n} {w} ",
    ),
    (
        rf"\b{_NUMBER} (?P<w>[A-Za-z]\w*) or (?:less|below|under|lower|fewer)\b(?!\s+than)",
        " <= {n} {w} ",
    ),
    (r"[(（](?P<c>[^()（）]*(?:=|<|>|≥|≤|\bis\b|\bare\b)[^()（）]*)[)）]", " such that {c} "),
    (rf"{_NUMBER}{_UNIT}(?:及|或|和)?以上", " 不少于 {n} "),
    (rf"{_NUMBER}{_UNIT}(?:及|或|和)?以下", " 不超过 {n} "),
    (
        rf"(?:介于|在)?\s*{_NUMBER}{_UNIT}(?:和|与|到|至|~|-)\s*{_SECOND}{_UNIT}之间",
        " 介于 {n} 和 {m} ",
    ),
    (
        rf"\b(?:of |is |are )?{_NUMBER}{_UNIT}(?:or|and) (?:more|above|over|higher|greater|up)\b(?!\s+(?:than|to|[\d$€£¥]))",
        " >= {n} ",
    ),
    (
        rf"\b(?:of |is |are )?{_NUMBER}{_UNIT}(?:or|and) (?:less|below|under|lower|fewer|smaller)\b(?!\s+(?:than|[\d$€£¥]))",
        " <= {n} ",
    ),
    (rf"\bbetween {_NUMBER} ?(?:-|–|to) ?{_SECOND}", "between {n} and {m}"),
    (
        rf"\b(?:ranging |in the range )?from {_NUMBER} (?:to|up to|until) {_SECOND}",
        "between {n} and {m}",
    ),
)

_NO_HEADER = re.compile(
    r"(?i),? ?\(?\b(?:not (?:counting|including)|without(?: counting)?|excluding|minus|leaving out|ignoring) "
    r"(?:the |its |their )?headers?(?: (?:line|row)s?)?\)?"
    r"|[，,]?[（(]?(?:不计|不算|不含|不包括|除去?)(?:表头|标题行|首行)(?:行)?[）)]?"
)


def rephrase(text: str) -> str:
    """`100 or more` as `>= 100`, `100以上` as `不少于 100`, `from 1 to 2` as `between 1 and 2`."""
    if _NO_HEADER.search(text):
        text = re.sub(
            r"(?i)\blines?\b(?! (?:contain|with|of code))", "rows", _NO_HEADER.sub(" ", text)
        )

    for pattern, form in _RULES:
        text = re.sub(
            rf"(?i){pattern}", lambda match, form=form: form.format(**match.groupdict()), text
        )

    return text
