"""Notebooks of the curriculum in JupyterLab, as a learner goes through them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import ROOT, Notebook, launch, server
from playwright.sync_api import Locator, Page, expect, sync_playwright

from kimi_nb.teach.curriculum import exercise, quiz
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.posed import posed
from kimi_nb.teach.student import NOBODY
from kimi_nb.teach.text import Language

SLOW = 60_000
"""Milliseconds for a kernel that has to load everything."""
LOCAL = re.compile(r"(https?|wss?)://127\.0\.0\.1:|data:|blob:")
LOCK = {"en": "Lock my prediction", "zh": "锁定预测"}
SAID = {"en": "You said", "zh": "你说的是"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks: their kernels write beside them."""
    made = tmp_path_factory.mktemp("curriculum")

    for language in ("en", "zh"):
        shutil.copytree(ROOT / "notebooks" / language, made / language)

    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A window that is shut off from all other machines: a badge is an image of one."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        window = browser.new_page(viewport={"width": 1100, "height": 1000})
        window.route(lambda asked: LOCAL.match(asked) is None, lambda route: route.abort())
        yield window
        browser.close()


class Lesson:
    """One of the notebooks, and the hands of a learner."""

    def __init__(self, page: Page, url: str, folder: Path, language: Language, number: str) -> None:
        (path,) = (folder / language).glob(f"{number}-*.ipynb")
        cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
        self.codes = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        self.sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        self.language = language
        self.page = page
        self.book = Notebook(page, url, path, [], folder=folder)

    def cell(self, name: str) -> Locator:
        return self.book.cell(self.codes.index(name))

    def run(self, *names: str) -> None:
        for name in names:
            self.book.run(self.codes.index(name))

    def asking(self, question: str) -> str:
        """The cell in which a prediction is asked for."""
        return next(
            name
            for name, source in zip(self.codes, self.sources, strict=True)
            if question in source
        )

    def write(self, name: str, code: str) -> None:
        """Put this into a cell in place of what is there."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(code)

    def lock(self, name: str, value: int) -> None:
        card = self.cell(name).locator(".kimi-nb-predict")
        card.get_by_role("spinbutton").fill(str(value), timeout=SLOW)
        card.get_by_role("button", name=LOCK[self.language]).click()
        expect(card.get_by_role("status")).to_contain_text(SAID[self.language], timeout=SLOW)

    def answer(self, identity: str, number: int, key: str) -> Locator:
        """Press the option of an item behind which that misconception is; gives what is told."""
        item = posed(quiz(identity), NOBODY)[number - 1]
        letter = next(name for name in item.options if item.key(name) == key)
        group = self.cell(identity).get_by_role("group").nth(number - 1)
        group.get_by_role("button", name=re.compile(rf"^{letter}\b")).click()
        return group.get_by_role("status")

    def misses_and_solves(self, identity: str, key: str, wrong: str) -> None:
        """Answer an exercise with a misconception, which is told so, and then as it should be."""
        asked = exercise(identity)
        (says,) = (mistake.says for mistake in asked.mistakes if mistake.key == key)
        answer, check = (f"{identity.replace('.', '-')}-{part}" for part in ("answer", "check"))

        for code, told in ((wrong, says.said(self.language)), (asked.code(), f"✔ {identity}")):
            self.write(answer, code)
            self.run(answer, check)
            expect(self.cell(check).locator(".jp-OutputArea")).to_contain_text(told, timeout=SLOW)

    def quizzed(self, identity: str) -> None:
        """Answer the first item of a quiz with a misconception, and then as it should be."""
        self.run(identity)
        asked = quiz(identity).items[0]
        key = next(option.key for option in asked.options if option.key)
        told = self.answer(identity, 1, key)
        truth = MISCONCEPTIONS[key].truth.said(self.language)
        because = asked.because.said(self.language)
        expect(told).to_contain_text(truth, timeout=SLOW)
        expect(told).not_to_contain_text(because)
        expect(self.answer(identity, 1, "")).to_contain_text(because, timeout=SLOW)


@contextmanager
def lesson(page: Page, url: str, folder: Path, language: Language, number: str) -> Iterator[Lesson]:
    """Where it fails, with a picture of what was there."""
    try:
        yield Lesson(page, url, folder, language, number)
    except BaseException:
        page.screenshot(path=folder / f"{number}-{language}.png")
        raise


def given(identity: str) -> list[Any]:
    return exercise(identity).drawn(NOBODY)[0]


@pytest.mark.timeout(120)
def test_the_quickstart(page: Page, url: str, folder: Path):
    with lesson(page, url, folder, "en", "00") as book:
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


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_stages(page: Page, url: str, folder: Path, language: Language):
    with lesson(page, url, folder, language, "03") as book:
        asking = book.asking("kn.predict(")
        book.run("setup", asking)
        book.lock(asking, 20)
        book.run("run", "against")
        book.misses_and_solves("ex03.critical", "M3", MEAN)
        told = book.cell("against").get_by_role("status")
        expect(told).to_contain_text(SAID[language], timeout=SLOW)
        book.quizzed("quiz03")


DECAY = "def weight(start, shape, until, progress):\n  return start * 0.1 ** (progress / until)"


@pytest.mark.timeout(120)
def test_annealing(page: Page, url: str, folder: Path):
    with lesson(page, url, folder, "en", "08") as book:
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
