"""What the tests in a browser share: the browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import PATIENCE, launch
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; skips where there is none."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()
