"""An exact answer, or half the credit for as much of the trail as is right from its beginning."""

from __future__ import annotations

import re

from kimi_nb.worlds.base import Grade
from kimi_nb.worlds.deep_search.trail import Trail

__all__ = ["grade_trail"]

_ANSWER = re.compile(r"(?im)^[ \t>*_#`-]{0,9}answer[*_` ]{0,4}[:：](.{1,400})$")
_TRAIL = re.compile(r"(?im)^[ \t>*_#`-]{0,9}trail[*_` ]{0,4}[:：](.{1,60000})$")
_ARROW = re.compile(r"→|⟶|=>|->|;|,|\|")


def grade_trail(answer: str, trail: Trail) -> Grade:
    """Success: all lines "ANSWER: …" give the one right word, and nothing else; quality is 1 then.

    Otherwise quality is half of h / n, where n is the number of hand-overs and h how many of them
    the one line "TRAIL: …" has right before its first mistake.
    """
    given = {_bare(text) for text in _ANSWER.findall(answer)}
    right = _right(answer, trail)
    links = len(trail.owners) - 1
    about = f"{right} of {links} hand-overs are right from the first on"

    if given == {_bare(trail.word)}:
        return Grade(success=True, quality=1.0, why=f"the word is right; {about}")

    what = "the word is wrong" if len(given) == 1 else "there is no one ANSWER line"
    return Grade(success=False, quality=0.5 * right / links, why=f"{what}; {about}")


def _right(answer: str, trail: Trail) -> int:
    lines = _TRAIL.findall(answer)

    if len(lines) != 1:
        return 0

    named = [_bare(part) for part in _ARROW.split(lines[0])]
    true = [_bare(owner.name) for owner in trail.owners]

    if named[:1] != true[:1]:
        return 0

    right = 0

    for name, wanted in zip(named[1:], true[1:], strict=False):
        if name != wanted:
            break

        right += 1

    return right


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
