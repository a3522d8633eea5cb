"""The spans of a run whose log lies there, by the official SDK and one of its exporters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.otel.pen import INSTALL, Pen
from kimi_nb.views.otel.sketch import Sketch, sketch
from kimi_nb.views.otel.wire import BATCH, otlp, send

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["check_exporter", "export_spans", "to_spans"]


def to_spans(run: Iterable[Record], *, content: bool = False) -> list[ReadableSpan]:
    """A trace as OpenTelemetry GenAI spans, in the order in which they began.

    Names and attributes are those of the GenAI semantic conventions. The same run gives the same
    trace and span ids. What was asked, said and handed to tools is there only with `content`.
    Raises TraceError for a trace that cannot be read and UsageFault without the extra.
    """
    drawn = sketch(run, content=content)

    if not drawn.run:
        return []

    return sorted(_drawn(drawn), key=lambda span: span.start_time or 0)


def export_spans(
    run: Iterable[Record],
    exporter: SpanExporter | None = None,
    *,
    endpoint: str | None = None,
    content: bool = False,
) -> int:
    """Send a trace as OpenTelemetry GenAI spans; returns how many. See `to_spans`.

    Without an `exporter` of the SDK they go by OTLP over HTTP to `endpoint`, as
    "http://localhost:4318", or to where the variables OTEL_EXPORTER_OTLP_* say. Raises
    KimiNbError if they did not arrive, and UsageFault for what cannot be done as typed.
    """
    check_exporter(exporter, endpoint)
    spans = to_spans(run, content=content)
    sender = otlp(endpoint) if exporter is None else exporter

    try:
        for first in range(0, len(spans), BATCH):
            why = send(sender, spans[first : first + BATCH])

            if why is not None:
                raise _lost(len(spans) - first, len(spans), why)
    finally:
        if exporter is None:
            sender.shutdown()

    return len(spans)


def check_exporter(exporter: object, endpoint: str | None) -> None:
    """Raises UsageFault for both at once, and for the name of an endpoint in the wrong place."""
    if exporter is not None and endpoint is not None:
        raise UsageFault("give an exporter or an endpoint, not both")

    if isinstance(exporter, str):
        raise UsageFault(f"{exporter!r} is no exporter: type endpoint={exporter!r}")


def _drawn(drawn: Sketch) -> list[ReadableSpan]:
    """The spans as values; the processors of the SDK would swallow what an exporter says."""
    try:
        from opentelemetry.sdk.trace import SpanProcessor
    except ImportError as error:
        raise UsageFault(INSTALL) from error

    ended: list[ReadableSpan] = []

    class Keep(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    pen = Pen(drawn, Keep())

    for draft in drawn.drafts.values():
        pen.draw(draft)

    return ended


def _lost(missing: int, total: int, why: str) -> KimiNbError:
    message = (
        f"{missing} of {total} spans did not arrive. Is a collector listening? Give "
        "endpoint='http://HOST:4318' or set OTEL_EXPORTER_OTLP_ENDPOINT; then export again: "
        f"the spans keep their ids. The exporter said: {why}"
    )
    return KimiNbError(message)
