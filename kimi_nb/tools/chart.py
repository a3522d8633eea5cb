"""A tool that draws a chart of numbers: no code, so nothing to lock in."""

from __future__ import annotations

import functools
import io
import json
import logging
import math
import textwrap
import threading
import warnings
from collections.abc import Sequence
from typing import Any, Literal

from kimi_nb.errors import ToolError
from kimi_nb.tools.base import ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.image import Image

__all__ = ["COLOUR", "MOST_VALUES", "chart"]

MOST_VALUES = 100
LONGEST = 200
"""Characters of a title or label."""
COLOUR = "#1f77b4"
_FONTS = ["DejaVu Sans", "Noto Sans CJK SC", "PingFang SC", "WenQuanYi Zen Hei", "SimHei"]
"""The first always comes with matplotlib; the others have Chinese, if they are there."""


@tool
def chart(
    context: ToolContext,
    kind: Literal["bar", "line"],
    labels: list[str],
    values: list[float],
    title: str,
    path: str,
) -> list[str | Image]:
    """Draw numbers as a chart, write it as a PNG file, and look at it.

    Args:
        kind: bar or line.
        labels: What stands below each value.
        values: One number for each label.
        title: What is shown, and its unit.
        path: The file, from the working folder; it ends in .png.
    """
    _check(labels, values, title, path)
    data = _drawn(kind, labels, values, title)

    with Folder(context.folder) as root:
        root.write(root.parts(path), data)

    return [f"wrote {path}: {kind} chart of {len(values)} values", Image(data)]


def _check(labels: Sequence[str], values: Sequence[float], title: str, path: str) -> None:
    if not path.lower().endswith(".png"):
        raise ToolError(f"{path!r} does not end in .png; the chart is a PNG file")

    if len(labels) != len(values) or not 1 <= len(values) <= MOST_VALUES:
        raise ToolError(
            f"{len(labels)} labels and {len(values)} values; give as many labels as values, from "
            f"1 to {MOST_VALUES}"
        )

    if not all(math.isfinite(value) and abs(value) < 1e300 for value in values):
        raise ToolError("a value is not a finite number; leave it out, with its label")

    if max(map(len, [title, *labels])) > LONGEST:
        raise ToolError(f"the title or a label has more than {LONGEST} characters; shorten it")


def _drawn(kind: str, labels: Sequence[str], values: Sequence[float], title: str) -> bytes:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ToolError(
            "charts cannot be drawn here: matplotlib is missing; "
            "install it with: pip install 'kimi-nb[images]'"
        ) from error

    out = io.BytesIO()
    # What was drawn, in words: for who cannot see it, and for programs.
    about = {"chart": kind, "title": title, "labels": [*labels], "values": [*values]}
    notes = {"Title": _latin(title), "Description": json.dumps(about), "Software": None}

    style: Any = {"font.family": _FONTS, "text.parse_math": False}
    figure: Any

    with _alone(), mpl.rc_context(style), warnings.catch_warnings():  # pyright: ignore[reportUnknownMemberType]
        warnings.simplefilter("ignore")  # a character that no font here has is drawn as a box
        figure = Figure(figsize=(max(6.0, min(0.5 * len(labels), 24.0)), 4.5), layout="tight")
        _plot(figure.add_subplot(), kind, labels, values)
        figure.suptitle(textwrap.fill(title, 60))
        figure.savefig(out, format="png", dpi=100, metadata=notes)

    return out.getvalue()


def _plot(axes: Any, kind: str, labels: Sequence[str], values: Sequence[float]) -> None:
    places = range(len(values))

    if kind == "bar":
        axes.bar(places, values, color=COLOUR)
    else:
        axes.plot(places, values, color=COLOUR, marker="o")

    many = len(labels) > 6
    turned = {"rotation": 45, "ha": "right"} if many else {}
    axes.set_xticks(places, labels, **turned)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")


@functools.cache
def _quiet() -> None:
    logging.getLogger("matplotlib.font_manager").addFilter(
        lambda record: "not found" not in record.getMessage()
    )


@functools.cache
def _lock() -> threading.Lock:
    return threading.Lock()


def _alone() -> threading.Lock:
    """Matplotlib draws in one thread at a time."""
    _quiet()
    return _lock()
