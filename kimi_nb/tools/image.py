"""Images that tools return, and that a model sees."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, cast

from kimi_nb.errors import ToolError
from kimi_nb.media import described, image_type

__all__ = ["LARGEST", "MOST_IMAGES", "Image", "parted"]

LARGEST = 5_000_000
"""Bytes of one image; in a request it takes a third more."""
MOST_IMAGES = 8
"""Images of one result."""


@dataclass(frozen=True, slots=True, repr=False)
class Image:
    """A PNG, JPEG, GIF or WebP image. A tool that returns one shows it to the model.

    Raises ToolError for anything else, and for one that is too large to send.
    """

    data: bytes
    type: str = ""
    """MIME type, told from the first bytes."""

    def __post_init__(self) -> None:
        kind = image_type(self.data)

        if not kind:
            raise ToolError("this is not a PNG, JPEG, GIF or WebP image")

        if len(self.data) > LARGEST:
            size, most = len(self.data) / 1e6, LARGEST / 1e6
            raise ToolError(f"the image has {size:.1f} MB, and {most:.0f} MB can be shown")

        object.__setattr__(self, "type", kind)

    def __repr__(self) -> str:
        return f"[{described(self.type.removeprefix('image/'), self.data)}]"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {self.type: self._base64, "text/plain": repr(self)}

    @property
    def part(self) -> dict[str, Any]:
        """The content part of a chat message that shows it."""
        url = f"data:{self.type};base64,{self._base64}"
        return {"type": "image_url", "image_url": {"url": url}}

    @property
    def _base64(self) -> str:
        return base64.b64encode(self.data).decode()


def parted(value: Any) -> tuple[Any, tuple[Image, ...]]:
    """What a function returned, without its images, and these.

    Returned by itself or in a list or tuple, an Image is shown; all else is text. Raises
    ToolError for more than MOST_IMAGES.
    """
    if isinstance(value, Image):
        return "", (value,)

    if not isinstance(value, list | tuple):
        return value, ()

    items = cast("list[Any] | tuple[Any, ...]", value)
    images = tuple(each for each in items if isinstance(each, Image))

    if not images:
        return items, ()

    if len(images) > MOST_IMAGES:
        raise ToolError(f"{len(images)} images at once, and {MOST_IMAGES} can be shown")

    rest = [each for each in items if not isinstance(each, Image)]
    return rest[0] if len(rest) == 1 else (rest or ""), images
