"""What a notebook holds of a run: its results at any time, and the means to wait and to cancel."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_nb.errors import UsageFault
from kimi_nb.events import Judged
from kimi_nb.swarm.engine import Engine, Stop
from kimi_nb.swarm.runtime import GRACE, runtime
from kimi_nb.trace import Log, Record, Trace
from kimi_nb.views.critical import Metrics, metrics
from kimi_nb.views.fold import Fold
from kimi_nb.views.graph import graph
from kimi_nb.views.html.twin import twin
from kimi_nb.views.live import live_text
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.summary import summary_html, summary_text
from kimi_nb.views.text import escape
from kimi_nb.views.words import left_by_stop

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Interrupted", "Replay", "Run"]

HEARTBEAT = 0.05
"""Seconds between looks at a run that is awaited. The kernel's interrupt handler does not wake
an idle loop, so it is this that makes the stop button work."""


class Interrupted(asyncio.CancelledError):
    """The cell was stopped while it awaited a run; the run was cancelled and keeps its results."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


class Replay:
    """A run read from its trace: all results, nothing to wait for."""

    def __init__(
        self, trace: Trace, *, name: str = "", prices: Mapping[str, Price] = PRICES
    ) -> None:
        self.records: Sequence[Record] = trace
        """All facts so far; those of a run grow meanwhile."""
        self.prices = prices
        self._fold = Fold()
        self.name = name
        self.path = trace.path
        """Where the log lies."""

    @property
    def fold(self) -> Fold:
        """What the facts so far add up to."""
        for record in self.records[self._fold.count :]:
            self._fold.add(record)

        return self._fold

    @property
    def done(self) -> bool:
        """Whether nothing of it runs any more."""
        return True

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far."""
        return self.records[-1].t if self.records else 0.0

    @property
    def draft(self) -> str:
        """What the main agent is saying at the moment; "" while it says nothing."""
        return ""

    @property
    def pace(self) -> str:
        """One line: how many calls are out, how many wait, at what pace; "" where none can be."""
        return ""

    def cancel(self, agent: str | None = None) -> None:
        """End the run, or one of its sub-agents, at once; all that was done is kept.

        Raises UsageFault for an agent that is not running.
        """
        if agent is not None:
            message = f"no sub-agent {agent!r} is running: the run has ended"
            raise UsageFault(message)

    @property
    def goal(self) -> str:
        return self.fold.goal

    @property
    def status(self) -> str:
        """running, finished, partial, cancelled, over_budget or failed."""
        return self.fold.status

    @property
    def answer(self) -> str:
        """The orchestrator's answer; of a run without one, what its sub-agents brought."""
        return self.fold.answer

    @property
    def why(self) -> str:
        """Why the run did not finish; "" if it did."""
        return self.fold.why

    @property
    def judged(self) -> Judged | None:
        """The latest verdict on the answer; None before there is one, and where nobody judges."""
        return self.fold.judgements[-1] if self.fold.judgements else None

    @property
    def metrics(self) -> Metrics:
        return metrics(self.fold, self.prices)

    @property
    def trace(self) -> Trace:
        """All that has happened so far."""
        return Trace(self.records, path=self.path)

    @property
    def graph(self) -> nx.DiGraph[str]:
        return graph(self.trace)

    def __iter__(self) -> Iterator[Record]:
        """The facts so far: what the views take."""
        return iter(self.trace)

    def save(self, path: str | Path) -> Path:
        """Write the trace to another file; returns its path."""
        return self.trace.save(path)

    def __repr__(self) -> str:
        return summary_text(self.trace, prices=self.prices)

    def _repr_html_(self) -> str:
        return twin(summary_html(self.trace, prices=self.prices))


