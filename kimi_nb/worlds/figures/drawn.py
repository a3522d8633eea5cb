"""What matplotlib code draws, run in the sandbox, in a folder that has nothing but it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from kimi_nb.errors import ToolError
from kimi_nb.tools import native
from kimi_nb.tools.beneath import Folder

__all__ = ["drawn"]

SECONDS = 20.0
LARGEST = 2_000_000
"""Bytes of the PNG."""
CODE, RUNNER, PICTURE = "figure.py", "draw.py", "picture.png"
RUN = f"""
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import runpy
runpy.run_path({CODE!r}, run_name="__main__")
if not plt.get_fignums():
    raise SystemExit("it made no figure: use plt.figure or plt.subplots, and do not close it")
plt.figure(plt.get_fignums()[0]).savefig({PICTURE!r}, dpi=100, format="png", bbox_inches=None)
"""


async def drawn(code: str) -> bytes:
    """The first figure that the code makes, as a PNG at 100 dots per inch.

    Raises ToolError with the end of what it printed, if it fails or makes none.
    """
    with tempfile.TemporaryDirectory(prefix="kimi-nb-figure-") as name:
        folder = Path(name)
        (folder / CODE).write_text(code, encoding="utf-8")
        (folder / RUNNER).write_text(RUN, encoding="utf-8")
        done = await native.run(
            (sys.executable, RUNNER), folder=folder, writable=True, seconds=SECONDS
        )

        if done.code or done.why:
            raise ToolError(f"{done.why or 'it failed'}: {done.output.strip()[-1_500:]}")

        with Folder(folder) as root:
            return root.read(root.parts(PICTURE), LARGEST)
