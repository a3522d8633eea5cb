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
from kimi_nb.views.calls import Call, tool_calls
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
    calls = [
        (call, found)
        for call in tool_calls(trace)
        if call.ended is not None and (found := names.get((call.agent, call.step, call.call)))
    ]
    rows = [
        _row(call, pictures)
        for call, found in calls[:MOST]
        if (pictures := "".join(_pictures(trace.path, found, call.tool)))
    ]

    if not rows:
        return ""

    left = len(calls) - MOST
    more = f'<p class="note">… and {left:,} more calls, in the log alone</p>' if left > 0 else ""
    heads = ("agent", "step", "call", "image")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(rows)
    return (
        f'<table class="images"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'
    )


def _row(call: Call, pictures: str) -> str:
    given = one_line(call.arguments)
    given = given if len(given) <= SHOWN else f"{given[:SHOWN]}…"
    return (
        f'<tr><th scope="row">{escape(call.agent)}</th><td class="n">{call.step}</td>'
        f"<td><code>{escape(one_line(call.tool))}</code> {escape(given)}</td>"
        f"<td>{pictures}</td></tr>"
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
