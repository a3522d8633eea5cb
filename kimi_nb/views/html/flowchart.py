"""The graph of a run as a picture: its stages from left to right, who launched whom, who waited.

The stages of an orchestrator are pictures side by side, so that a narrow page breaks them into
lines as it breaks words. The levels of a plan are one picture, since arrows join any two of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kimi_nb.views.html.charts import figure, table
from kimi_nb.views.html.stages import Box, Column, columns
from kimi_nb.views.measures import Measures
from kimi_nb.views.state import Run
from kimi_nb.views.text import escape, fit
from kimi_nb.views.words import count, label, percent, seconds

__all__ = ["flowchart_html"]

PITCH = 208
"""Width of a stage."""
LEFT, RIGHT = 18, 192
"""Edges of the box of a turn."""
INDENT = 34
"""Left edge of a sub-agent's box under it."""
TRUNK, RETURN = 25, 200
"""Where the lines that launch and those that come back run."""
LINE, PAD, GAP = 14, 5, 8
CHARACTERS = {"main": 24, "sub": 22}
SMALL = ' class="unit"'
LINKS = 100
"""Rows of the table of the longest chain at most."""


class Placed(NamedTuple):
    """A box with its place in its picture."""

    box: Box
    x: int
    y: int
    width: int

    @property
    def height(self) -> int:
        return LINE * len(self.box.lines) + 2 * PAD

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


def flowchart_html(run: Run, found: Measures) -> str:
    """The picture with what it says, and the longest chain as a table."""
    if not run.stages:
        return '<p class="note">No agent has begun a step.</p>'

    drawn = columns(run, found)
    sentence = _read(run, found)
    parts = _swarm(drawn) if drawn[0].head else [_plan(run, drawn)]
    said = escape(f"Graph of the run. {sentence}")
    picture = f'<div class="flow" role="img" aria-label="{said}">{"".join(parts)}</div>'
    chain = found.seconds.chain
    rows = [_link(run, link.node, link.agent, link.amount, link.share) for link in chain[:LINKS]]
    more = len(chain) - len(rows)
    note = f'<p class="note">… and {count(more, "task")} more</p>' if more else ""
    heads = ("task", "agent", "n time", "n share of the span")
    return figure(sentence, picture, "The longest chain, task by task", table(heads, rows) + note)


def _read(run: Run, found: Measures) -> str:
    measured = found.seconds
    turns = sum(1 for stage in run.stages.values() if stage.parent)
    subs = len(run.sub_agents())
    what = " and ".join(
        count(number, noun) for number, noun in ((turns, "turn"), (subs, "sub-agent")) if number
    )
    widest = max(len(stage.sub_agents) for stage in run.stages.values())
    wide = f", at most {widest:,} side by side" if subs else ""
    share = measured.span / measured.work if measured.work else 0.0
    return (
        f"{what}{wide}. Thick and called critical is the longest chain of work: "
        f"{count(len(measured.chain), 'task')} with {seconds(measured.span)}, {percent(share)} of "
        "all work. Only shortening these makes the span shorter."
    )


def _link(run: Run, node: str, agent: str, amount: float, share: float) -> tuple[str, ...]:
    turn = node.partition("/")[2]
    name = label(run.agents[agent])
    return (f"{agent} turn {turn}" if turn else agent, name, seconds(amount), f"{share:.1%}")


# A swarm or a single agent: a picture for each stage.


def _swarm(drawn: list[Column]) -> list[str]:
    parts: list[str] = []
    came = ""

    for column, after in zip(drawn, [*drawn[1:], None], strict=True):
        goes = "" if after is None else _edge(critical=bool(after.head and after.head.critical))
        parts.append(_stage(column, came, goes))
        came = goes

    return parts


def _edge(*, critical: bool) -> str:
    return "edge critical" if critical else "edge"


