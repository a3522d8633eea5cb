"""A prediction without a widget: as text, and as an escaped picture without script."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import cast

from kimi_nb.teach.asked import Points
from kimi_nb.teach.curve import COLUMNS, Curve, binned, steps
from kimi_nb.teach.predict import Asked, Locked, Outcome, clock
from kimi_nb.teach.words import said as say
from kimi_nb.views.html.charts import Axis, chart, plot, ruler, time_axis
from kimi_nb.views.text import escape, fit

__all__ = ["guess_html", "guess_text", "said_when"]

BLOCKS = " ▁▂▃▄▅▆▇█"
STYLE = """
.knp-twin { --call: #4a8fd6; --crit: #cf7a10; line-height: 1.45; max-width: 760px;
  font-size: var(--jp-ui-font-size1, 14px); }
.knp-twin.knp-twin p { margin: .3em 0; }
.knp-twin .question { font-weight: 600; }
.knp-twin .note { opacity: .8; font-size: .92em; }
.knp-twin .chart { display: block; overflow: visible; width: calc(100% - 4em);
  margin: 2.4em 0 3em 3em; }
.knp-twin .chart text { font-size: 11.5px; fill: currentColor; }
.knp-twin .middle { text-anchor: middle; }
.knp-twin .end { text-anchor: end; }
.knp-twin .grid { stroke: currentColor; opacity: .2; }
.knp-twin path { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
.knp-twin .said { stroke: var(--call); stroke-dasharray: 6 4; }
.knp-twin .true { stroke: var(--crit); }
"""


def said_when(asked: Asked, locked: Locked) -> str:
    """A locked prediction in words, and when it was locked."""
    return say("said when", said=asked.kind.said(locked.value), when=clock(locked.at))


def guess_text(
    asked: Asked, locked: Locked | None, found: Outcome | None, earlier: Sequence[Locked]
) -> str:
    """Question, prediction, truth and distance in lines of text."""
    lines = [say("prediction", question=asked.question), *_strips(asked, locked, found)]
    return "\n".join([*lines, *_lines(asked, locked, found, earlier)])


def guess_html(
    asked: Asked, locked: Locked | None, found: Outcome | None, earlier: Sequence[Locked]
) -> str:
    """The same as a fragment of HTML, a curve as a drawing."""
    first, *rest = (escape(line) for line in _lines(asked, locked, found, earlier))
    told = f"<p>{first}</p>" + "".join(f'<p class="note">{line}</p>' for line in rest)
    question = escape(say("prediction", question=asked.question))
    drawn = _chart(asked.kind, locked, found) if isinstance(asked.kind, Curve) and locked else ""
    return (
        f'<div class="knp-twin"><style>{STYLE}</style>'
        f'<p class="question">{question}</p>{drawn}{told}</div>'
    )


def _lines(
    asked: Asked, locked: Locked | None, found: Outcome | None, earlier: Sequence[Locked]
) -> list[str]:
    before = [say("earlier", said=said_when(asked, other)) for other in earlier]

    if locked is None:
        return [say("open", example=asked.kind.example), *before]

    if found is None:
        return [say("locked", said=said_when(asked, locked)), *before]

    return [found.words, say("when", when=clock(locked.at)), *found.notes, *before]


def _strips(asked: Asked, locked: Locked | None, found: Outcome | None) -> list[str]:
    """Drawn and true curve as blocks, one column each part of the time, in one scale."""
    if not isinstance(asked.kind, Curve) or locked is None:
        return []

    curves = _curves(asked.kind, locked, found)
    longest = max(points[-1][0] for _, points in curves)
    means = [(name, binned(points, longest, COLUMNS)) for name, points in curves]
    top = max(max(column) for _, column in means) or 1.0
    return [f"{fit(name, 9)} {_blocks(column, top)}" for name, column in means]


def _blocks(column: Sequence[float], top: float) -> str:
    return "".join(BLOCKS[min(ceil(round(8 * mean / top, 6)), 8)] for mean in column)


def _curves(kind: Curve, locked: Locked, found: Outcome | None) -> list[tuple[str, Points]]:
    drawn = [(say("you said"), kind.ended(cast("Points", locked.value)))]
    true = found.truth if found and isinstance(found.truth, tuple) else None
    return drawn if true is None else [*drawn, (say("it was"), true)]


def _chart(kind: Curve, locked: Locked, found: Outcome | None) -> str:
    curves = _curves(kind, locked, found)
    longest = max(kind.end, *(points[-1][0] for _, points in curves))
    most = max(n for _, points in curves for _, n in points) if found else kind.agents
    x = time_axis(longest) if kind.seconds else _shares()
    y = ruler(most * 1.05, say("at work"), most=5, whole=True)
    classes = ("said", "true")
    body = "".join(
        plot(name, _corners(steps(points)), x, y)
        for name, (_, points) in zip(classes, curves, strict=False)
    )
    words = say("over time", words=found.words if found else kind.said(curves[0][1]))
    legend = f'<p class="note">{say("legend" if found else "dashed")}</p>'
    return chart(words, x, y, body) + legend


def _shares() -> Axis:
    ticks = tuple((tenth / 5, f"{tenth * 20}%") for tenth in range(6))
    return Axis(1.0, say("share"), ticks)


def _corners(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A curve of steps as the corners of a line."""
    line: list[tuple[float, float]] = []

    for t, number in points:
        if line:
            line.append((t, line[-1][1]))

        line.append((t, number))

    return line
