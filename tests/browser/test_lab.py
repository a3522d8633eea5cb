"""`%%swarm` as one meets it: in JupyterLab, in a browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from lab import Notebook, launch, server
from playwright.sync_api import Locator, Page, expect, sync_playwright

from kimi_nb.trace import read

pytestmark = pytest.mark.timeout(240)  # JupyterLab begins in it, and its page, and a kernel
SHOTS = Path(os.environ.get("KIMI_NB_SHOTS", Path(__file__).parents[2] / "build" / "shots"))
"""Where the pictures go that the tests keep; CI keeps them too."""

NAMES = ("aiohttp", "orjson", "ipython", "openai", "networkx", "numpy")
SMALL = f"Give the version of each of these Python packages: {', '.join(NAMES)}."
LONG = "For each Python package installed here, give its version and licence."
BEGUN, SOME_ENDED = 5, 9
"""Answers after which the six of SMALL are all at work, and after which at least one has ended:
the orchestrator has had two, and each of the others needs two."""
EVIL = '<img src=x onerror="window.harmed=1"><script>window.harmed=2</script>'
WIDGET = "application/vnd.jupyter.widget-view+json"

# A swarm whose model, tool and goal all say EVIL, at each place where a text can stand.
HOSTILE = f"""
import kimi_nb as kn
from kimi_nb.models.base import Reply, ToolCall, Usage
EVIL = {EVIL!r}
EOF = chr(10)

def calls(*made):
    import orjson
    return tuple(
        ToolCall(index=i, id=f"c{{i}}", name=name, arguments=orjson.dumps(given).decode())
        for i, (name, given) in enumerate(made)
    )

class Hostile:
    name = EVIL
    simulated = False
    async def reply(self, request, sink):
        seen = sum(m["role"] == "tool" for m in request.conversation.messages)
        boss = any("create_subagent" in str(spec) for spec in request.tools.specs)
        table = f"{{EVIL}}{{EOF}}{{EOF}}| {{EVIL}} |{{EOF}}|---|{{EOF}}| `{{EVIL}}` **{{EVIL}}** |"
        made = ()
        if boss and seen == 0:
            made = calls(("create_subagent", {{"name": "evil", "system_prompt": EVIL}}))
        elif boss and seen == 1:
            made = calls(("assign_task", {{"agent": "evil", "prompt": EVIL}}))
        elif not boss and seen == 0:
            made = calls(("echo", {{"text": EVIL}}), (EVIL, {{EVIL: EVIL}}))
        for call in made:
            sink.on_call(call)
        return Reply(text="" if made else table, thinking=EVIL, thinking_key="reasoning_content",
            calls=made, finish="tool_calls" if made else "stop",
            usage=Usage(tokens_in=1, tokens_out=1))
    async def close(self):
        pass

@kn.tool
async def echo(text: str) -> str:
    "Give it back, once somebody has seen that it is asked for."
    import asyncio, pathlib
    while not pathlib.Path("evil.go").exists():
        await asyncio.sleep(0.02)
    return text

evil = kn.swarm(EVIL, name="evil", model=Hostile(), tools=[echo])
display(evil)
await evil
"""
GIVEN_UP = "Error displaying widget: model not found"
"""JupyterLab's own, now and then, where the machine is busy: the page drew the widget before the
kernel had told it which there are. Loading the page once more asks again."""
FOCUS = "e => (e.tabIndex >= 0 ? e : e.closest('[tabindex]')).focus()"
CROWD = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from crowds import crowd
from playing import Playing
from kimi_nb.widgets import SwarmView
trace = crowd(300, calls=1200)
SwarmView(Playing(trace, rate=1500), view="timeline")
"""
REPORT = "import sys\n!{sys.executable} -m kimi_nb.cli report {evil.path} -o evil.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser.new_page(viewport={"width": 1200, "height": 1000})
        browser.close()


