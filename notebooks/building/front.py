"""The front matter of a source: what it must say."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["faults"]

TEXTS = ("title", "claim")
OBJECTIVES = 3
LANGUAGES = {"en", "zh"}
KNOWN = {*TEXTS, "objectives", "kernelspec"}


def faults(front: dict[str, Any]) -> list[str]:
    """What it lacks, in words; nothing where it is complete."""
    lacking = [name for name in TEXTS if not _both(front.get(name))]
    found = [f"{name} is missing or not in both languages" for name in lacking]
    goals = front.get("objectives")

    if not isinstance(goals, list) or len(cast("list[Any]", goals)) != OBJECTIVES:
        found.append(f"objectives is no list of {OBJECTIVES}")
    elif not all(_both(goal) for goal in cast("list[Any]", goals)):
        found.append("an objective is not in both languages")

    found += [f"{name} is unknown" for name in front.keys() - KNOWN]
    how = 'as title: {en: "…", zh: "…"}'
    return [f"front matter: {fault}; write it {how}" for fault in found]


def _both(value: object) -> bool:
    """Whether it is a text in both languages."""
    if not isinstance(value, dict):
        return False

    texts = cast("dict[str, object]", value)
    return texts.keys() == LANGUAGES and all(isinstance(t, str) and t for t in texts.values())
