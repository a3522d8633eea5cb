"""Thinking code through: what tests would say of a source, without running anything.

A small part of Python is worked out from its syntax tree, with bounds on every step and value.
What a model does in its head is done here by rules; whether it is true, only a run tells.
"""

from kimi_nb.models.simulator.skills.code.mind.limits import Unknown
from kimi_nb.models.simulator.skills.code.mind.machine import Mind

__all__ = ["Mind", "Unknown"]
