"""The tool that shows a model an image file of the working folder."""

from __future__ import annotations

import functools
import io
import threading
from typing import TYPE_CHECKING

from kimi_nb.errors import ToolError
from kimi_nb.media import BROKEN, FORMATS, MOST_PIXELS, image_size, image_type
from kimi_nb.tools.base import ToolContext
from kimi_nb.tools.beneath import Folder
from kimi_nb.tools.decorator import tool
from kimi_nb.tools.image import Image

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["LONGEST", "view_image"]

LONGEST = 1_024
"""Pixels of the longer side of what is shown."""
LARGEST_FILE = 50_000_000
AT_ONCE = 2
"""Images that are decoded at the same time."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom edge in pixels."""


@tool(private=True, untrusted=True)
def view_image(
    context: ToolContext, path: str, left: int = 0, top: int = 0, width: int = 0, height: int = 0
) -> list[str | Image]:
    """Look at a PNG, JPEG, GIF or WebP image of the working folder.

    It is scaled down to 1024 pixels on its longer side, and the text says by how much. To look
    closer, name a part of it, in pixels of the original. Transparent parts are shown white, and
    of an animation the first picture.

    Args:
        path: The file, from the working folder.
        left: Left edge of the part.
        top: Upper edge of the part.
        width: Width of the part; 0 means to the right edge.
        height: Height of the part; 0 means to the lower edge.
    """
    with Folder(context.folder) as root:
        data = root.read(root.parts(path), LARGEST_FILE)

    if not image_type(data):
        raise ToolError(f"{path!r} is not a PNG, JPEG, GIF or WebP image; read_file reads text")

    with _turns():
        upright = _upright(data, path)
        size = upright.size
        box = _box(size, left, top, width, height)
        shown = _scaled(upright.crop(box) if box != (0, 0, *size) else upright)

    kind = "JPEG" if image_type(data) == "image/jpeg" else "PNG"
    part = "" if box == (0, 0, *size) else f", the part {_part(box)}"
    note = f"{path}: {size[0]}×{size[1]}{part}, shown at {shown.width}×{shown.height}"
    return [note, Image(_encoded(shown, kind))]


@functools.cache
def _turns() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(AT_ONCE)


def _upright(data: bytes, path: str) -> PIL.Image.Image:
    """The decoded image as one is meant to see it. Raises ToolError if it is none."""
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise ToolError(
            "images cannot be looked at here: Pillow is missing; "
            "install it with: pip install 'kimi-nb[images]'"
        ) from error

    _check_pixels(image_size(data) or (0, 0), path)  # before Pillow warns of them on its own

    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_pixels(image.size, path)
            turned = PIL.ImageOps.exif_transpose(image)
            turned.load()
            return _flat(turned)
    except (
        *BROKEN,
        PIL.Image.DecompressionBombError,
        PIL.Image.DecompressionBombWarning,
    ) as error:
        raise ToolError(f"{path!r} is damaged, it cannot be decoded: {error}") from error


def _check_pixels(size: tuple[int, int], path: str) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise ToolError(
            f"{path!r} is {size[0]}×{size[1]}, more than the {MOST_PIXELS / 1e6:.0f} million "
            "pixels that can be decoded; make a smaller copy of it"
        )


def _flat(image: PIL.Image.Image) -> PIL.Image.Image:
    """The same in plain colours or grey, on white where it is transparent."""
    import PIL.Image

    if image.mode in {"RGB", "L"} and "transparency" not in image.info:
        return image

    if image.mode.startswith("I"):  # 16 bits of grey, which `convert` would clip to white
        return image.point(lambda value: value * (1 / 257)).convert("L")

    if not image.has_transparency_data:
        return image.convert("RGB")

    clear = image.convert("RGBA")
    flat = PIL.Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat


def _box(size: tuple[int, int], left: int, top: int, width: int, height: int) -> Box:
    """The part that is asked for, as far as it lies in the image. Raises ToolError if none does."""
    if min(left, top, width, height) < 0 or left >= size[0] or top >= size[1]:
        raise ToolError(
            f"there is no part at left={left}, top={top}, width={width}, height={height}: "
            f"the image is {size[0]}×{size[1]}"
        )

    right = min(left + width, size[0]) if width else size[0]
    bottom = min(top + height, size[1]) if height else size[1]
    return left, top, right, bottom


def _part(box: Box) -> str:
    left, top, right, bottom = box
    return f"{right - left}×{bottom - top} at left={left}, top={top}"


def _scaled(image: PIL.Image.Image) -> PIL.Image.Image:
    longest = max(image.size)

    if longest <= LONGEST:
        return image

    factor = LONGEST / longest
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), reducing_gap=3.0)  # else a strip takes gigabytes


def _encoded(image: PIL.Image.Image, kind: str) -> bytes:
    """The pixels as a file, without EXIF, profile and comments."""
    image.info.clear()
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()
