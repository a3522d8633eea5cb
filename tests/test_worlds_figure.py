"""The world of figures: its tasks, its grader, and what does not count."""

from __future__ import annotations

import asyncio
import base64
import io
import random
import runpy
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image, ImageDraw

import kimi_nb as kn
from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.models.simulator.local import Simulator
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.skills.figure.drafts import Look, next_draft
from kimi_nb.models.simulator.skills.figure.wish import page_for
from kimi_nb.regions import Box
from kimi_nb.tools import native
from kimi_nb.tools.base import ToolContext
from kimi_nb.worlds import figures
from kimi_nb.worlds.figures import wishes
from kimi_nb.worlds.figures.allowed import refused_code, refused_page
from kimi_nb.worlds.figures.browser import in_browser, photographed
from kimi_nb.worlds.figures.drawn import drawn
from kimi_nb.worlds.figures.grading import grade, marks, pixels_of
from kimi_nb.worlds.figures.look import look_tool
from kimi_nb.worlds.figures.mockups import Mockup
from kimi_nb.worlds.figures.objects import score
from kimi_nb.worlds.figures.similarity import likeness
from kimi_nb.worlds.figures.tasks import Task, tasks
from kimi_nb.worlds.figures.things import Thing
from kimi_nb.worlds.figures.trial import tried
from kimi_nb.worlds.figures.wishes import Wish

sandboxed = pytest.mark.skipif(bool(native.available()), reason=native.available() or "-")
browsing = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    reason="there is no Chromium; apt install chromium",
)
pytestmark = pytest.mark.timeout(240)  # a browser, and many drawings
BLANK = "import matplotlib.pyplot as plt\nplt.figure(figsize=(4.8, 3.6))\n"


def pictures(number: int, seed: int = 3) -> list[Task]:
    """The drawings and charts of a world."""
    return [task for task in tasks(number, seed) if task.wanted.endswith(".py")]


def test_the_same_seed_is_the_same_world_and_a_larger_one_begins_alike() -> None:
    assert tasks(12, 5) == tasks(12, 5)
    assert tasks(12, 5) == tasks(30, 5)[:12]
    assert tasks(12, 5) != tasks(12, 6)
    names = [task.target for task in tasks(300, 5)]
    assert len(set(names)) == 300

    for begin in range(0, 30, 3):
        trio = tasks(30, 5)[begin : begin + 3]
        assert sorted(task.target.split("-")[0] for task in trio) == ["figure", "page", "page"]
        assert sum(isinstance(task.truth, Wish) for task in trio) == 1


def test_every_target_has_the_objects_of_its_truth() -> None:
    for task in pictures(60):
        assert not isinstance(task.truth, Wish)
        target = pixels_of(task.truth.paint())
        things = task.truth.things()
        found = score(target, things)
        assert (found.wanted, found.drawn, found.right) == (len(things),) * 3, task.target
        assert score(np.full_like(target, 255), things).f1 == 0


RED = Thing(kind="rectangle", colour="#e6194b", box=Box(50, 60, 150, 160))
GREEN = Thing(kind="circle", colour="#4b7f00", box=Box(200, 60, 300, 160), fill=np.pi / 4)


def picture(*shapes: tuple[str, str, tuple[int, int, int, int]]) -> np.ndarray:
    image = Image.new("RGB", (480, 360), "white")
    draw = ImageDraw.Draw(image)

    for kind, colour, box in shapes:
        (draw.ellipse if kind == "circle" else draw.rectangle)(box, fill=colour)

    return np.asarray(image)


SQUARE, DISC = (
    ("rectangle", "#e6194b", (50, 60, 149, 159)),
    ("circle", "#4b7f00", (200, 60, 299, 159)),
)


@pytest.mark.parametrize(
    ("shapes", "right", "drawn"),
    [
        ([SQUARE, DISC], 2, 2),
        ([SQUARE], 1, 1),
        ([SQUARE, DISC, ("rectangle", "#4363d8", (350, 200, 400, 250))], 2, 3),
        ([("rectangle", "#4363d8", SQUARE[2]), DISC], 1, 2),
        ([("circle", *SQUARE[1:]), DISC], 1, 2),
        ([("rectangle", "#e6194b", (110, 110, 209, 209)), DISC], 1, 2),
        ([("rectangle", "#e6194b", (60, 70, 159, 169)), DISC], 2, 2),
        ([SQUARE, ("rectangle", "#e6194b", (300, 250, 350, 300)), DISC], 2, 3),
        ([("rectangle", "#777777", SQUARE[2])], 0, 0),
    ],
)
def test_objects_count_by_place_colour_and_shape(
    shapes: list[tuple[str, str, tuple[int, int, int, int]]], right: int, drawn: int
) -> None:
    found = score(picture(*shapes), (RED, GREEN))
    assert (found.wanted, found.drawn, found.right) == (2, drawn, right)
    assert found.f1 == pytest.approx(2 * right / (2 + drawn))


