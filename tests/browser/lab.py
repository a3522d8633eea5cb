"""A JupyterLab or Notebook 7 of one's own in a real browser, without token, news or the network."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PYTHON = os.environ.get("KIMI_NB_LAB", sys.executable)
"""Whose JupyterLab it is: that of another version, say, in an environment of its own."""
APPS = {"jupyterlab": "LabApp", "notebook": "JupyterNotebookApp"}
TREES = {"jupyterlab": "lab/tree", "notebook": "notebooks"}
PATIENCE = 30.0
"""Seconds until what a page was to show counts as not shown."""
STARTING = 120.0
"""Seconds until a server, a page or a kernel that begins counts as dead."""

RUNTIME = "JUPYTER_RUNTIME_DIR"
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
COMMAND = """async ([name, options]) => {
    await window.jupyterapp.commands.execute(name, options);
}"""
"""Gives nothing back: a command's value can be half of JupyterLab."""
READY = """([name, busy]) => {
    const shown = window.jupyterapp?.shell.currentWidget;
    const kernel = shown?.context?.sessionContext.session?.kernel;
    const there = kernel?.connectionStatus === "connected" && (busy || kernel.status === "idle");
    return shown?.context?.path === name && there;
}"""


@contextmanager
def server(folder: Path, app: str = "jupyterlab") -> Iterator[str]:
    """JupyterLab, or `app` "notebook", on `folder`; gives its URL."""
    config = folder / ".config"
    (config / "labconfig").mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    options = (
        *("--no-browser", "--allow-root", f"--port={_free_port()}"),
        *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
        *(f"--{APPS[app]}.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}"),
    )
    log = (folder / ".server.log").open("wb")
    process = subprocess.Popen([PYTHON, "-m", app, *options], env=_environment(config), stderr=log)

    try:
        yield _address(config / RUNTIME, process)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()


def _environment(config: Path) -> dict[str, str]:
    keys = {"MOONSHOT_API_KEY": "", "KIMI_API_KEY": "", "OPENAI_API_KEY": ""}
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", RUNTIME, "IPYTHONDIR")
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return {**os.environ, **keys, "PYTHONPATH": path} | {
        place: str(config if place == "JUPYTER_CONFIG_DIR" else config / place) for place in places
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _address(runtime: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the server answers: a port that somebody took meanwhile it leaves for another."""
    written = runtime / f"jpserver-{process.pid}.json"
    end = time.monotonic() + STARTING

    while time.monotonic() < end and process.poll() is None:
        try:
            url = f"http://127.0.0.1:{json.loads(written.read_bytes())['port']}"
            urllib.request.urlopen(f"{url}/api/status", timeout=STARTING).close()  # noqa: S310 -- a server of our own
        except (OSError, ValueError):
            time.sleep(0.1)
        else:
            return url

    pytest.fail(f"no server answered; its log: {runtime.parents[1] / '.server.log'}")


def launch(playwright: Playwright) -> Browser:
    """The Chromium of the system, or the one that playwright has downloaded."""
    own = playwright.chromium.executable_path
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), own)

    if not Path(found).exists():
        pytest.skip("no Chromium: apt install chromium, or python -m playwright install chromium")

    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    return playwright.chromium.launch(executable_path=found, args=quiet)


class Notebook:
    """A notebook in the page: one of these `cells`, or, without any, the one that is there."""

    def __init__(
        self,
        page: Page,
        url: str,
        path: Path,
        cells: list[str],
        app: str = "jupyterlab",
        folder: Path | None = None,
    ) -> None:
        self.page = page
        self.path = path
        self.name = path.relative_to(folder or path.parent).as_posix()
        self._url = url
        self._tree = TREES[app]
        page.set_default_timeout(1000 * STARTING)

        if cells:
            self._write(cells)

        if app == "jupyterlab" and page.url.startswith(url):  # loading it takes seconds
            self._open_beside()
        else:
            self.open()

    def _write(self, cells: list[str]) -> None:
        language = {"name": "python3", "display_name": "Python 3", "language": "python"}
        empty: dict[str, Any] = {"metadata": {}, "outputs": [], "execution_count": None}
        made = [
            {"cell_type": "code", "id": f"c{number}", "source": source, **empty}
            for number, source in enumerate(cells)
        ]
        whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": language}}
        self.path.write_text(json.dumps(whole | {"cells": made}))

    def open(self, *, busy: bool = False) -> None:
        """Load the page anew with this notebook alone, and wait until its kernel is there.

        `busy`: a cell runs, and until its end JupyterLab hears nothing of how the kernel is.
        """
        self.page.goto(f"{self._url}/{self._tree}/{self.name}?reset")
        self._wait_for_kernel(busy=busy)

    def _open_beside(self) -> None:
        self.command("docmanager:open", path=self.name)
        self._wait_for_kernel()

    def _wait_for_kernel(self, *, busy: bool = False) -> None:
        self.page.wait_for_function(READY, arg=[self.name, busy])

    def run(self, number: int) -> None:
        """Execute a cell, as one does by hand."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def cell(self, number: int) -> Locator:
        return self.page.locator(f"{PANEL} .jp-CodeCell").nth(number)

    def command(self, name: str, **options: str) -> None:
        """What a menu entry or a button of the toolbar does."""
        self.page.evaluate(COMMAND, [name, options])

    def save(self) -> dict[str, Any]:
        """The notebook as the page writes it to disk."""
        self.command("docmanager:save")
        return json.loads(self.path.read_text())

    def forget_kernel(self) -> None:
        """End its kernel; the next `open` begins with another, which knows nothing.

        The page is left before: it would complain of the kernel that it has lost.
        """
        self.page.goto("about:blank")

        with urllib.request.urlopen(f"{self._url}/api/sessions") as answer:  # noqa: S310
            sessions = json.load(answer)

        for session in sessions:
            place = f"{self._url}/api/sessions/{session['id']}"
            urllib.request.urlopen(urllib.request.Request(place, method="DELETE")).close()  # noqa: S310
