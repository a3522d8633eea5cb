"""A model's HTML is seen and tried, and nothing that it does leaves the browser."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from leaks import WAYS, Ear, ear, pages
from PIL import Image as Picture
from playwright.async_api import Browser, BrowserContext, Error, async_playwright
from scripted import Scripted, call, calls, results

import kimi_nb as kn
from kimi_nb.errors import ToolError
from kimi_nb.tools import ToolContext, ToolOutcome, Toolset, chromium, visit
from kimi_nb.tools.chromium import Chromium
from kimi_nb.tools.render_page import render_tool
from kimi_nb.tools.visit import HOME, Visit

FOUND = next((path for name in chromium.NAMES if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(FOUND is None, reason="no Chromium: apt install chromium")
NEAR = "--disable-features=" + ",".join(
    f"LocalNetworkAccess{what}"
    for what in (
        *("Checks", "ChecksWebSockets", "ForWorkers", "ForNavigations"),
        "ForSubframeNavigations",
    )
)
"""Chromium itself keeps a page from this machine's ports; our guards must do without that."""
MAGENTA = (255, 0, 255)


class Render:
    """The tool with a working folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = Toolset([render_tool()])

    async def __call__(self, html: str = "", **arguments: Any) -> ToolOutcome:
        context = ToolContext(folder=self.folder, agent="a1", run="r1")
        return await self.tools.call("render", json.dumps({"html": html, **arguments}), context)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page does is looked at here, on a machine however busy."""
    monkeypatch.setattr(visit, "LOADING", 30_000)
    monkeypatch.setattr(visit, "SECONDS", 50.0)


@pytest.fixture
async def render(tmp_path: Path) -> AsyncIterator[Render]:
    folder = tmp_path / "work"
    folder.mkdir()
    made = Render(folder)
    yield made
    await made.tools.close()
    assert browsers() == []


def browsers() -> list[psutil.Process]:
    """Running browser processes of this one."""
    found: list[psutil.Process] = []

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "chrom" in child.name() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)

    return found


@pytest.fixture
async def unguarded() -> AsyncIterator[Browser]:
    """A browser as anybody starts it."""
    async with async_playwright() as driver:
        started = await driver.chromium.launch(executable_path=FOUND, args=[NEAR])
        yield started
        await started.close()


async def visited(context: BrowserContext, html: str) -> None:
    """Open a page that is served from HOME; all else is left to the network."""
    page = await context.new_page()
    await page.route(HOME, lambda route: route.fulfill(body=html, content_type="text/html"))

    try:
        await page.goto(HOME, timeout=3_000)
    except Error:
        return  # it leads away


def picture(outcome: ToolOutcome) -> Picture.Image:
    assert outcome.ok, outcome.text
    return Picture.open(io.BytesIO(outcome.images[0].data)).convert("RGB")


def colours(outcome: ToolOutcome) -> set[Any]:
    image = picture(outcome)
    return {colour for _, colour in image.getcolors(image.width * image.height) or ()}


async def until_heard(there: Ear) -> None:
    while not there.heard >= WAYS:  # noqa: ASYNC110 -- threads add to it
        await asyncio.sleep(0.05)


@needs_chromium
async def test_without_guards_every_way_reaches_the_server(unguarded: Browser) -> None:
    """If one did not, the next two tests would show nothing about it."""
    with ear() as there:
        contexts = [await unguarded.new_context() for _ in pages(0)]
        await asyncio.gather(*map(visited, contexts, pages(there.port)))
        await until_heard(there)


@needs_chromium
async def test_nothing_leaves(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "FLAGS", (*chromium.FLAGS, NEAR))

    with ear() as there:
        outcomes = await asyncio.gather(
            *(render(html, actions=["wait 1"]) for html in pages(there.port))
        )
        assert there.heard == set()

    assert all(outcome.ok for outcome in outcomes)
    assert f"blocked, there is no network: http://127.0.0.1:{there.port}/img" in outcomes[0].text


