"""The images in a run's page: small, beside their call, and nothing that is fetched."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import re
import sys
from pathlib import Path

import pytest
from PIL import Image as Picture
from traces import Script

from kimi_nb import events as e
from kimi_nb.media import image_type
from kimi_nb.trace import Trace
from kimi_nb.views.html.images import MOST, images_html
from kimi_nb.views.report import report_html

SOURCES = re.compile(r'<img src="data:(image/[a-z]+);base64,([A-Za-z0-9+/=]+)" alt="([^"]*)"')


def noise(size: tuple[int, int], seed: int = 0) -> bytes:
    out = io.BytesIO()
    pixels = random.Random(seed).randbytes(size[0] * size[1] * 3)
    Picture.frombytes("RGB", size, pixels).save(out, "PNG")
    return out.getvalue()


def beside(folder: Path, data: bytes) -> str:
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.png"
    (folder / name).write_bytes(data)
    return name


def drawn(folder: Path, *files: str, tool: str = "plot") -> Trace:
    """One agent whose calls return these files, a call each."""
    script = Script()
    main = script.orchestrator(role="single")
    main.begin()._turn([(tool, {"n": number}) for number, _ in enumerate(files)], "", (1, 1, 0))

    for call, names in enumerate(files):
        fact = e.ToolReturned(step=1, call=call, ok=True, text="see", artefact=names)
        script.add(main.t, main.id, fact)

    return Trace(script.end(), path=folder / "run.jsonl")


def test_each_is_small_beside_its_call_and_within_the_page(tmp_path: Path) -> None:
    one, two = noise((640, 480)), noise((300, 400), seed=1)
    names = [beside(tmp_path, one), beside(tmp_path, two)]
    page = report_html(drawn(tmp_path, " ".join(names), names[1]))
    found = SOURCES.findall(page)
    assert [alt for _, _, alt in found] == [
        f"image: {names[0]}, 640×480, from plot",
        f"image: {names[1]}, 300×400, from plot",
        f"image: {names[1]}, 300×400, from plot",
    ]
    sizes = [Picture.open(io.BytesIO(base64.b64decode(data))).size for _, data, _ in found]
    assert sizes == [(160, 120), (120, 160), (120, 160)]
    assert page.count("<img") == 3
    assert "img-src data:" in page
    assert "<h2>Images</h2>" in page
    assert len(page) < 120_000


def test_without_pillow_one_goes_in_as_it_is_if_it_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    little, large = noise((50, 50), seed=2), noise((200, 200), seed=3)
    page = images_html(drawn(tmp_path, beside(tmp_path, little), beside(tmp_path, large)))
    assert [base64.b64decode(data) for _, data, _ in SOURCES.findall(page)] == [little]
    assert f"[image: {beside(tmp_path, large)}, 200×200]" in page


def test_one_that_is_not_there_or_no_image_is_said_or_left_out(tmp_path: Path) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    trace = drawn(tmp_path, "0" * 32 + ".png", beside(tmp_path, svg), "../../etc/passwd")
    page = images_html(trace)
    assert "<img" not in page
    assert "is not there: copy it beside" in page
    assert "is not the name of a file beside a log" in page
    assert "svg" not in page
    assert image_type(svg) == ""
    assert images_html(Trace(trace)).count("the run has no log on disk") == 2


def test_what_a_model_wrote_is_text(tmp_path: Path) -> None:
    name = beside(tmp_path, noise((9, 9), seed=4))
    page = images_html(drawn(tmp_path, name, tool='"><script>alert(1)</script>'))
    assert "<script>" not in page
    assert page.count("<img") == 1


def test_many_are_counted_and_a_run_without_any_has_no_table(tmp_path: Path) -> None:
    name = beside(tmp_path, noise((9, 9), seed=5))
    page = images_html(drawn(tmp_path, *[name] * (MOST + 3)))
    assert page.count("<img") == MOST
    assert "and 3 more calls" in page
    assert images_html(drawn(tmp_path, "", "")) == ""
    assert "<h2>Images</h2>" not in report_html(drawn(tmp_path, ""))
