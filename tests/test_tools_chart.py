"""A chart shows the numbers that it was given, and says so in words."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.chart import COLOUR, MOST_VALUES, chart
from kimi_nb.tools.shipped import shipped

ARGUMENTS = {"kind": "bar", "labels": ["a", "b"], "values": [1, 2], "title": "T", "path": "x.png"}


def draw(folder: Path, **more: Any) -> ToolOutcome:
    context = ToolContext(folder=folder, agent="a1", run="r1")
    arguments = json.dumps({**ARGUMENTS, **more})
    return asyncio.run(Toolset([chart]).call("chart", arguments, context))


def bar_heights(data: bytes) -> list[int]:
    """The pixels from the axis to the top of each run of columns in the colour of bars."""
    pixels = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    colour = [int(COLOUR[place : place + 2], 16) for place in (1, 3, 5)]
    columns = (abs(pixels - colour).sum(axis=2) < 10).sum(axis=0)
    heights: list[int] = []

    for before, now in zip([0, *columns], columns, strict=False):
        if now and not before:
            heights.append(0)

        if now:
            heights[-1] = max(heights[-1], int(now))

    return heights


def test_bars_are_as_high_as_their_values(tmp_path: Path) -> None:
    values = [100.0, 250.0, 50.0, 400.0]
    outcome = draw(tmp_path, labels=list("abcd"), values=values)
    data = (tmp_path / "x.png").read_bytes()
    assert outcome.text == "wrote x.png: bar chart of 4 values"
    assert outcome.images[0].data == data
    heights = bar_heights(data)
    assert len(heights) == 4
    assert [height / heights[3] for height in heights] == pytest.approx(
        [value / 400 for value in values], abs=0.01
    )


def test_a_line_is_no_bar(tmp_path: Path) -> None:
    draw(tmp_path, kind="line", labels=list("abc"), values=[1, 5, 2])
    assert len(bar_heights((tmp_path / "x.png").read_bytes())) == 1


def test_the_file_says_what_it_shows(tmp_path: Path) -> None:
    draw(tmp_path, labels=["$x^2$", "白板"], values=[1.5, -2], title="Costs in $ and $")
    with PIL.Image.open(tmp_path / "x.png") as image:
        about = json.loads(image.info["Description"])

    assert about == {
        "chart": "bar",
        "title": "Costs in $ and $",
        "labels": ["$x^2$", "白板"],
        "values": [1.5, -2],
    }


def test_a_character_that_no_font_has_stops_nothing(tmp_path: Path) -> None:
    assert draw(tmp_path, labels=["\U0001f9ff", "\U00012345"], title="\ue123\n\\frac{").ok


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"path": "x.pdf"}, "does not end in .png"),
        ({"path": "../x.png"}, "leads out of the working folder"),
        ({"values": [1]}, "2 labels and 1 values"),
        ({"labels": [], "values": []}, "0 labels and 0 values"),
        ({"labels": ["a"] * (MOST_VALUES + 1), "values": [1] * (MOST_VALUES + 1)}, "from 1 to 100"),
        ({"values": [1, 1e301]}, "not a finite number"),
        ({"title": "T" * 201}, "more than 200 characters"),
        ({"kind": "pie"}, "'kind'"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    outcome = draw(tmp_path, **more)
    assert not outcome.ok
    assert said in outcome.text
    assert list(tmp_path.iterdir()) == []


def test_values_of_any_size_are_drawn(tmp_path: Path) -> None:
    assert draw(tmp_path, values=[0, 0]).ok
    assert draw(tmp_path, values=[1e299, -1e299]).ok
    assert draw(tmp_path, values=[1e-300, 5e-324]).ok


def test_it_comes_by_its_name() -> None:
    assert shipped("chart").name == "chart"
