"""A diagnosis on a page, and in the few lines that fit under a run."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_nb.views.diagnosis.findings import KINDS, Diagnosis, Finding
from kimi_nb.views.text import escape, one_line
from kimi_nb.views.words import count, seconds

__all__ = ["advice_html", "advice_lines"]

NUMBERS = 8
"""Record numbers that are shown of a finding."""
MORE = "kn.diagnose(run) has all of it: advice, costs and the records that prove it"


def advice_lines(found: Diagnosis, most: int = 3) -> list[str]:
    """The costliest findings, a line of text each, and where to see more. Or nothing."""
    lines = [one_line(f"{one.kind} ({one.cost}): {one.what}") for one in found[:most]]

    more = f"… and {count(len(found) - most, 'more finding')}; " if len(found) > most else ""
    return [*lines, more + MORE] if lines else []


def advice_html(found: Diagnosis) -> str:
    """All findings as a table: what was lost, what to change, the cost, the evidence."""
    if not found:
        so_far = " so far" if found.running else ""
        return f"<p>No finding{so_far}: looked for {', '.join(KINDS)}.</p>"

    heads = "".join(
        f'<th scope="col" class="n">{name}</th>' for name in ("steps", "time", "tokens")
    )
    rows = "".join(_row(one) for one in found)
    return (
        '<p class="note">The most costly first; each cost is what a change could save.</p>'
        '<table class="findings"><thead><tr><th scope="col">finding</th>'
        f'<th scope="col">what was seen → what to change</th>{heads}'
        f'<th scope="col">records</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(one: Finding) -> str:
    cost = one.cost
    costs = (
        "–" if cost.steps is None else f"{cost.steps:,}",
        "–" if cost.seconds is None else seconds(cost.seconds),
        "–" if cost.tokens is None else f"{cost.tokens:,}",
    )
    numbers = "".join(f'<td class="n">{number}</td>' for number in costs)
    what, advice = (escape(one_line(text)) for text in (one.what, one.advice))
    return (
        f'<tr><th scope="row">{escape(one.kind)}</th><td>{what}<br>→ {advice}</td>{numbers}'
        f"<td>{_records(one.records)}</td></tr>"
    )


def _records(records: Sequence[int]) -> str:
    shown = ", ".join(f"{number}" for number in records[:NUMBERS])
    more = len(records) - NUMBERS
    return f"{shown} and {more} more" if more > 0 else shown
