"""An agent that does the work itself: one item after the other, then a table."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from kimi_nb.models.simulator import headings, phrases
from kimi_nb.models.simulator.fields import look_up, next_offset, notice
from kimi_nb.models.simulator.goal import Goal
from kimi_nb.models.simulator.listing import Listing
from kimi_nb.models.simulator.matching import fitting, match_tool, slot_of
from kimi_nb.models.simulator.measure import Measure
from kimi_nb.models.simulator.memory import Done
from kimi_nb.models.simulator.program import TABLE_OPS, TEXT_OPS, program_for
from kimi_nb.models.simulator.script import Call
from kimi_nb.models.simulator.toolbox import Tool, Toolbox

__all__ = ["NOTHING", "Row", "Work"]

FIRST_LINES = 120
MOST_PAGES = 6
MOST_TURNS = 30
"""Assistant turns that the work may take; with more items, several calls share a turn."""
NOTHING = "—"


@dataclass(slots=True)
class Row:
    """What was found out about one item."""

    item: str
    cells: list[str]
    source: str
    notes: list[str] = field(default_factory=list[str])


class Work:
    """The calls that a goal's items need, and what came of them."""

    def __init__(self, goal: Goal, listing: Listing, tools: Toolbox) -> None:
        self.goal = goal
        self.tools = tools
        self.items = listing.items
        self.listing = listing
        self.own = [match_tool(measure, tools) for measure in goal.measures]

    def next_calls(self, items: Sequence[str], done: Sequence[Done]) -> list[Call]:
        """The calls of the next turn; empty when every item has been looked at."""
        seen = self._by_item(done)
        at_once = max(1, -(-len(items) // MOST_TURNS))
        calls: list[Call] = []

        for item in items:
            calls += self._missing(item, seen.get(item, []))

            if len(calls) >= at_once:
                break

        return calls

    def rows(self, items: Sequence[str], done: Sequence[Done]) -> list[Row]:
        """One row for each item."""
        seen = self._by_item(done)
        return [self._row(item, seen.get(item, [])) for item in items]

    def _by_item(self, done: Sequence[Done]) -> dict[str, list[Done]]:
        seen: dict[str, list[Done]] = {}

        for call in done:
            item = self._item_of(call)

            if item is not None:
                seen.setdefault(item, []).append(call)

        return seen

    def _item_of(self, call: Done) -> str | None:
        tools = self.tools

        if tools.python and call.name == tools.python.name:
            first = str(call.arguments.get("code", "")).partition("\n")[0]
            path = (
                orjson.loads(first.removeprefix("path = ")) if first.startswith('path = "') else ""
            )
            return path.removeprefix(f"{tools.mount}/") or None

        if tools.grep and call.name == tools.grep.name:
            return re.sub(r"\\(.)", r"\1", str(call.arguments.get("pattern", "")))

        tool = next((t for t in self._work_tools() if t.name == call.name), None)
        return str(call.arguments.get(slot_of(tool), "")) if tool else None

    def _work_tools(self) -> list[Tool]:
        fixed = (self.tools.read_file, self.tools.package_info)
        return [tool for tool in (*fixed, *self.own) if tool]

    def _missing(self, item: str, seen: Sequence[Done]) -> list[Call]:
        """The calls that this item still needs."""
        return [call for call in self._wanted(item, seen) if not _was_made(call, seen)]

    def _wanted(self, item: str, seen: Sequence[Done]) -> list[Call]:
        calls = [
            Call(tool.name, {slot_of(tool): fitting(tool, item)})
            for tool in dict.fromkeys(tool for tool in self.own if tool)
        ]
        rest = [m for m, tool in zip(self.goal.measures, self.own, strict=True) if not tool]

        if not rest:
            return calls

        if self.listing.kind == "packages" and self.tools.package_info:
            info = self.tools.package_info
            return [*calls, Call(info.name, {slot_of(info): item})]

        if self.listing.kind == "list":
            return calls + self._search(item)

        return calls + self._file_calls(item, rest, seen)

    def _search(self, item: str) -> list[Call]:
        grep = self.tools.grep

        if grep is None:
            return []

        arguments = {"pattern": re.escape(item), "path": self.goal.source.folder}
        more = {"ignore_case": True} if "ignore_case" in grep.names else {}
        return [Call(grep.name, {**arguments, **more})]

    def _file_calls(self, item: str, rest: Sequence[Measure], seen: Sequence[Done]) -> list[Call]:
        calls: list[Call] = []
        reader, python = self.tools.read_file, self.tools.python
        fields = [m.column for m in rest if m.op == "field"]

        if fields and reader:
            calls += self._pages(reader, item, fields, seen)

        computed = [m for m in rest if m.op in TABLE_OPS | TEXT_OPS]

        if computed and python:
            path = posixpath.normpath(posixpath.join(self.tools.mount, item))
            program = program_for(path, self.goal.measures)
            calls.append(Call(python.name, {"code": program}))

        return calls

    def _pages(
        self, reader: Tool, item: str, fields: Sequence[str], seen: Sequence[Done]
    ) -> list[Call]:
        """Read on while a field is missing and the file has more."""
        pages = [call for call in seen if call.name == reader.name]
        text = "\n".join(call.result or "" for call in pages)
        found = all(look_up(text, name) is not None for name in fields)
        more = next_offset(pages[-1].result or "") if pages else 0
        arguments: dict[str, object] = {slot_of(reader): item}

        if pages and (found or more is None or len(pages) >= MOST_PAGES):
            return []

        if "limit" in reader.names and not pages:
            arguments["limit"] = FIRST_LINES

        if more and "offset" in reader.names:
            arguments["offset"] = more

        return [Call(reader.name, arguments)]

    def _row(self, item: str, seen: Sequence[Done]) -> Row:
        row = Row(item, [], self._source(item))

        if not seen:
            return self._failed(row, phrases.no_tool(chinese=self.goal.chinese))

        if any(call.result is None for call in seen):
            return self._failed(row, phrases.forgotten(chinese=self.goal.chinese))

        errors = [call.result for call in seen if (call.result or "").startswith("ERROR")]

        if len(errors) == len(seen):
            return self._failed(row, _short(errors[0] or ""))

        computed = self._computed(seen, row)

        for place, measure in enumerate(self.goal.measures):
            row.cells.append(self._cell(place, measure, seen, computed, row))

        return row

    def _failed(self, row: Row, why: str) -> Row:
        row.cells = [NOTHING] * len(self.goal.measures)
        row.notes.append(why)
        return row

    def _computed(self, seen: Sequence[Done], row: Row) -> list[str]:
        python = self.tools.python
        results = [c.result or "" for c in seen if python and c.name == python.name]

        if not results:
            return []

        try:
            printed = orjson.loads(results[-1].strip().splitlines()[-1])
            cells, notes = printed["cells"], printed["notes"]
        except (ValueError, LookupError, TypeError):
            row.notes.append(_short(results[-1]))
            return [NOTHING] * len(self.goal.measures)

        row.notes += notes
        return [str(cell) for cell in cells]

    def _cell(
        self,
        place: int,
        measure: Measure,
        seen: Sequence[Done],
        computed: Sequence[str],
        row: Row,
    ) -> str:
        tool = self.own[place]

        if tool:
            text = next((c.result or "" for c in seen if c.name == tool.name), "")
            return _answer(text, measure)

        if self.listing.kind == "list":
            return self._found(measure, seen, row)

        if measure.op != "field" and computed:
            return computed[place]

        texts = [c.result or "" for c in seen if not self._is_python(c)]
        text = "\n".join(texts)
        row.notes += [n for n in (notice(text),) if n and n not in row.notes]
        name = measure.column if measure.op == "field" else headings.field_name(measure.op)
        value = look_up(text, name)
        return phrases.no_field(name, chinese=self.goal.chinese) if value is None else value

    def _is_python(self, call: Done) -> bool:
        return self.tools.python is not None and call.name == self.tools.python.name

    def _found(self, measure: Measure, seen: Sequence[Done], row: Row) -> str:
        """The line of a search that says it."""
        lines = [m for c in seen for m in _HIT.finditer(c.result or "")]
        words = measure.column.casefold().split()
        good = [m for m in lines if all(w.rstrip("s") in m["text"].casefold() for w in words)]

        if not good:
            return phrases.no_field(measure.column, chinese=self.goal.chinese)

        row.source = f"{good[0]['path']}:{good[0]['line']}"
        value = look_up(good[0]["text"], measure.column)
        return value or good[0]["text"].strip()

    def _source(self, item: str) -> str:
        if self.listing.kind == "list":
            tools = dict.fromkeys(tool.name for tool in self.own if tool)
            return ", ".join(f"{name}({item})" for name in tools) or item

        if self.listing.kind == "packages" and self.tools.package_info:
            return f"{self.tools.package_info.name}({item})"

        return item


_HIT = re.compile(r"^(?P<path>[^\n:]+):(?P<line>\d+): ?(?P<text>.*)$", re.MULTILINE)


def _was_made(call: Call, seen: Sequence[Done]) -> bool:
    if "code" in call.arguments:
        return any(done.name == call.name for done in seen)

    return any(done.name == call.name and done.arguments == call.arguments for done in seen)


def _short(text: str) -> str:
    """The line of an error that says what went wrong."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"(?:ERROR: )?\w*(?:Error|Exception)\b", line)]
    return (named or lines or ["?"])[-1 if named else 0].removeprefix("ERROR: ")[:200]


def _answer(text: str, measure: Measure) -> str:
    if text.startswith("ERROR"):
        return _short(text)

    value = look_up(text, measure.column) if ":" in text or "{" in text else None
    return value or " ".join(text.split())[:500] or NOTHING
