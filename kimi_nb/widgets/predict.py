"""A prediction in a notebook's page: asked for, locked, and shown beside its trace."""

from __future__ import annotations

from typing import Any, cast

import anywidget
import traitlets

from kimi_nb.errors import UsageFault
from kimi_nb.teach.guess import Guess
from kimi_nb.views.text import one_line
from kimi_nb.widgets.page import STATIC, widget_bundle

__all__ = ["GuessView"]


class GuessView(anywidget.AnyWidget):
    """One prediction. The kernel alone writes its traits; a page sends messages."""

    _esm = STATIC / "predict.js"
    _css = STATIC / "predict.css"

    asked = traitlets.Dict().tag(sync=True)
    """The question, and what is needed to ask it."""
    told = traitlets.Dict().tag(sync=True)
    """What is locked, what was before, and what is true."""

    def __init__(self, guess: Guess) -> None:
        super().__init__(asked=guess.form(), told=guess.state())
        self._guess = guess
        cast("Any", self).on_msg(self._heard)

    def tell(self, state: dict[str, Any]) -> None:
        """Show another state of the prediction."""
        self.told = state

    def bundle(self) -> dict[str, Any]:
        """The MIME bundle of the widget alone."""
        return widget_bundle(self)

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        """A page wants to lock a value, which may be anything."""
        if not isinstance(content, dict) or cast("Any", content).get("kind") != "lock":
            return

        try:
            self._guess.lock(cast("dict[str, Any]", content).get("value"))
        except UsageFault as error:
            cast("Any", self).send({"kind": "told", "text": one_line(f"{error}")})
