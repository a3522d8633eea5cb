"""The SDK's OTLP exporter: where it sends to, with which keys, and why it failed."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from kimi_nb.errors import UsageFault
from kimi_nb.redact import hide, know
from kimi_nb.views.otel.pen import INSTALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["BATCH", "otlp", "place", "send"]

BATCH = 512
"""Spans of one request; with content a span may have a hundred kilobytes."""
WHY = 240
"""Characters of what an exporter said first: later it only gives up."""
EXPORTERS = "opentelemetry.exporter"
"""The logger above those to which exporters tell why they failed."""
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")


def otlp(endpoint: str | None) -> SpanExporter:
    """An exporter to `endpoint`, or to where the variables OTEL_EXPORTER_OTLP_* say.

    The keys in headers are known from then on. Raises UsageFault for what is no endpoint and
    without the extra.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise UsageFault(INSTALL) from error

    _learn_keys(endpoint)

    if endpoint is None:
        _check_variable()
        return OTLPSpanExporter()

    parts = _parts(endpoint)

    if parts is None:
        raise UsageFault(f"{endpoint!r} is no endpoint: type a URL, as http://localhost:4318")

    whole = parts.path.strip("/") != ""  # else where every collector listens
    return OTLPSpanExporter(endpoint if whole else f"{endpoint.rstrip('/')}/v1/traces")


def place(endpoint: str | None) -> str:
    """Where spans go by `endpoint` and the environment, without a key that may stand in it."""
    named = endpoint or next(filter(None, map(os.environ.get, ENDPOINTS)), "http://localhost:4318")
    parts = _parts(named)

    if parts is None:
        return "the endpoint"

    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def send(exporter: SpanExporter, spans: Sequence[ReadableSpan]) -> str | None:
    """Send spans; returns why they did not arrive, and None if they did."""
    from opentelemetry.sdk.trace.export import SpanExportResult

    with _Listener() as heard:
        try:
            arrived = exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001  # an exporter is anybody's code
            arrived = False
            heard.append(f"{type(error).__name__}: {error}")

    return None if arrived else hide("".join(heard[:1]))[:WHY] or "nothing"


def _check_variable() -> None:
    name = next((name for name in ENDPOINTS if os.environ.get(name)), "")

    if name and _parts(os.environ[name]) is None:
        raise UsageFault(f"{name} holds no endpoint: set a URL, as http://localhost:4318")


def _parts(endpoint: str) -> SplitResult | None:
    """A URL in parts; None for what is no URL of HTTP."""
    try:
        parts = urlsplit(endpoint)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError):
        return None

    return parts if known else None


def _learn_keys(endpoint: str | None) -> None:
    """Know the keys in endpoints, and in the headers that the environment gives to exporters."""
    endpoints = [*filter(None, [endpoint, *map(os.environ.get, ENDPOINTS)])]

    for parts in filter(None, map(_parts, endpoints)):
        know(unquote(parts.password or ""))

    for name in HEADERS:
        for pair in os.environ.get(name, "").split(","):
            value = unquote(pair.partition("=")[2])
            know(value)
            know(value.rpartition(" ")[2])  # "Bearer KEY"


class _Listener(logging.Handler):
    """What exporters log in this thread: they tell nobody else why they failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.heard.append(record.getMessage())

    def __enter__(self) -> list[str]:
        logging.getLogger(EXPORTERS).addHandler(self)
        return self.heard

    def __exit__(self, *_: object) -> None:
        logging.getLogger(EXPORTERS).removeHandler(self)
