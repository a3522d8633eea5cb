"""Outputs as JSON, between processes: what arrives is a stranger's until it is read here."""

from __future__ import annotations

from typing import Any, cast

from kimi_nb.teach.plain import KIND, TEXT, Odd, Raised, plain

__all__ = ["as_json", "from_json"]


def as_json(outputs: list[Any]) -> list[dict[str, Any]]:
    """Outputs of an answer, each told apart from an error."""
    return [_tagged(output) for output in outputs]


def from_json(found: Any) -> list[Any] | None:
    """The outputs; None where it is something else."""
    if not isinstance(found, list):
        return None

    outputs = [_read(each) for each in cast("list[Any]", found)]
    return None if any(output is _NONE for output in outputs) else outputs


_NONE = object()


def _tagged(output: Any) -> dict[str, Any]:
    match output:
        case Odd(what=what):
            return {"odd": what}
        case Raised(error=error, text=text):
            return {"raised": [error, text]}
        case _:
            return {"value": output}


def _read(each: Any) -> Any:
    match each:
        case {"value": value}:
            return plain(value)
        case {"odd": str(what)}:
            return Odd(what[: KIND + len("an ")])
        case {"raised": [str(error), str(text)]}:
            return Raised(error[:KIND], text[:TEXT])
        case _:
            return _NONE
