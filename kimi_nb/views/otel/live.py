"""A run's spans on their way while it goes on: each is sent when it has ended.

A thread of its own reads the log, so that a run neither waits for a collector nor knows of it.
What is not yet sent stays in the log: the queue is short, and who is slow gets it later.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kimi_nb.errors import TraceError, UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.otel.draft import Draft
from kimi_nb.views.otel.pen import INSTALL, Pen
from kimi_nb.views.otel.sdk import check_exporter
from kimi_nb.views.otel.sketch import Sketch
from kimi_nb.views.otel.wire import BATCH, otlp, place, send
from kimi_nb.views.words import count

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["Followed", "LiveExport", "check_otlp", "export_live"]

LOOK_S = 0.25
"""Seconds between two looks at the log."""
SLICE = 8
"""Spans, or eight times as many facts, after which the thread lets the run's go on."""
REST_S = 0.001
SEND_S = 1.0
"""Seconds for which a span waits at most for others that go with it."""
QUEUE = 4 * BATCH
"""Spans that are made and not yet sent, at most."""
GRACE_S = 10.0
"""Seconds after the end of a run in which the rest may still arrive."""
AT_EXIT_S = 3.0
"""Seconds that the end of the program waits for what is on its way."""


class Followed(Protocol):
    """What is asked of a run: its facts so far, and whether it has ended."""

    @property
    def records(self) -> Sequence[Record]: ...
    @property
    def done(self) -> bool: ...
    @property
    def path(self) -> Path | None: ...


def export_live(
    run: Followed,
    exporter: SpanExporter | None = None,
    *,
    endpoint: str | None = None,
    content: bool = False,
) -> LiveExport:
    """Send the spans of a run that goes on, each when it has ended; returns at once.

    They are those that `export_spans` gives afterwards, with the same ids, and the run's own is
    the last. Arguments are as there. What is open when the kernel dies is sent by nobody, until
    `export_spans` sends all that is in the log. A collector that does not answer costs the run
    nothing; a RuntimeWarning says so once, and another at the end how many spans it missed.

    Raises UsageFault for what cannot be done as typed.
    """
    check_exporter(exporter, endpoint)

    if sys.platform == "emscripten":
        raise UsageFault("in a browser spans can be saved only: kn.export(run, 'run.json')")

    where = place(endpoint) if exporter is None else type(exporter).__name__
    sender = otlp(endpoint) if exporter is None else exporter
    return LiveExport(run, sender, where, owned=exporter is None, content=content)


def check_otlp(endpoint: str | None) -> None:
    """Raises UsageFault if spans cannot be sent there, before a run begins that is to send them."""
    otlp(endpoint).shutdown()


