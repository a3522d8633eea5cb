"""What a model id allows beside messages and tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kimi_nb.errors import UsageFault

__all__ = ["check_extra"]

_THINKING = {
    "kimi-k3.1-pro": "reasoning_effort",
    "kimi-k3": "reasoning_effort",
    "kimi-k2.7-code": "",
    "kimi-k2.6": "thinking",
}
"""How thinking is set on Moonshot's own platform; "": not at all. Nothing is sent by default."""
_HINTS = {
    "reasoning_effort": "extra={'reasoning_effort': 'low'}, 'high' or 'max'",
    "thinking": "extra={'thinking': {'type': 'disabled'}}, or 'enabled'",
    "": "neither; it always thinks",
}
_OURS = {
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "stream",
    "stream_options",
    "tools",
}


def check_extra(model: str, extra: Mapping[str, Any], *, moonshot: bool) -> dict[str, Any]:
    """`extra` as it goes into every request.

    Raises UsageFault for fields that are not the user's to set, and for a way to set the
    thinking that Moonshot's model refuses.
    """
    if ours := sorted(_OURS & extra.keys()):
        message = f"extra sets {', '.join(map(repr, ours))}, which every call sets itself"
        raise UsageFault(message)

    asked = {"thinking", "reasoning_effort"} & extra.keys()
    known = _THINKING.get(model) if moonshot else None
    wrong = len(asked) > 1 if known is None else bool(asked - {known})

    if wrong:
        hint = _HINTS[known] if known is not None else "one of 'thinking' and 'reasoning_effort'"
        message = f"{model} takes {hint}"
        raise UsageFault(message)

    return dict(extra)
