"""Which folder a goal names."""
# ruff: noqa: E501 - a pattern is easier to read on one long line

from __future__ import annotations

import re
from collections.abc import Sequence

from kimi_nb.models.simulator.finder import Finder, asks
from kimi_nb.models.simulator.lexicon import tokenise
from kimi_nb.models.simulator.patterns import (
    FOLDER_LINE,
    FOLDER_WORD,
    FOLDERS,
    HAN_VERBS,
    NOT_A_FOLDER,
    PREPOSITION,
)

__all__ = ["find_folder", "mark_folder"]

_LOOSE = (
    rf"(?i)(?:⟨files⟩|\b(?:files?|documents?|reports?|sheets?|tables?|exports?)\b)\W{{0,2}}\s*(?:(?:that are|stored|located|lying|found|files)\s+)*{PREPOSITION}\s+(?:the\s+|my\s+|our\s+)?(?P<f>[\w.-]+)",
    r"(?i)(?:^|[.\n]\s*)(?:in|under)\s+(?P<f>[\w.-]+)\s*,",
)


def find_folder(finder: Finder, *, typed: bool) -> tuple[str, str]:
    """The folder that the text names, and a glob; both are cut out.

    `typed`: the text says what files it means, so a bare word after `in` may be their folder.
    """
    glob = _bare_glob(finder)

    for pattern in (FOLDER_LINE, *FOLDERS):
        for match in pattern.finditer(finder.text):
            written = match["f"]
            name = finder.literals.show(written).strip()
            name = name if written.startswith("⟦") else re.sub(HAN_VERBS, "", name)

            if pattern is FOLDER_LINE and not written.startswith("⟦") and asks(name):
                continue

            if name and _is_name(written, name) and _fits(written, finder):
                finder.cut(match, " ")
                folder, inner = _split_glob(name)
                return folder, inner or glob

    for text in _LOOSE if typed or glob else ():
        match = re.search(text, finder.text)

        if match and _is_name(match["f"], match["f"].rstrip(".")):
            keep = "⟨files⟩" if match[0].startswith("⟨") else ""
            finder.cut(match, f" {keep} , ")
            return match["f"].rstrip("."), glob

    return "", glob


def mark_folder(text: str, folders: Sequence[str]) -> str:
    """`text` with the longest name of a folder that stands in it written as a path."""
    for name in sorted(folders, key=len, reverse=True):
        before, after = (r"(?<![\w/])", r"(?!\w)") if name.isascii() else ("", "")
        quotes = "[\"'`“”「」‘’《》]?"
        path = rf"{quotes}(?:\./)?{before}{re.escape(name)}{after}(?P<rest>(?:/(?:[\w.-]+(?=/)|[A-Za-z0-9_.*-]+))*)/?{quotes}"
        found = re.search(path, text) or re.search(rf"(?i){path}", text)

        if found:
            written = f" `{name}{found['rest']}/` "
            return text[: found.start()] + written + text[found.end() :]

    return text


def _bare_glob(finder: Finder) -> str:
    """A glob without a folder, such as *.csv: the folder may stand elsewhere."""
    for match in re.finditer(r"⟦(\d+)⟧", finder.text):
        word = finder.literals.words[int(match[1])]

        if set(word) & set("*?") and "/" not in word and "." in word and " " not in word:
            finder.cut(match, " ⟨files⟩ ")
            return word

    return ""


def _is_name(written: str, name: str) -> bool:
    """A bare word can be a folder only if it is no word of the sentence around it."""
    if written.startswith("⟦"):
        return True

    kinds = {token.kind for token in tokenise(name)}
    return name.casefold() not in NOT_A_FOLDER and not kinds & {"conj", "where", "is", "of", "cmp"}


def _fits(written: str, finder: Finder) -> bool:
    """A quoted word is a folder only if it is said to be one; a path always is."""
    hidden = re.fullmatch(r"⟦(\d+)⟧", written)

    if hidden is None or not finder.literals.quoted[int(hidden[1])]:
        return True

    word = finder.literals.words[int(hidden[1])]
    place = re.escape(written)
    said = rf"(?i)(?:{FOLDER_WORD}|in|under|inside|within|from)\s+(?:the\s+|my\s+)?(?:{FOLDER_WORD}\s+)?(?:called\s+|named\s+)?{place}|{FOLDER_WORD}\s*[:：=]\s*{place}|{place}\s*(?:{FOLDER_WORD}|文件夹|目录|里|下|中)|(?:文件夹|目录)\s*{place}"
    return "/" in word or re.search(said, finder.text) is not None


def _split_glob(name: str) -> tuple[str, str]:
    if not set(name) & set("*?"):
        return name, ""

    parts = name.split("/")
    plain = [part for part in parts[:-1] if not set(part) & set("*?")]
    return "/".join(plain) or ".", "/".join(parts[len(plain) :])
