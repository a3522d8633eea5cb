"""What the widget costs, in JupyterLab and Chromium, beside two plainer ways to show a run.

    python tests/bench/pages.py                300 agents, 4,000 tool calls, 1,500 facts a second
    python tests/bench/pages.py --quick        a small run: counts only

The peers are widgets as one writes them first: a message for each fact, and the whole state in a
trait at each beat. "idle" is the same page and kernel with no run: what nobody can go below.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from lab import Notebook, launch, server
from playwright.sync_api import Page, sync_playwright

TESTS = Path(__file__).parents[1]
SETUP = """
import asyncio, json, sys, threading, time
sys.path[:0] = [{tests!r}]
from dataclasses import asdict
import anywidget, traitlets
import kimi_nb as kn
from IPython.display import display
from crowds import crowd
from playing import Playing
from kimi_nb.views.scene import Scene
from kimi_nb.widgets import SwarmView
trace = crowd({agents}, calls={calls})
RATE = {rate}
finished = crowd({agents}, calls={finished})
finished.save("finished.jsonl")

class Counter(anywidget.AnyWidget):
    _esm = '''export default {{ render({{ model, el }}) {{
      let n = 0;
      el.className = "counted";
      model.on("msg:custom", () => el.setAttribute("data-records", ++n));
      model.on("change:state", () =>
        el.setAttribute("data-records", JSON.parse(model.get("state")).to));
    }} }}'''
    state = traitlets.Unicode().tag(sync=True)

async def measured(source):
    cpu, began = time.process_time(), time.monotonic()
    while not source.done:
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.5)
    took = time.monotonic() - began
    print("MEASURED", json.dumps([time.process_time() - cpu, took, len(source.records)]))

def one_by_one(source, widget):
    sent = 0
    while sent < len(trace):
        for record in source.records[sent:]:
            widget.send({{"seq": record.seq, "t": record.t, **asdict(record.fact)}})
            sent += 1
        time.sleep(0.01)

def whole_each_time(source, widget):
    scene = Scene("whole")
    while True:
        done = source.done
        scene.add(source.records[scene.count:])
        widget.state = json.dumps(scene.whole(source.seconds))
        if done:
            return
        time.sleep(0.08)
len(finished)
"""
OURS = """
source = Playing(trace, RATE)
display(SwarmView(source, view={view!r}))
await measured(source)
"""
PEER = """
source, widget = Playing(trace, RATE), Counter()
display(widget)
await asyncio.sleep(0.3)
threading.Thread(target={how}, args=(source, widget), daemon=True).start()
await measured(source)
"""
IDLE = """
class Nothing:
    records = ()
    began = time.monotonic()
    done = property(lambda self: time.monotonic() - self.began > 4)