@needs_chromium
async def test_nothing_leaves_even_where_no_request_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chromium, "FLAGS", (*chromium.FLAGS, NEAR))
    browser = Chromium()

    async def one(html: str) -> None:
        async with browser.context() as context:
            await visited(context, html)
            await asyncio.sleep(1)

    with ear() as there:
        await asyncio.gather(*map(one, pages(there.port)))
        await browser.close()
        assert there.heard == set()


@needs_chromium
async def test_files_of_this_machine_are_not_shown(
    render: Render, tmp_path: Path, unguarded: Browser
) -> None:
    secret = tmp_path / "secret.html"
    secret.write_text("<body style='background: #f0f'>the canary sings")
    (render.folder / "link.html").symlink_to(secret)
    page = await unguarded.new_page()
    await page.goto(secret.as_uri())
    shown = Picture.open(io.BytesIO(await page.screenshot())).convert("RGB")
    assert shown.getpixel((400, 300)) == MAGENTA

    for place in (secret.as_uri(), f"view-source:{secret.as_uri()}", "link.html", "../secret.html"):
        outcome = await render(f"""
            <iframe src="{place}" width=400 height=300></iframe>
            <object data="{place}" width=400 height=300></object><img src="{place}">
            <script>
              fetch("{place}").then(got => got.text()).then(text => document.body.append(text));
              setTimeout(() => location = "{place}", 50);
            </script>""")
        assert MAGENTA not in colours(outcome)
        assert "canary" not in outcome.text

    for path in (str(secret), "link.html", "../secret.html"):
        refused = await render(path=path)
        assert not refused.ok
        assert "working folder" in refused.text


@needs_chromium
async def test_no_program_of_this_machine_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = tmp_path / "opened"
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    link = "<a href='mailto:a@example.org'>write</a>"
    render = Render(tmp_path)

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=FOUND)
        page = await browser.new_page()
        await page.set_content(link)
        await page.click("a")

        while not opened.exists():  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.05)

        await browser.close()

    opened.unlink()
    outcome = await render(link, actions=["click a", "wait 1"])
    script = await render("<script>location = 'mailto:a@example.org'</script>", actions=["wait 1"])
    top = await render("<script>top.location = 'mailto:a@example.org'</script>")
    await render.tools.close()
    assert outcome.ok
    assert "blocked by sandbox" in outcome.text
    assert script.ok
    assert top.ok
    assert not opened.exists()


@needs_chromium
async def test_a_page_uses_files_of_the_folder_and_is_tried(
    render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit, "PATIENCE", 30_000)
    (render.folder / "part").mkdir()
    (render.folder / "part" / "style.css").write_text("body { background: #0f0 }")
    (render.folder / "part" / "page.html").write_text(
        "<link rel=stylesheet href=style.css><button>go</button><input>"
        "<script src=/act.js></script><script src=/none.js></script>"
    )
    (render.folder / "act.js").write_text("""
        const body = document.body;
        document.querySelector("button").onclick = () => body.style.background = "#f0f";
        document.querySelector("input").oninput = event => console.error(event.target.value);
        addEventListener("keydown", event => console.log("key " + event.key));
        setTimeout(() => { throw Error("late") }, 0);
        alert("Grüße");
    """)
    before = await render(path="part/page.html")
    after = await render(
        path="part/page.html",
        actions=["press ArrowUp", "click text=go", "click input", "type 42", "wait 0.1"],
    )
    green, magenta = (0, 255, 0), MAGENTA
    assert (green in colours(before), magenta in colours(before)) == (True, False)
    assert (green in colours(after), magenta in colours(after)) == (False, True)
    assert "no file 'none.js'" in after.text
    assert "alert, dismissed: Grüße" in after.text
    assert "error: late" in after.text
    assert "console log: key ArrowUp" in after.text
    assert "console error: 42" in after.text


@needs_chromium
async def test_what_cannot_be_done_is_said_beside_the_picture(render: Render) -> None:
    outcome = await render(
        "<p style='height: 2000px'>high", width=400, height=300, actions=["click #none", "press a"]
    )
    assert picture(outcome).size == (400, 300)
    assert "action 1, click #none: " in outcome.text
    assert "high; press PageDown scrolls" in outcome.text


