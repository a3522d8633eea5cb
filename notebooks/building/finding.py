"""What is wrong, and where."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["Finding"]

ROOT = Path(__file__).resolve().parents[2]


class Finding(NamedTuple):
    """One thing to mend."""

    path: Path
    line: int
    """From 1."""
    says: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        near = self.path.is_relative_to(ROOT)
        path = self.path.relative_to(ROOT) if near else self.path
        return f"{path}:{self.line}: {self.says}"
