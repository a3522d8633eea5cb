"""The report: totals, figures, the table, and the answer that names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.memory import Done
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.skills.office.desk import HEADERS, Desk, Facts
from kimi_nb.models.simulator.skills.office.task import Figure
from kimi_nb.models.simulator.tables import write_table

__all__ = ["Report"]


class Report:
    """What is made of all that was read."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.task = desk.task

    @cached_property
    def facts(self) -> Facts:
        """Those of the files."""
        return self.desk.facts

    def turn(self) -> Turn:
        """Draw, then write, then answer."""
        drawn, written = self._made("chart"), self._made("write_file")

        if not self.desk.files:
            return self._answer("There are no such files in the folder.")

        if not drawn and (calls := tuple(self._charts())):
            return Turn(thinking="All files are read. Draw the figures.", calls=calls)

        if not written:
            shown = [f"{done.arguments['path']}" for done in drawn if done.images]
            call = Call("write_file", {"path": self.task.report, "text": self._text(shown)})
            return Turn(thinking="Write the report.", calls=(call,))

        if (written[-1].result or "").startswith("ERROR"):
            return self._answer(f"The report could not be written: {written[-1].result}")

        return self._answer(
            f"{self.task.report} has {len(self.facts)} facts of {len(self.desk.files)} files."
        )

    def _made(self, name: str) -> list[Done]:
        return [done for done in self.desk.past.done if done.name == name]

    def _answer(self, said: str) -> Turn:
        totals = write_table(HEADERS, self._totals()) if self.desk.files else ""
        signature = phrases.signature(chinese=False)
        return Turn(text="\n\n".join(filter(None, [said, self._missing(), totals, signature])))

    def _missing(self) -> str:
        lost = [
            f"{name} of {file}"
            for file in self.desk.files
            for name in self.task.wanted(file)
            if (file, name) not in self.facts
        ]
        shown = ", ".join(lost[:10]) + (f" and {len(lost) - 10} more" if len(lost) > 10 else "")
        return f"Not found, and left out: {shown}." if lost else ""

    def _text(self, shown: Sequence[str]) -> str:
        figures = [f"![{path}]({path})" for path in shown]
        rows = [(*key, value) for key, value in sorted(self.facts.items())]
        table = write_table(HEADERS, [*self._totals(), *rows])
        parts = ["# Report", self._missing(), *figures, table, phrases.signature(chinese=False)]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _totals(self) -> list[tuple[str, str, str]]:
        """Without sums of which a part is missing."""
        task = self.task
        found = [(task.total, name, self._sum(name)) for name in task.sums]

        if task.best is not None:
            name, group, fact = task.best
            figure = next((each for each in task.figures if each.group == group), None)
            bars = self._bars(figure) if figure and figure.fact == fact else {}
            found.append((task.total, name, max(bars, key=bars.__getitem__) if bars else ""))

        return [row for row in found if row[2]]

    def _sum(self, name: str) -> str:
        files = [file for file in self.desk.files if name in self.task.wanted(file)]
        values = [self.facts.get((file, name), "") for file in files]

        if not all(values):
            return ""

        total = sum(map(_hundredths, values))
        return f"{total / 100:.2f}" if any("." in value for value in values) else f"{total // 100}"

    def _charts(self) -> list[Call]:
        made = [(figure, self._bars(figure)) for figure in self.task.figures]
        return [Call("chart", _chart(figure, bars)) for figure, bars in made if bars]

    def _bars(self, figure: Figure) -> dict[str, int]:
        """Sums in hundredths by the first word of the files' names."""
        bars: Counter[str] = Counter()

        for (file, name), value in sorted(self.facts.items()):
            folder, _, rest = file.partition("/")

            if folder == figure.folder and name == figure.fact:
                bars[rest.partition("-")[0]] += _hundredths(value)

        return dict(bars)


def _chart(figure: Figure, bars: dict[str, int]) -> dict[str, object]:
    return {
        "kind": "bar",
        "labels": list(bars),
        "values": [value / 100 for value in bars.values()],
        "title": f"{figure.fact.capitalize()} of each {figure.group} in EUR",
        "path": figure.path,
    }


def _hundredths(value: str) -> int:
    try:
        return round(100 * float(value))
    except ValueError:
        return 0
