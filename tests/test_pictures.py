"""view_image: a model looks at a file of its folder, closer where it wants to."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from kimi_nb.tools import ToolContext, ToolOutcome, Toolset
from kimi_nb.tools.pictures import view_image

TOOLS = Toolset([view_image])


async def view(folder: Path, path: str, **part: int) -> ToolOutcome:
    context = ToolContext(folder=folder, agent="a1", run="r1")
    return await TOOLS.call("view_image", json.dumps({"path": path, **part}), context)


def picture(outcome: ToolOutcome) -> Picture.Image:
    assert outcome.ok, outcome.text
    return Picture.open(io.BytesIO(outcome.images[0].data))


def quarters(size: tuple[int, int]) -> Picture.Image:
    """Red, green, blue and white, from the upper left by rows."""
    image = Picture.new("RGB", size, "white")
    width, height = size[0] // 2, size[1] // 2
    image.paste((255, 0, 0), (0, 0, width, height))
    image.paste((0, 255, 0), (width, 0, size[0], height))
    image.paste((0, 0, 255), (0, height, width, size[1]))
    return image


async def test_a_large_one_is_scaled_and_the_text_says_by_how_much(tmp_path: Path) -> None:
    quarters((2400, 1600)).save(tmp_path / "a.png")
    outcome = await view(tmp_path, "a.png")
    assert outcome.text == "a.png: 2400×1600, shown at 1024×683"
    assert picture(outcome).size == (1024, 683)
    assert [picture(outcome).getpixel(at) for at in ((9, 9), (1000, 9), (9, 600))] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
    ]


async def test_a_part_is_in_pixels_of_the_original(tmp_path: Path) -> None:
    quarters((2400, 1600)).save(tmp_path / "a.png")
    outcome = await view(tmp_path, "a.png", left=1200, top=0, width=300, height=200)
    assert outcome.text == (
        "a.png: 2400×1600, the part 300×200 at left=1200, top=0, shown at 300×200"
    )
    assert picture(outcome).getcolors() == [(60_000, (0, 255, 0))]
    rest = await view(tmp_path, "a.png", left=2300, top=1500, width=900)
    assert "the part 100×100 at left=2300, top=1500" in rest.text

    for part in ({"left": 2400}, {"top": 1600}, {"left": -1}, {"width": -5}):
        refused = await view(tmp_path, "a.png", **part)
        assert "the image is 2400×1600" in refused.text
        assert not refused.ok


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
async def test_each_kind_is_shown(tmp_path: Path, kind: str) -> None:
    quarters((40, 20)).save(tmp_path / f"a.{kind}")
    outcome = await view(tmp_path, f"a.{kind}")
    red, green, blue = picture(outcome).convert("RGB").getpixel((2, 2))
    assert red > 240
    assert max(green, blue) < 20
    assert outcome.images[0].type == ("image/jpeg" if kind == "jpeg" else "image/png")


async def test_what_a_camera_noted_turns_it_and_is_left_out(tmp_path: Path) -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6  # stored lying on its left side
    exif[0x010F] = "canary"
    image = quarters((200, 100))
    image.save(tmp_path / "a.jpg", exif=exif, comment=b"canary", quality=95)
    outcome = await view(tmp_path, "a.jpg")
    assert picture(outcome).size == (100, 200)
    assert b"canary" not in outcome.images[0].data
    right_top = picture(outcome).getpixel((90, 5))
    assert right_top[0] > 200
    assert max(right_top[1:]) < 60


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Picture.new("RGBA", (9, 9), (255, 0, 0, 0)), (255, 255, 255)),
        (Picture.new("LA", (9, 9), (0, 128)), (127, 127, 127)),
        (Picture.new("1", (9, 9), 1), (255, 255, 255)),
        (Picture.new("I;16", (9, 9), 257 * 100), (100, 100, 100)),
        (Picture.new("P", (9, 9), 0), (0, 0, 0)),
    ],
    ids=["clear", "half clear", "two colours", "16 bits", "a palette"],
)
async def test_what_has_other_colours_is_shown_in_plain_ones(
    tmp_path: Path, image: Picture.Image, colour: tuple[int, int, int]
) -> None:
    image.save(tmp_path / "a.png")
    assert picture(await view(tmp_path, "a.png")).convert("RGB").getpixel((4, 4)) == colour


async def test_of_an_animation_the_first_picture_is_shown(tmp_path: Path) -> None:
    frames = [Picture.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert picture(await view(tmp_path, "a.gif")).convert("RGB").getpixel((4, 4)) == (255, 0, 0)


def bomb(data: bytes) -> bytes:
    return data[:16] + (60_000).to_bytes(4) * 2 + data[24:]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[: len(data) // 2], "is damaged"),
        (lambda data: data[:30], "is damaged"),
        (lambda data: data[:8], "is damaged"),
        (lambda data: data[:60] + bytes(20) + data[80:], "is damaged"),
        (bomb, "60000×60000, more than the 50 million pixels"),
        (lambda _: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "read_file reads text"),
        (lambda _: b"%!PS-Adobe-3.0 EPSF-3.0\n", "read_file reads text"),
        (lambda _: b"", "read_file reads text"),
    ],
    ids=["half", "a head", "eight bytes", "spoiled", "a bomb", "svg", "eps", "nothing"],
)
async def test_hostile_files_are_errors(tmp_path: Path, change: Any, said: str) -> None:
    quarters((300, 200)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(change((tmp_path / "a.png").read_bytes()))
    outcome = await view(tmp_path, "a.png")
    assert not outcome.ok
    assert said in outcome.text
    assert outcome.images == ()


async def test_nothing_outside_the_folder_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    quarters((9, 9)).save(tmp_path / "secret.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")

    for path in ("../secret.png", str(tmp_path / "secret.png"), "link.png"):
        outcome = await view(folder, path)
        assert not outcome.ok
        assert "working folder" in outcome.text


async def test_without_pillow_the_model_hears_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarters((9, 9)).save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "PIL.ImageOps", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert "pip install 'kimi-nb[images]'" in (await view(tmp_path, "a.png")).text


STRIP = """
import io, resource, sys
from PIL import Image
from kimi_nb.tools.pictures import _scaled
image = Image.new("L", (40_000_000, 1))
room = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + 400_000_000
resource.setrlimit(resource.RLIMIT_AS, (room, room))
print(*_scaled(image).size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
def test_a_strip_takes_no_more_memory_than_another_image() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STRIP], capture_output=True, check=False, text=True
    )
    assert (done.stdout, done.stderr) == ("1024 1\n", "")
