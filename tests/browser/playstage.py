"""The playground on a bare page, with the real kernel side behind it; and pictures of it.

python tests/browser/playstage.py FOLDER
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab import launch
from learners import OFF, trainer
from stage import MOUNT, answer, open_page

from kimi_nb.views.anneal import Schedule
from kimi_nb.widgets.recorded import training_of
from kimi_nb.widgets.steering import Steering

__all__ = ["PlayStage"]

SLOW = Schedule(0.3, 0.0, "linear", 0.7)
MOMENTS = ("recorded", "re-weighed", "running", "sessions", "empty")


class PlayStage:
    """The playground in `views` places of a page that `open_page` has opened."""

    def __init__(
        self, page: Page, training: Any = None, *, trainer: Any = None, views: int = 1
    ) -> None:
        source = None if training is None else training_of(training)
        self.page = page
        self.steering = Steering(source, trainer)
        answer(page, "ask", self._answer)
        page.evaluate(MOUNT, ["playground", {"snapshot": ""}, views])
        self.beat()

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What the page has asked so far, answered or not."""
        return self.page.evaluate("() => window.model.asked")

    def _answer(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        return self.steering.answer(question)

    def beat(self) -> None:
        """Tell the page what has happened since the last beat."""
        for message in self.steering.beat():
            self.page.evaluate("message => window.model.hear(message)", message)


def main() -> None:
    """Write pictures of every state: light and dark, wide and narrow."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)

    with sync_playwright() as playwright:
        browser = launch(playwright)

        for moment, width, theme in product(MOMENTS, (1200, 480), ("light", "dark")):
            path = folder / f"{moment}-{width}-{theme}.png"
            _picture(browser, path, moment, width, theme)
            print(path)  # noqa: T201

        browser.close()


def _picture(browser: Browser, path: Path, moment: str, width: int, theme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    open_page(page, dark=theme == "dark")
    stage = _shown(page, moment)
    page.wait_for_timeout(300)
    stage.beat()
    page.wait_for_timeout(200)
    page.screenshot(path=path, full_page=True)
    page.close()


def _shown(page: Page, moment: str) -> PlayStage:
    begin = trainer(iterations=200, tasks=32, rollouts=16)

    if moment == "empty":
        return PlayStage(page, trainer=begin)

    if moment == "running":
        slow = trainer(iterations=200, tasks=32, rollouts=16)({"parallel": SLOW, "finish": OFF})
        page.wait_for_timeout(1500)
        stage = PlayStage(page, slow)
        page.get_by_role("button", name="0.5 constant").click()
        return stage

    if moment == "sessions":
        stage = PlayStage(page, trainer=begin)

        for name in ("no auxiliary reward", "published", "0.5 constant", "0.3 → 0"):
            page.get_by_role("button", name=name).click()
            page.get_by_role("button", name="Train").click()
            stage.steering.source.result()  # type: ignore[union-attr]
            stage.beat()
            page.wait_for_timeout(100)

        return stage

    done = begin({"parallel": SLOW, "finish": OFF})
    done.result()
    stage = PlayStage(page, done)

    if moment == "re-weighed":
        page.get_by_role("button", name="0.5 constant").click()

    return stage


if __name__ == "__main__":
    main()
