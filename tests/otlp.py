"""A receiver of OTLP over HTTP on this machine, and OTLP JSON as the Collector writes it.

with Receiver() as receiver:
    ...                       # export to receiver.url
receiver.requests             # decoded, in the form of OTLP JSON
"""

from __future__ import annotations

import base64
import gzip
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Receiver", "spans_of"]


class Receiver(ThreadingHTTPServer):
    """Takes what is posted to /v1/traces; answers with `status`."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[Message] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))

        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)

        self.server.paths.append(self.path)
        self.server.headers.append(self.headers)
        self.server.requests.append(as_json(ExportTraceServiceRequest.FromString(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: a test has its own words."""


def as_json(request: ExportTraceServiceRequest) -> dict[str, Any]:
    """OTLP JSON, in which ids are hexadecimal where protobuf's own JSON has base64."""
    return _hexadecimal(MessageToDict(request))


def _hexadecimal(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _hexadecimal(part, name) for name, part in value.items()}

    if isinstance(value, list):
        return [_hexadecimal(part) for part in value]

    return base64.b64decode(value).hex() if key in {"traceId", "spanId", "parentSpanId"} else value


def spans_of(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All spans in requests, attributes as plain dictionaries."""
    return [
        span | {"attributes": {a["key"]: _plain(a["value"]) for a in span.get("attributes", ())}}
        for request in requests
        for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def _plain(value: dict[str, Any]) -> Any:
    (kind, found), *_ = value.items() or [("", None)]

    if kind == "arrayValue":
        return [_plain(part) for part in found.get("values", ())]

    return int(found) if kind == "intValue" else found