@pytest.mark.parametrize(
    "code",
    [
        "import matplotlib.pyplot as plt\nplt.imshow(plt.imread('figure-01.png'))",
        "from matplotlib.pyplot import imread as r",
        "import matplotlib.image",
        "import base64",
        "from PIL import Image",
        "fig.figimage(x)",
        "open('figure-01.png', 'rb')",
        "getattr(plt, 'im' + 'show')(x)",
        "eval('1')",
        f"x = {'a' * 300!r}",
        "x = [" + ", ".join(map(repr, ["ab" * 90] * 12)) + "]",
        f"x = {list(range(900))}",
        "x = 1\n" * 3_000,
        "def (",
    ],
)
def test_code_that_shows_pixels_does_not_count(code: str) -> None:
    assert refused_code(code)


@pytest.mark.parametrize(
    "page",
    [
        "<img src='page-02.png'>",
        "<div style='background: url(page-02.png)'>",
        "<p>data:image/png;base64,AAAA",
        "<canvas></canvas>",
        "<svg><image href='x'/></svg>",
        "<style>@import 'x'</style>",
        "<script src='x.js'></script>",
        "<p>" * 5_000,
    ],
)
def test_pages_with_pictures_do_not_count(page: str) -> None:
    assert refused_page(page)


def test_plain_drawing_counts() -> None:
    assert refused_code(BLANK) == ""

    for task in tasks(60, 3):
        if isinstance(task.truth, Mockup):
            assert refused_page(task.truth.page()) == ""


