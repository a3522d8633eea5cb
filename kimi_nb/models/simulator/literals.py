"""Quoted words and paths of a goal, put aside before phrases are looked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kimi_nb.models.simulator.patterns import HAN_VERBS

__all__ = ["EXTENSIONS", "Literals", "hide_literals"]


@dataclass(slots=True)
class Literals:
    """Quoted words and paths, hidden behind ⟦n⟧ so that no phrase matches inside them."""

    words: list[str] = field(default_factory=list[str])
    quoted: list[bool] = field(default_factory=list[bool])

    def hide(self, word: str, *, quoted: bool) -> str:
        self.words.append(word)
        self.quoted.append(quoted)
        return f" ⟦{len(self.words) - 1}⟧ "

    def show(self, text: str) -> str:
        """`text` with every literal back in place."""
        return re.sub(r"⟦(\d+)⟧", lambda m: self.words[int(m[1])], text)


_QUOTED = re.compile(
    r"`([^`\n]+)`|\"([^\"\n]+)\"|“([^”\n]+)”|「([^」\n]+)」|《([^》\n]+)》|‘([^’\n]+)’|(?<![\w])'([^'\n]+)'(?!\w)"
)
EXTENSIONS = "csv|tsv|md|markdown|txt|text|py|ipynb|json|log|rst|ya?ml|toml|html?|xml|cfg|ini"
_FILE = rf"(?:\.{{0,2}}/)?[\w.*~-][\w.*~/-]*\.(?:{EXTENSIONS})\b(?![/\w])"
_PATHS = re.compile(
    rf"(?:~|(?<!\w)\.{{1,2}}|(?<![\w.*~)]))/[\w.*~/-]*[\w*~/-]"  # /a/b, ./a, ../a, ~/a
    rf"|[\w.*~-]+(?:/[\w.*~-]+)*/(?![\w*])"  # a/b/
    rf"|{_FILE}"
    rf"|[\w.*~-]+/[\w.*~/-]*\*[\w.*~/-]*"  # a/*.csv
    rf"|\*\.\w+",
    re.ASCII,
)
_HAN_PATH = re.compile(r"[\w.~/-]+/(?=\s*(?:里|下|中|内|目录|文件夹|\s|$))")
_IN_PATH = re.compile(
    r"(?i)((?:^|\b(?:in|under|inside|within|of|from|below|for|at|look|folder|directory|dir|the|my)\s+))"
    r"([\w.-]+(?:/[\w.-]+)+)",
    re.ASCII,
)


def hide_literals(text: str) -> tuple[str, Literals]:
    """The text with quoted words and paths replaced, and what they were."""
    literals = Literals()
    text = _QUOTED.sub(
        lambda m: literals.hide(next(g for g in m.groups() if g is not None), quoted=True), text
    )
    text = _HAN_PATH.sub(_han_path(literals), text)
    text = _PATHS.sub(lambda m: literals.hide(m[0].rstrip("."), quoted=False), text)
    text = _IN_PATH.sub(lambda m: m[1] + literals.hide(m[2].rstrip("."), quoted=False), text)
    return text, literals


def _han_path(literals: Literals) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        path = match[0]

        if path.isascii():
            return path

        bare = re.sub(r"^.*(?:对于|对|在|从)", "", re.sub(HAN_VERBS, "", path))
        return path[: len(path) - len(bare)] + literals.hide(bare, quoted=False)

    return replace
