"""Finding `name: value` in what a tool returned."""

from __future__ import annotations

import re

import orjson

from kimi_nb.models.simulator.synonyms import synonyms

__all__ = ["look_up", "next_offset", "notice"]

_LINE = re.compile(
    r"^\s*(?:[-*+>]\s+)?(?:#{1,6}\s+)?[*_`\"']{0,3}([^\W\d_][^:=：|\n]{0,60}?)[*_`\"']{0,3}\s*[:：=]\s*[*_]{0,2}\s*(\S.*?)\s*$",
    re.MULTILINE,
)
_ROW = re.compile(r"^\s*\|\s*([^|\n]+?)\s*\|\s*([^|\n]+?)\s*\|\s*$", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_MORE = re.compile(r"\[… .*offset=(\d+)\]\s*$")
_TITLES = frozenset({"title", "titles", "标题", "题目"})


def next_offset(text: str) -> int | None:
    """The line at which a page that was cut goes on; None for the last page."""
    found = _MORE.search(text)
    return int(found[1]) if found else None


def notice(text: str) -> str:
    """A notice that a tool put on the first line, without its brackets."""
    line = text.partition("\n")[0].strip()
    return line[1:-1] if line.startswith("[not UTF-8") else ""


def look_up(text: str, name: str) -> str | None:
    """The value that `text` gives for `name`; None if it gives none.

    Several different values come back joined by "; ".
    """
    pairs = _pairs(text)

    for wanted in synonyms(name):
        exact = [value for key, value in pairs if _same(key, wanted)]
        values = exact or _only([(k, v) for k, v in pairs if _covers(k, wanted)])

        if values:
            return "; ".join(dict.fromkeys(_clean(value) for value in values))

    if name.casefold() in _TITLES:
        heading = _HEADING.search(text)
        return heading[1] if heading else None

    return _sentence(text, name)


def _pairs(text: str) -> list[tuple[str, str]]:
    if text.lstrip().startswith("{"):
        try:
            data: dict[str, object] = orjson.loads(text)
        except orjson.JSONDecodeError:
            data = {}

        return [(str(key), _plain(value)) for key, value in data.items()]

    found = [(match[1], match[2]) for match in _LINE.finditer(text)]
    return found + [(match[1], match[2]) for match in _ROW.finditer(text)]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _clean(value: str) -> str:
    text = value.strip().strip("*_`").strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _words(name: str) -> list[str]:
    words = re.sub(r"[\W_]+", " ", name.casefold()).split()
    return [_singular(word) for word in words]


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"

    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 2 else word


def _same(key: str, wanted: str) -> bool:
    return _words(key) == _words(wanted)


def _covers(key: str, wanted: str) -> bool:
    """All words that are wanted stand in the key, or the other way round."""
    has, want = set(_words(key)), set(_words(wanted))
    return bool(has and want) and (want <= has or has <= want)


def _only(pairs: list[tuple[str, str]]) -> list[str]:
    """The values, if all stand under one key."""
    return [value for _, value in pairs] if len({key for key, _ in pairs}) == 1 else []


def _sentence(text: str, name: str) -> str | None:
    words = r"\s+".join(re.escape(word.removesuffix("s")) + "s?" for word in name.split())
    found = re.search(rf"(?i)\b{words}\b\s+(?:is|are|was|were)\s+([^.\n]*(?:\.\d[^.\n]*)*)", text)
    return found[1].strip() if found else None
