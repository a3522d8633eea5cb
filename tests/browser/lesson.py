"""A notebook of the curriculum in JupyterLab, and the hands of a learner."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from lab import ROOT, Notebook
from playwright.sync_api import Locator, Page, expect

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


def copied(folder: Path) -> Path:
    """The notebooks of both languages, copied there: their kernels write beside them."""
    for language in ("en", "zh"):
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(ROOT / "notebooks" / language, folder / language, ignore=hidden)

    return folder


def shut_off(page: Page) -> Page:
    """The page, shut off from all other machines: a badge is an image of one."""
    page.route(lambda asked: LOCAL.match(asked) is None, lambda route: route.abort())
    return page


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