await measured(Nothing())
"""
FRAMES = """() => {
  window.frames = [];
  let last = performance.now();
  const tick = (now) => {
    window.frames.push(now - last);
    last = now;
    if (window.frames !== null) window.ticking = requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
SELECT = """async (id) => {
  const shown = ".jp-NotebookPanel:not(.lm-mod-hidden) .kimi-nb-view";
  const element = [...document.querySelectorAll(shown)].at(-1);
  const list = element.querySelector(".knw-agents");
  list.open = true;
  while (list.querySelector(`[data-id="${id}"]`) === null) {
    await new Promise((next) => setTimeout(next, 20));
  }
  await new Promise(requestAnimationFrame);
  const began = performance.now();
  list.querySelector(`[data-id="${id}"]`).click();
  const told = `aside[aria-label^="Agent ${id} "] .knw-step`;
  while (element.querySelector(told) === null) {
    if (performance.now() - began > 5000) throw new Error(`nothing is told of ${id}`);
    await new Promise((next) => setTimeout(next, 1));
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


LONG = "For each Python package installed here, give its version and licence."
ENDED = """() => {
  const cell = document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")[1];
  return cell.querySelector(".jp-InputPrompt").textContent !== "[*]:" &&
    cell.querySelector(".kimi-nb-view .knw-status").textContent.includes("cancelled");
}"""
"""The cell has ended, and its view says so."""


@dataclass(frozen=True)
class Row:
    """One way to show the run."""

    name: str
    facts: int
    arrived: int
    cpu: float
    """Part of one core that the kernel's process used."""
    frames: list[float]
    """Milliseconds from one frame of the page to the next."""

    def cells(self, idle: float) -> list[str]:
        frames = sorted(self.frames) or [0.0]
        late = frames[int(len(frames) * 0.95)]
        share = f"{self.cpu:.1%}"
        own = f"{max(self.cpu - idle, 0.0):.1%}"
        arrived = f"{self.arrived:,} of {self.facts:,}" if self.facts else "–"
        return [self.name, arrived, share, own, f"{statistics.median(frames):.0f}", f"{late:.0f}"]


def played(page: Page, book: Notebook, number: int, name: str, root: str) -> Row:
    """Run a cell that plays the trace; what the page and the kernel had to do for it."""
    page.evaluate(FRAMES)
    book.run(number)
    cell = book.cell(number)
    printed = cell.locator(".jp-OutputArea-output pre", has_text="MEASURED")
    printed.wait_for(timeout=180_000)
    page.wait_for_timeout(500)
    frames: list[float] = page.evaluate(
        "() => { cancelAnimationFrame(window.ticking); return window.frames; }"
    )
    cpu, took, facts = json.loads(printed.inner_text().split("MEASURED", 1)[1])
    shown = cell.locator(root)
    arrived = int(shown.get_attribute("data-records") or 0) if root else 0
    return Row(name, facts, arrived, cpu / took, frames[3:])


def selections(page: Page, ids: list[str]) -> list[float]:
    """Milliseconds from choosing an agent to its messages on the page."""
    return [page.evaluate(SELECT, id) for id in ids]


def opening(page: Page, book: Notebook, number: int, facts: int) -> float:
    """Milliseconds from running the cell to the picture of a finished trace."""
    began = page.evaluate("() => performance.now()")
    book.run(number)
    book.cell(number).locator(f'.kimi-nb-view[data-records="{facts}"]').wait_for(timeout=60_000)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return page.evaluate("() => performance.now()") - began


def ending(page: Page, url: str, folder: Path, how: str) -> float:
    """Milliseconds from the press of a button to the end of a run of a hundred agents."""
    run = f"%%swarm {how} --agents 100\n{LONG}"
    book = Notebook(page, url, folder / f"{how}.ipynb", ["%load_ext kimi_nb", run])
    book.run(0)
    book.run(1)
    view = book.cell(1).locator(".kimi-nb-view")
    view.get_by_text(re.compile(r"of [3-9]\d sub-agents|of 100 sub-agents")).first.wait_for()
    began = page.evaluate("() => performance.now()")

    if how == "cancel":
        view.get_by_role("button", name="Cancel", exact=True).click()
    else:
        book.command("notebook:interrupt-kernel")

    page.wait_for_function(ENDED)
    return page.evaluate("() => performance.now()") - began


def main() -> int:
    """0 if every fact arrived, however slowly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    size = {"agents": 300, "calls": 4000, "rate": 1500, "finished": 4700}
    size |= {"agents": 20, "calls": 60, "rate": 600, "finished": 80} if asked.quick else {}
    folder = Path(tempfile.mkdtemp())

    with server(folder) as url, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        found = measure(page, url, folder, size)
        browser.close()

    print(json.dumps(found) if asked.json else table(found, size))  # noqa: T201
    return 0 if all(row["arrived"] == row["facts"] for row in found["rows"][1:4]) else 1


def measure(page: Page, url: str, folder: Path, size: dict[str, int]) -> dict[str, Any]:
    """Every scenario, in one kernel and one page."""
    views = ("graph", "timeline", "critical")
    cells = [
        SETUP.format(tests=str(TESTS), **size),
        IDLE,
        *(OURS.format(view=view) for view in views),
        PEER.format(how="one_by_one"),
        PEER.format(how="whole_each_time"),
    ]
    book = Notebook(page, url, folder / "bench.ipynb", cells)
    book.run(0)
    facts = int(book.cell(0).locator(".jp-OutputArea-executeResult pre").inner_text())
    idle = played(page, book, 1, "idle", "")
    rows = [
        idle,
        *(played(page, book, 2 + i, view, ".kimi-nb-view") for i, view in enumerate(views)),
        played(page, book, 5, "peer: a message for each fact", ".counted"),
        played(page, book, 6, "peer: all in a trait each time", ".counted"),
    ]
    shown = "kn.replay('finished.jsonl')"
    cells = ["%load_ext kimi_nb\nimport kimi_nb as kn", shown, shown]
    book = Notebook(page, url, folder / "opened.ipynb", cells)
    book.run(0)
    first = opening(page, book, 1, facts)
    again = opening(page, book, 2, facts)
    ids = [f"a{n:02d}" for n in range(1, size["agents"], max(1, size["agents"] // 20))]
    chosen = selections(page, ids)
    ends = {how: round(ending(page, url, folder, how)) for how in ("cancel", "stop")}
    return {
        "rows": [
            {"facts": r.facts, "arrived": r.arrived, "cells": r.cells(idle.cpu)} for r in rows
        ],
        "opening_ms": {"first, with the import": round(first), "then": round(again)},
        "selecting_ms": {
            "median": round(statistics.median(chosen)),
            "largest": round(max(chosen)),
            "agents": len(chosen),
        },
        "ending_ms": ends,
        "records": facts,
    }


def table(found: dict[str, Any], size: dict[str, int]) -> str:
    """The figures for people."""
    head = ["", "facts shown", "kernel CPU", "above idle", "frame ms, median", "95th percentile"]
    rows = [head, *(row["cells"] for row in found["rows"])]
    wide = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, wide, strict=True)) for row in rows]
    opened = ", ".join(f"{name} {ms} ms" for name, ms in found["opening_ms"].items())
    chosen = ", ".join(f"{name} {ms}" for name, ms in found["selecting_ms"].items())
    return "\n".join(
        [
            f"{size['agents']} agents, {size['calls']} tool calls, {size['rate']} facts a second",
            *lines,
            f"a finished trace of {found['records']:,} records opens: {opened}",
            f"choosing an agent, ms: {chosen}",
            "a run of a hundred agents ends after: "
            + ", ".join(f"{how} button {ms} ms" for how, ms in found["ending_ms"].items()),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
