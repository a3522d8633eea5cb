"""Grading a class: each answer runs in a sandbox that knows no truth, and is judged outside of it.

A child gets one exercise's cells and inputs and gives plain data. Its limits, its time and its
files are the native sandbox's; where the kernel has none, nothing is graded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kimi_nb.teach.grade.batch import Graded, grade
    from kimi_nb.teach.grade.mark import Mark

__all__ = ["Graded", "Mark", "grade"]


def __getattr__(name: str) -> Any:
    """The scripts in the sandbox are of this package and need none of these."""
    if name not in __all__:
        raise AttributeError(name)

    from kimi_nb.teach.grade import batch

    return getattr(batch, name)
