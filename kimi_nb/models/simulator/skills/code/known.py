"""What an agent knows of the package: sources it has read or written, tests it has run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.skills.code.job import Job, tests_path

__all__ = ["Known", "imports_of", "tested"]

_COUNT = re.compile(r"(?m)^tests/test_(\w+)\.py: (.+)$")
_IMPORT = re.compile(r"(?m)^(?:\S+?(\w+)\.py:\d+: )?from (\w+)\.(\w+) import ")
_MORE = re.compile(r"(?m)^\[… \d+ more lines")


def tested(result: str) -> dict[str, bool]:
    """By module: whether all of its tests passed, in what `run_tests` returned."""
    return {
        found[1]: "failed" not in found[2] and "not run" not in found[2]
        for found in _COUNT.finditer(result)
    }


def imports_of(text: str, package: str) -> dict[str, set[str]]:
    """By module: those of the package that it imports. `text`: what `grep` found.

    In a source the importing module is "".
    """
    found: dict[str, set[str]] = {}

    for importer, origin, module in _IMPORT.findall(text):
        if origin == package:
            found.setdefault(importer, set()).add(module)

    return found


@dataclass(frozen=True, slots=True)
class Known:
    """The past of one agent, seen from its job."""

    job: Job
    past: Past

    def text(self, path: str) -> str | None:
        """What a file has, as far as the agent knows; None: not read, or forgotten."""
        for done in reversed(self.past.done):
            if done.arguments.get("path") != path:
                continue

            if done.name == "write_file" and not _failed(done):
                return str(done.arguments.get("text", ""))

            if done.name == "read_file" and done.result is not None:
                return _whole(done.result)

        return None

    def first_text(self, path: str) -> str | None:
        """What the file had before the agent wrote it; None: not read, or forgotten."""
        for done in self.past.done:
            if done.arguments.get("path") == path and done.name == "write_file":
                return None

            if done.arguments.get("path") == path and done.name == "read_file":
                return None if done.result is None else _whole(done.result)

        return None

    def tries(self, module: str) -> list[str]:
        """What the agent wrote into the module, in order."""
        return [
            str(done.arguments.get("text", ""))
            for done in self.past.done
            if done.name == "write_file" and done.arguments.get("path") == self.job.path(module)
        ]

    def verdict(self, module: str) -> bool | None:
        """Whether its tests passed since it was last written; None: not run, or forgotten."""
        verdict: bool | None = None

        for done in self.past.done:
            if done.name == "write_file" and done.arguments.get("path") == self.job.path(module):
                verdict = None
            elif done.name == "run_tests" and done.arguments.get("path") == tests_path(module):
                verdict = None if done.result is None else tested(done.result).get(module, False)

        return verdict

    def asked(self, name: str, path: str) -> int:
        """How often the agent has made this call."""
        return sum(
            done.name == name and done.arguments.get("path") == path for done in self.past.done
        )

    def searched(self, pattern: str) -> str | None:
        """What `grep` found for a pattern; None: not searched, or forgotten."""
        for done in reversed(self.past.done):
            if done.name == "grep" and done.arguments.get("pattern") == pattern:
                return done.result

        return None

    def sources(self, module: str, text: str) -> Mapping[str, str] | str:
        """The module and all it imports, by dotted name; or the path of one that is not known."""
        found = {self.job.dotted(module): text}
        waiting = [text]

        while waiting:
            for name in sorted(imports_of(waiting.pop(), self.job.package).get("", ())):
                if self.job.dotted(name) in found:
                    continue

                source = self.text(self.job.path(name))

                if source is None:
                    return self.job.path(name)

                found[self.job.dotted(name)] = source
                waiting.append(source)

        return found


def _failed(done: Done) -> bool:
    return (done.result or "").startswith("ERROR")


def _whole(result: str) -> str:
    """The text of a file that was read in full; "" if it could not be."""
    return "" if result.startswith("ERROR") or _MORE.search(result) else result