@pytest.fixture
def page(window: Page) -> Iterator[Page]:
    """The window; no script in it may fail, and nothing in it may call another machine."""
    faults: list[str] = []
    handlers = {
        "pageerror": lambda error: faults.append(f"uncaught: {error}"),
        "console": lambda line: (
            faults.append(line.text)
            if line.type == "error" and "widget model not found" not in line.text
            else None
        ),
        "request": lambda asked: (
            faults.append(asked.url)
            if not re.match(r"(https?|wss?)://127\.0\.0\.1:|data:|blob:|file:", asked.url)
            else None
        ),
    }

    for name, handler in handlers.items():
        window.on(name, handler)

    yield window

    for name, handler in handlers.items():
        window.remove_listener(name, handler)

    assert faults == []


def begun(
    page: Page, url: str, folder: Path, name: str, *cells: str, answers: int | None = None
) -> Notebook:
    """A notebook with the magics loaded, and its first own cell running.

    The run in it stands still after so many answers until `go` is called.
    """
    load = "%load_ext kimi_nb\nimport midway"

    if answers is not None:
        load += f"\nmidway.stand({answers}, '{name}.go')"

    book = Notebook(page, url, folder / f"{name}.ipynb", [load, *cells])
    book.run(0)
    book.run(1)
    return book


def go(book: Notebook) -> None:
    """Let what stands still go on."""
    book.path.with_suffix(".go").touch()


def view(book: Notebook, number: int = 1) -> Locator:
    return book.cell(number).locator(".kimi-nb-view")


def status(book: Notebook, number: int = 1) -> Locator:
    return view(book, number).locator("header .knw-status")


def twin(book: Notebook, number: int = 1) -> Locator:
    """The picture without script."""
    return book.cell(number).locator(".knb")


def table_of(place: Locator) -> dict[str, str]:
    rows = [row.split("\t") for row in place.locator("table").first.inner_text().splitlines()]
    return {row[0]: row[1] for row in rows[1:]}


