"""The live view in a cell: what a run is doing, and a button that ends it.

It never imports the swarm: it is given text to show and a function to call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import anywidget
import traitlets

__all__ = ["LiveView"]

# Model output goes through textContent only: it is untrusted, and a widget runs with the
# privileges of the page.
ESM = """
function render({ model, el }) {
  const text = document.createElement("pre");
  text.setAttribute("role", "status");
  text.setAttribute("aria-label", "Progress of the swarm");
  const button = document.createElement("button");
  button.type = "button";
  const draw = () => {
    text.textContent = model.get("text");
    button.textContent = model.get("cancelling") ? "Cancelling…" : "Cancel";
    button.disabled = model.get("cancelling");
    button.hidden = model.get("ended");
  };
  button.title = "End the run; what was done is kept";
  button.addEventListener("click", () => model.send({ kind: "cancel" }));
  model.on("change", draw);
  el.classList.add("kimi-nb-live");
  el.append(text, button);
  draw();
  return () => model.off("change", draw);
}
export default { render };
"""

CSS = """
.kimi-nb-live { display: flex; flex-direction: column; align-items: flex-start; gap: 6px;
  color: var(--jp-content-font-color1, var(--vscode-editor-foreground, inherit)); }
.kimi-nb-live pre { margin: 0; max-width: 100%; overflow-x: auto; color: inherit;
  max-height: 40em; overflow-y: auto; background: none;
  font-family: var(--jp-code-font-family, monospace);
  font-size: var(--jp-code-font-size, 13px); line-height: 1.35;
  font-variant-numeric: tabular-nums; }
.kimi-nb-live button { padding: 3px 12px; border-radius: 3px; cursor: pointer;
  font-family: inherit; color: inherit; background: transparent;
  border: 1px solid var(--jp-border-color1, #8888); }
.kimi-nb-live button:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); }
.kimi-nb-live button[hidden] { display: none; }
.kimi-nb-live button:disabled { opacity: 0.6; cursor: default; }
"""


class LiveView(anywidget.AnyWidget):
    """Shows `text` and calls `cancel` when its button is pressed."""

    _esm = ESM
    _css = CSS

    text = traitlets.Unicode().tag(sync=True)
    cancelling = traitlets.Bool(default_value=False).tag(sync=True)
    ended = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, text: str, cancel: Callable[[], None]) -> None:
        super().__init__(text=text)
        self._cancel = cancel
        cast("Any", self).on_msg(self._pressed)

    def _pressed(self, _widget: object, content: Any, _buffers: object) -> None:
        if content == {"kind": "cancel"}:
            self.cancelling = True
            self._cancel()

    def end(self, text: str) -> None:
        """Show the last text, without the button, and let go of what the button called.

        The view stays: a page that was loaded anew during the run hears of its end by no other
        way.
        """
        self.text, self.ended = text, True
        self._cancel = _nothing

    def bundle(self) -> dict[str, Any]:
        """The MIME bundle of the view; its text for front ends without widgets."""
        data: Any = cast("Any", self)._repr_mimebundle_()
        bundle = cast("dict[str, Any]", data[0] if isinstance(data, tuple) else data or {})
        return bundle | {"text/plain": self.text}


def _nothing() -> None:
    """What the button of an ended run does."""
