"""Items that the text itself names: bullets, lists within a sentence, packages."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re

from kimi_nb.models.simulator.finder import Finder, asks, split_list
from kimi_nb.models.simulator.lexicon import tokenise
from kimi_nb.models.simulator.patterns import (
    BEFORE_PACKAGES,
    HAS_FACTS,
    INLINE,
    JOINT,
    LAST_LIST,
    NAME,
    OF_PACKAGES,
    PACKAGES,
)

__all__ = ["bullets", "facts_of_packages", "inline", "named_packages", "packages_after"]

_BULLET = re.compile(r"(?m)^\s*(?:[-*•·]|\d+[.)、])\s+(.+?)\s*$")
_VERB = re.compile(
    r"(?i)[,.]?\s*\b(?:give|tell|find|what|how|show|get|report|look up|fetch|state|list)\b|给出|查询|查出|列出"
)
_OWNED = re.compile(r"(?<=的)[^的:：]+(?=[:：]\s*$)")
"""The price of these museums, in Chinese: 以下博物馆的票价：…"""
_INSTALLED = re.compile(
    r"(?i)\binstalled\b(?: here)?|\bin (?:this|my|the) (?:environment|kernel|notebook)\b|\bhere\b|已安装的?"
)


def bullets(finder: Finder, *, demands: bool) -> tuple[str, ...]:
    """The bulleted items, cut out; as `demands` they are what is asked, and stay as clauses."""
    items = [finder.literals.show(m[1]).strip(" .") for m in _BULLET.finditer(finder.text)]
    asking = sum(asks(item) for item in items) * 2 > len(items)

    if demands or asking:
        finder.text = _BULLET.sub(r" . \1 . ", finder.text)
        return ()

    if items:
        finder.text = _BULLET.sub(" ", finder.text)

    return tuple(dict.fromkeys(item for item in items if item))


def inline(finder: Finder, *, proper: bool) -> tuple[str, ...]:
    """A list within a sentence; `proper`: only one of names, since a folder is named too."""
    for pattern in INLINE[2:] if proper else INLINE:
        match = pattern.search(finder.text)

        if match and not asks(match["l"]):
            items = split_list(match["l"], finder.literals)

            if len(items) > 1 or ":" in match[0] or "：" in match[0]:
                before = match[0][: match.start("l") - match.start()]
                asked = _VERB.search(before) or _OWNED.search(before)
                kept = before[asked.start() :].rstrip(" :：") if asked else ""
                finder.cut(match, f" , {kept} , ")
                return items

    return ()


def named_packages(finder: Finder) -> tuple[str, ...]:
    """Packages named before the word: the licence of numpy and rich, which are installed."""
    match = BEFORE_PACKAGES.search(finder.text)

    if match is None:
        return ()

    finder.cut(match, " ")
    return split_list(match["l"], finder.literals)


def facts_of_packages(finder: Finder) -> tuple[str, ...]:
    """Packages known by what is asked, as the version of numpy."""
    if not HAS_FACTS.search(finder.text):
        return ()

    for match in OF_PACKAGES.finditer(finder.text):
        names = split_list(match["l"] or match["h"], finder.literals)

        if all(_is_package(name) for name in names):
            finder.cut(match, " , ")
            finder.take(_INSTALLED)
            return names

    return ()


def _is_package(name: str) -> bool:
    words = tokenise(name)
    return [token.kind for token in words] == ["word"] and HAS_FACTS.search(name) is None


def packages_after(finder: Finder) -> tuple[str, ...]:
    """The packages that the text names; empty for all that are installed."""
    match = PACKAGES.search(finder.text)

    if match is None:
        return ()

    after = finder.text[match.end() :]
    plain = "installed" not in match[0].lower() and "安装" not in match[0]

    if plain and (last := LAST_LIST.search(finder.text)) and not asks(last[1]):
        items = split_list(last[1], finder.literals)
        finder.cut(last, " ")
        finder.cut(PACKAGES.search(finder.text) or match, " , ")
        return items

    run = re.match(rf"\s*[:：]?\s*({NAME}(?:{JOINT}{NAME})*)", after)

    if plain and run and re.match(r"\s", after):
        names = split_list(run[1], finder.literals)

        if len(names) > 1 or re.match(r"\s*[:：]", after):
            finder.text = finder.text[: match.start()] + " . " + after[run.end() :]
            return names

    finder.cut(match, " , ")
    finder.take(_INSTALLED)
    return ()