class Run(Replay):
    """A run that was started here. `await` it, or `result()`, or let it go on."""

    def __init__(
        self,
        log: Log,
        engine: Engine,
        future: Future[None],
        *,
        name: str,
        prices: Mapping[str, Price] = PRICES,
    ) -> None:
        super().__init__(log.trace(), name=name, prices=prices)
        self.records = log.records
        self._log = log
        self._engine = engine
        self._future = future

    @property
    def done(self) -> bool:
        return self._future.done()

    @property
    def seconds(self) -> float:
        return super().seconds if self.done else self._log.now

    @property
    def draft(self) -> str:
        return "".join(self._engine.draft)

    @property
    def engine(self) -> Engine:
        """Its log, limiter and account while it goes on; for who looks, not for who steers."""
        return self._engine

    @property
    def pace(self) -> str:
        return self._engine.limiter.status()

    @property
    def waiting(self) -> int:
        """How many calls the limiter keeps back, those of other runs at this endpoint too."""
        return 0 if self.done else self._engine.limiter.waiting

    def cancel(self, agent: str | None = None) -> None:
        if self.done:
            return

        if agent is None:
            stop = Stop("cancelled", "by the user")
            runtime().loop.call_soon_threadsafe(self._engine.stop, stop)
            return

        running = [id for id, task in list(self._engine.tasks.items()) if not task.done()]

        if agent not in running:
            message = f"no sub-agent {agent!r} is running; running: {', '.join(running) or 'none'}"
            raise UsageFault(message)

        runtime().loop.call_soon_threadsafe(self._engine.cancel_agent, agent)

    def result(self, timeout: float | None = None) -> Run:
        """Wait until the run has ended, and return it.

        Raises TimeoutError after `timeout` seconds; the run goes on. Ctrl-C cancels it. In a
        browser, where a run goes on only while nothing blocks, it raises UsageFault until the end.
        """
        if sys.platform == "emscripten" and not self.done:
            raise UsageFault("in a browser a run cannot be waited for so; type: await run")

        end = None if timeout is None else time.monotonic() + timeout

        try:
            while not self.done:
                if end is not None and time.monotonic() > end:
                    message = f"the run goes on after {timeout} s"
                    raise TimeoutError(message)

                time.sleep(HEARTBEAT / 5)
        except KeyboardInterrupt:
            self.cancel()
            self._wait_for_end()
            raise

        self._future.result()
        return self

    def __await__(self) -> Generator[Any, None, Run]:
        return self.wait().__await__()

    async def wait(self, beat: Callable[[], bool] | None = None) -> Run:
        """What `await` does; `beat` is called at every heartbeat, and True from it ends the wait.

        Raises Interrupted, with the run cancelled, when whoever waits is cancelled.
        """
        try:
            ended = asyncio.wrap_future(self._future)

            while not self.done:
                await asyncio.wait({ended}, timeout=HEARTBEAT)

                if beat is not None and beat() and not self.done:
                    return self
        except asyncio.CancelledError:
            self.cancel()
            self._wait_for_end()
            raise Interrupted(left_by_stop(self.fold, self.path)) from None

        self._future.result()
        return self

    def _wait_for_end(self) -> None:
        if sys.platform == "emscripten":  # it ends as soon as this here does not block
            return

        end = time.monotonic() + 2 * GRACE  # it ends a little later than the last of its agents

        while not self.done and time.monotonic() < end:
            time.sleep(HEARTBEAT / 10)

    def progress(self) -> str:
        """What the run is at, in a few lines; also what its calls wait for, if any waits."""
        text = live_text(self.fold, self.seconds, name=self.name, prices=self.prices)
        return f"{text}\n{self.pace}" if self.waiting else text

    def __repr__(self) -> str:
        if self.done:
            return super().__repr__()

        commands = f"%swarm status {self.name}, %swarm cancel {self.name}"
        return f"{self.progress()}\nIt goes on: {commands}"

    def _repr_html_(self) -> str:
        return super()._repr_html_() if self.done else twin(f"<pre>{escape(repr(self))}</pre>")

    async def __aiter__(self) -> AsyncIterator[Record]:
        """Every fact of the run, from its first, as it happens."""
        seen = 0

        while True:
            done = self.done

            for record in self.records[seen:]:
                seen += 1
                yield record

            if done:
                return

            await asyncio.sleep(HEARTBEAT)
