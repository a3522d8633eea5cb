"""What the simulator makes out in pictures, beside what they were made of."""

from __future__ import annotations

import base64
import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw, ImageFont
from skimage.measure import label

from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.skills.figure import turn
from kimi_nb.models.simulator.skills.figure.drafts import Look, next_draft
from kimi_nb.models.simulator.skills.figure.letters import read_line
from kimi_nb.models.simulator.skills.figure.shapes import glance, look_closer
from kimi_nb.models.simulator.skills.figure.sight import pixels, thick
from kimi_nb.models.simulator.skills.figure.wish import labels_of, page_for
from kimi_nb.regions import Box, regions

KEYS = arrays(
    np.int8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(-1, 2)
)
TOOLS = frozenset({"list_files", "view_image", "look", "write_file", "read_file", "render"})


@settings(max_examples=200, deadline=None)
@given(KEYS)
def test_regions_are_those_of_scikit_image(keys: np.ndarray) -> None:
    labels = label(keys, background=-1, connectivity=2)
    wanted = []

    for n in range(1, labels.max() + 1):
        rows, columns = (labels == n).nonzero()
        box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        wanted.append((int(keys[rows[0], columns[0]]), len(rows), tuple(map(int, box))))

    found = [(region.key, region.pixels, tuple(region.box)) for region in regions(keys)]
    assert sorted(found) == sorted(wanted)


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_runs_cover_a_region_and_nothing_else(keys: np.ndarray) -> None:
    seen = np.full(keys.shape, -1, dtype=np.int8)

    for region in regions(keys):
        assert region.pixels == sum(right - left for _, left, right in region.runs)
        assert 0 < region.fill <= 1

        for row, left, right in region.runs:
            assert (seen[row, left:right] == -1).all()
            seen[row, left:right] = region.key

    assert (seen == keys).all()


