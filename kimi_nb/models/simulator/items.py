"""What a goal is about: files of a folder, installed packages, or a list in the text."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re
from dataclasses import dataclass

from kimi_nb.models.simulator.finder import Finder, has_suffix
from kimi_nb.models.simulator.folders import find_folder
from kimi_nb.models.simulator.lexicon import tokenise
from kimi_nb.models.simulator.literals import Literals
from kimi_nb.models.simulator.named import (
    bullets,
    facts_of_packages,
    inline,
    named_packages,
    packages_after,
)
from kimi_nb.models.simulator.patterns import (
    ANY_FILE,
    EACH,
    ENDING,
    FILES_WORD,
    HERE,
    PACKAGES,
    RECURSIVE,
    THIS,
    TYPES,
)

__all__ = ["Source", "find_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the items come from."""

    kind: str
    """"files", "packages" or "list"; "" if the goal names nothing to work on."""
    items: tuple[str, ...] = ()
    """Named in the text; empty where they have to be listed."""
    folder: str = "."
    pattern: str = ""
    """A glob, as the user wrote it."""
    suffixes: tuple[str, ...] = ()
    """Endings of the wanted files, with the dot; empty for all."""
    recursive: bool = False
    named_folder: bool = False
    """The text names the folder."""
    here: bool = False
    """The text says that it means the working folder."""
    vague: bool = False
    """The text says what it wants to know, but not of what: a folder may have such a name."""
    noun: str = ""
    """What one item is called."""


def find_source(text: str, literals: Literals, *, demands: bool = False) -> tuple[Source, str]:
    """Where the items are, and the text without the words that say so.

    `demands`: bullets are what is asked, not items.
    """
    finder = Finder(text, literals)
    listed = bullets(finder, demands=demands)
    recursive = finder.take(RECURSIVE)
    packages = _packages(finder, listed)

    if packages:
        return packages, finder.text

    suffixes, noun = _types(finder)
    files = _named_files(finder)
    _item_words(finder)
    here = finder.take(THIS)
    typed = bool(suffixes) or _says_file(finder) or "⟨files⟩" in finder.text
    folder, pattern = find_folder(finder, typed=typed)
    here = finder.take(HERE) or here

    if not (listed or files or suffixes or pattern):
        listed = inline(finder, proper=bool(folder))

    if listed:
        kind = "files" if all(has_suffix(i) for i in listed) else "list"
        place = folder or "."
        source = Source(kind=kind, items=listed, folder=place, named_folder=bool(folder))
        return source, finder.text

    if files:
        files = tuple(f"{folder.rstrip('/')}/{f}" if folder and "/" not in f else f for f in files)
        return Source(kind="files", items=files), finder.text

    if not (folder or suffixes or pattern):
        vague = not (typed or here)
        known = not vague or _measures(finder.text)
        return Source(kind="files" if known else "", here=here, vague=vague), finder.text

    source = Source(
        kind="files",
        folder=folder or ".",
        pattern=pattern,
        suffixes=suffixes,
        recursive=recursive or "**" in pattern,
        named_folder=bool(folder),
        here=here,
        noun=noun,
    )
    return source, finder.text


def _says_file(finder: Finder) -> bool:
    return ANY_FILE.search(finder.text) is not None


def _item_words(finder: Finder) -> None:
    """Each class file: the word says what the items are, not what is asked."""
    match = re.search(
        r"(?i)\b(?:for |in |of )?(?:each|every|all|per)(?: of)?(?: the| my)? (?:[a-z]+ ){1,2}(?:files?|documents?|exports?)\b",
        finder.text,
    )

    if (
        match
        and not _measures(match[0])
        and not re.search(r"(?i)\b(?:in|of|and|the) \w+$", match[0])
    ):
        finder.cut(match, " ⟨files⟩ ")


def _measures(text: str) -> bool:
    return any(token.kind in {"agg", "rows", "distinct", "count"} for token in tokenise(text))


def _packages(finder: Finder, listed: tuple[str, ...]) -> Source | None:
    if named := named_packages(finder):
        return Source(kind="packages", items=named, noun="package")

    if not PACKAGES.search(finder.text):
        named = () if listed or _says_file(finder) else facts_of_packages(finder)
        return Source(kind="packages", items=named, noun="package") if named else None

    if listed:
        finder.take(PACKAGES)
        return Source(kind="packages", items=listed, noun="package")

    return Source(kind="packages", items=packages_after(finder), noun="package")


def _types(finder: Finder) -> tuple[tuple[str, ...], str]:
    suffixes: list[str] = []
    nouns: list[str] = []

    for words, endings, noun in TYPES:
        pattern = re.compile(
            rf"(?i){EACH}(?:{ENDING})?(?<![A-Za-z0-9_.])(?:{words})(?![A-Za-z0-9_]){FILES_WORD}"
        )
        match = pattern.search(finder.text)

        while match and (noun != "note" or not suffixes):
            finder.cut(match, " ⟨files⟩ ")
            suffixes += [e for e in endings if e not in suffixes]
            nouns.append(noun)
            match = pattern.search(finder.text)

    return tuple(suffixes), nouns[0] if nouns else ""


def _named_files(finder: Finder) -> tuple[str, ...]:
    """Files that the text names one by one."""
    names: list[str] = []

    for match in reversed(list(re.finditer(r"(?<!except  )(?<!excluding  )⟦(\d+)⟧", finder.text))):
        word = finder.literals.words[int(match[1])]

        if has_suffix(word) and not set(word) & set("*?"):
            names.insert(0, word)
            finder.cut(match, " ⟨files⟩ ")

    return tuple(dict.fromkeys(names))
