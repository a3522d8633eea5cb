"""In which language a learner reads: that of the notebook's folder."""

from __future__ import annotations

import os
from pathlib import Path

from kimi_nb.teach.text import Language, Text

__all__ = ["here", "language"]

CHOSEN = "KIMI_NB_LANGUAGE"
"""Environment variable that says it outright: en or zh."""
NOTEBOOK = "JPY_SESSION_NAME"
"""In which Jupyter tells a kernel the path of its notebook."""
FOLDERS = ("en", "zh")


def language() -> Language:
    """Of KIMI_NB_LANGUAGE; else "zh" for a notebook in a folder of that name; else "en".

    Code cells are the same in both languages, so the folder is what tells them apart.
    """
    chosen = os.environ.get(CHOSEN, "").lower()

    if chosen:
        return "zh" if chosen.startswith("zh") else "en"

    notebook = os.environ.get(NOTEBOOK, "")
    folders = [*reversed(Path(notebook).parts[:-1]), Path.cwd().name]
    return "zh" if next((name for name in folders if name in FOLDERS), "en") == "zh" else "en"


def here(text: Text) -> str:
    """The text in the reader's language."""
    return text.said(language())
