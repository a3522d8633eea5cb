"""What the page of the playground sends, checked: a page may send anything."""

from __future__ import annotations

from typing import Any, cast

from kimi_nb.errors import UsageFault
from kimi_nb.views.anneal import Schedule
from kimi_nb.views.text import one_line

__all__ = ["BEGIN", "schedule_sent"]

BEGIN = {
    "parallel": Schedule(0.3, 0.0, "linear", 0.7),
    "finish": Schedule(0.0, 0.0, "constant", 1.0),
}
"""Where the sliders stand before there is a training, by reward."""
MOST = 100.0
"""The greatest λ that a page may ask for."""
LENGTH = len(("start", "end", "shape", "until"))


def schedule_sent(reward: str, row: object) -> Schedule:
    """The schedule in a row [start, end, shape, until]. Raises UsageFault."""
    if reward not in BEGIN:
        message = f"the rewards with a schedule are parallel and finish, not {one_line(reward)!r}"
        raise UsageFault(message)

    values = cast("list[Any]", row)

    if not isinstance(row, list) or len(values) != LENGTH:
        message = "a schedule is [start, end, shape, until]"
        raise UsageFault(message)

    made = Schedule(*values)

    if max(made.start, made.end) > MOST:
        message = f"λ is at most {MOST:g} here"
        raise UsageFault(message)

    return made
