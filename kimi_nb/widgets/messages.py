"""What goes between a page and the kernel: questions in, messages out."""

from __future__ import annotations

import logging
from typing import Any

from kimi_nb.errors import KimiNbError
from kimi_nb.views.text import one_line

__all__ = ["Message", "answered", "told"]

Message = dict[str, Any]
"""A JSON value for the page; `kind` says what it is about."""


def told(text: str) -> Message:
    """A word to the reader."""
    return {"kind": "told", "text": one_line(text)}


def answered(desk: object, question: Message) -> list[Message]:
    """What `desk` answers by its method for the question's kind, `_on_sync` say.

    Never an exception, whatever a page sends: what goes wrong is told.
    """
    handler = getattr(desk, f"_on_{question.get('kind')}", None)

    if handler is None:
        return []

    try:
        return handler(question)
    except (KimiNbError, OSError, ValueError, TypeError, KeyError) as error:
        return [told(f"{error}" or type(error).__name__)]
    except Exception as error:
        logging.getLogger("kimi_nb").exception("a page's question could not be answered")
        return [told(f"that went wrong, and the kernel's log says where: {type(error).__name__}")]
