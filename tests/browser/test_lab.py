"""`%%swarm` as one meets it: in JupyterLab, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from lab import Notebook, launch, server
from playwright.sync_api import Locator, Page, expect, sync_playwright

NAMES = ("aiohttp", "orjson", "ipython", "openai", "networkx", "numpy")
SMALL = f"Give the version of each of these Python packages: {', '.join(NAMES)}."
LONG = "For each Python package installed here, give its version and licence."
EVIL = '<img src=x onerror="window.harmed=1"><script>window.harmed=2</script>'
WIDGET = "application/vnd.jupyter.widget-view+json"

# A swarm whose model, tool and goal all say EVIL, at each place where a text can stand.
HOSTILE = f"""
import kimi_nb as kn
from kimi_nb.magics.live import watch
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
        import asyncio
        await asyncio.sleep(0.4)
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
    "Give it back."
    import asyncio
    await asyncio.sleep(1)
    return text

evil = kn.swarm(EVIL, name="evil", model=Hostile(), tools=[echo])
await watch(evil, get_ipython())
"""
GIVEN_UP = "Error displaying widget: model not found"
"""JupyterLab's own, now and then, where the machine is busy: the page drew the widget before the
kernel had told it which there are. Loading the page once more asks again."""
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


def begun(page: Page, url: str, folder: Path, name: str, *cells: str) -> Notebook:
    """A notebook with the magics loaded, and its first own cell running."""
    book = Notebook(page, url, folder / f"{name}.ipynb", ["%load_ext kimi_nb", *cells])
    book.run(0)
    book.run(1)
    return book


def live(book: Notebook) -> Locator:
    return book.cell(1).locator(".kimi-nb-live pre")


def table_of(summary: Locator) -> dict[str, str]:
    rows = [row.split("\t") for row in summary.locator("table").first.inner_text().splitlines()]
    return {row[0]: row[1] for row in rows[1:]}


def test_a_run_is_shown_while_it_goes_on_and_stays_readable_without_a_kernel(page, url, folder):
    book = begun(page, url, folder, "shown", f"%%swarm shown\n{SMALL}")
    expect(live(book)).to_contain_text("running shown")
    expect(live(book)).to_contain_text("SIMULATOR")
    first = live(book).inner_text()
    expect(live(book)).not_to_have_text(first)

    summary = book.cell(1).locator(".knb")
    expect(summary.locator(".status")).to_have_text("✓ finished", timeout=20_000)
    expect(live(book)).to_have_count(0)
    truth = {name: version(name) for name in NAMES}
    assert table_of(summary) == truth
    assert summary.locator(".lanes tbody tr").count() == 1 + len(NAMES)
    assert summary.locator(".lanes tbody rect.call").count() >= 1 + len(NAMES)

    saved = book.save()
    outputs = saved["cells"][1]["outputs"]
    assert "widgets" not in saved["metadata"]
    assert not any(WIDGET in output["data"] for output in outputs)
    assert "<table" in "".join(outputs[-1]["data"]["text/html"])
    assert "SIMULATOR" in "".join(outputs[-1]["data"]["text/plain"])

    book.forget_kernel()
    book.open()
    assert table_of(book.cell(1).locator(".knb")) == truth
    expect(book.cell(1)).not_to_contain_text("widget")


def test_the_cancel_button_ends_the_cell_with_what_was_done(page, url, folder):
    cells = (f"%%swarm pressed --agents 60\n{LONG}", "(pressed.status, pressed.done)")
    book = begun(page, url, folder, "pressed", *cells)
    expect(live(book)).to_contain_text(re.compile(r"[1-9]\d* finished"), timeout=20_000)
    book.cell(1).get_by_role("button", name="Cancel").click()

    summary = book.cell(1).locator(".knb")
    expect(summary.locator(".status")).to_have_text("⊘ cancelled: by the user")
    expect(summary).to_contain_text("kn.resume(")
    expect(summary.locator(".answer")).to_contain_text("sub-agents that finished")
    expect(book.cell(1).locator(".jp-RenderedText[data-mime-type*=stderr]")).to_have_count(0)
    book.run(2)
    expect(book.cell(2)).to_contain_text("('cancelled', True)")


def test_the_stop_button_ends_it_with_one_line(page, url, folder):
    cells = (f"%%swarm stopped --agents 60\n{LONG}", "(stopped.status, stopped.done)")
    book = begun(page, url, folder, "stopped", *cells)
    expect(live(book)).to_contain_text(re.compile(r"[1-9]\d* tool calls"), timeout=20_000)
    book.command("notebook:interrupt-kernel")

    error = book.cell(1).locator(".jp-OutputArea-output", has_text="Interrupted")
    expect(error).to_have_text(re.compile(r"\s*Interrupted: the swarm was stopped, [^\n]*\s*"))
    expect(live(book)).to_have_count(0)
    book.run(2)
    expect(book.cell(2)).to_contain_text("('cancelled', True)")


def test_loading_the_page_anew_ends_nothing(page, url, folder):
    cells = (f"%%swarm long --agents 16\n{LONG}", "(long.status, long.metrics.failed_agents)")
    book = begun(page, url, folder, "anew", *cells)
    expect(live(book)).to_contain_text("of 16", timeout=20_000)
    book.save()
    book.open()
    given_up = book.cell(1).get_by_text(GIVEN_UP)
    expect(live(book).or_(given_up)).to_be_visible(timeout=20_000)

    if given_up.is_visible():
        book.open()

    expect(live(book)).to_contain_text("✓ finished", timeout=30_000)  # heard of by the new page
    expect(book.cell(1).get_by_role("button", name="Cancel")).to_be_hidden()
    book.run(2)
    expect(book.cell(2)).to_contain_text("('finished', 0)")


def test_what_a_model_or_a_tool_writes_runs_nothing(page, url, folder):
    book = begun(page, url, folder, "evil", HOSTILE, REPORT)
    expect(live(book)).to_contain_text(f"echo({EVIL[:20]}", timeout=20_000)

    summary = book.cell(1).locator(".knb")
    expect(summary.locator(".status")).to_have_text("✓ finished", timeout=20_000)
    expect(summary.locator(".answer td")).to_have_text(f"{EVIL} {EVIL}")
    assert book.cell(1).locator(".jp-OutputArea-output :is(img, script)").count() == 0
    book.run(2)
    expect(book.cell(2)).to_contain_text("report: evil.html")
    assert page.evaluate("window.harmed") is None

    page.goto(f"{(folder / 'evil.html').as_uri()}")
    expect(page.locator("h1")).to_have_text(EVIL)
    assert page.locator("img, script").count() == 0
    assert page.evaluate("window.harmed") is None
