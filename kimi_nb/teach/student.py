"""Who learns here: the name that decides which variant of an exercise one gets."""

from __future__ import annotations

import os
import re

from kimi_nb.errors import UsageFault

__all__ = ["NOBODY", "is_name", "student"]

VARIABLE = "KIMI_NB_STUDENT"
NOBODY = "anyone"
"""Whose variants those get who have not said who they are."""


def is_name(text: str) -> bool:
    """Whether `student` takes it for a name."""
    return bool(re.fullmatch(r"[\w.@+-]{1,100}", text))


def student(name: str | None = None) -> str:
    """Say who you are, `kn.student("anna")`, or ask: each student has data of their own.

    Kept until the kernel ends, here and in the programs that it starts. Raises UsageFault for a
    name that is no plain word.
    """
    if name is not None:
        if not is_name(name):
            raise UsageFault('a name of letters, digits and . _ - @ +: kn.student("anna")')

        os.environ[VARIABLE] = name

    return os.environ.get(VARIABLE) or NOBODY
