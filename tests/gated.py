"""A condition of PARL's experiments whose training waits for a test, in whichever process it is."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from kimi_nb.parl.experiments.conditions import Condition
from kimi_nb.parl.reward import Reward

__all__ = ["Gated"]


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
