"""Whether a page behaves as the sentence asks: it is used, and looked at after every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_nb.tools.chromium import Chromium, first_line
from kimi_nb.worlds.figures.browser import opened
from kimi_nb.worlds.figures.wishes import NAMED, Step

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["tried"]

PATIENCE = 5_000
"""Milliseconds in which what is there must be usable."""
READ = "e => e instanceof HTMLInputElement ? e.value : e.innerText"
COLOUR = "e => getComputedStyle(e).backgroundColor.match(/[0-9.]+/g).map(Number)"
GREYS = ((0, 0, 0), (128, 128, 128), (239, 239, 239), (255, 255, 255))
ACTS = frozenset({"click", "fill"})


async def tried(browser: Chromium, html: str, steps: tuple[Step, ...]) -> tuple[float, str]:
    """The quality in [0, 1], and what was wrong first ("" if nothing was).

    It is the share of what holds before anything is done, times the share of what holds
    afterwards: a page that only looks right is worth little. Raises ToolError as `opened` does.
    """
    before: list[bool] = []
    after: list[bool] = []
    wrong = ""
    acted = False

    async with opened(browser, html, scripts=True) as page:
        for step in steps:
            why = await _done(page, step)
            acted = acted or step.what in ACTS
            wrong = wrong or why

            if step.what not in ACTS:
                (after if acted else before).append(not why)

    return _share(before) * _share(after), wrong


def _share(checks: list[bool]) -> float:
    return sum(checks) / len(checks) if checks else 1.0


async def _done(page: Page, step: Step) -> str:
    """Why the step cannot be done, or what does not hold; "" if all is well."""
    from playwright.async_api import Error

    try:
        return await _tried(page, step)
    except Error as error:
        if page.is_closed():
            raise

        return f"{step.what} {step.where}: {first_line(error)}"


async def _tried(page: Page, step: Step) -> str:
    button = page.get_by_role("button", name=step.where, exact=True).first
    element = page.locator(f"#{step.where}").first

    on_button = step.what in {"click", "colour"}

    if not await (button if on_button else element).count():
        return f"there is no {'button' if on_button else 'element'} {step.where}"

    match step.what:
        case "click":
            await button.click(timeout=PATIENCE)
            return ""
        case "fill":
            await element.fill(step.value, timeout=PATIENCE)
            return ""
        case "colour":
            found = _name(tuple(await button.evaluate(COLOUR, timeout=PATIENCE)))
            return "" if found == step.value else f"{step.where} is {found}, not {step.value}"
        case "hidden" | "shown":
            seen = await element.is_visible()
            return "" if seen == (step.what == "shown") else f"{step.where} is not {step.what}"
        case _:
            text = " ".join(str(await element.evaluate(READ, timeout=PATIENCE)).split())
            seen = step.what == "value" or await element.is_visible()
            right = text == step.value and seen
            return "" if right else f"{step.where} has {text[:40]!r}, not {step.value!r}"


def _name(colour: tuple[float, ...]) -> str:
    """The nearest of the colours that can be asked for; "" if a grey is nearer or it is clear."""
    if len(colour) == 4 and colour[3] < 0.5:
        return "clear"

    known = {name: rgb for name, (_, rgb) in NAMED.items()} | {"grey": GREYS[1]}
    known |= {"black": GREYS[0], "light grey": GREYS[2], "white": GREYS[3]}
    return min(
        known,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(colour[:3], known[name], strict=True)),
    )
