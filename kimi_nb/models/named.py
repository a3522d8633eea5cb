"""Models that a name alone makes, as "parl:CHECKPOINT": a scheme, and what it is of.

Who can make them lies above, and says so by `register`; nothing here knows of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimi_nb.models.base import Model
    from kimi_nb.models.simulator import Options

__all__ = ["Maker", "is_named", "made", "register"]

Maker = Callable[[str, "Options", int | None], "Model"]
"""From what follows the scheme, the options of the simulator that stands in for all language, and
the run's budget in critical steps. Raises KimiNbError, saying what to type."""


def register(scheme: str, maker: Maker) -> None:
    """From now on `scheme:…` names what `maker` makes."""
    _makers()[scheme] = maker


def is_named(model: object) -> bool:
    """Whether this is a name of that kind. Ids of endpoints may have colons too."""
    return isinstance(model, str) and model.partition(":")[0] in _makers() and ":" in model


def made(model: str, options: Options, critical_steps: int | None = None) -> Model:
    """The model of that name, for which `is_named` holds. Raises what its maker raises."""
    scheme, _, rest = model.partition(":")
    return _makers()[scheme](rest, options, critical_steps)


@functools.cache
def _makers() -> dict[str, Maker]:
    """Of this process, by scheme."""
    return {}