class LiveExport:
    """How far the sending of a run is."""

    def __init__(
        self, run: Followed, exporter: SpanExporter, where: str, *, owned: bool, content: bool
    ) -> None:
        self.where = where
        """The collector, without keys."""
        self.sent = 0
        """Spans that have arrived."""
        self.lost = 0
        """Spans that have not, and that nobody will send again but `export_spans`."""
        self.fault = ""
        """Why the first of them did not arrive."""
        self._run = run
        self._exporter = exporter
        self._owned = owned
        self._sketch = Sketch(content=content)
        self._made = 0
        """Spans that were handed to the SDK."""
        self._told = threading.Condition()
        self._given_up = False
        self._pen, self._finish = _line(self._sketch, self._send)
        self._thread = threading.Thread(target=self._follow, name="kimi_nb-otlp", daemon=True)
        self._thread.start()
        atexit.register(self._at_exit)

    @property
    def done(self) -> bool:
        """Whether the run has ended and all of its spans have arrived or are lost."""
        return not self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is done, `timeout` seconds at most; returns whether it is."""
        self._thread.join(timeout)
        return self.done

    def __repr__(self) -> str:
        lost = f", {self.lost} did not arrive" if self.lost else ""
        more = "" if self.done else "; it goes on"
        return f"{count(self.sent, 'span')} sent to {self.where}{lost}{more}"

    def _follow(self) -> None:
        try:
            self._read()
        except TraceError as error:
            self.fault = str(error)
            self._warn(f"spans are sent up to where the log cannot be read: {error}")

        self._end()

    def _read(self) -> None:
        """Take in the facts, and draw what has ended, until the run has."""
        seen = 0

        while True:
            done = self._run.done  # before the facts: then these are all
            news = self._run.records[seen:]
            seen += len(news)

            for number, record in enumerate(news, start=1):
                self._sketch.add(record)
                self._rest(number, 8 * SLICE)

            if done:
                return

            self._draw(self._sketch.take())
            time.sleep(LOOK_S)

    def _end(self) -> None:
        limit = threading.Timer(GRACE_S, self._give_up)
        limit.daemon = True
        limit.start()

        if self._sketch.run:
            self._sketch.close()
            self._draw(self._sketch.take_rest())

        self._finish()
        limit.cancel()
        atexit.unregister(self._at_exit)

        if self._owned and not self._given_up:
            self._exporter.shutdown()

        if self.lost:
            self._tell_lost()

    def _draw(self, drafts: Sequence[Draft]) -> None:
        for number, draft in enumerate(drafts, start=1):
            with self._told:
                self._told.wait_for(lambda: self._made - self.sent - self.lost < QUEUE)

            self._made += 1
            self._pen.draw(draft)

            if not draft.key.startswith("agent/"):  # its own steps ask an agent for its name
                draft.attributes.clear()
                draft.events.clear()

            self._rest(number, SLICE)

    def _rest(self, number: int, most: int) -> None:
        """Let go of the interpreter after so many: who only computes keeps it for 5 ms a time."""
        if number % most == 0 and not self._run.done:
            time.sleep(REST_S)

    def _at_exit(self) -> None:
        if self._run.done:
            self.wait(AT_EXIT_S)

    def _give_up(self) -> None:
        """Whatever has not arrived by now is lost."""
        self._given_up = True

        if self._owned:
            self._exporter.shutdown()

    def _send(self, spans: Sequence[ReadableSpan]) -> None:
        why = f"{GRACE_S:.0f} s were not enough" if self._given_up else send(self._exporter, spans)

        with self._told:
            self.sent += 0 if why else len(spans)
            self.lost += len(spans) if why else 0
            self._told.notify_all()

        if why and not self.fault:
            self.fault = why

            if not self._run.done:
                self._warn(f"spans do not arrive at {self.where}, and the run goes on: {why}")

    def _tell_lost(self) -> None:
        log = self._run.path
        again = f"`kimi-nb export {log} --otlp URL`" if log else "kn.export_spans(run, …)"
        self._warn(
            f"{self.lost} of {self._made} spans did not arrive at {self.where}: {self.fault}. Once "
            f"a collector listens, {again} sends them all, with the same ids"
        )

    def _warn(self, text: str) -> None:
        warnings.warn(text, RuntimeWarning, stacklevel=1)


def _line(
    sketch: Sketch, send_all: Callable[[Sequence[ReadableSpan]], None]
) -> tuple[Pen, Callable[[], None]]:
    """A pen whose spans go to `send_all` in batches, and what sends the rest and ends that."""
    try:
        from opentelemetry.sdk.trace.export import (
            BatchSpanProcessor,
            SpanExporter,
            SpanExportResult,
        )
    except ImportError as error:
        raise UsageFault(INSTALL) from error

    class Counted(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            send_all(spans)
            return SpanExportResult.SUCCESS  # what failed is counted already

    processor = BatchSpanProcessor(
        Counted(),
        max_queue_size=QUEUE,
        schedule_delay_millis=SEND_S * 1000,
        max_export_batch_size=BATCH,
    )
    return Pen(sketch, processor), processor.shutdown