@needs_chromium
async def test_a_wide_window_makes_a_picture_that_can_be_sent(render: Render) -> None:
    outcome = await render("<body style='background: #0f0'>", width=2048, height=1000)
    assert picture(outcome).size == (1024, 500)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "either html or the path"),
        ({"html": "x", "path": "a.html"}, "either html or the path"),
        ({"path": "none.html"}, "no file"),
        ({"path": "."}, "is a folder"),
        ({"html": "x", "width": 9}, "50 to 2560"),
        ({"html": "x", "actions": ["fly"]}, "write 'click SELECTOR'"),
        ({"html": "x", "actions": ["wait long"]}, "wait 0 to 5 seconds"),
        ({"html": "x", "actions": ["wait inf"]}, "wait 0 to 5 seconds"),
        ({"html": "x", "actions": ["press a"] * 21}, "20 can be carried out"),
    ],
)
async def test_misuse_is_told_before_a_browser_starts(
    render: Render, arguments: dict[str, Any], said: str
) -> None:
    outcome = await render(**arguments)
    assert not outcome.ok
    assert said in outcome.text
    assert browsers() == []


@needs_chromium
async def test_an_endless_loop_ends_and_the_next_page_is_drawn(
    render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is up once it has spoken, which takes a busy machine as long as it likes."""
    limit = asyncio.timeout(50)
    clock = SimpleNamespace(timeout=lambda _seconds: limit, sleep=asyncio.sleep)
    say = Visit._say

    def heard(self: Visit, line: str) -> None:
        say(self, line)
        limit.reschedule(asyncio.get_running_loop().time())

    monkeypatch.setattr(visit, "asyncio", clock)
    monkeypatch.setattr(Visit, "_say", heard)
    stuck = await render("<script>console.log('before'); for (;;);</script>")
    assert not stuck.ok
    assert "endless loop" in stuck.text
    assert "console log: before" in stuck.text
    monkeypatch.undo()
    assert (await render("<p>fine")).ok


@needs_chromium
@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched through /proc")
async def test_a_page_that_eats_memory_dies_alone(
    render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "MEMORY", 400_000_000)
    eat = "if (all.length < 30) all.push(new Uint8Array(2e7).fill(1))"
    eaten = f"<script>const all = []; for (;;) {eat};</script>"
    hungry, modest = await asyncio.gather(render(eaten), render("<p>fine"))
    assert not hungry.ok
    assert "memory" in hungry.text
    assert modest.ok


@needs_chromium
async def test_pages_share_nothing(render: Render) -> None:
    await render("<script>localStorage.a = 'kept'; document.cookie = 'a=kept'</script>")
    after = await render("<script>console.log('found', localStorage.a, document.cookie)</script>")
    assert "found undefined" in after.text
    assert "kept" not in after.text


@needs_chromium
async def test_the_browser_gets_no_keys(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-canary")
    assert (await render("<p>x")).ok
    kept: list[dict[str, str]] = []

    for process in browsers():
        with contextlib.suppress(psutil.NoSuchProcess):
            kept.append(process.environ())

    assert any("PATH" in each for each in kept)
    assert all("SOME_API_KEY" not in each for each in kept)


@needs_chromium
def test_it_runs_in_the_thread_of_the_swarms(tmp_path: Path) -> None:
    def answer(messages: list[dict[str, Any]]) -> Any:
        return "seen" if results(messages) else calls(call("render", html="<p>x"))

    tools = Toolset([render_tool()])
    run = kn.swarm(
        "look", model=Scripted(answer), tools=tools, single=True, trace=tmp_path / "a.jsonl"
    )
    assert run.result().answer == "seen"
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert browsers() == []


async def test_without_a_browser_the_model_hears_what_to_install(
    render: Render, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "NAMES", ())
    assert "apt install chromium" in (await render("<p>x")).text
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    outcome = await render("<p>x")
    assert "pip install 'kimi-nb[browser]'" in outcome.text
    assert not outcome.ok


async def test_the_error_is_a_tool_error_for_who_calls_it_directly(tmp_path: Path) -> None:
    context = ToolContext(folder=tmp_path, agent="a1", run="r1")

    with pytest.raises(ToolError, match="either html"):
        await render_tool()(context)
