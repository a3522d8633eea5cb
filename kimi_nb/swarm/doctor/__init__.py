"""Is everything in order? One check a line, and for each that fails what to do."""

from kimi_nb.swarm.doctor.examine import examine
from kimi_nb.swarm.doctor.report import Check, Report

__all__ = ["Check", "Report", "examine"]