BOXES = st.tuples(*(st.floats(0, 40), st.floats(0, 40), st.floats(1, 40), st.floats(1, 40))).map(
    lambda b: Box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(BOXES, BOXES)
def test_overlap_is_symmetric_and_whole_only_for_the_same(one: Box, two: Box) -> None:
    assert one.overlap(two) == pytest.approx(two.overlap(one))
    assert 0 <= one.overlap(two) <= 1 + 1e-9
    assert one.overlap(one) == pytest.approx(1)


def canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (480, 360), "white")
    return picture, ImageDraw.Draw(picture)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(10, 300),
    st.integers(10, 200),
    st.integers(40, 140),
    st.integers(40, 140),
    st.sampled_from(["rectangle", "circle", "triangle"]),
)
def test_a_shape_is_found_as_what_it_is(
    left: int, top: int, width: int, height: int, kind: str
) -> None:
    picture, draw = canvas()
    right, bottom = left + width - 1, top + height - 1

    match kind:
        case "rectangle":
            draw.rectangle((left, top, right, bottom), fill="#e6194b")
        case "circle":
            draw.ellipse((left, top, right, bottom), fill="#e6194b")
        case _:
            draw.polygon([(left, bottom), (right, bottom), (left + width // 3, top)], "#e6194b")

    target = np.asarray(picture)
    rough = glance(target)
    assert [(shape.kind, shape.colour) for shape in rough.shapes] == [(kind, "#e6194b")]
    whole = Box(left, top, left + width, top + height)
    assert rough.shapes[0].box.overlap(whole) > 0.6
    exact = look_closer(rough, target, (target < 255).any(axis=2)).shapes
    assert [(shape.kind, shape.colour) for shape in exact] == [(kind, "#e6194b")]
    assert exact[0].box.overlap(whole) > 0.93


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 200), st.integers(20, 150), st.integers(60, 200), st.integers(-120, 120))
def test_a_line_is_no_shape_and_ends_where_it_ends(x: int, y: int, dx: int, dy: int) -> None:
    y += 130 if dy < 0 else 0
    picture, draw = canvas()
    draw.line((x, y, x + dx, y + dy), fill="#4363d8", width=6)
    target = np.asarray(picture)
    assert glance(target).shapes == () or thick_enough(target)
    (line,) = look_closer(glance(target), target, (target < 255).any(axis=2)).shapes
    assert line.kind == "line"
    ends = sorted(line.points)
    assert np.hypot(*np.subtract(ends[0], (x, y))) < 7
    assert np.hypot(*np.subtract(ends[-1], (x + dx, y + dy))) < 7


def thick_enough(target: np.ndarray) -> bool:
    """Whether every fourth pixel alone would make it look like more than a line."""
    small = (target[2::4, 2::4] < 255).any(axis=2)
    return any(thick(region, 1) for region in regions(np.where(small, 1, -1)))


def printed(text: str, size: int) -> np.ndarray:
    """The ink of a line of text, cropped to it."""
    font = ImageFont.truetype(f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
    picture = Image.new("L", (300, 60))
    ImageDraw.Draw(picture).text((10, 10), text, font=font, fill=255)
    ink = np.asarray(picture, dtype=np.float32) / 255
    rows, columns = (np.flatnonzero((ink > 0.3).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_text_is_read_with_few_mistakes() -> None:
    texts = ["Basalt", "608", "Garnet", "3.5", "Quartz", "Meadow", "-20", "Pebble", "140"]
    sizes = [14, 15, 16, 18, 22, 30]
    wrong = 0

    for text in texts:
        for size in sizes:
            line = read_line(printed(text, size))
            assert line is not None
            assert abs(line.size - size) <= 2
            assert len(line.text) == len(text)
            wrong += sum(a != b for a, b in zip(line.text.replace("−", "-"), text, strict=True))

    assert wrong <= 0.03 * sum(map(len, texts)) * len(sizes)


def test_noise_is_no_text() -> None:
    noise = np.random.default_rng(0).random((14, 60)).astype(np.float32)
    assert read_line(noise) is None


def url(array: np.ndarray) -> str:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def test_pixels_come_back_and_rubbish_does_not() -> None:
    array = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    found = pixels(url(array))
    assert found is not None
    assert (found == array).all()
    assert pixels("data:image/png;base64,AAAA") is None
    assert pixels("ms://a-file") is None


def test_a_draft_that_is_right_is_left_alone() -> None:
    picture, draw = canvas()
    draw.rectangle((50, 60, 150, 160), fill="#911eb4")
    target = np.asarray(picture)
    first = next_draft(target, [], page=False)
    assert "Rectangle" in first
    assert next_draft(target, [], page=False) == first
    same = Look(target, np.zeros_like(target))
    assert next_draft(target, [same], page=False) == ""
    blank = np.full_like(target, 255)
    second = next_draft(target, [Look(blank, blank - target)], page=False)
    assert "Rectangle((50, 60), 101, 101" in second


def test_sentences_become_pages_and_others_do_not() -> None:
    page = page_for(
        'A red button labelled "Go" that counts its clicks in the box with id n, from 3.'
    )
    assert labels_of(page) == ["Go"]
    assert '<output id="n">3</output>' in page
    assert (
        page_for("一个写着“Go”的红色按钮，它在下方 id 为 n 的框里数自己被点击的次数，从 3 开始。")
        == page
    )
    assert page_for("Draw me a sheep.") == ""


def test_what_a_sentence_quotes_stays_text() -> None:
    page = page_for(
        'A text field with id a and a red button labelled "<b>&": a click writes '
        '"</script><script>x()", a space and the text of the field into the box with id c.'
    )
    assert labels_of(page) == ["<b>&"]
    assert page.count("<script>") == 1


def past(goal: str, *done: Done) -> Past:
    return Past(system="", goal=goal, done=done, turns=len(done), calls=len(done))


GOAL = "Turn each of these targets into code.\n- figure-01.png → figure-01.py\n"


def test_a_picture_that_was_forgotten_is_looked_at_again_and_then_given_up() -> None:
    lost = Done("view_image", {"path": "figure-01.png"}, None, 0)
    again = turn(past(GOAL, lost), TOOLS, Options())
    assert again is not None
    assert [call.name for call in again.calls] == ["view_image"]
    end = turn(past(GOAL, lost, lost), TOOLS, Options())
    assert end is not None
    assert not end.calls
    assert "failed" in end.text


def test_a_drawing_that_is_no_longer_there_is_said() -> None:
    picture, draw = canvas()
    draw.rectangle((50, 60, 150, 160), fill="#911eb4")
    seen = Done("view_image", {"path": "figure-01.png"}, "", 0, (url(np.asarray(picture)),))
    wrote = Done("write_file", {"path": "figure-01.py", "text": "x"}, "wrote", 1)
    looked = Done("look", {"path": "figure-01.py"}, None, 2)
    end = turn(past(GOAL, seen, wrote, looked), TOOLS, Options())
    assert end is not None
    assert "no longer there" in end.text


def test_a_page_that_failed_is_tried_once_more_and_the_reason_is_told() -> None:
    goal = "Turn each of these targets into code.\n- page-01.txt → page-01.html\n"
    wrote = Done("write_file", {"path": "page-01.html", "text": "<p>"}, "wrote", 0)
    result = "page-01.html: 480×360\naction 1, click #a: Timeout 2000ms exceeded."
    failed = Done("render", {"path": "page-01.html"}, result, 1)
    again = turn(past(goal, wrote, failed), TOOLS, Options())
    assert again is not None
    assert [call.name for call in again.calls] == ["render"]
    end = turn(past(goal, wrote, failed, failed), TOOLS, Options())
    assert end is not None
    assert "failed: action 1" in end.text


def test_other_goals_are_none_of_its_business() -> None:
    assert turn(past("Count the words of each file in notes/."), TOOLS, Options()) is None


def test_the_skill_can_be_imported_without_the_libraries_and_says_what_is_missing() -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'PIL', 'matplotlib'): sys.modules[name] = None\n"
        "import importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'numpy' else real(name, *a)\n"
        "from kimi_nb.models.simulator.skills import figure\n"
        "from kimi_nb.models.simulator.memory import Past\n"
        f"past = Past(system='', goal={GOAL!r}, done=(), turns=0, calls=0)\n"
        f"print(figure.turn(past, frozenset({sorted(TOOLS)!r}), None).text)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "numpy is missing; pip install 'kimi-nb[images]'" in done.stdout
