"""OpenTelemetry GenAI spans: a run as spans, and other people's spans as a run."""

from __future__ import annotations

from kimi_nb.views.otel.live import LiveExport, check_otlp, export_live
from kimi_nb.views.otel.read import from_spans
from kimi_nb.views.otel.sdk import export_spans, to_spans

__all__ = [
    "LiveExport",
    "check_otlp",
    "export_live",
    "export_spans",
    "from_spans",
    "to_spans",
]