def test_sizes_and_what_is_missing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault, match="3 to 300"):
        figures.make(2, 1)

    monkeypatch.setattr(figures.native, "available", lambda: "no landlock here")

    with pytest.raises(UsageFault, match="no landlock here"):
        figures.make(3, 1)

    monkeypatch.setattr(figures, "find_spec", lambda _: None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[images\]'"):
        figures.make(3, 1)


def test_without_a_browser_the_world_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_here(_: object) -> None:
        raise ToolError("there is no Chromium here; install it with: apt install chromium")

    monkeypatch.setattr(figures, "in_browser", none_here)

    with pytest.raises(UsageFault, match="apt install chromium"):
        figures._write(tasks(3, 7), tmp_path)

    assert not list(tmp_path.iterdir())


@sandboxed
def test_code_finds_nothing_but_itself_where_it_is_drawn(tmp_path: Path) -> None:
    secret = tmp_path / "figure-01.png"
    secret.write_bytes(b"the target")
    look_around = "import os\nraise SystemExit(sorted(os.listdir('.')))"

    with pytest.raises(ToolError, match=r"\['draw.py', 'figure.py'\]"):
        asyncio.run(drawn(look_around))

    with pytest.raises(ToolError, match="PermissionError"):
        asyncio.run(drawn(f"print(open({str(secret)!r}, 'rb').read())"))

    with pytest.raises(ToolError, match="made no figure"):
        asyncio.run(drawn("x = 1"))


@browsing
def test_a_page_shows_no_picture_however_it_is_hidden() -> None:
    out = io.BytesIO()
    Image.new("RGB", (480, 360), "#e6194b").save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    hidden = f"<body style='background: u\\72l(d\\61ta:image/png;base64,{data})'>"
    assert refused_page(hidden) == ""
    photo = in_browser(lambda browser: photographed(browser, hidden))
    assert (pixels_of(photo.picture) == 255).all()


@browsing
@sandboxed
def test_what_is_blank_pasted_or_without_behaviour_is_worth_nothing(tmp_path: Path) -> None:
    found = tasks(3, 7)
    figures._write(found, tmp_path)
    data = {task.target: (tmp_path / task.target).read_bytes() for task in found}

    for task in found:
        pasted = base64.b64encode(data[task.target]).decode()
        cheat = {
            "py": "import matplotlib.pyplot as plt\nplt.figimage(plt.imread('figure-03.png'))\n",
            "html": f'<img src="data:image/png;base64,{pasted}">',
        }
        (tmp_path / task.wanted).write_text(cheat[task.wanted.rsplit(".", 1)[1]])

    assert [mark.quality for mark in marks(found, tmp_path)] == [0, 0, 0]

    for task in found:
        (tmp_path / task.wanted).write_text(BLANK if task.wanted.endswith(".py") else "<p></p>")

    blank = grade(found, tmp_path)
    assert (blank.success, blank.quality) == (False, 0)
    assert "0 of 3" in blank.why
    (tmp_path / found[0].wanted).unlink()
    assert grade(found, tmp_path).quality == 0


@browsing
def test_the_truth_itself_is_worth_everything(tmp_path: Path) -> None:
    found = [task for task in tasks(6, 7) if isinstance(task.truth, Mockup)]
    figures._write(found, tmp_path)

    for task in found:
        assert isinstance(task.truth, Mockup)
        (tmp_path / task.wanted).write_text(task.truth.page())

    assert [mark.quality for mark in marks(found, tmp_path)] == pytest.approx([1, 1])


def test_every_sentence_is_understood() -> None:
    for seed in range(300):
        asked = wishes.wish(random.Random(seed))
        assert page_for(asked.text), asked.text


@browsing
def test_pages_are_tried_and_broken_ones_found() -> None:
    kinds = (wishes._count, wishes._toggle, wishes._greet, wishes._level, wishes._basket)
    asked = [
        make(random.Random(number), chinese=number % 2 == 0) for number, make in enumerate(kinds)
    ]

    async def trials(browser: object) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []

        for each in asked:
            page = page_for(each.text)
            right, why = await tried(browser, page, each.steps)
            assert why == ""
            dead, why = await tried(browser, page.split("<script>")[0], each.steps)
            assert why
            found.append((right, dead))

        return found

    for right, dead in in_browser(trials):
        assert right == 1
        assert dead <= 1 / 3


def quality(task: Task, drawing: np.ndarray, target: np.ndarray) -> float:
    assert not isinstance(task.truth, Wish)
    blank = likeness(np.full_like(target, 255), target)
    found = score(drawing, task.truth.things())
    alike = max(0.0, (likeness(drawing, target) - blank) / (1 - blank))
    return (found.f1 + alike) / 2 if found.right else 0.0


def painted(code: str, path: Path) -> np.ndarray:
    """What the simulator's own code draws, in this process."""
    path.write_text(code)
    assert refused_code(code) == ""
    runpy.run_path(str(path))
    out = io.BytesIO()
    plt.gcf().savefig(out, dpi=100)
    plt.close("all")
    return np.asarray(Image.open(out).convert("RGB"))


def test_each_look_makes_drawings_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.switch_backend("Agg")
    rounds: list[list[float]] = []

    for task in pictures(18):
        assert not isinstance(task.truth, Wish | Mockup)
        target = pixels_of(task.truth.paint())
        looks: list[Look] = []
        found: list[float] = []

        while code := next_draft(target, looks, page=False):
            drawing = painted(code, tmp_path / "draft.py")
            found.append(quality(task, drawing, target))
            apart = np.abs(drawing.astype(np.int16) - target).astype(np.uint8)
            looks.append(Look(drawing, apart))
            assert len(looks) < 6

        rounds.append([found[min(n, len(found) - 1)] for n in range(3)])

    first, second, third = np.mean(rounds, axis=0)
    assert first + 0.1 < second < third
    assert min(found[-1] for found in rounds) >= 0.8


@browsing
@sandboxed
async def test_look_shows_the_drawing_and_the_difference(tmp_path: Path) -> None:
    tool = look_tool()
    context = ToolContext(folder=tmp_path, agent="a", run="r")
    Image.new("RGB", (480, 360), "#ff0000").save(tmp_path / "figure-01.png")
    (tmp_path / "figure-01.py").write_text(BLANK)
    _, shown, apart = await tool(context, "figure-01.py")
    assert (pixels_of(shown.data) == 255).all()
    assert (pixels_of(apart.data) == (0, 255, 255)).all()
    (tmp_path / "page-02.html").write_text("<p>hello")
    note, _ = await tool(context, "page-02.html")
    assert "no picture to compare" in note
    (tmp_path / "figure-01.py").write_text("plt.imread('x')")

    with pytest.raises(ToolError, match="does not count: imread"):
        await tool(context, "figure-01.py")

    assert tool.close is not None
    await tool.close()


@sandboxed
@browsing
def test_the_simulator_draws_a_world(tmp_path: Path) -> None:
    world = kn.worlds.figure(3, 7)
    run = world.run(model=Simulator(Options(latency=0.0)), trace=tmp_path / "run.jsonl")
    run.result()
    assert run.judged is not None
    assert run.judged.success
    assert run.judged.quality > 0.9
    assert run.metrics.agents == 4
    assert run.metrics.critical_steps < run.metrics.total_steps
    assert not list((tmp_path / "run.files").glob("*truth*"))