def _stage(column: Column, came: str, goes: str) -> str:
    """`came` and `goes` are the kinds of the lines from the turn before and to the next."""
    head = Placed(column.head or Box((), ()), LEFT, 3, RIGHT - LEFT)
    subs = _under(column.boxes, head.y + head.height + 2 * GAP, INDENT, RIGHT - INDENT)
    wire = head.y + LINE + PAD
    lines = [_arrow(came, f"M0 {wire}", LEFT, wire)] if came else []
    on_chain = any(sub.box.critical for sub in subs)

    for sub in sorted(subs, key=lambda sub: sub.box.critical):  # thick lines over thin ones
        kind = _edge(critical=sub.box.critical and head.box.critical)
        lines.append(
            _arrow(kind, f"M{TRUNK} {head.y + head.height}V{sub.middle}", INDENT, sub.middle)
        )

        if goes:
            kind = goes if sub.box.critical else "edge"
            lines.append(_line(kind, f"M{RIGHT} {sub.middle}H{RETURN}V{wire}"))

    if goes:
        own = goes if head.box.critical and not on_chain else "edge"
        lines.append(_line(own, f"M{RIGHT} {wire}H{RETURN}"))
        lines.append(_line(goes, f"M{RETURN} {wire}H{PITCH}"))

    height = max(place.y + place.height for place in (head, *subs)) + 2 * GAP
    boxes = _drawn(head, "main") + "".join(_drawn(sub, "sub") for sub in subs)
    return f'<svg width="{PITCH}" height="{height}">{"".join(lines)}{boxes}</svg>'


def _under(boxes: Iterable[Box], y: int, x: int, width: int) -> list[Placed]:
    placed: list[Placed] = []

    for box in boxes:
        placed.append(Placed(box, x, y, width))
        y += placed[-1].height + GAP

    return placed


def _line(kind: str, path: str) -> str:
    return f'<path class="{kind}" d="{path}"/>'


def _arrow(kind: str, path: str, x: int, y: int) -> str:
    """A line that goes on straight to the right and points there."""
    return f'{_line(kind, f"{path}H{x - 4}")}<path class="tip" d="M{x - 7} {y - 4}l7 4l-7 4z"/>'


def _drawn(place: Placed, kind: str) -> str:
    box = place.box
    style = f"box {kind}{' stack' * box.stack}{' critical' * box.critical}"
    size = f'width="{place.width}" height="{place.height}"'
    words = "".join(
        f'<text x="6" y="{PAD + LINE - 4 + i * LINE}"{SMALL if i else ""}>'
        f"{escape(fit(line, CHARACTERS[kind]).rstrip())}</text>"
        for i, line in enumerate(box.lines)
    )
    title = f"<title>{escape(box.about[:200])}</title>" if box.about else ""
    behind = f'<rect class="box" x="{place.x + 4}" y="{place.y + 4}" {size}/>' if box.stack else ""
    rect = f'<rect class="{style}" x="{place.x}" y="{place.y}" {size}/>'
    return f'{behind}{rect}<svg x="{place.x}" y="{place.y}" {size}>{title}{words}</svg>'


# A plan: one picture.


def _plan(run: Run, drawn: list[Column]) -> str:
    step = RIGHT - INDENT + 56
    levels = [_under(c.boxes, 3, i * step + 3, RIGHT - INDENT) for i, c in enumerate(drawn)]
    at = {name: place for level in levels for place in level for name in place.box.ids}
    pairs = {
        (at[before], at[agent.id]): None
        for agent in run.agents.values()
        for before in agent.after
        if at[before] is not at[agent.id]
    }
    thick = sorted(pairs, key=lambda pair: pair[0].box.critical and pair[1].box.critical)
    arrows = "".join(_curve(*pair) for pair in thick)
    boxes = "".join(_drawn(place, "sub") for level in levels for place in level)
    height = max(place.y + place.height for level in levels for place in level) + GAP
    width = step * len(levels) - 50
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f"<svg {size}>{arrows}{boxes}</svg>"


def _curve(before: Placed, after: Placed) -> str:
    x, y = before.x + before.width, before.middle
    end, to = after.x - 5, after.middle
    kind = _edge(critical=before.box.critical and after.box.critical)
    path = f"M{x} {y}C{x + 28} {y} {end - 28} {to} {end} {to}"
    return f'{_line(kind, path)}<path class="tip" d="M{end - 2} {to - 4}l7 4l-7 4z"/>'
