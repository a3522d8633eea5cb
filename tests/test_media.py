"""What an image is by its bytes, how large, and a small one of it; hostile bytes are none."""

from __future__ import annotations

import io
import random
import sys
from typing import Any

import pytest
from PIL import Image as Picture

from kimi_nb.media import described, image_size, image_type, thumbnail

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def made(kind: str, size: tuple[int, int] = (640, 480), **more: Any) -> bytes:
    out = io.BytesIO()
    Picture.new("RGB", size, "teal").save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
@pytest.mark.parametrize("size", [(640, 480), (1, 9), (3000, 2)])
def test_its_size_is_read_from_its_head(kind: str, size: tuple[int, int]) -> None:
    assert image_size(made(kind, size)) == size


def test_the_size_of_a_jpeg_stands_behind_its_other_parts() -> None:
    data = made("JPEG", progressive=True, exif=b"Exif\0\0" + b"\xff\xc0" * 900, comment=b"x" * 99)
    assert image_size(data) == (640, 480)


def test_where_its_size_is_not_plain_it_is_left_out() -> None:
    assert described("a.webp", made("WEBP")) == "image: a.webp"
    assert described("a.png", made("PNG")) == "image: a.png, 640×480"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_small_one_fits_and_is_far_smaller(kind: str) -> None:
    noise = random.Random(0).randbytes(300 * 200 * 3)
    out = io.BytesIO()
    Picture.frombytes("RGB", (300, 200), noise).save(out, kind)
    small = thumbnail(out.getvalue())
    assert image_type(small) == "image/webp"
    assert Picture.open(io.BytesIO(small)).size == (160, 107)
    assert len(small) < 20_000 < len(out.getvalue())


def test_a_small_one_stands_upright_and_tells_nothing_of_its_camera() -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "canary"
    shown = thumbnail(made("JPEG", (400, 100), exif=exif))
    assert Picture.open(io.BytesIO(shown)).size == (40, 160)
    assert b"canary" not in shown


def test_of_bytes_that_are_no_image_there_is_none() -> None:
    whole = {kind: made(kind) for kind in FORMATS}
    some = random.Random(1)

    for kind, data in whole.items():
        for _ in range(60):
            bad = bytearray(data[: some.randrange(len(data))])

            for _ in range(some.randrange(1, 9)):
                bad[some.randrange(len(bad))] = some.randrange(256) if bad else 0

            shown = thumbnail(bytes(bad))
            assert shown == b"" or image_type(shown) == "image/webp", kind
            image_size(bytes(bad))


def test_one_with_more_pixels_than_fit_is_not_decoded() -> None:
    data = made("PNG")
    bomb = data[:16] + (60_000).to_bytes(4) * 2 + data[24:]
    assert image_size(bomb) == (60_000, 60_000)
    assert thumbnail(bomb) == b""


def test_without_pillow_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert thumbnail(made("PNG")) == b""
