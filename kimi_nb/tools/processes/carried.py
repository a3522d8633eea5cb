"""A call that is carried to another process, and what comes back."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kimi_nb.errors import ToolError, UsageFault

__all__ = ["Outcome", "carried", "needs_cloudpickle", "packed", "unpacked"]


class Outcome(NamedTuple):
    """What a function returned, or in words what it raised: not every error can be carried."""

    value: Any
    error: str | None = None


def needs_cloudpickle() -> None:
    """Raises UsageFault if functions cannot be carried here."""
    if importlib.util.find_spec("cloudpickle") is None:
        raise UsageFault(
            "a tool in another process needs a package that is not installed; "
            "type: pip install 'kimi-nb[processes]'"
        )


def packed(function: Callable[..., Any], keywords: Mapping[str, Any]) -> bytes:
    """A call as bytes. Functions of a notebook go with what they use, as it is now.

    Raises ToolError if something of it cannot be carried.
    """
    try:
        return _dumps((function, dict(keywords)))
    except Exception as error:
        raise ToolError(
            f"this tool cannot go to another process: {type(error).__name__}: {error}; whoever "
            "wrote it: make what cannot be carried inside the function"
        ) from error


def carried(call: bytes) -> bytes:
    """Make the call; the outcome as bytes. Raises nothing that a function may raise."""
    try:
        function, keywords = pickle.loads(call)  # noqa: S301 - from our own process
        return _dumps(Outcome(function(**keywords)))
    except ToolError as error:
        return pickle.dumps(Outcome(None, str(error)))
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - handed over
        return pickle.dumps(Outcome(None, f"{type(error).__name__}: {error}"))


def unpacked(outcome: bytes) -> Any:
    """What the function returned. Raises ToolError for what it raised."""
    found: Outcome = pickle.loads(outcome)  # noqa: S301 - from a process of our own

    if found.error is not None:
        raise ToolError(found.error)

    return found.value


def _dumps(value: Any) -> bytes:
    import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

    return cloudpickle.dumps(value)  # pyright: ignore[reportUnknownMemberType]
