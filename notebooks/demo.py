"""`make demo`: the quickstart in a real kernel, its progress here, then what it found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

import kimi_nb as kn

HERE = Path(__file__).resolve().parent
QUICKSTART = HERE / "en" / "00-quickstart.ipynb"
ROOT = HERE.parent
EXECUTED = ROOT / ".kimi_nb" / "demo" / QUICKSTART.name
ROWS = 12
"""Lines of a long answer that are shown."""
PICTURE = 14
"""Lines of a live view at most."""


class Terminal:
    """Shows what the notebook's live view shows."""

    def __init__(self) -> None:
        self._lines = 0
        self._redraws = sys.stdout.isatty()

    def cell(self, cell: Any, cell_index: int) -> None:
        del cell_index
        first = next(iter(cell.source.splitlines()), "")
        kind = "##" if cell.cell_type == "markdown" else ">>>"
        self.note(f"{kind} {first.lstrip('# ')}")

    def note(self, text: str) -> None:
        self._lines = 0
        print(text, flush=True)

    def live(self, text: str) -> None:
        """A new picture of a running swarm over the last one; a line of it where one cannot."""
        rows = text.splitlines()

        if len(rows) > PICTURE:  # the summary, which comes at the end of all
            rows = rows[:1]

        if not self._redraws:
            progress = [row.split(" ", 1)[-1] for row in rows if row.endswith(" ended")]
            print("    " + " · ".join([rows[0], *progress]), flush=True)
            return

        if self._lines:
            print(f"\x1b[{self._lines}F\x1b[0J", end="")

        width = shutil.get_terminal_size().columns - 5
        rows = [f"    {row[:width]}" for row in rows]
        self._lines = len(rows)
        print("\n".join(rows), flush=True)


class Client(NotebookClient):
    """Runs the notebook and passes on what its live views are told."""

    terminal: Terminal

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        state = msg["content"].get("data", {}).get("state", {}) if _is_comm(msg) else {}

        if text := state.get("text"):
            self.terminal.live(text)

        return super().process_message(msg, cell, cell_index)


def _is_comm(msg: Any) -> bool:
    return msg["msg_type"] in {"comm_msg", "comm_open"}


def main() -> None:
    """Run it, show it, say where everything lies."""
    EXECUTED.parent.mkdir(parents=True, exist_ok=True)
    runs = ROOT / ".kimi_nb" / "runs"
    before = set(runs.glob("*.jsonl"))
    notebook = nbformat.read(QUICKSTART, as_version=4)
    terminal = Terminal()
    terminal.note(f"Running {QUICKSTART.relative_to(ROOT)} in a kernel of its own …\n")
    client = Client(
        notebook,
        kernel_name="python3",
        timeout=600,
        resources={"metadata": {"path": str(ROOT)}},
        on_cell_execute=terminal.cell,
        extra_arguments=["--log-level=ERROR"],
    )
    client.terminal = terminal
    client.execute()
    nbformat.write(notebook, EXECUTED)
    traces = sorted(set(runs.glob("*.jsonl")) - before)
    packages = next(path for path in traces if path.stem.endswith("-packages"))
    show(kn.replay(packages), packages, EXECUTED)


def show(run: kn.Replay, trace: Path, executed: Path) -> None:
    """The answer, the measures, and where the trace, the report and the notebook lie."""
    lines = run.answer.splitlines()
    print("\n══ Answer " + "═" * 60)
    print("\n".join(lines[:ROWS]))

    if len(lines) > ROWS:
        print(f"… {len(lines) - ROWS} more lines, in the trace and the report")

    print("\n══ Metrics " + "═" * 59)

    for name, value in run.metrics.as_dict().items():
        print(f"{name:>22}  {'unknown' if value is None else value}")

    report = trace.with_suffix(".html")
    command = [sys.executable, "-m", "kimi_nb.cli", "report", str(trace)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    print("\n══ Where it lies " + "═" * 53)
    print(f"trace     {trace}")
    print(f"report    {report}  (open it in a browser)")
    print(f"notebook  {executed}  (with its outputs)")

    if run.fold.simulated:
        print("\nThe simulator answered: rules, no language model. To ask Kimi:")
        print("  MOONSHOT_API_KEY=… make demo")

    print("\n`make lab` opens the notebook in JupyterLab.")


if __name__ == "__main__":
    main()