def kept(page: Page, name: str) -> None:
    """A picture for whoever wants to see what the tests saw."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def test_a_run_is_shown_while_it_goes_on_and_stays_readable_without_a_kernel(page, url, folder):
    book = begun(page, url, folder, "shown", f"%%swarm shown\n{SMALL}", answers=BEGUN)
    expect(status(book)).to_have_text("● running")
    expect(view(book)).to_contain_text("SIMULATOR")
    expect(view(book).locator(".knw-picture")).to_contain_text("orchestrator")
    before = int(view(book).get_attribute("data-records") or 0)
    kept(page, "lab-live")
    go(book)
    expect(view(book)).not_to_have_attribute("data-records", str(before))
    expect(status(book)).to_have_text("✓ finished")
    expect(twin(book)).to_have_count(1)
    expect(twin(book)).to_be_hidden()  # the widget stands for it
    truth = {name: version(name) for name in NAMES}
    assert table_of(view(book).locator("header")) == truth
    kept(page, "lab-ended")

    saved = book.save()
    outputs = saved["cells"][1]["outputs"]
    assert "widgets" not in saved["metadata"]
    assert [WIDGET in output["data"] for output in outputs] == [True, False]
    assert "<table" in "".join(outputs[-1]["data"]["text/html"])
    assert "SIMULATOR" in "".join(outputs[-1]["data"]["text/plain"])

    book.forget_kernel()
    book.open()
    expect(twin(book)).to_be_visible()
    assert table_of(twin(book)) == truth
    expect(book.cell(1).get_by_text(GIVEN_UP)).to_be_hidden(timeout=20_000)
    kept(page, "lab-without-kernel")


def test_the_cancel_button_ends_the_cell_with_what_was_done(page, url, folder):
    cells = (f"%%swarm pressed\n{SMALL}", "(pressed.status, pressed.done)")
    book = begun(page, url, folder, "pressed", *cells, answers=SOME_ENDED)
    expect(view(book)).to_contain_text(re.compile(r"[1-9] of 6 sub-agents"))
    view(book).get_by_role("button", name="Cancel", exact=True).click()
    expect(status(book)).to_have_text("⊘ cancelled")
    expect(view(book).locator("header")).to_contain_text("by the user")
    expect(view(book).locator("header")).to_contain_text("sub-agents that finished")
    expect(twin(book)).to_contain_text("kn.resume(")
    expect(book.cell(1).locator(".jp-RenderedText[data-mime-type*=stderr]")).to_have_count(0)
    book.run(2)
    expect(book.cell(2)).to_contain_text("('cancelled', True)")


def test_the_stop_button_ends_it_with_one_line_and_the_picture_stays(page, url, folder):
    cells = (f"%%swarm stopped --agents 60\n{LONG}", "(stopped.status, stopped.done)")
    book = begun(page, url, folder, "stopped", *cells, answers=100)
    expect(view(book)).to_contain_text(re.compile(r"[1-9]\d* tool calls"))
    book.command("notebook:interrupt-kernel")

    error = book.cell(1).locator(".jp-OutputArea-output", has_text="Interrupted")
    expect(error).to_have_text(re.compile(r"\s*Interrupted: the swarm was stopped, [^\n]*\s*"))
    expect(status(book)).to_have_text("⊘ cancelled")
    expect(twin(book)).to_contain_text("cancelled")  # for the notebook that is saved
    book.run(2)
    expect(book.cell(2)).to_contain_text("('cancelled', True)")


def test_into_the_background_and_back(page, url, folder):
    cells = (f"%%swarm freed\n{SMALL}", "1 + 1", "(await freed).status")
    book = begun(page, url, folder, "freed", *cells, answers=BEGUN)
    view(book).get_by_role("button", name="To background").click()
    expect(view(book).locator("header")).to_contain_text("the notebook is free")
    book.run(2)
    expect(book.cell(2).locator(".jp-OutputArea-output")).to_have_text("2")
    expect(status(book)).to_have_text("● running")
    expect(view(book).get_by_role("button", name="To background")).to_be_hidden()
    go(book)
    book.run(3)
    expect(book.cell(3)).to_contain_text("'finished'")
    expect(status(book)).to_have_text("✓ finished")


def test_one_agent_is_cancelled_and_the_others_go_on(page, url, folder):
    cells = (f"%%swarm fewer --agents 6\n{SMALL}", "[a.state for a in fewer.fold.sub_agents()]")
    book = begun(page, url, folder, "fewer", *cells, answers=2)
    listed = view(book).locator(".knw-agents")
    listed.locator("summary").click()
    listed.locator("[data-id=a5]").click()
    view(book).get_by_role("button", name="Cancel this agent").click()
    expect(view(book).locator("aside .knw-status")).to_have_text("⊘ cancelled")
    go(book)
    expect(status(book)).to_have_text("✓ finished")
    book.run(2)
    states = book.cell(2).locator(".jp-OutputArea-output")
    expect(states).to_contain_text("cancelled")
    assert states.inner_text().count("'finished'") == 5


def test_loading_the_page_anew_ends_nothing(page, url, folder):
    cells = (f"%%swarm long\n{SMALL}", "(long.status, long.metrics.failed_agents)")
    book = begun(page, url, folder, "anew", *cells, answers=BEGUN)
    expect(view(book)).to_contain_text("of 6")
    book.save()
    book.open(busy=True)
    given_up = book.cell(1).get_by_text(GIVEN_UP)
    expect(view(book).or_(given_up)).to_be_visible()

    if given_up.is_visible():
        book.open(busy=True)

    expect(status(book)).to_have_text("● running")
    go(book)
    expect(status(book)).to_have_text("✓ finished")  # heard of by the new page
    expect(view(book).get_by_role("button", name="Cancel", exact=True)).to_be_hidden()
    book.run(2)
    expect(book.cell(2)).to_contain_text("('finished', 0)")
    facts = view(book).get_attribute("data-records")
    book.page.wait_for_timeout(100)
    assert facts == view(book).get_attribute("data-records")


def test_two_views_of_a_run_are_linked_and_follow_the_theme(page, url, folder):
    cells = (f"%%swarm twice\n{SMALL}", "twice", "len(twice.trace)")
    book = begun(page, url, folder, "twice", *cells)
    expect(status(book)).to_have_text("✓ finished")
    book.run(2)
    expect(status(book, 2)).to_have_text("✓ finished")
    expect(twin(book, 2)).to_be_hidden()
    view(book, 2).get_by_role("tab", name="Timeline").click()
    expect(view(book, 1).get_by_role("tab", name="Graph")).to_have_attribute(
        "aria-selected", "true"
    )
    view(book, 1).locator(".knw-agents summary").click()
    view(book, 1).locator("[data-id=a2]").click()

    for number in (1, 2):
        chosen = view(book, number).locator("aside")
        expect(chosen).to_contain_text("a2 package-reader")
        expect(chosen).to_contain_text("package_info")

    book.run(3)
    facts = book.cell(3).locator(".jp-OutputArea-output").inner_text()
    expect(view(book, 1)).to_have_attribute("data-records", facts)
    expect(view(book, 2)).to_have_attribute("data-records", facts)

    paper = "element => getComputedStyle(element).backgroundColor"
    light = view(book, 2).evaluate(paper)
    book.command("apputils:change-theme", theme="JupyterLab Dark")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    expect(view(book, 2)).not_to_have_css("background-color", light)
    kept(page, "lab-dark")
    book.command("apputils:change-theme", theme="JupyterLab Light")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'true'")


def test_the_run_is_saved_from_the_page(page, url, folder):
    book = begun(page, url, folder, "kept", f"%%swarm kept\n{SMALL}")
    expect(status(book)).to_have_text("✓ finished")

    for what, name in (("trace", "kept.jsonl"), ("report", "kept.html")):
        view(book).locator(".knw-save summary").click()
        view(book).get_by_role("button", name=f"Save as {what}").click()
        expect(view(book).locator("header")).to_contain_text(f"saved: {name}")

    assert read(folder / "kept.jsonl")[-1].fact.status == "finished"
    assert "<title>" in (folder / "kept.html").read_text()


def test_three_hundred_agents_all_arrive(page, url, folder):
    book = begun(page, url, folder, "crowd", CROWD, "len(trace)")
    expect(status(book)).to_have_text("✓ finished", timeout=60_000)
    book.run(2)
    facts = book.cell(2).locator(".jp-OutputArea-output").inner_text()
    expect(view(book)).to_have_attribute("data-records", facts)
    kept(page, "lab-300")


def test_what_a_model_or_a_tool_writes_runs_nothing(page, url, folder):
    book = begun(page, url, folder, "evil", HOSTILE, REPORT)
    expect(view(book)).to_contain_text(f"echo({EVIL[:20]}")

    for tab in ("Timeline", "Critical steps", "Graph"):
        view(book).get_by_role("tab", name=tab).click()
        expect(view(book).locator(".knw-picture > *")).to_be_visible()

    go(book)
    expect(status(book)).to_have_text("✓ finished")
    expect(view(book).locator("header td")).to_have_text(f"{EVIL} {EVIL}")
    view(book).locator(".knw-agents summary").click()

    for agent in ("a0", "a1"):
        view(book).locator(f"[data-id={agent}]").click()
        expect(view(book).locator("aside")).to_contain_text(EVIL)

    assert book.cell(1).locator(".jp-OutputArea-output :is(img, script, [onerror])").count() == 0
    book.run(2)
    expect(book.cell(2)).to_contain_text("report: evil.html")
    assert page.evaluate("window.harmed") is None

    page.goto(f"{(folder / 'evil.html').as_uri()}")
    expect(page.locator("h1")).to_have_text(EVIL)
    assert page.locator("img, script").count() == 0
    assert page.evaluate("window.harmed") is None


def test_keys_that_are_pressed_in_the_view_are_not_the_notebooks(page, url, folder):
    book = begun(page, url, folder, "keys", f"%%swarm keys\n{SMALL}", "1", "2")
    expect(status(book)).to_have_text("✓ finished")
    view(book).locator(".knw-agents summary").click()
    view(book).locator("[data-id=a1]").click()
    places = {
        "Timeline": (".knw-agents li", "aside", ".knw-agents summary", "[role=tab]", "canvas"),
        "Graph": ("footer input", ".knw-picture [tabindex='0']"),
    }
    tried = 0

    for tab, selectors in places.items():
        view(book).get_by_role("tab", name=tab).click()

        for selector in selectors:
            focusable = view(book).locator(selector).first
            focusable.evaluate(FOCUS)
            assert view(book).evaluate("element => element.contains(document.activeElement)")

            for key in ("d", "d", "x", "a", "m", "ArrowDown", "ArrowUp", "0", "0"):
                page.keyboard.press(key)

            tried += 1

    assert tried == 7
    assert page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").count() == len(places) + 2
    expect(view(book)).to_be_visible()
