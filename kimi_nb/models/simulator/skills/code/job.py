"""What is to be mended, as the user or an orchestrator says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ROLE", "Job", "job_of", "share_of", "tests_path"]

_GOAL = re.compile(r"(?is)(?=.*\btests?\b)(?=.*\b(?:mend|fix|repair|debug)\b).*?\bpackage (\w+)/")
_SHARE = "Mend these modules of the Python package {name}/ until their tests pass, in this order:"
_RULES = (
    "The tests of a module lie in tests/test_<module>.py. Change none of the other modules, "
    "except to move something out of them, and never the tests. Answer with a Markdown table: "
    "module, result, change."
)
ROLE = (
    "You mend modules of a Python package. Read a module and its tests, find the fault, write the "
    "module anew and run its tests until they pass. Report what you changed and how its tests "
    "ended; say so where you found no remedy."
)
"""The system prompt of a sub-agent."""


@dataclass(frozen=True, slots=True)
class Job:
    package: str
    modules: tuple[str, ...]
    """Those that an orchestrator gave, in their order; () for the whole package."""

    def path(self, module: str) -> str:
        """Where a module lies."""
        return f"{self.package}/{module}.py"

    def dotted(self, module: str) -> str:
        """Its name in imports."""
        return f"{self.package}.{module}"


def job_of(goal: str) -> Job | None:
    """The job that a goal or a task is; None for anything else."""
    found = _GOAL.search(goal)

    if found is None:
        return None

    listed = goal.partition(_SHARE.format(name=found[1]))[2].partition("\n\n")[0]
    return Job(found[1], tuple(re.findall(r"(?m)^- (\w+)$", listed)))


def share_of(job: Job, modules: Sequence[str]) -> str:
    """The task of a sub-agent that mends these modules."""
    lines = "\n".join(f"- {module}" for module in modules)
    return f"{_SHARE.format(name=job.package)}\n{lines}\n\n{_RULES}"


def tests_path(module: str) -> str:
    """Where the tests of a module lie."""
    return f"tests/test_{module}.py"
