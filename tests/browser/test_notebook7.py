"""`%%swarm` in Notebook 7, which shows each notebook in a page of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lab import Notebook, launch, server
from playwright.sync_api import Locator, expect, sync_playwright

SMALL = "Give the version of each of these Python packages: aiohttp, orjson, ipython, numpy."
OWN = "reading 'schema'"
"""A fault of Notebook's own, also in an empty notebook."""
SLOW = 60_000
"""Milliseconds for a kernel that has to load everything."""
pytestmark = pytest.mark.timeout(240)  # Notebook begins in it, and its page, and a kernel

CELLS = [
    "%load_ext kimi_nb\nimport midway",
    f"%%swarm shown\n{SMALL}",
    f"%%swarm pressed\n{SMALL}",
    "(pressed.status, pressed.done)",
    f"%%swarm stopped\n{SMALL}",
    "midway.stand(5, 'go')",
]
SHOWN, CANCELLED, STOPPED, STAND = 1, 2, 4, 5
"""Above the others is what is looked at anew: older versions hide what is out of sight. The last
cell has the run of the next one stand still when all are at work."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """A notebook in its page, in which no script of ours may fail."""
    folder = tmp_path_factory.mktemp("notebook")
    faults: list[str] = []

    with server(folder, "notebook") as url, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.on("pageerror", lambda error: faults.append(f"{error}"))
        opened = Notebook(page, url, folder / "seven.ipynb", CELLS, "notebook")
        opened.run(0)
        yield opened
        browser.close()

    assert [fault for fault in faults if OWN not in fault] == []


def view(book: Notebook, number: int) -> Locator:
    return book.cell(number).locator(".kimi-nb-view")


def status(book: Notebook, number: int) -> Locator:
    return view(book, number).locator("header .knw-status")


def twin(book: Notebook, number: int) -> Locator:
    """The picture without script."""
    return book.cell(number).locator(".knb")


def test_cancel_ends_the_cell_with_what_was_done(book: Notebook):
    book.run(STAND)
    book.run(CANCELLED)
    shown = view(book, CANCELLED)
    expect(shown).to_contain_text(re.compile(r"[1-9]\d* tool calls"), timeout=SLOW)
    shown.get_by_role("button", name="Cancel", exact=True).click()
    expect(status(book, CANCELLED)).to_have_text("⊘ cancelled")
    book.run(3)
    expect(book.cell(3)).to_contain_text("('cancelled', True)")


def test_the_stop_button_ends_it_with_one_line(book: Notebook):
    book.run(STAND)
    book.run(STOPPED)
    shown = view(book, STOPPED)
    expect(shown).to_contain_text(re.compile(r"[1-9]\d* tool calls"), timeout=SLOW)
    book.command("notebook:interrupt-kernel")
    error = book.cell(STOPPED).locator(".jp-OutputArea-output", has_text="Interrupted")
    expect(error).to_have_text(re.compile(r"\s*Interrupted: the swarm was stopped, [^\n]*\s*"))
    expect(status(book, STOPPED)).to_have_text("⊘ cancelled")
    expect(twin(book, STOPPED)).to_contain_text("cancelled")


def test_a_run_is_live_outlives_the_page_and_then_its_kernel(book: Notebook):
    book.run(STAND)
    book.run(SHOWN)
    expect(status(book, SHOWN)).to_have_text("● running", timeout=SLOW)
    (book.path.parent / "go").touch()
    expect(status(book, SHOWN)).to_have_text("✓ finished", timeout=SLOW)
    expect(twin(book, SHOWN)).to_have_count(1)
    expect(twin(book, SHOWN)).to_be_hidden()  # the widget stands for it
    book.save()
    book.open()
    expect(status(book, SHOWN)).to_have_text("✓ finished", timeout=SLOW)
    expect(twin(book, SHOWN)).to_be_hidden()
    book.forget_kernel()
    book.open()
    expect(twin(book, SHOWN)).to_be_visible()
    expect(twin(book, SHOWN)).to_contain_text("SIMULATOR")
    expect(view(book, SHOWN)).to_have_count(0)
