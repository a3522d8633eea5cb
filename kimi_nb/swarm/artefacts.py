"""The images of a run, as files beside its log: written before the fact that names them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.events import ToolReturned
from kimi_nb.swarm.turn import Answer
from kimi_nb.tools.image import Image
from kimi_nb.views.artefact import artefact

__all__ = ["keep", "recalled"]

DIGEST = 32
"""Hexadecimal digits of a name."""


def keep(log: Path | None, images: Sequence[Image]) -> str:
    """Write the images beside the log, those that are not there yet; returns their names.

    A file appears whole or not at all. One that cannot be written (disk full, say) has no name:
    the run goes on, and only this picture is not there to be looked at again.
    """
    if log is None:
        return ""

    return " ".join(filter(None, (_kept(log.parent, image) for image in images)))


def _kept(folder: Path, image: Image) -> str:
    ending = image.type.removeprefix("image/")
    name = f"{hashlib.sha256(image.data).hexdigest()[:DIGEST]}.{ending}"
    path = folder / name
    scratch = folder / f"{name}.{secrets.token_hex(4)}.part"

    if path.exists():
        return name

    try:
        fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

        with os.fdopen(fd, "wb") as file:
            file.write(image.data)
            file.flush()
            os.fsync(fd)

        scratch.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)

        return ""

    return name


def recalled(log: Path | None, returned: ToolReturned) -> Answer:
    """The answer that a log has, with the images beside it."""
    images: list[Image] = []
    text = returned.text

    for name in returned.artefact.split():
        try:
            images.append(Image(artefact(log, name).data))
        except (UsageFault, ToolError):
            text += "\n[an image that came with this is no longer beside the log]"

    return Answer(returned.ok, text, tuple(images))
