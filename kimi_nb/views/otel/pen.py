"""Drafts as spans of the official SDK, whether a run has ended or goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_nb._version import __version__
from kimi_nb.errors import UsageFault
from kimi_nb.views.otel.draft import Draft, Value, identity
from kimi_nb.views.otel.sketch import Sketch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, SpanContext

__all__ = ["INSTALL", "Pen"]

INSTALL = "OpenTelemetry is not installed: pip install 'kimi-nb[otel]'"


class Pen:
    """Makes spans of a run's drafts; `processor` gets each as it ends.

    Ids are made from the run and from what a span is within it: whoever sends a run twice, or
    once while it goes on and once afterwards, has it once. Raises UsageFault where the SDK is
    missing or switched off.
    """

    def __init__(self, sketch: Sketch, processor: SpanProcessor) -> None:
        try:
            from opentelemetry.sdk.resources import OTELResourceDetector, Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.id_generator import IdGenerator
            from opentelemetry.sdk.trace.sampling import ALWAYS_ON
            from opentelemetry.trace import NoOpTracer
        except ImportError as error:
            raise UsageFault(INSTALL) from error

        class Ids(IdGenerator):
            """What the SDK asks for the ids of the span that begins."""

            trace = span = 0

            def generate_trace_id(self) -> int:
                return self.trace

            def generate_span_id(self) -> int:
                return self.span

        ours = Resource({"service.name": "kimi_nb", "service.version": __version__})
        self._ids = Ids()
        self._sketch = sketch
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=ours.merge(OTELResourceDetector().detect()),  # OTEL_SERVICE_NAME has its way
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("kimi_nb", __version__)

        if isinstance(self._tracer, NoOpTracer):
            raise UsageFault("the OpenTelemetry SDK makes no spans: unset OTEL_SDK_DISABLED")

    def draw(self, draft: Draft) -> None:
        """Make the span of a draft that has ended."""
        from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context

        drafts = self._sketch.drafts
        parent = next((key for key in draft.parents if key in drafts), None)
        around = set_span_in_context(NonRecordingSpan(self._context(parent))) if parent else None
        self._ids.trace, self._ids.span = self._identity(draft.key)
        span = self._tracer.start_span(
            draft.name,
            context=around,
            kind=SpanKind.CLIENT if draft.calls_out else SpanKind.INTERNAL,
            attributes=_encodable(draft.attributes | self._marks()),
            links=[Link(self._context(key)) for key in draft.after if key in drafts],
            start_time=draft.began,
        )
        _finish(span, draft)

    def _identity(self, key: str) -> tuple[int, int]:
        run = self._sketch.run
        return int(run, 16), identity(run, key, size=8)

    def _context(self, key: str) -> SpanContext:
        from opentelemetry.trace import SpanContext, TraceFlags

        sampled = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(*self._identity(key), is_remote=False, trace_flags=sampled)

    def _marks(self) -> dict[str, Value]:
        """What every span of a run says."""
        sketch = self._sketch
        return {"gen_ai.conversation.id": sketch.run, "kimi_nb.simulated": sketch.simulated}


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
