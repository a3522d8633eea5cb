"""Runs that show themselves: the widget where there is a page, its text twin where there is none.

A widget dies with its kernel, and the place where it stood in a saved notebook stays empty. So
the twin, a picture without script, is an output of its own below it, and the two give way to
each other: see `kimi_nb.views.html.twin`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from IPython import display as ipython_display
from IPython.core.interactiveshell import InteractiveShell

from kimi_nb.swarm.handle import Replay

if TYPE_CHECKING:
    from kimi_nb.widgets import SwarmView

__all__ = ["Showing", "has_page", "publish"]


FIRST = 1.0
"""Seconds at most that the picture of a finished run has before its text is reckoned."""


def has_page(shell: InteractiveShell) -> bool:
    """Whether a page shows what the shell gives out, and can be told more later."""
    return hasattr(shell, "kernel")


class Showing:
    """The views of this kernel's runs: one for each run, in as many places as it is shown."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._views: WeakKeyDictionary[Replay, SwarmView] = WeakKeyDictionary()
        self._here: set[int] = set()
        """Runs, by `id`, that the cell which runs has shown."""
        formatters = cast("Any", shell.display_formatter)
        self._formatter = formatters.mimebundle_formatter
        self._formatter.for_type(Replay, self._bundle)
        shell.events.register("pre_run_cell", self._here_is_nothing)

    def undo(self) -> None:
        """Runs are shown as text again."""
        self._formatter.pop(Replay, None)

        with contextlib.suppress(ValueError):
            self._shell.events.unregister("pre_run_cell", self._here_is_nothing)

    def show(self, run: Replay, background: Callable[[], None] | None = None) -> None:
        """Put the view of a run into the cell that runs, once for each cell."""
        if id(run) in self._here:
            return

        self._here.add(id(run))
        view = self._views.get(run) or self._new(run, background)
        publish(view.bundle(f"{run.name}: a live view; what came of it stands below"))

        if run.done:
            view.begun.wait(FIRST)

    def _new(self, run: Replay, background: Callable[[], None] | None) -> SwarmView:
        from kimi_nb.widgets import SwarmView  # it costs `%load_ext` more than all the rest

        view = self._views[run] = SwarmView(run, background=background)
        return view

    def _bundle(self, run: Replay, **_: object) -> dict[str, str]:
        """What IPython shows for a run that is a cell's value."""
        if has_page(self._shell):
            self.show(run)

        return {"text/plain": repr(run), "text/html": run._repr_html_()}  # pyright: ignore[reportPrivateUsage]

    def _here_is_nothing(self, *_: object) -> None:
        self._here.clear()


def publish(bundle: dict[str, Any]) -> None:
    """Show a MIME bundle in the cell that runs."""
    cast("Any", ipython_display).display(bundle, raw=True)
