"""What the tests in a browser share: the browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import launch
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; skips where there is none."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()
