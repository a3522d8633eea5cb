"""What is asked in a notebook's page: a prediction, or the items of a quiz."""

from __future__ import annotations

from typing import Any, Protocol, cast

import anywidget
import traitlets

from kimi_nb.errors import UsageFault
from kimi_nb.views.text import one_line
from kimi_nb.widgets.page import STATIC, widget_bundle

__all__ = ["GuessView", "QuizView"]


class Held(Protocol):
    """A prediction or a quiz that the kernel holds."""

    def form(self) -> dict[str, Any]: ...
    def state(self) -> dict[str, Any]: ...
    def heard(self, message: dict[str, Any]) -> None: ...


class AskedView(anywidget.AnyWidget):
    """The kernel alone writes its traits; a page sends messages."""

    asked = traitlets.Dict().tag(sync=True)
    """The question, and what is needed to ask it."""
    told = traitlets.Dict().tag(sync=True)
    """What was answered, and what is true."""

    def __init__(self, held: Held) -> None:
        super().__init__(asked=held.form(), told=held.state())
        self._held = held
        cast("Any", self).on_msg(self._heard)

    def tell(self, state: dict[str, Any]) -> None:
        """Show another state of it."""
        self.told = state

    def bundle(self) -> dict[str, Any]:
        """The MIME bundle of the widget alone."""
        return widget_bundle(self)

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        """A page sends an answer, which may be anything."""
        if not isinstance(content, dict):
            return

        try:
            self._held.heard(cast("dict[str, Any]", content))
        except UsageFault as error:
            cast("Any", self).send({"kind": "told", "text": one_line(f"{error}")})


class GuessView(AskedView):
    """A prediction: asked for, locked, and shown beside its trace."""

    _esm = STATIC / "predict.js"
    _css = STATIC / "predict.css"


class QuizView(AskedView):
    """A quiz: each answer is told at once whether it is right."""

    _esm = STATIC / "quiz.js"
    _css = STATIC / "quiz.css"
