"""Notebooks of the curriculum in JupyterLab, as a learner goes through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import launch, server
from lesson import SAID, SLOW, Lesson, copied, shut_off
from playwright.sync_api import Page, expect, sync_playwright

from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.student import NOBODY
from kimi_nb.teach.text import Language

pytestmark = pytest.mark.timeout(300)  # JupyterLab begins in it, and a kernel that loads everything


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("curriculum"))


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield shut_off(browser.new_page(viewport={"width": 1100, "height": 1000}))
        browser.close()


@contextmanager
def opened(page: Page, url: str, folder: Path, language: Language, number: str) -> Iterator[Lesson]:
    """Where it fails, with a picture of what was there."""
    try:
        yield Lesson(page, url, folder, language, number)
    except BaseException:
        page.screenshot(path=folder / f"{number}-{language}.png")
        raise


def given(identity: str) -> list[Any]:
    return exercise(identity).drawn(NOBODY)[0]


def test_the_quickstart(page: Page, url: str, folder: Path):
    with opened(page, url, folder, "en", "00") as book:
        book.run("load", "guess")
        book.lock("guess", 20)
        book.run("packages", "against")
        expect(book.cell("packages").locator(".kimi-nb-view")).to_be_visible(timeout=SLOW)
        told = book.cell("against").get_by_role("status")
        expect(told).to_contain_text("You said 20 critical steps", timeout=SLOW)
        expect(book.cell("against")).to_contain_text("Made before the run began.")

        asked = exercise("ex00.speed-up")
        (wrong,) = (mistake.wrong for mistake in asked.mistakes if mistake.key == "M2")
        code = f'given = kn.given("ex00.speed-up")\nspeed_up = {wrong(*given("ex00.speed-up"))!r}'
        book.run("ex00-speed-up-answer")
        book.misses_and_solves("ex00.speed-up", "M2", code)
        book.quizzed("quiz00")


MEAN = "def critical_steps(stages):\n  return sum(1 + sum(s) / len(s) for s in stages)"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_stages(page: Page, url: str, folder: Path, language: Language):
    with opened(page, url, folder, language, "03") as book:
        asking = book.asking("kn.predict(")
        book.run("setup", asking)
        book.lock(asking, 20)
        book.run("run", "against")
        book.misses_and_solves("ex03.critical", "M3", MEAN)
        told = book.cell("against").get_by_role("status")
        expect(told).to_contain_text(SAID[language], timeout=SLOW)
        book.quizzed("quiz03")


DECAY = "def weight(start, shape, until, progress):\n  return start * 0.1 ** (progress / until)"


def test_annealing(page: Page, url: str, folder: Path):
    with opened(page, url, folder, "en", "08") as book:
        book.run("load", "tools", "guess-alone", "guess-constant")
        book.lock("guess-alone", 7)
        book.run("three", "against", "playground")
        told = book.cell("against").get_by_role("status")
        expect(told.first).to_contain_text("You said 7", timeout=SLOW)

        weight = book.cell("playground").get_by_role("group", name="λ_parallel", exact=True)
        start = weight.get_by_role("slider", name=re.compile("^start"))
        expect(start).to_be_visible(timeout=SLOW)
        line = weight.locator(".kpg-curve path").last
        before = line.get_attribute("d")
        assert before

        set_to = float(start.input_value())

        for _ in range(5):
            start.press("ArrowRight")

        moved = float(start.input_value())
        assert moved > set_to
        expect(weight.get_by_role("img")).to_have_attribute(
            "aria-label", re.compile(f"λ_parallel over the training: {moved:.2f} at 0")
        )
        expect(line).not_to_have_attribute("d", before)

        book.misses_and_solves("ex08.schedule", "M14", DECAY)
        book.quizzed("quiz08")
