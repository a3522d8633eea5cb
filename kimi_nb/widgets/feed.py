"""The thread that feeds the pages of a kernel.

Jupyter drops what comes in more than about a thousand messages a second, so all that has
happened goes out together, some ten times a second; and whoever writes a widget's traits from two
threads loses some. So one thread folds, sends and answers for all views, and a cell that blocks
the kernel stops none of them.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextvars import Context, copy_context
from typing import Any, Protocol

__all__ = ["FEED", "Fed", "Feed"]

BEAT = 0.08
"""Seconds between two messages to the page about one run."""


class Fed(Protocol):
    """A view, as the feed sees it. All of it is called in the feed's thread alone."""

    ended: bool

    def beat(self) -> None: ...
    def answer(self, question: dict[str, Any]) -> None: ...

    def fail(self) -> None:
        """A beat went wrong: there is none any more."""
        ...


Question = tuple[Fed, dict[str, Any] | None, Context]
"""Whose page asks, what, and within which request; None asks for all that happens."""


class Feed:
    """One daemon thread, which sleeps while no run goes on and nobody asks."""

    def __init__(self) -> None:
        self._questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self._live: dict[Fed, Context] = {}
        """Whose runs go on, each with the request in whose name the kernel sends what it is told:
        ipykernel 7.0 sends nothing without one, and others name the cell by it."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, view: Fed) -> None:
        """Keep a view up to date until its run ends."""
        self.ask(view, None)

    def ask(self, view: Fed, question: dict[str, Any] | None) -> None:
        """Have a question of a view's page answered. From any thread."""
        self._questions.put((view, question, copy_context()))

        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._go, name="kimi_nb feed", daemon=True)
                self._thread.start()

    def _go(self) -> None:
        due = time.monotonic()

        while True:
            if self._live and time.monotonic() >= due:
                self._beat()
                due = time.monotonic() + BEAT  # however long it took, questions have their turn

            wait = max(0.0, due - time.monotonic()) if self._live else None

            try:
                view, question, context = self._questions.get(timeout=wait)
            except queue.Empty:
                continue

            if question is not None:
                _safely(context, view.answer, question)
            elif view not in self._live:
                self._live[view] = context
                due = time.monotonic()

    def _beat(self) -> None:
        for view, context in list(self._live.items()):
            well = _safely(context, view.beat)

            if not well:
                _safely(context, view.fail)

            if view.ended or not well:
                del self._live[view]


def _safely(context: Context, do: Any, *arguments: Any) -> bool:
    """Whether it went well; what goes wrong with one view is logged and stops no other."""
    try:
        context.run(do, *arguments)
    except Exception:
        logging.getLogger("kimi_nb").exception("a view could not be kept up to date")
        return False

    return True


FEED = Feed()
"""The kernel's."""
