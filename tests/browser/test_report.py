"""The page of `kimi-nb report` in a browser, from disk, without network: no word over another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hostile import HOSTILE, hostile_trace
from playwright.sync_api import Browser
from traces import Script, chains, staged

from kimi_nb.trace import Trace
from kimi_nb.views.report import report_html

OVERLAPS = """() => {
    const words = [...document.querySelectorAll("svg text")].map(e => ({
        said: e.textContent, box: e.getBoundingClientRect()
    }));
    const lie = (a, b) => a.left + 1 < b.right && b.left + 1 < a.right
        && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
    return words.flatMap((a, i) => words.slice(i + 1)
        .filter(b => lie(a.box, b.box)).map(b => `${a.said} | ${b.said}`));
}"""
OUTSIDE = """() => [...document.querySelectorAll("main svg, main p, main h2, .chart text")]
    .filter(e => !e.closest(".flow, .agents, .answer, details"))
    .filter(e => e.getBoundingClientRect().right > innerWidth
        || e.getBoundingClientRect().left < 0)
    .map(e => e.outerHTML.slice(0, 200))"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll("svg text")]
    .map(e => e.getBoundingClientRect().height))"""
WIDER = "() => document.documentElement.scrollWidth - innerWidth"


def one_agent() -> Trace:
    script = Script(goal="Alone.")
    main = script.orchestrator(name="single", role="single")

    for turn in range(12):
        fails = ((0.5, 1.0),) if turn == 4 else ()
        main.step(1.0 + turn % 3, tools=(("read_file", {"path": "a"}, 0.5),), fails=fails)

    main.end()
    return script.end()


def big() -> Trace:
    script = Script(goal="Compare 300 museums.", simulated=True)
    main = script.orchestrator()
    subs = main.assign([f"博物馆-reader-{i}" for i in range(300)], seconds=3.0, lead=2.0)

    for index, sub in enumerate(subs):
        for turn in range(10):
            sub.step(0.5 + (index * 7 + turn * 3) % 11 / 5, queued=turn % 2 / 2)

        sub.end("no such file", "failed") if index % 90 == 1 else sub.end()

    main.join(subs).step(2.0).end()
    return script.end(status="partial", why="4 of 300 sub-agents failed")


RUNS: dict[str, Callable[[], Trace]] = {
    "one agent": one_agent,
    "one sub-agent": lambda: staged((), (4,), ()),
    "five": lambda: staged((), (6, 9, 4, 7, 1), ()),
    "a hundred": lambda: staged((), tuple(range(1, 51)), (3,) * 50, ()),
    "three hundred": big,
    "many stages": lambda: staged(*[(2, 3), ()] * 40),
    "a plan": lambda: chains((1, 9), (9, 1), (2, 2, 2, 2, 2, 2)),
    "cut off": lambda: staged((), (6, 9, 4, 7, 1), ())[:40],
    "nothing": Trace,
    "hostile": lambda: hostile_trace(HOSTILE[4] + HOSTILE[1]),
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (700, "dark")])
def test_a_page_is_legible_at_any_width(
    browser: Browser, tmp_path: Path, run: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    path = tmp_path / "run.html"
    path.write_text(report_html(RUNS[run]()), encoding="utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        offline=True,
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(WIDER) <= 0
    assert page.evaluate(SMALLEST) is None or page.evaluate(SMALLEST) >= 11
    assert said == []
    assert asked == [path.as_uri()]
    context.close()
