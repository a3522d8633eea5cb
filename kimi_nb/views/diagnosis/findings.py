"""What a diagnosis consists of: findings, each with its evidence, its cost and its advice."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args, overload

from kimi_nb.views.text import fit, one_line
from kimi_nb.views.words import SIMULATOR, count, seconds, short

__all__ = [
    "KINDS",
    "MOST_RECORDS",
    "NOTHING",
    "Cost",
    "Diagnosis",
    "Finding",
    "Kind",
    "evidence",
    "listed",
    "quote",
]

Kind = Literal[
    "serial collapse",
    "spurious parallelism",
    "straggler",
    "imbalance",
    "orchestrator-bound",
    "limiter-bound",
    "context overflow",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_RECORDS = 100
"""Records that a finding names: more are no better evidence."""
MOST_NAMED = 4
"""Agents that a sentence names."""
QUOTED = 40
"""Columns of a name or a sentence of a model that go into a sentence of ours."""
COLUMNS = 100


class Cost(NamedTuple):
    """What would be saved, in each currency by itself; None is unknown, or nothing."""

    steps: int | None = None
    """Steps of the critical path, or of the agents in question where the finding says so."""
    seconds: float | None = None
    tokens: int | None = None

    def __str__(self) -> str:
        steps = "" if self.steps is None else count(self.steps, "step")
        time = "" if self.seconds is None else seconds(self.seconds)
        tokens = "" if self.tokens is None else f"{short(self.tokens)} tokens"
        return ", ".join(filter(None, (steps, time, tokens))) or "unknown"


NOTHING = Cost()


class Finding(NamedTuple):
    """One thing that cost something, and what to change."""

    kind: Kind
    agents: tuple[str, ...]
    """Ids of those that it is about."""
    records: tuple[int, ...]
    """Numbers of the records that are the evidence, sorted; never empty."""
    cost: Cost
    what: str
    """One sentence with the figures."""
    advice: str
    """One sentence: what to change."""

    def as_row(self) -> dict[str, Any]:
        """As a JSON object."""
        row = self._asdict()
        return row | {
            "agents": list(self.agents),
            "records": list(self.records),
            "cost": self.cost._asdict(),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis(Sequence[Finding]):
    """The findings about a run, the most costly first.

    By their largest share: of the run's wall time, of its steps or of its tokens.
    """

    findings: tuple[Finding, ...] = ()
    running: bool = False
    """The run has not ended: more may be found later."""
    simulated: bool = False
    """No language model took part: what was slow or long here says nothing about a model."""

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return self.findings[index]

    def __len__(self) -> int:
        return len(self.findings)

    def as_rows(self) -> list[dict[str, Any]]:
        """The findings as JSON objects."""
        return [finding.as_row() for finding in self.findings]

    def __repr__(self) -> str:
        so_far = " so far" if self.running else ""
        mark = [SIMULATOR] if self.simulated else []

        if not self.findings:
            head = f"No finding{so_far}: looked for {', '.join(KINDS)}."
            return "\n".join([*textwrap.wrap(head, COLUMNS, break_on_hyphens=False), *mark])

        head = f"{count(len(self.findings), 'finding')}{so_far}, the most costly first"
        told = (_lines(i, finding) for i, finding in enumerate(self.findings, start=1))
        return "\n".join([head, *told, *mark])


def _lines(number: int, finding: Finding) -> str:
    head = f"{number}. {finding.kind} · cost: {finding.cost}"
    body = [finding.what, f"→ {finding.advice}", f"records {_numbers(finding.records)}"]
    wrapped = (textwrap.wrap(one_line(text), COLUMNS - 3, break_on_hyphens=False) for text in body)
    return "\n".join([head, *("   " + line for lines in wrapped for line in lines)])


def _numbers(records: Sequence[int]) -> str:
    shown = ", ".join(map(str, records[:8]))
    return shown + (f" and {len(records) - 8} more" if len(records) > 8 else "")


def evidence(records: Iterable[int]) -> tuple[int, ...]:
    """Record numbers as a finding has them: sorted, each once, not too many."""
    return tuple(sorted(set(records))[:MOST_RECORDS])


def listed(agents: Sequence[str]) -> str:
    """Agents by id, as "a01, a02 and 7 more"."""
    shown = [quote(agent) for agent in agents[:MOST_NAMED]]
    rest = len(agents) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def quote(text: str) -> str:
    """Text of a model, clean and short enough to stand in a sentence."""
    return fit(text, QUOTED).rstrip()
