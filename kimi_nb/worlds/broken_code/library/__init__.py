"""What a package is put together from."""

from __future__ import annotations

from kimi_nb.worlds.broken_code.library import calendar, numbers, office, records, shapes, text
from kimi_nb.worlds.broken_code.library.chains import CHAINS

__all__ = ["CHAINS", "MODULES"]

MODULES = (
    *text.MODULES,
    *numbers.MODULES,
    *calendar.MODULES,
    *shapes.MODULES,
    *office.MODULES,
    *records.MODULES,
)
"""Those that stand alone."""
