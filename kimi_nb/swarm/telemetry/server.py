"""`/metrics` of this process, for a Prometheus on this machine."""

from __future__ import annotations

import functools
import sys
from threading import Thread
from typing import TYPE_CHECKING

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.telemetry.families import check_installed
from kimi_nb.swarm.telemetry.limiters import limiter_collector
from kimi_nb.swarm.telemetry.runs import RunCollector, limiters_of_runs

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

__all__ = ["PORT", "MetricsServer", "metrics_server"]

HOST = "127.0.0.1"
PORT = 9464
"""Which OpenTelemetry's exporters for Prometheus take as well."""


class MetricsServer:
    """Answers at `url` until it is closed or the process ends."""

    def __init__(self, server: WSGIServer, thread: Thread) -> None:
        self._server = server
        self._thread = thread
        self.port = server.server_port
        self.url = f"http://{HOST}:{self.port}/metrics"

    def close(self) -> None:
        """Stop it and free the port."""
        _servers().pop(self.port, None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __repr__(self) -> str:
        return f"metrics for Prometheus at {self.url}"


def metrics_server(port: int = PORT) -> MetricsServer:
    """Serve the limiters, budgets and runs of this process to Prometheus; returns at once.

    Only this machine can ask. Asked for again, it is the one that is there. `port` 0 takes a free
    one. Raises UsageFault where it cannot be had, and without the extra `prometheus`.
    """
    check_installed()

    if sys.platform == "emscripten":
        raise UsageFault("in a browser nothing can listen: run it in a kernel on a machine")

    if port in _servers():
        return _servers()[port]

    if not 0 <= port <= 65_535:
        message = f"{port} is not a port: 0 to 65535"
        raise UsageFault(message)

    made = _listening(port)
    _servers()[made.port] = made
    return made


def _listening(port: int) -> MetricsServer:
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(limiter_collector(limiters_of_runs))
    registry.register(RunCollector())

    try:
        return MetricsServer(*start_http_server(port, HOST, registry))
    except OSError as error:
        message = (
            f"cannot listen at {HOST}:{port} ({error.strerror}); another port: "
            f"kn.metrics_server({PORT + 1}), %swarm metrics {PORT + 1} or --metrics-port "
            f"{PORT + 1}; 0 takes a free one"
        )
        raise UsageFault(message) from None


@functools.cache
def _servers() -> dict[int, MetricsServer]:
    """Those that listen, by port."""
    return {}
