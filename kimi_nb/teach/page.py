"""What a prediction and a quiz share: a page, and what a reader without one sees."""

from __future__ import annotations

from typing import Any, Protocol, cast

from IPython import display as ipython_display
from IPython.core.getipython import get_ipython

from kimi_nb.views.html.twin import twin

__all__ = ["Page", "has_page", "shown"]


class Page(Protocol):
    """Where something is shown, and answered by hand."""

    def tell(self, state: dict[str, Any]) -> None:
        """Show another state of it."""
        ...

    def bundle(self) -> dict[str, Any]:
        """What IPython shows, by MIME type."""
        ...


def has_page() -> bool:
    """Whether this is the kernel of a notebook; a terminal has no widgets."""
    return hasattr(get_ipython(), "kernel")


def shown(widget: dict[str, Any], text: str, html: str, below: str) -> dict[str, Any]:
    """A cell's value, by MIME type: the widget, and what stands for it where there is none.

    With `below`, a word on what stands below, the two are outputs of their own: a saved notebook
    shows an empty place for a widget whose kernel is gone, and the value that is kept here gives
    way to a widget that lives.
    """
    bundle = {"text/plain": text, "text/html": html}

    if not widget or not below:
        return widget | bundle

    cast("Any", ipython_display).display(widget | {"text/plain": below}, raw=True)
    return bundle | {"text/html": twin(html)}
