"""A page with one widget on it and no notebook around: what the widget is given comes from here.

The desk behind it is the real one, so a press of a button is answered as a kernel answers it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from playwright.sync_api import Browser, Page

from kimi_nb.trace import Record, Trace
from kimi_nb.views.prices import PRICES
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.page import STATIC

__all__ = ["Recorded", "Stage", "answer", "empty_page", "open_page"]

URL = "http://widgets.test/"
LIGHT = {
    "--jp-layout-color0": "#fff",
    "--jp-layout-color1": "#fff",
    "--jp-layout-color2": "#eee",
    "--jp-ui-font-color1": "rgba(0, 0, 0, .87)",
    "--jp-ui-font-color2": "rgba(0, 0, 0, .6)",
    "--jp-border-color2": "#e0e0e0",
    "--jp-brand-color1": "#1976d2",
}
DARK = {
    "--jp-layout-color0": "#111",
    "--jp-layout-color1": "#212121",
    "--jp-layout-color2": "#424242",
    "--jp-ui-font-color1": "rgba(255, 255, 255, 1)",
    "--jp-ui-font-color2": "rgba(255, 255, 255, .7)",
    "--jp-border-color2": "#616161",
    "--jp-brand-color1": "#2196f3",
}
"""The colours of JupyterLab's own themes."""
MODEL = """
window.Model = class {
  constructor(state) { this.state = state; this.listeners = []; this.asked = []; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] !== value) { this.state[name] = value; this.emit(`change:${name}`); }
  }
  save_changes() { this.saved = (this.saved ?? 0) + 1; }
  on(event, listener) { this.listeners.push([event, listener]); }
  off(event, listener) {
    this.listeners = this.listeners.filter(([e, l]) => !(e === event && l === listener));
  }
  emit(event, ...values) {
    for (const [e, listener] of [...this.listeners]) { if (e === event) listener(...values); }
  }
  hear({ buffers = [], ...message }) {
    const bytes = buffers.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
    this.emit("msg:custom", message, bytes.map((b) => new DataView(b.buffer)));
  }
  async send(content) {
    this.asked.push(content);
    for (const message of await window.ask(content)) { this.hear(message); }
  }
};
"""
MOUNT = """async ([name, state, views]) => {
  const widget = (await import(`/${name}.js`)).default;
  window.model = new Model(state);
  window.disposers = [];
  for (let i = 0; i < views; i++) {
    const el = document.body.appendChild(document.createElement("div"));
    window.disposers.push(await widget.render({ model: window.model, el }));
  }
}"""


MEDIA = ("media", "color_scheme", "forced_colors", "reduced_motion")
STRANGE = "() => !`${setTimeout}`.includes('[native code]')"
"""Whether the page has a clock of a test's own, which it does not lose."""

_pages: WeakKeyDictionary[Browser, Page] = WeakKeyDictionary()
_answers: WeakKeyDictionary[Page, dict[str, Callable[..., Any]]] = WeakKeyDictionary()


class Recorded:
    """A run that was read from its log, as far as it had gone; or goes on when told to."""

    name = "museums"
    prices = PRICES
    path: Path | None = None
    draft = ""
    pace = ""

    def __init__(self, trace: Trace, *, done: bool = True) -> None:
        self.records: Sequence[Record] = trace
        self.done = done
        self.cancelled: list[str | None] = []
        self.path = trace.path

    @property
    def seconds(self) -> float:
        return self.records[-1].t if self.records else 0.0

    def cancel(self, agent: str | None = None) -> None:
        self.cancelled.append(agent)


def open_page(page: Page, *, dark: bool = False) -> None:
    """An empty page in JupyterLab's colours."""

    def serve(route: Any) -> None:
        name = route.request.url.removeprefix(URL)

        if name.endswith((".js", ".css")):
            kind = "text/javascript" if name.endswith(".js") else "text/css"
            route.fulfill(body=(STATIC / name).read_text(), content_type=kind)
        else:
            route.fulfill(body=_html(DARK if dark else LIGHT), content_type="text/html")

    page.unroute_all()
    page.route(f"{URL}**", serve)
    page.goto(URL)
    page.add_script_tag(content=MODEL)


@contextmanager
def empty_page(
    browser: Browser, width: int, height: int, *events: str, dark: bool = False
) -> Iterator[Page]:
    """A page that `open_page` has opened, as good as new; no script in it may fail.

    Neither may one of these `events` happen, such as "console" or "dialog". One page serves the
    tests of a browser in turn, since a new one costs three times as much as all else in a test.
    """
    page = _pages.pop(browser, None) or browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(**dict.fromkeys(MEDIA, "null"))  # type: ignore[arg-type]
    page.mouse.move(0, 0)
    open_page(page, dark=dark)
    faults: list[str] = []
    heard = ("pageerror", *events)

    def note(what: Any) -> None:
        faults.append(getattr(what, "text", None) or getattr(what, "message", None) or f"{what}")

    for event in heard:
        page.on(event, note)  # type: ignore[call-overload]

    yield page

    if faults or page.evaluate(STRANGE):
        page.close()
    else:
        for event in heard:
            page.remove_listener(event, note)

        _pages[browser] = page

    assert faults == []


def answer(page: Page, name: str, function: Callable[..., Any]) -> None:
    """`page.expose_function`, also on a page where a test before this one has exposed its own."""
    known = _answers.setdefault(page, {})

    def latest(*given: Any) -> Any:
        return known[name](*given)

    if name not in known:
        page.expose_function(name, latest)

    known[name] = function


def _html(colours: dict[str, str]) -> str:
    told = ";".join(f"{name}:{value}" for name, value in colours.items())
    sheets = "".join(
        f'<link rel="stylesheet" href="{path.name}">' for path in sorted(STATIC.glob("*.css"))
    )
    return (
        f'<!doctype html><meta charset="utf-8"><title>stage</title>{sheets}'
        f'<body style="{told};margin:12px;background:var(--jp-layout-color0);'
        'font-family:system-ui">'
    )


class Stage:
    """The widget of a run, in `views` places of a page that `open_page` has opened."""

    def __init__(
        self, page: Page, source: Any, *, view: str = "graph", views: int = 1, selected: str = ""
    ) -> None:
        self.page = page
        self.desk = Desk(source)
        answer(page, "ask", self._answer)
        state = {"snapshot": "", "view": view, "selected": selected}
        page.evaluate(MOUNT, ["training" if view == "reward" else "swarm", state, views])
        self.beat()

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What the page has asked so far, answered or not."""
        return self.page.evaluate("() => window.model.asked")

    def _answer(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        return [_wire(message) for message in self.desk.answer(question)]

    def beat(self) -> None:
        """Tell the page what has happened since the last beat, and all that is due seldom, too."""
        # no other beat comes that could bring it
        self.desk._next = self.desk._later = self.desk._kept = 0.0

        for message in self.desk.beat():
            self.page.evaluate("message => window.model.hear(message)", _wire(message))

        if self.desk.snapshot is not None:
            snapshot = orjson.dumps(self.desk.snapshot).decode()
            self.page.evaluate("told => window.model.set('snapshot', told)", snapshot)


def _wire(message: dict[str, Any]) -> dict[str, Any]:
    buffers = [base64.b64encode(data).decode() for data in message.get("buffers", [])]
    return {**message, "buffers": buffers}
