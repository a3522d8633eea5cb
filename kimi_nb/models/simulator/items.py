"""What a goal is about: files of a folder, installed packages, or a list in the text."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re
from dataclasses import dataclass

from kimi_nb.models.simulator.lexicon import tokenise
from kimi_nb.models.simulator.literals import EXTENSIONS, Literals
from kimi_nb.models.simulator.patterns import (
    ANY_FILE,
    BEFORE_PACKAGES,
    EACH,
    FILES_WORD,
    FOLDER_WORD,
    FOLDERS,
    HERE,
    INLINE,
    JOINT,
    LAST_LIST,
    NAME,
    NOT_A_FOLDER,
    PACKAGES,
    PREPOSITION,
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
    noun: str = ""
    """What one item is called."""


@dataclass(slots=True)
class _Finder:
    """Cuts out of the text, piece by piece, what says where the items are."""

    text: str
    literals: Literals

    def cut(self, match: re.Match[str], joint: str = " ") -> None:
        self.text = self.text[: match.start()] + joint + self.text[match.end() :]


def find_source(text: str, literals: Literals) -> tuple[Source, str]:
    """Where the items are, and the text without the words that say so."""
    finder = _Finder(text, literals)
    listed = _bullets(finder)
    recursive = _take(finder, RECURSIVE)

    if named := _named_packages(finder):
        return Source(kind="packages", items=named, noun="package"), finder.text

    packages = bool(PACKAGES.search(finder.text))

    if packages and listed:
        _take(finder, PACKAGES)

    if packages and not listed:
        source = _packages(finder)
        return source, finder.text

    suffixes, noun = _types(finder)
    files = _named_files(finder)
    here = _take(finder, THIS)
    folder, pattern = _folder(finder, typed=bool(suffixes))
    here = _take(finder, HERE) or here

    if not (listed or files or suffixes or pattern):
        listed = _inline(finder, proper=bool(folder))

    if listed:
        kind = (
            "packages" if packages else "files" if all(_has_suffix(i) for i in listed) else "list"
        )
        return (
            Source(kind=kind, items=listed, folder=folder or ".", named_folder=bool(folder)),
            finder.text,
        )

    if files:
        files = tuple(f"{folder.rstrip('/')}/{f}" if folder and "/" not in f else f for f in files)
        return Source(kind="files", items=files), finder.text

    if not (folder or suffixes or pattern or (here and ANY_FILE.search(finder.text))):
        known = ANY_FILE.search(finder.text) is not None
        return Source(kind="files" if known else ""), finder.text

    return (
        Source(
            kind="files",
            folder=folder or ".",
            pattern=pattern,
            suffixes=suffixes,
            recursive=recursive or "**" in pattern,
            named_folder=bool(folder),
            noun=noun,
        ),
        finder.text,
    )


def _take(finder: _Finder, pattern: re.Pattern[str]) -> bool:
    match = pattern.search(finder.text)

    if match:
        finder.cut(match)

    return match is not None


def _bullets(finder: _Finder) -> tuple[str, ...]:
    pattern = re.compile(r"(?m)^\s*(?:[-*•·]|\d+[.)、])\s+(.+?)\s*$")
    items = [finder.literals.show(m[1]).strip() for m in pattern.finditer(finder.text)]

    if items:
        finder.text = pattern.sub(" ", finder.text)

    return tuple(dict.fromkeys(items))


def _named_packages(finder: _Finder) -> tuple[str, ...]:
    """Packages named before the word: the licence of numpy and rich, which are installed."""
    match = BEFORE_PACKAGES.search(finder.text)

    if match is None:
        return ()

    finder.cut(match, " ")
    return _split_list(match["l"], finder.literals)


def _packages(finder: _Finder) -> Source:
    match = PACKAGES.search(finder.text)

    if match is None:
        return Source(kind="packages", noun="package")

    after = finder.text[match.end() :]
    named = re.match(r"\s*(?::|：|,|namely|called|such as)?\s+?(.*)", after, re.DOTALL)
    items: tuple[str, ...] = ()
    plain = "installed" not in match[0].lower() and "安装" not in match[0]

    if plain and (last := LAST_LIST.search(finder.text)) and not _asks(last[1]):
        items = _split_list(last[1], finder.literals)
        finder.cut(last, " ")
        finder.cut(PACKAGES.search(finder.text) or match, " , ")
        return Source(kind="packages", items=items, noun="package")

    if plain and named:
        run = re.match(rf"\s*[:：]?\s*({NAME}(?:{JOINT}{NAME})*)", after)
        names = _split_list(run[1], finder.literals) if run else ()

        if len(names) > 1 or (run and re.match(r"\s*[:：]", after)):
            items = names
            finder.text = finder.text[: match.start()] + " . " + after[run.end() :] if run else ""
            return Source(kind="packages", items=items, noun="package")

    finder.cut(match, " , ")
    _take(
        finder,
        re.compile(
            r"(?i)\binstalled\b(?: here)?|\bin (?:this|my|the) (?:environment|kernel|notebook)\b|\bhere\b|已安装的?"
        ),
    )
    return Source(kind="packages", noun="package")


def _types(finder: _Finder) -> tuple[tuple[str, ...], str]:
    suffixes: list[str] = []
    nouns: list[str] = []

    for words, endings, noun in TYPES:
        pattern = re.compile(
            rf"(?i){EACH}(?<![A-Za-z0-9_.])(?:{words})(?![A-Za-z0-9_]){FILES_WORD}"
        )
        match = pattern.search(finder.text)

        while match and (noun != "note" or not suffixes):
            finder.cut(match, " ⟨files⟩ ")
            suffixes += [e for e in endings if e not in suffixes]
            nouns.append(noun)
            match = pattern.search(finder.text)

    return tuple(suffixes), nouns[0] if nouns else ""


def _has_suffix(item: str) -> bool:
    return re.search(rf"(?i)\.(?:{EXTENSIONS})$", item) is not None


def _named_files(finder: _Finder) -> tuple[str, ...]:
    """Files that the text names one by one."""
    names: list[str] = []

    for match in reversed(list(re.finditer(r"(?<!except  )(?<!excluding  )⟦(\d+)⟧", finder.text))):
        word = finder.literals.words[int(match[1])]

        if _has_suffix(word) and not set(word) & set("*?"):
            names.insert(0, word)
            finder.cut(match, " ⟨files⟩ ")

    return tuple(dict.fromkeys(names))


def _folder(finder: _Finder, *, typed: bool) -> tuple[str, str]:
    """The folder that the text names, and a glob."""
    for pattern in FOLDERS:
        for match in pattern.finditer(finder.text):
            name = finder.literals.show(match["f"])

            if name.lower() in NOT_A_FOLDER or not _fits(match["f"], finder):
                continue

            finder.cut(match, " ")
            return _split_glob(name)

    patterns = (
        rf"(?i)⟨files⟩\s*(?:(?:that are|stored|located|lying|found|files)\s+)*{PREPOSITION}\s+(?:the\s+|my\s+)?(?P<f>[\w.-]+)",
        r"(?i)(?:^|[.\n]\s*)(?:in|under)\s+(?P<f>[\w.-]+)\s*,",
    )

    for text in patterns if typed else ():
        match = re.search(text, finder.text)

        if match and match["f"].lower().rstrip(".") not in NOT_A_FOLDER:
            finder.cut(match, " , ")
            return match["f"].rstrip("."), ""

    return "", ""


def _fits(written: str, finder: _Finder) -> bool:
    """A quoted word is a folder only if it is said to be one; a path always is."""
    hidden = re.fullmatch(r"⟦(\d+)⟧", written)

    if hidden is None or not finder.literals.quoted[int(hidden[1])]:
        return True

    word = finder.literals.words[int(hidden[1])]
    place = re.escape(written)
    said = rf"(?i)(?:{FOLDER_WORD}|in|under|inside|within|from)\s+(?:the\s+|my\s+)?(?:{FOLDER_WORD}\s+)?(?:called\s+|named\s+)?{place}|{place}\s*(?:{FOLDER_WORD}|文件夹|目录|里|下|中)"
    return "/" in word or re.search(said, finder.text) is not None


def _split_glob(name: str) -> tuple[str, str]:
    if not set(name) & set("*?"):
        return name, ""

    parts = name.split("/")
    plain = [part for part in parts[:-1] if not set(part) & set("*?")]
    return "/".join(plain) or ".", "/".join(parts[len(plain) :])


def _split_list(text: str, literals: Literals) -> tuple[str, ...]:
    parts = re.split(JOINT, text)
    items = [literals.show(part).strip(" .?!。") for part in parts]
    return tuple(dict.fromkeys(item for item in items if item))


def _asks(text: str) -> bool:
    """It names things to measure rather than items."""
    return any(
        token.kind in {"agg", "metric", "rows", "distinct", "count"} for token in tokenise(text)
    )


def _inline(finder: _Finder, *, proper: bool) -> tuple[str, ...]:
    """A list within a sentence; `proper`: only one of names, since a folder is named too."""
    for pattern in INLINE[2:] if proper else INLINE:
        match = pattern.search(finder.text)

        if match and not _asks(match["l"]):
            items = _split_list(match["l"], finder.literals)

            if len(items) > 1 or ":" in match[0] or "：" in match[0]:
                finder.cut(match, " , ")
                return items

    return ()
