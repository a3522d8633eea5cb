"""PARL's experiments at the moment that a test wants: trainings that wait, rows not yet written."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_nb.parl.experiments.conditions import Condition
from kimi_nb.parl.experiments.rows import Row, _Keeper
from kimi_nb.parl.reward import Reward

if TYPE_CHECKING:
    import pytest

__all__ = ["Gated", "ctrl_c_before_rows_are_written"]


@dataclass(frozen=True, kw_only=True)
class Gated(Condition):
    """It trains once the file `gate` is there."""

    gate: str

    @property
    def reward(self) -> Reward:
        gate = Path(self.gate)
        gate.with_name(f"{gate.name}.{os.getpid()}").touch()

        while not gate.exists():
            time.sleep(0.01)

        return super().reward

    @property
    def waiting(self) -> int:
        """Processes that have come to the gate."""
        gate = Path(self.gate)
        return len(list(gate.parent.glob(f"{gate.name}.*")))


def ctrl_c_before_rows_are_written(patch: pytest.MonkeyPatch) -> None:
    """Once: the rows of the first training that ends."""
    add, pressed = _Keeper.add, list[bool]()

    def interrupted(keeper: _Keeper, rows: list[Row]) -> None:
        pressed.append(True)

        if len(pressed) == 1:
            raise KeyboardInterrupt

        add(keeper, rows)

    patch.setattr(_Keeper, "add", interrupted)
