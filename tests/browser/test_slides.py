"""The teachers' slides in a real browser: keys, notes, pictures, nothing outside of the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from building.teaching.documents import DECKS, DOCUMENTS, LANGUAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request

DOCUMENT = dict(zip(DECKS, DOCUMENTS[-len(DECKS) :], strict=True))
FITS = """() => {
    const slide = document.querySelector("section.on");
    const wide = document.documentElement.scrollWidth <= innerWidth;
    return wide && slide.scrollHeight <= slide.clientHeight + 1;
}"""
LOADED = "() => [...document.images].every((image) => image.complete && image.naturalWidth > 0)"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DECKS)
def test_a_deck_is_given_by_its_keys(browser: Browser, name: str, language: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto(DOCUMENT[name].place(language).as_uri())  # type: ignore[arg-type]
    shown = page.locator("section:visible")
    count = page.locator("section").count()
    page.wait_for_function(LOADED)

    for number in range(1, count + 1):
        assert shown.count() == 1
        assert page.locator("#place").inner_text() == f"{number} / {count}"
        assert page.evaluate(FITS), f"slide {number} is larger than the screen"
        page.keyboard.press("ArrowRight")

    assert page.locator("#place").inner_text() == f"{count} / {count}"
    notes = page.locator("aside:visible")
    assert notes.count() == 0
    page.keyboard.press("n")
    assert notes.count() == 1
    page.keyboard.press("Home")

    while not page.locator("section:visible img").count():
        page.keyboard.press("ArrowRight")

    small = page.locator("section:visible img").bounding_box()
    page.keyboard.press("z")
    large = page.locator("section:visible img").bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > small["width"]
    assert 600 < large["height"] < 720, "the whole screen but its last line"
    page.keyboard.press("Home")
    assert not page.locator("body.large").count()
    assert page.locator("#place").inner_text() == f"1 / {count}"
    assert all(url.startswith("file:") for url in asked)
    page.close()
