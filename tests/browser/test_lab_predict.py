"""A prediction in JupyterLab, which has uses of its own for many keys, and loses its kernels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Notebook, launch, server
from playwright.sync_api import Locator, Page, expect, sync_playwright

SLOW = 60_000
"""Milliseconds for a kernel that has to load everything."""
CELLS = (
    "import asyncio, kimi_nb as kn",
    'steps = kn.predict("How many critical steps?", of="critical_steps")\nsteps',
    "many = kn.predict('How many?', choices=[3, 4, 5], of=lambda run: run.metrics.agents)\nmany",
    'work = kn.predict("Draw the agents.", of="concurrency", curve=True)\nwork',
    "while work.value is None:\n    await asyncio.sleep(0.05)",
    'run = kn.swarm("Give the version of each of these Python packages: aiohttp, numpy, orjson.")',
    "await run; steps.against(run)",
    "many.against(run)",
    "work.against(run)",
)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser.new_page(viewport={"width": 1000, "height": 900})
        browser.close()


def card(book: Notebook, number: int) -> Locator:
    return book.cell(number).locator(".kimi-nb-predict")


def said(book: Notebook, number: int) -> Locator:
    return card(book, number).get_by_role("status")


@pytest.mark.timeout(240)
def test_it_is_made_by_keys_while_a_cell_runs_and_outlives_its_kernel(page: Page, tmp_path: Path):
    with server(tmp_path) as url:
        book = Notebook(page, url, tmp_path / "guess.ipynb", list(CELLS))

        for number in range(5):
            book.run(number)

        expect(card(book, 3)).to_be_visible(timeout=SLOW)
        card(book, 1).get_by_role("spinbutton").fill("12")
        card(book, 1).get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(said(book, 1)).to_have_text("You said: 12 critical steps")

        card(book, 2).get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(said(book, 2)).to_have_text("You said: 4")

        card(book, 3).get_by_role("slider").focus()

        for key in ("ArrowUp", "ArrowUp", "Shift+End", "Tab", "Enter"):
            page.keyboard.press(key)

        expect(said(book, 3)).to_have_text("You said: 2 agents at most, 2.0 on average")

        for number in range(5, 9):
            book.run(number)

        expect(said(book, 6)).to_contain_text("You said 12 critical steps, it was", timeout=SLOW)
        expect(card(book, 6)).to_contain_text("Made before the run began.")
        expect(said(book, 7)).to_have_text("You said 4, and so it was.")
        expect(said(book, 8)).to_contain_text("agents away from the true one")
        expect(said(book, 1)).to_contain_text("it was")

        for twin in (book.cell(number).locator(".knb-twin") for number in (6, 7, 8)):
            expect(twin).to_have_count(1)
            expect(twin).to_be_hidden()

        book.save()
        book.forget_kernel()
        book.open()

        for twin in (book.cell(number).locator(".knb-twin") for number in (6, 7, 8)):
            expect(twin).to_be_visible()

        expect(book.cell(8).locator(".knb-twin svg.chart")).to_be_visible()
