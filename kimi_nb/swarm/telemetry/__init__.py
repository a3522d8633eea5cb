"""Numbers of limiters, budgets and runs for Prometheus, read when it asks."""

from __future__ import annotations

from kimi_nb.swarm.telemetry.limiters import LimiterCollector, limiter_collector
from kimi_nb.swarm.telemetry.server import PORT, MetricsServer, metrics_server

__all__ = [
    "PORT",
    "LimiterCollector",
    "MetricsServer",
    "limiter_collector",
    "metrics_server",
]
