"""The images of a run, as files beside its log: written before the fact that names them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

from kimi_nb.beside import put
from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.events import ToolReturned
from kimi_nb.swarm.turn import Answer
from kimi_nb.tools.image import Image
from kimi_nb.views.artefact import artefact

__all__ = ["keep", "recalled"]

DIGEST = 32
"""Hexadecimal digits of a name."""
GONE = "[an image that came with this is no longer beside the log]"


def keep(log: Path | None, images: Sequence[Image]) -> str:
    """Write the images beside the log, those that are not there yet; returns their names.

    A file appears whole or not at all. Where it cannot be written (disk full, say) the run goes
    on: its name says later what is missing.
    """
    if log is None:
        return ""

    for image in images:
        with contextlib.suppress(OSError):
            put(log.parent, _name(image), image.data)

    return " ".join(map(_name, images))


def _name(image: Image) -> str:
    ending = image.type.removeprefix("image/")
    return f"{hashlib.sha256(image.data).hexdigest()[:DIGEST]}.{ending}"


def recalled(log: Path | None, returned: ToolReturned) -> Answer:
    """The answer that a log has, with the images beside it: the very same, or none."""
    images: list[Image] = []
    text = returned.text

    for name in returned.artefact.split():
        image = _found(log, name)

        if image is None:
            text = f"{text}\n{GONE}" if text else GONE
        else:
            images.append(image)

    return Answer(returned.ok, text, tuple(images))


def _found(log: Path | None, name: str) -> Image | None:
    try:
        image = Image(artefact(log, name).data)
    except (UsageFault, ToolError):
        return None

    return image if _name(image) == name else None
