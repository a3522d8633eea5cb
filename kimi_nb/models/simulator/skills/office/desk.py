"""An agent at its desk: what it was given, what it has read, and what it knows by now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.skills.office.columns import path_of, program_for, told
from kimi_nb.models.simulator.skills.office.facts import facts_in
from kimi_nb.models.simulator.skills.office.task import Task
from kimi_nb.models.simulator.skills.team import reports
from kimi_nb.models.simulator.tables import read_tables, write_table

__all__ = ["HEADERS", "Desk", "Facts"]

HEADERS = ("file", "fact", "value")
MOST_TURNS = 60
"""Turns that the reading may take; with more files, several share a turn."""
MOST_PAGES = 20
"""Calls for one document."""
_MORE = re.compile(r"\[… \d+ more lines; call again with offset=(\d+)\]\s*\Z")

Facts = dict[tuple[str, str], str]
"""Values by file and name of the fact."""


class Desk:
    """Decides by the messages alone."""

    def __init__(self, task: Task, past: Past, options: Options) -> None:
        self.task = task
        self.past = past
        self.options = options
        self.files = list(task.share) or _listed(task, past.done)
        self.said = _in_tables([*past.said, *(text for _, text in reports(past))])
        """What it has noted, and what sub-agents have reported."""
        self.calls = _by_file(past.done)

    @property
    def facts(self) -> Facts:
        """All that it knows."""
        return {**self.said, **self._read()}

    def listing(self) -> Turn | None:
        """The turn that asks which files there are."""
        if self.task.share or any(done.name == "list_files" for done in self.past.done):
            return None

        calls = (
            Call("list_files", {"folder": folder, "pattern": f"*.{end}"})
            for folder, end in self.task.ends.items()
        )
        return Turn(thinking="First find out which files there are.", calls=tuple(calls))

    def reading(self, files: Sequence[str] | None = None) -> Turn | None:
        """The turn that reads on, with what was learned by the last one; None: all is read.

        `files`: only these of them.
        """
        at_once = max(self.options.calls_per_turn, -(-len(self.files) // MOST_TURNS))
        calls = self.calls_for(self.files if files is None else files)
        return Turn(text=self.note(), calls=calls[:at_once]) if calls else None

    def calls_for(self, files: Sequence[str]) -> tuple[Call, ...]:
        """The next call for each of these files of which not all is known or read."""
        known = {file for file, _ in self.said}
        left = (self._next(file) for file in files if file not in known)
        return tuple(call for call in left if call is not None)

    def answer(self) -> str:
        """The table of a share."""
        found = self.facts
        lost = [file for file in self.files if not any(file == key[0] for key in found)]
        note = f"\n\nNothing found in: {', '.join(lost)}." if lost else ""
        return self.table(found) + note

    def table(self, facts: Facts) -> str:
        """Rows in the order of the files."""
        places = {file: place for place, file in enumerate(self.files)}
        rows = sorted(facts.items(), key=lambda row: places.get(row[0][0], len(places)))
        return write_table(HEADERS, [(*key, value) for key, value in rows])

    def note(self) -> str:
        """What was learned and is not written down yet, as a table; "" for nothing."""
        fresh = {key: value for key, value in self._read().items() if key not in self.said}
        return self.table(fresh) if fresh and self.options.notes else ""

    def _next(self, file: str) -> Call | None:
        """The call that a file still needs."""
        made = self.calls.get(file, [])

        if file.lower().endswith(".csv"):
            return None if made else Call("python", {"code": program_for(file)})

        more = _MORE.search(made[-1].result or "") if made else None

        if made and (more is None or len(made) >= MOST_PAGES):
            return None

        offset = {"offset": int(more[1])} if more else {}
        return Call("read_document", {"path": file, **offset})

    def _read(self) -> Facts:
        """What stands in the results that it still has."""
        found: Facts = {}

        for file, made in self.calls.items():
            text = "\n".join(_MORE.sub("", done.result or "") for done in made)

            if self._next(file) is None and not text.startswith("ERROR"):
                values = told(text) if made[0].name == "python" else facts_in(text, self.task.kinds)
                wanted = self.task.wanted(file)
                found |= {(file, name): values[name] for name in wanted if name in values}

        return found


def _listed(task: Task, done: Sequence[Done]) -> list[str]:
    lines = [line for call in done if call.name == "list_files" for line in _lines(call)]
    paths = [line.partition("\t")[0] for line in lines if "\t" in line]
    return sorted(path for path in dict.fromkeys(paths) if task.wanted(path))


def _lines(call: Done) -> list[str]:
    return (call.result or "").splitlines()


def _by_file(done: Sequence[Done]) -> dict[str, list[Done]]:
    found: dict[str, list[Done]] = {}

    for call in done:
        if call.name == "read_document":
            found.setdefault(str(call.arguments.get("path", "")), []).append(call)
        elif call.name == "python":
            found.setdefault(path_of(str(call.arguments.get("code", ""))), []).append(call)

    return found


def _in_tables(texts: Iterable[str]) -> Facts:
    return {
        (row[0], row[1]): row[2]
        for text in texts
        for table in read_tables(text)
        if table.headers == HEADERS
        for row in table.rows
    }
