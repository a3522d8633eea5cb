"""The images of a run for its page, each beside the tool call that brought it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from kimi_nb.errors import UsageFault
from kimi_nb.events import ToolReturned
from kimi_nb.media import described
from kimi_nb.trace import Trace
from kimi_nb.views.artefact import Artefact, artefact, small
from kimi_nb.views.calls import tool_calls
from kimi_nb.views.text import escape, one_line

__all__ = ["images_html"]

MOST = 60
"""Calls whose images are shown."""
PLAIN = 50_000
"""Bytes of an image that goes in as it is, where no small one can be made."""
SHOWN = 160
"""Characters of a call's arguments."""


def images_html(trace: Trace) -> str:
    """A table of the calls that returned images, small ones; "" where none did."""
    names = {
        (record.agent, record.fact.step, record.fact.call): record.fact.artefact.split()
        for record in trace
        if isinstance(record.fact, ToolReturned) and record.fact.artefact
    }
    rows = [
        _row(call.agent, call.step, call.tool, call.arguments, pictures)
        for call in tool_calls(trace)
        if call.ended is not None and (found := names.get((call.agent, call.step, call.call)))
        if (pictures := "".join(_pictures(trace.path, found, call.tool)))
    ]

    if not rows:
        return ""

    left = len(rows) - MOST
    more = f'<p class="note">… and {left:,} more calls, in the log alone</p>' if left > 0 else ""
    heads = ("agent", "step", "call", "image")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(rows[:MOST])
    return (
        f'<table class="images"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'
    )


def _row(agent: str, step: int, tool: str, arguments: str, pictures: str) -> str:
    given = one_line(arguments)
    given = given if len(given) <= SHOWN else f"{given[:SHOWN]}…"
    call = f"<code>{escape(one_line(tool))}</code> {escape(given)}"
    return (
        f'<tr><th scope="row">{escape(agent)}</th><td class="n">{step}</td>'
        f"<td>{call}</td><td>{pictures}</td></tr>"
    )


def _pictures(log: Path | None, names: list[str], tool: str) -> Iterator[str]:
    for name in names:
        try:
            whole = artefact(log, name)
            less = small(log, name)
        except UsageFault as fault:
            yield f'<span class="note">{escape(one_line(f"{fault}"))}</span> '
            continue

        if not whole.type.startswith("image/"):
            continue

        said = described(name, whole.data)
        fits = less or (whole if len(whole.data) <= PLAIN else None)
        yield _img(fits, f"{said}, from {one_line(tool)}") if fits else f"[{escape(said)}] "


def _img(found: Artefact, alt: str) -> str:
    data = base64.b64encode(found.data).decode()
    return f'<img src="data:{found.type};base64,{data}" alt="{escape(alt)}" title="{escape(alt)}"> '
