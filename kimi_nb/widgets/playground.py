"""The widget of the playground: sliders for λ beside the rewards of a training."""

from __future__ import annotations

from typing import Any, cast

from IPython import display as ipython_display
from IPython.core.getipython import get_ipython

from kimi_nb.errors import UsageFault
from kimi_nb.views.html.learning import training_html
from kimi_nb.views.html.twin import twin
from kimi_nb.views.learning import training_text
from kimi_nb.widgets.feed import FEED
from kimi_nb.widgets.page import STATIC, Page, widget_bundle
from kimi_nb.widgets.recorded import WAYS, training_of
from kimi_nb.widgets.source import Source, Trainer
from kimi_nb.widgets.steering import Steering

__all__ = ["Playground"]


class Playground(Page):
    """A training under the schedules that its sliders set. Raises UsageFault without any."""

    _esm = STATIC / "playground.js"
    _css = STATIC / "playground.css"

    def __init__(self, training: object = None, *, trainer: Trainer | None = None) -> None:
        if trainer is not None and not callable(trainer):
            message = f"a trainer is a function, {type(trainer).__name__} is none: type {WAYS}"
            raise UsageFault(message)

        if training is None and trainer is None:
            message = f"there is nothing to play with: type {WAYS}"
            raise UsageFault(message)

        source = None if training is None else training_of(training)
        self._below: list[Any] = []
        """The places where its picture stands."""
        self._steering = Steering(source, trainer, self._go_on)
        super().__init__(self._steering)

    @property
    def training(self) -> Source | None:
        """The training that it shows: what `trainer` returned last, say."""
        return self._steering.source

    def _go_on(self) -> None:
        self.ended = False
        FEED.add(self)

    def beat(self) -> None:
        super().beat()

        if self.ended:
            self._picture()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] -- IPython takes both
        """The widget, and for front ends without widgets a picture and a text."""
        return widget_bundle(self) | self._still()

    def _still(self) -> dict[str, str]:
        found = self._steering.rewards
        said = training_text(found) if found.count else "no training yet"
        return {"text/plain": f"λ playground\n{said}", "text/html": twin(training_html(found))}

    def _ipython_display_(self) -> None:
        """In a notebook the picture is an output of its own, which a saved notebook still has."""
        display = cast("Any", ipython_display).display
        bundle = self._repr_mimebundle_()

        if not hasattr(get_ipython(), "kernel"):
            display(bundle, raw=True)
            return

        name = "λ playground: what came of it stands below"
        del bundle["text/html"]
        display(bundle | {"text/plain": name}, raw=True)
        self._below.append(display(self._still(), raw=True, display_id=True))

    def _picture(self) -> None:
        """The picture as things are now."""
        for place in self._below:
            place.update(self._still(), raw=True)
