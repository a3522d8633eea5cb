"""Understanding a goal: its items, what is asked about each, and what was not understood."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from kimi_nb.models.simulator.folders import mark_folder
from kimi_nb.models.simulator.items import Source, find_source
from kimi_nb.models.simulator.lexicon import is_chinese, tokenise
from kimi_nb.models.simulator.literals import hide_literals
from kimi_nb.models.simulator.measure import Filter, Measure
from kimi_nb.models.simulator.measures import read_measures
from kimi_nb.models.simulator.rephrase import rephrase

__all__ = ["Goal", "are_tables", "share_of", "understand"]

_ONLY = {False: "Only these items:", True: "只处理这些项目："}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    text: str
    """The user's words, without a list of items that an orchestrator added."""
    chinese: bool
    source: Source
    measures: tuple[Measure, ...]
    ignored: tuple[str, ...]
    """Parts of the text that were not understood."""
    best: tuple[tuple[int, str], ...] = ()
    """Measures' places and max, min or sum: what is asked about all items together."""
    shared: tuple[str, ...] = ()
    """The items that an orchestrator gave; empty for a goal that stands alone."""

    @property
    def understood(self) -> bool:
        return bool(self.source.kind and self.measures)


def share_of(goal: Goal, items: tuple[str, ...]) -> str:
    """The prompt for a sub-agent that is to do only `items`."""
    lines = "\n".join(f"- {item}" for item in items)
    asked = (
        "用一张 Markdown 表格回答：每个项目一行，并写明来源。"
        if goal.chinese
        else "Answer with a Markdown table: one row for each item, with its source."
    )
    return f"{goal.text}\n\n{_ONLY[goal.chinese]}\n{lines}\n\n{asked}"


def understand(text: str, folders: tuple[str, ...] = (), *, tables: bool = False) -> Goal:
    """The goal in a prompt; a prompt made by `share_of` gives the same goal with its items.

    `folders`: names of folders that there are, which the text may mention in any way.
    `tables`: the files are known to be tables, whatever the text calls them.
    """
    for marker in _ONLY.values():
        head, found, tail = text.rpartition(f"\n\n{marker}\n")

        if found:
            lines = tail.split("\n\n")[0].splitlines()
            shared = tuple(line.removeprefix("- ") for line in lines if line.startswith("- "))
            return replace(_understand(head, tables=are_tables(shared)), shared=shared)

    return _understand(mark_folder(text.strip(), folders), tables=tables)


def are_tables(items: tuple[str, ...]) -> bool:
    """Most of these files are tables with columns."""
    return sum(item.lower().endswith(_TABLES) for item in items) * 2 > len(items)


_TABLES = (".csv", ".tsv")


_BOILERPLATE = re.compile(
    r"(?i)(?:[,.;]?\s*(?:and |then |finally |please )*\b(?:join|combine|merge|put|collect|gather|summari[sz]e|present|show|return|give|arrange|compile|list|"
    r"make|create|build|answer|reply|display|report|output|format|write)\b[^.,;:\n]{0,50}?\b(?:in|into|as|to|with|of)?\s*(?:one|a|an|single|the same)\s+(?:\w+\s+)?(?:table|overview|markdown table)\b(?: for me| please| (?:of|with|from) (?:all )?(?:the )?results)?)"
    r"|\b(?:as|in|into) (?:one|a|an)(?: single| markdown| big| common)* table\b|\b(?:make|create|build|want|need) (?:me )?(?:one|a|an)(?: single)? table(?: (?:of|with|from))?\b"
    r"|\bwith (?:the |its |their )?sources?\b|\bone (?:row|line|entry)(?= (?:per|for each|for every)\b)|\bside by side\b|\bin (?:a|one|two|three) few words\b"
    r"|(?:，|,)?(?:最后|并|然后|再)*(?:把|将)?(?:结果|它们|所有结果)?(?:都)?(?:汇总|合并|整理|做|列|放|输出)(?:成|到|为|在)?(?:一)?(?:张|个)?(?:总|大|Markdown)?\s*表格?(?:里|中)?"
    r"|用表格(?:回答|列出|显示)?|注明来源"
)


@lru_cache(maxsize=256)
def _understand(text: str, *, tables: bool) -> Goal:
    goal = _read(text, demands=False, tables=tables)
    return goal if goal.understood else _read(text, demands=True, tables=tables)


def _read(text: str, *, demands: bool, tables: bool) -> Goal:
    """`demands`: the bullets of the text say what is asked."""
    hidden, literals = hide_literals(text)
    hidden = rephrase(hidden)
    plain = _BOILERPLATE.sub(" . ", hidden)
    source, rest = find_source(plain, literals, demands=demands)
    rest = re.sub(r"(?i)(\bwhich(?: one)?(?: of)?(?: the)?)\s*⟨files⟩", r"\1 ", rest)
    rest = re.sub(r"⟨files⟩", " , ", rest)
    tabular = source.kind == "files" and (tables or _may_be_tables(source, rest))
    reading = read_measures(rest, tabular=tabular, nouns=_nouns(source))
    show = literals.show
    return Goal(
        text=text,
        chinese=is_chinese(text),
        source=source,
        measures=tuple(_shown(measure, show) for measure in reading.measures),
        ignored=tuple(show(part) for part in reading.ignored),
        best=reading.best,
    )


def _nouns(source: Source) -> frozenset[str]:
    """What the items may be called: museums lie in data/museums/."""
    called = " ".join(_CALLED.get(suffix, "") for suffix in source.suffixes or _ending(source))
    names = re.findall(r"\w+", f"{source.folder} {source.noun} {called}")
    return frozenset(name.casefold().removesuffix("s") for name in names)


_CALLED = {
    ".csv": "sheet table spreadsheet dataset",
    ".tsv": "sheet table spreadsheet dataset",
    ".py": "module script program",
    ".md": "note document page article post",
    ".txt": "note document text",
}
"""What people call such files."""


def _ending(source: Source) -> tuple[str, ...]:
    _, dot, ending = source.pattern.rpartition(".")
    return (f".{ending.lower()}",) if dot else ()


def _may_be_tables(source: Source, rest: str) -> bool:
    if source.items:
        return any(item.lower().endswith(_TABLES) for item in source.items)

    if source.pattern:
        return source.pattern.lower().endswith(_TABLES)

    if not source.suffixes:
        return any(
            token.kind in {"agg", "rows", "between"} or token.value in {"<", "<=", ">", ">="}
            for token in tokenise(rest)
        )

    return any(suffix in _TABLES for suffix in source.suffixes)


def _shown(measure: Measure, show: Callable[[str], str]) -> Measure:
    """The measure with its literals in place."""
    filters = tuple(
        Filter(show(f.column), f.op, tuple(show(v) for v in f.values)) for f in measure.filters
    )
    column, about = show(measure.column), show(measure.about)
    return replace(measure, column=column, about=about, filters=filters)
