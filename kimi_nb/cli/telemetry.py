"""`--otlp` and `--metrics-port` of `kimi-nb run` and `resume`: who else may look at a run."""

from __future__ import annotations

import argparse

from kimi_nb.cli.output import tell
from kimi_nb.patience import patience
from kimi_nb.swarm.handle import Replay, Run
from kimi_nb.swarm.telemetry import metrics_server
from kimi_nb.views.otel import LiveExport, check_otlp, export_live

__all__ = ["begin_telemetry", "send_spans", "wait_for_spans"]

WAIT_S = 30.0
"""Seconds for what is on its way when the run has ended; it gives up by itself before."""


def begin_telemetry(asked: argparse.Namespace) -> None:
    """Serve metrics if they were asked for. Raises UsageFault for what cannot be done as typed."""
    if asked.otlp is not None:
        check_otlp(asked.otlp or None)

    if asked.metrics_port is not None:
        tell(f"{metrics_server(asked.metrics_port)!r}, until the run has ended")


def send_spans(run: Run | Replay, asked: argparse.Namespace) -> LiveExport | None:
    """Send spans from now on, if that was asked for."""
    return None if asked.otlp is None else export_live(run, endpoint=asked.otlp or None)


def wait_for_spans(sending: LiveExport | None) -> None:
    """Wait for the last of them, and tell how many have arrived."""
    if sending is not None:
        with patience(f"otlp: sending the rest to {sending.where}; Ctrl-C stops it"):
            sending.wait(WAIT_S)

        tell(f"otlp: {sending!r}")
