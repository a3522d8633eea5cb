"""The environment of a kernel that is to be the same on every machine."""

from __future__ import annotations

import os

__all__ = ["alone"]

TOLD = ("MOONSHOT_API_KEY", "KIMI_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL")
CHOSEN = ("KIMI_NB_LANGUAGE", "KIMI_NB_STUDENT")


def alone(home: str) -> None:
    """From here on: no key, nobody's language and variants, and a learner's record in `home`."""
    for name in (*TOLD, *CHOSEN):
        os.environ.pop(name, None)

    os.environ["KIMI_NB_HOME"] = home
