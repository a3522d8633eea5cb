"""The offline model: a pure, seeded function from a chat request to streamed deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kimi_nb.models.simulator.options import Options

if TYPE_CHECKING:
    from kimi_nb.models.simulator.local import Simulator

__all__ = ["Options", "Simulator"]


def __getattr__(name: str) -> Any:
    """`Simulator`, imported when it is first asked for: its lexicon takes time to compile."""
    if name == "Simulator":
        from kimi_nb.models.simulator.local import Simulator

        return Simulator

    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
