"""Any widget in a page: what it holds outside of its place is let go, and others are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from crowds import crowd
from learners import known
from playwright.sync_api import Browser, Page, expect
from stage import Recorded, empty_page

from kimi_nb.teach.curriculum import quiz
from kimi_nb.teach.guess import Guess
from kimi_nb.teach.predict import ask
from kimi_nb.teach.sitting import Sitting
from kimi_nb.views.anneal import Schedule
from kimi_nb.widgets.desk import Desk
from kimi_nb.widgets.recorded import training_of
from kimi_nb.widgets.steering import Steering

HELD = """() => {
  const held = window.held = new Map();
  const hold = (what, by) => held.set(what, (held.get(what) ?? 0) + by);
  const listeners = new Set();
  const numbers = new WeakMap();
  let last = 0;
  const number = (thing) => numbers.get(thing) ?? (numbers.set(thing, ++last), last);
  const outside = (target) => target === window || target === document || target === document.body
    || target === document.documentElement || target instanceof MediaQueryList
    || target instanceof AbortSignal;
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const key = (target, type, listener) => `${number(target)} ${type} ${number(listener)}`;
  EventTarget.prototype.addEventListener = function (type, listener, ...rest) {
    const target = this ?? window;
    const name = key(target, type, listener);
    if (outside(target) && !listeners.has(name)) { listeners.add(name); hold(`on ${type}`, 1); }
    return add.call(target, type, listener, ...rest);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, ...rest) {
    const target = this ?? window;
    if (listeners.delete(key(target, type, listener))) { hold(`on ${type}`, -1); }
    return remove.call(target, type, listener, ...rest);
  };
  for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver"]) {
    window[name] = class extends window[name] {
      #seen = new Set();
      observe(target, ...rest) {
        if (!this.#seen.has(target)) { this.#seen.add(target); hold(name, 1); }
        super.observe(target, ...rest);
      }
      unobserve(target) {
        if (this.#seen.delete(target)) { hold(name, -1); }
        super.unobserve(target);
      }
      disconnect() { hold(name, -this.#seen.size); this.#seen.clear(); super.disconnect(); }
    };
  }
  for (const [begin, end, once] of [
    ["setInterval", "clearInterval", false],
    ["setTimeout", "clearTimeout", true],
    ["requestAnimationFrame", "cancelAnimationFrame", true],
  ]) {
    const [set, clear] = [window[begin], window[end]];
    const going = new Set();
    const over = (id) => { if (going.delete(id)) { hold(begin, -1); } };
    window[begin] = (act, ...rest) => {
      const id = set((...given) => { if (once) { over(id); } act(...given); }, ...rest);
      going.add(id);
      hold(begin, 1);
      return id;
    };
    window[end] = (id) => { over(id); clear(id); };
  }
  window.count = () => Object.fromEntries([...held].filter(([, number]) => number !== 0));
}"""
MOUNT = """async ([name, state, messages, views, copies]) => {
  const script = await (await fetch(`/${name}.js`)).text();
  window.views = [];
  for (let i = 0; i < copies; i++) {
    // As anywidget does it: each widget of a page has a copy of the script.
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const widget = ((window.scripts ??= [])[i] ??= await import(url)).default;
    const model = new Model({ ...state });
    model.send = (content) => { (model.asked ??= []).push(content); };
    for (let j = 0; j < views; j++) {
      const el = document.body.appendChild(document.createElement("div"));
      const leaving = new AbortController();
      const dispose = await widget.render({ model, el, signal: leaving.signal });
      window.views.push({ model, el, dispose, leaving });
    }
    for (const message of messages) { model.hear(message); }
  }
}"""
LEAVE = """() => {
  for (const [place, { el, dispose, leaving }] of window.views.entries()) {
    place === 0 ? leaving.abort() : dispose(); // as newer and as older hosts do it
    dispose();
    el.remove();
  }
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that counts what is held; no script in it may fail."""
    with empty_page(browser, 1100, 800) as made:
        made.evaluate(HELD)
        yield made


def plain(messages: list[dict[str, Any]]) -> Any:
    return orjson.loads(orjson.dumps(messages))


def told(kind: str) -> tuple[str, dict[str, Any], list[Any]]:
    """The script of a widget, its traits, and what its page hears first."""
    if kind == "playground":
        steering = Steering(training_of(known(Schedule(0.4, 0.0, "linear", 0.5))))
        return kind, {"snapshot": ""}, plain(steering.answer({"kind": "sync"}))

    if kind in {"number", "choice", "curve"}:
        how: dict[str, Any] = {
            "number": {"of": "agents"},
            "choice": {"of": len, "choices": ["a", "b"]},
            "curve": {"of": "concurrency", "curve": (60.0, 10)},
        }[kind]
        guess = Guess(ask("What comes?", **how), lambda _: pytest.fail("it is shown here"))
        return "predict", {"asked": guess.form(), "told": guess.state()}, []

    if kind == "quiz":
        sitting = Sitting(quiz("quiz00"), "anna", lambda _: pytest.fail("it is shown here"))
        return kind, {"asked": sitting.form(), "told": sitting.state()}, []

    if kind == "reward":
        source: Any = Recorded(known(Schedule(0.4, 0.0, "linear", 0.5)))
    else:
        source = Recorded(crowd(5)[:90], done=False)

    desk = Desk(source)
    news = [*desk.beat(), *desk.answer({"kind": "sync"})]
    news += desk.answer({"kind": "agent", "id": "a00"})
    state = {"snapshot": "", "view": kind, "selected": "" if kind == "reward" else "a00"}
    return "training" if kind == "reward" else "swarm", state, plain(news)


FORMS = ["number", "choice", "curve", "quiz"]
KINDS = ["graph", "timeline", "critical", "reward", "playground", *FORMS]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_held_once_the_views_are_gone(page: Page, kind: str) -> None:
    name, state, news = told(kind)
    leave_one_behind(page, name, state, news)
    before = page.evaluate("() => ({ ...count() })")
    page.evaluate(MOUNT, [name, state, news, 2, 1])
    expect(page.locator(".kimi-nb-view:visible")).to_have_count(2)
    page.wait_for_timeout(150)  # some frames
    assert page.evaluate("count()") != before
    assert page.evaluate("views[0].model.listeners.length") > 0
    late = news[-1:]
    page.evaluate("(late) => late.forEach((message) => views[0].model.hear(message))", late)
    page.evaluate(LEAVE)
    assert page.evaluate("count()") == before
    assert page.evaluate("views[0].model.listeners.length") == 0
    assert page.locator(".kimi-nb-view").count() == 0


def leave_one_behind(page: Page, name: str, state: dict[str, Any], news: list[Any]) -> None:
    """What a script holds from its first use on, as uPlot does, is no part of a view."""
    page.evaluate(MOUNT, [name, state, news, 1, 1])
    page.wait_for_timeout(150)
    page.evaluate(LEAVE)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("choice", "a", "b"),
        ("playground", "constant", "step"),
    ],
)
def test_two_widgets_have_radio_buttons_of_their_own(
    page: Page, kind: str, first: str, second: str
) -> None:
    page.evaluate(MOUNT, [*told(kind), 1, 2])
    expect(page.locator(".kimi-nb-view")).to_have_count(2)
    one = page.get_by_role("radio", name=first, exact=True).first
    other = page.get_by_role("radio", name=second, exact=True).last
    one.check(force=True)
    other.check(force=True)
    expect(one).to_be_checked()
    expect(other).to_be_checked()
