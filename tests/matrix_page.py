"""A notebook whose swarms ask the mock platform: a real kernel, with I1 to I7 checked in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from invariants import check_invariants
from jupyter_client.session import Session
from jupyter_core.utils import ensure_event_loop
from matrix_trial import PATIENCE, Trial
from test_magics import Cell, Kernel, _note

import kimi_nb as kn

SETUP = f"""
%load_ext kimi_nb
import asyncio, os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import kimi_nb as kn
from invariants import check_invariants, held, tasks_left
from matrix_child import block, hold, linger
from kimi_nb.swarm.start import runs
kn.swarm("Say hello.", model="simulator", single=True).result()
"""
"""The run at the end is shown, so that what the kernel's views hold is there before the first."""


class Page:
    """An open notebook."""

    def __init__(self, kernel: Kernel, trial: Trial) -> None:
        self.kernel, self.trial = kernel, trial
        secret = trial.folder / "key"
        secret.write_text(trial.server.key)
        kernel.run(
            f"os.environ['KIMI_BASE_URL'] = {trial.server.base_url!r}\n"
            f"os.environ['KIMI_API_KEY'] = open({str(secret)!r}).read()\n"
            "before = held()"
        )
        secret.unlink()

    def cell(self, name: str, *options: str) -> str:
        """The cell that starts a run called so."""
        folder, path = self.trial.folder, self.trial.path
        more = " ".join(options)
        return f"%%swarm {name} --model kimi-k3 --folder {folder} --trace {path} {more}\ngo"

    def run(self, code: str, meanwhile: Callable[[], Any]) -> tuple[Cell, float]:
        """What the cell brought, and the seconds that it went on after the end of `meanwhile`."""
        cell = Cell()
        done: list[float] = []

        def act() -> None:
            try:
                meanwhile()
                done.append(time.monotonic())
            finally:
                ensure_event_loop().close()  # jupyter_client makes one for each thread

        beside = threading.Thread(target=act)
        beside.start()
        reply = self.kernel.client.execute_interactive(
            code, output_hook=lambda message: self.note(cell, message), timeout=2 * PATIENCE
        )
        ended = time.monotonic()
        beside.join(PATIENCE)
        cell.status = reply["content"]["status"]
        return cell, ended - done[0]

    def note(self, cell: Cell, message: dict[str, Any]) -> None:
        """Take what the kernel sends; may be replaced by a test that wants to know more."""
        _note(cell, message)

    @contextmanager
    def again(self) -> Iterator[Any]:
        """A second page on the same kernel, in another thread than the first, which waits."""
        manager = self.kernel.manager
        client = manager.client(session=Session(key=manager.session.key))  # who else it would be
        client.start_channels()

        try:
            yield client
        finally:
            client.stop_channels()

    def interrupt(self) -> None:
        """The stop button."""
        self.kernel.manager.interrupt_kernel()

    def look(self, code: str) -> str:
        """The value of code that must not fail."""
        found = self.kernel.run(code)
        assert found.status == "ok", found.error
        return found.text

    def check(self, name: str, *cells: Cell, before: str = "before") -> None:
        """I1 to I7: I4 in the kernel, the rest here, with all that the cells showed.

        `before`: where pages come and go, "None": the kernel's sockets to them are no run's.
        """
        key = "secrets=[os.environ['KIMI_API_KEY']]"
        self.look(f"check_invariants({name}, before={before}, {key})")
        shown = [text for cell in cells for text in (cell.text, cell.html, cell.stream, cell.error)]
        shown += [text for cell in cells for text in (*cell.shown, *cell.live)]
        trial = self.trial
        check_invariants(
            kn.replay(trial.path),
            server=trial.server,
            secrets=[trial.server.key],
            paths=[trial.folder],
            texts=shown,
        )


@contextmanager
def opened(kernel: Kernel, folder: Path, *brain: Any, **options: Any) -> Iterator[Page]:
    """A page on a mock platform of its own. Its runs end with it."""
    with Trial(folder, *brain, **options) as trial:
        page = Page(kernel, trial)

        try:
            yield page
        finally:
            (folder / "go").touch()
            kernel.run("for run in runs().values():\n    run.cancel()")
