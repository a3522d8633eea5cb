"""Spans by the official SDK, and on their way by an exporter of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kimi_nb._version import __version__
from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.otel.draft import Draft, Value, identity
from kimi_nb.views.otel.sketch import Sketch, sketch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanContext, Tracer

__all__ = ["export_spans", "to_spans"]

INSTALL = "OpenTelemetry is not installed: pip install 'kimi-nb[otel]'"
BATCH = 512
"""Spans of one request; with content a span may have a hundred kilobytes."""
WHY = 240
"""Characters of what an exporter said first: later it only gives up."""
EXPORTERS = "opentelemetry.exporter"
"""The logger above those to which exporters tell why they failed."""


def to_spans(run: Iterable[Record], *, content: bool = False) -> list[ReadableSpan]:
    """A trace as OpenTelemetry GenAI spans, in the order in which they began.

    Names and attributes are those of the GenAI semantic conventions. The same run gives the same
    trace and span ids. What was asked, said and handed to tools is there only with `content`.
    Raises TraceError for a trace that cannot be read and UsageFault without the extra.
    """
    drawn = sketch(run, content=content)

    if not drawn.run:
        return []

    tracer, ended = _tracer(drawn)
    _draw(drawn, tracer)

    if len(ended) != len(drawn.drafts):
        raise UsageFault("the OpenTelemetry SDK makes no spans: unset OTEL_SDK_DISABLED")

    return sorted(ended, key=lambda span: span.start_time or 0)


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
    if exporter is not None and endpoint is not None:
        raise UsageFault("give an exporter or an endpoint, not both")

    if isinstance(exporter, str):
        raise UsageFault(f"{exporter!r} is no exporter: type endpoint={exporter!r}")

    spans = to_spans(run, content=content)
    sender = _otlp(endpoint) if exporter is None else exporter

    try:
        for first in range(0, len(spans), BATCH):
            _send(sender, spans[first : first + BATCH], first, len(spans))
    finally:
        if exporter is None:
            sender.shutdown()

    return len(spans)


def _tracer(drawn: Sketch) -> tuple[Tracer, list[ReadableSpan]]:
    """A tracer that samples all, with our ids, and the list that its ended spans go to."""
    try:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
        from opentelemetry.sdk.trace.id_generator import IdGenerator
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    except ImportError as error:
        raise UsageFault(INSTALL) from error

    ended: list[ReadableSpan] = []

    class Ids(IdGenerator):
        """Ids that are made from the run: whoever exports it twice has it once."""

        def __init__(self) -> None:
            self._keys = iter(drawn.drafts)

        def generate_trace_id(self) -> int:
            return int(drawn.run, 16)

        def generate_span_id(self) -> int:
            return identity(drawn.run, next(self._keys), size=8)

    class Keep(SpanProcessor):
        """Spans as values; the processors of the SDK would swallow what an exporter says."""

        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    ours = Resource({"service.name": "kimi_nb", "service.version": __version__})
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=ours.merge(OTELResourceDetector().detect()),  # OTEL_SERVICE_NAME has its way
        id_generator=Ids(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(Keep())
    return provider.get_tracer("kimi_nb", __version__), ended


def _draw(drawn: Sketch, tracer: Tracer) -> None:
    from opentelemetry.trace import (
        Link,
        NonRecordingSpan,
        SpanContext,
        SpanKind,
        TraceFlags,
        set_span_in_context,
    )

    sampled = TraceFlags(TraceFlags.SAMPLED)
    contexts: dict[str, SpanContext] = {
        key: SpanContext(
            int(drawn.run, 16),
            identity(drawn.run, key, size=8),
            is_remote=False,
            trace_flags=sampled,
        )
        for key in drawn.drafts
    }

    for draft in drawn.drafts.values():
        parent = next((contexts[key] for key in draft.parents if key in contexts), None)
        around = set_span_in_context(NonRecordingSpan(parent)) if parent else None
        span = tracer.start_span(
            draft.name,
            context=around,
            kind=SpanKind.CLIENT if draft.calls_out else SpanKind.INTERNAL,
            attributes=_encodable(draft.attributes | _marks(drawn)),
            links=[Link(contexts[key]) for key in draft.after if key in contexts],
            start_time=draft.began,
        )
        _finish(span, draft)


def _marks(drawn: Sketch) -> dict[str, Value]:
    """What every span of a run says."""
    return {"gen_ai.conversation.id": drawn.run, "kimi_nb.simulated": drawn.simulated}


def _finish(span: Span, draft: Draft) -> None:
    from opentelemetry.trace import Status, StatusCode

    for event in draft.events:
        span.add_event(event.name, _encodable(event.attributes), event.at)

    if draft.error:
        span.set_attribute("error.type", draft.error)
        span.set_status(Status(StatusCode.ERROR, _text(draft.why) or None))

    span.end(draft.ended)


def _encodable(attributes: dict[str, Value]) -> dict[str, Value]:
    return {n: _text(v) if isinstance(v, str) else v for n, v in attributes.items()}


def _text(value: str) -> str:
    """Without lone surrogates, which no wire can carry."""
    return value.encode("utf-8", "replace").decode()


def _otlp(endpoint: str | None) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise UsageFault(INSTALL) from error

    if endpoint is None:
        return OTLPSpanExporter()

    try:
        parts = urlsplit(endpoint)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except (ValueError, AttributeError):
        known = False

    if not known:
        raise UsageFault(f"{endpoint!r} is no endpoint: type a URL, as http://localhost:4318")

    whole = urlsplit(endpoint).path.strip("/") != ""  # else where every collector listens
    return OTLPSpanExporter(endpoint if whole else f"{endpoint.rstrip('/')}/v1/traces")


def _send(exporter: SpanExporter, spans: Sequence[ReadableSpan], before: int, total: int) -> None:
    from opentelemetry.sdk.trace.export import SpanExportResult

    with _Listener() as heard:
        try:
            arrived = exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001  # an exporter is anybody's code
            arrived = False
            heard.append(f"{type(error).__name__}: {error}")

    if not arrived:
        message = (
            f"{total - before} of {total} spans did not arrive. Is a collector listening? Give "
            "endpoint='http://HOST:4318' or set OTEL_EXPORTER_OTLP_ENDPOINT; then export again: "
            f"the spans keep their ids. The exporter said: {''.join(heard[:1])[:WHY] or 'nothing'}"
        )
        raise KimiNbError(message)


class _Listener(logging.Handler):
    """What exporters log while they work: they tell nobody else why they failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())

    def __enter__(self) -> list[str]:
        logging.getLogger(EXPORTERS).addHandler(self)
        return self.heard

    def __exit__(self, *_: object) -> None:
        logging.getLogger(EXPORTERS).removeHandler(self)
