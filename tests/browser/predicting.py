"""A prediction or a quiz on a bare page, with the real one of the kernel behind it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page
from stage import MOUNT, answer

from kimi_nb.teach.guess import Guess
from kimi_nb.teach.sitting import Sitting
from kimi_nb.widgets.asked import GuessView, QuizView

__all__ = ["Answering", "Predicting"]

BRIDGE = """(alive) => {
  window.ask = async (content) => {
    const { told, messages } = await (alive ? window.kernel(content) : new Promise(() => {}));
    window.model.set("told", told);
    return messages;
  };
}"""


class Asked:
    """Its widget, in `views` places of a page that `open_page` has opened."""

    def __init__(
        self, page: Page, held: Guess | Sitting, name: str, views: int, *, kernel: bool
    ) -> None:
        self.page = page
        self.view = GuessView(held) if isinstance(held, Guess) else QuizView(held)
        self.heard: list[Any] = []
        self._sent: list[dict[str, Any]] = []
        self.view.send = self._sent.append  # what it would send to the page
        held._page = self.view
        answer(page, "kernel", self._answer)
        page.evaluate(BRIDGE, kernel)
        state = {"asked": self.view.asked, "told": self.view.told}
        page.evaluate(MOUNT, [name, state, views])

    def _answer(self, content: Any) -> dict[str, Any]:
        self.heard.append(content)
        self._sent.clear()
        self.view._heard(None, content, None)
        return {"told": self.view.told, "messages": list(self._sent)}

    def tell(self) -> None:
        """Show in the page what the kernel has done by itself."""
        self.page.evaluate("told => window.model.set('told', told)", self.view.told)


class Predicting(Asked):
    """The widget of a prediction."""

    def __init__(self, page: Page, guess: Guess, *, views: int = 1, kernel: bool = True) -> None:
        super().__init__(page, guess, "predict", views, kernel=kernel)
        self.guess = guess


class Answering(Asked):
    """The widget of a quiz."""

    def __init__(self, page: Page, quiz: Sitting, *, views: int = 1, kernel: bool = True) -> None:
        super().__init__(page, quiz, "quiz", views, kernel=kernel)
        self.quiz = quiz
