"""The agent that holds create_subagent and assign_task: list, split, hand out, join."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from kimi_nb.models.simulator import headings, phrases
from kimi_nb.models.simulator.answers import full_answer, headers_of
from kimi_nb.models.simulator.division import Division, Part, label
from kimi_nb.models.simulator.goal import Goal, share_of, understand
from kimi_nb.models.simulator.listing import Listing
from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.tables import read_tables
from kimi_nb.models.simulator.toolbox import Toolbox
from kimi_nb.models.simulator.worker import NOTHING, Row, Work

__all__ = ["Orchestrator", "most_agents"]

_MOST = re.compile(r"at most (\d+) sub-agents?")
_LIMIT = re.compile(
    r"(?i)\bno more sub-agents\b|\bsub-agents\b.*\b(?:left|allowed|limit|at most)\b"
)
_AGENT = {"files": "file-reader", "packages": "package-reader", "list": "researcher"}


def most_agents(system: str) -> int:
    """How many sub-agents the system message allows."""
    found = _MOST.search(system)
    return int(found[1]) if found else 20


class Orchestrator:
    """Decides its next turn from the messages alone."""

    def __init__(
        self, goal: Goal, listing: Listing, tools: Toolbox, past: Past, options: Options
    ) -> None:
        self.goal = goal
        self.listing = listing
        self.tools = tools
        self.past = past
        self.options = options
        self.most = most_agents(past.system)
        self.agent = _AGENT.get(listing.kind, "researcher")
        spawners = {tool.name for tool in (tools.assign, tools.spread) if tool}
        self.assigned = [call for call in past.done if call.name in spawners]
        self.results = _Results(goal, self.assigned)

    def turn(self) -> Turn:
        """The next turn: create, assign, try again, do the rest alone, or answer."""
        if not any(tool.name == "create_subagent" for tool in self.past.done):
            return self._create()

        if not self.assigned:
            return self._assign(list(self.listing.items), self.most)

        missing = [item for item in self.listing.items if item not in self.results.rows]
        left = 0 if self.results.refused else self.most - self.results.launched
        rounds = len({call.turn for call in self.assigned})

        if missing and rounds == 1 and left > 0:
            return self._again(missing, left)

        if missing and rounds == 1:
            return self._alone(missing)

        return self._answer([])

    def division(self) -> Division:
        """The goal in groups of items, none of which needs another."""
        groups = _split(self.listing.items, self.most) if self.listing.items else []
        work = Work(self.goal, self.listing, self.tools)
        own = [call for call in self.past.done if call not in self.assigned]
        rows = self.results.rows
        left = [[item for item in group if item not in rows] for group in groups]
        calls = [work.next_calls(items, own) if items else [] for items in left]

        def alone(place: int) -> Turn | None:
            return Turn(calls=tuple(calls[place])) if calls[place] else None

        def join() -> Turn:
            return self._answer(work.rows([item for items in left for item in items], own))

        return Division(
            parts=tuple(
                Part(
                    name=label(group),
                    task=share_of(self.goal, group),
                    work=len(group),
                    done=not more,
                )
                for group, more in zip(groups, calls, strict=True)
            ),
            agent=self.agent,
            role=phrases.role_prompt(self.listing.kind, chinese=self.goal.chinese),
            alone=alone,
            join=join,
        )

    def _create(self) -> Turn:
        number = min(len(self.listing.items), self.most)
        call = Call(
            "create_subagent",
            {
                "name": self.agent,
                "system_prompt": phrases.role_prompt(self.listing.kind, chinese=self.goal.chinese),
            },
        )
        thinking = phrases.plan(len(self.listing.items), number, chinese=self.goal.chinese)
        return Turn(thinking=thinking, calls=(call,))

    def _assign(self, items: Sequence[str], most: int) -> Turn:
        groups = _split(items, most)
        thinking = phrases.handing_out(len(items), len(groups), chinese=self.goal.chinese)
        return Turn(thinking=thinking, calls=tuple(self._calls(groups)))

    def _calls(self, groups: Sequence[tuple[str, ...]]) -> list[Call]:
        single = all(len(group) == 1 for group in groups)
        assign, spread = self.tools.assign, self.tools.spread

        if spread and (assign is None or (self.options.use_map and single)):
            template = share_of(self.goal, ("{{item}}",))
            items = ["\n- ".join(group) for group in groups]
            return [Call(spread.name, {"agent": self.agent, "template": template, "items": items})]

        name = assign.name if assign else "assign_task"
        return [
            Call(name, {"agent": self.agent, "prompt": share_of(self.goal, group)})
            for group in groups
        ]

    def _again(self, missing: Sequence[str], left: int) -> Turn:
        """Failed tasks once more; whole groups stay together."""
        groups = [tuple(i for i in group if i in missing) for group in self.results.groups]
        failed = [group for group in dict.fromkeys(groups) if group]
        groups = failed if len(failed) <= left else _split(missing, left)
        thinking = phrases.trying_again(len(missing), chinese=self.goal.chinese)
        return Turn(thinking=thinking, calls=tuple(self._calls(groups)))

    def _alone(self, missing: Sequence[str]) -> Turn:
        work = Work(self.goal, self.listing, self.tools)
        own = [call for call in self.past.done if call not in self.assigned]
        calls = work.next_calls(missing, own)

        if calls:
            thinking = phrases.doing_rest(len(missing), chinese=self.goal.chinese)
            return Turn(thinking=thinking, calls=tuple(calls))

        return self._answer(work.rows(missing, own))

    def _answer(self, own: Sequence[Row]) -> Turn:
        done = {row.item: row for row in own}
        rows: list[Row] = []

        for item in self.listing.items:
            row = self.results.rows.get(item) or done.get(item)
            rows.append(row or self._lost(item))

        blank = sum(all(cell == NOTHING for cell in row.cells) for row in rows)
        text = full_answer(self.goal, self.listing, rows, blank)
        return Turn(thinking=phrases.joining(chinese=self.goal.chinese), text=text)

    def _lost(self, item: str) -> Row:
        why = self.results.reasons.get(item, "")
        note = phrases.missing(why, chinese=self.goal.chinese)
        return Row(item, [NOTHING] * len(self.goal.measures), item, [note])


class _Results:
    """What the sub-agents sent back."""

    def __init__(self, goal: Goal, assigned: Sequence[Done]) -> None:
        self.goal = goal
        self.rows: dict[str, Row] = {}
        self.reasons: dict[str, str] = {}
        self.groups: list[tuple[str, ...]] = []
        self.launched = 0
        self.refused = False
        """A task was refused because no more sub-agents are allowed."""
        self._headers = headers_of(goal, goal.source.kind)

        for call in assigned:
            for items, text in _answers(call):
                self._take(items, text)

    def _take(self, items: tuple[str, ...], text: str) -> None:
        self.groups.append(items)

        if text.startswith("ERROR"):
            limit = _LIMIT.search(text) is not None
            self.refused = self.refused or limit
            self.launched += not limit
        else:
            self.launched += 1
            self._read(items, text)

        for item in items:
            if item not in self.rows:
                self.reasons[item] = " ".join(text.split())[:200]

    def _read(self, items: tuple[str, ...], text: str) -> None:
        for table in read_tables(text):
            by_place = len(table.rows) == len(items)

            for place, cells in enumerate(table.rows):
                named = cells[0] if cells else ""
                item = named if named in items else items[place] if by_place else ""

                if item:
                    self.rows[item] = self._row(item, table.headers, cells)

    def _row(self, item: str, headers: Sequence[str], cells: Sequence[str]) -> Row:
        """The cells under the headings that were expected, wherever they stand."""
        found = dict(zip(headers, cells, strict=True))
        same = len(headers) >= len(self._headers)
        values: list[str] = []

        for place, name in enumerate(self._headers[1:-1], start=1):
            values.append(found.get(name, cells[place] if same else NOTHING))

        source = found.get(self._headers[-1], item)
        note = found.get(headings.note_header(chinese=self.goal.chinese), "")
        return Row(item, values, source, [note] if note else [])


def _answers(call: Done) -> list[tuple[tuple[str, ...], str]]:
    """The items of each task that a call launched, with the text that came back."""
    text = call.result or ""

    if "items" not in call.arguments:
        return [(understand(str(call.arguments.get("prompt", ""))).shared, text)]

    items = [tuple(str(i).split("\n- ")) for i in call.arguments["items"]]

    try:
        parts = orjson.loads(text)
        texts = [p["text"] if p["ok"] else f"ERROR: {p['text']}" for p in parts]
    except (ValueError, LookupError, TypeError):
        texts = [text if text.startswith("ERROR") else f"ERROR: {text}"] * len(items)

    texts += ["ERROR: no answer came back"] * (len(items) - len(texts))
    return list(zip(items, texts, strict=False))


def _split(items: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """At most `most` groups, in order, whose sizes differ by at most one."""
    number = max(1, min(most, len(items)))
    size, larger = divmod(len(items), number)
    groups: list[tuple[str, ...]] = []
    start = 0

    for place in range(number):
        end = start + size + (place < larger)
        groups.append(tuple(items[start:end]))
        start = end

    return groups
