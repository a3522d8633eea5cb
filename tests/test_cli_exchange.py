"""`kimi-nb export` and `kimi-nb import`: what they write, print and refuse."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import networkx as nx
import pytest
from hostile import Page
from traces import staged

from kimi_nb.cli import main
from kimi_nb.errors import UsageFault
from kimi_nb.trace import Trace, read
from kimi_nb.views.chrome import chrome_trace
from kimi_nb.views.critical import metrics
from kimi_nb.views.graph import graph
from kimi_nb.views.otel import to_spans
from kimi_nb.views.rows import TABLES, rows

SPANS = Path(__file__).parent / "spans" / "pydantic-ai.jsonl"
"""What pydantic-ai itself wrote."""


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told what takes long: how busy the machine is shows in no output."""
    monkeypatch.setattr("kimi_nb.patience.SECONDS", 600.0)


@pytest.fixture
def trace(tmp_path, monkeypatch) -> Trace:
    """A saved run, beside which one stands."""
    monkeypatch.chdir(tmp_path)
    found = staged((2, 1), ())
    found.save("run.jsonl")
    return found


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """A server that takes whatever is posted; gives its URL, and paths and sizes."""
    got: list[tuple[str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            got.append((self.path, len(self.rfile.read(size))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_the_default_is_a_chrome_trace_beside_the_run(trace, capsys) -> None:
    assert main(["export", "run.jsonl"]) == 0
    assert json.loads(Path("run.json").read_bytes()) == chrome_trace(trace)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "export: run.json\nopen it at https://ui.perfetto.dev or chrome://tracing\n"


@pytest.mark.parametrize("of", TABLES)
def test_rows_go_beside_the_run_too(of, trace, capsys) -> None:
    assert main(["export", "run.jsonl", "--rows", of, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"file": f"run.{of}.csv"}
    assert out.count("\n") == 1
    assert err == f"export: run.{of}.csv\n"

    with Path(f"run.{of}.csv").open(newline="") as file:
        assert next(csv.reader(file)) == list(rows(trace, of)[0])


def test_the_ending_says_what_it_becomes(trace, capsys) -> None:
    for name in ("a.graphml", "a.html", "a.csv"):
        assert main(["export", "run.jsonl", "-o", name]) == 0

    assert set(nx.read_graphml("a.graphml")) == set(graph(trace))
    assert Page(Path("a.html").read_text("utf-8")).faults == []
    assert Path("a.csv").read_text().startswith("agent,name,role")
    assert "perfetto" not in capsys.readouterr().err


@pytest.mark.usefixtures("trace")
def test_spans_go_to_a_collector(trace, collector, capsys) -> None:
    url, got = collector
    assert main(["export", "run.jsonl", "--otlp", url, "--json"]) == 0
    out, err = capsys.readouterr()
    number = len(to_spans(trace))
    assert json.loads(out) == {"spans": number}
    assert err == f"export: {number} spans sent\n"
    assert [path for path, size in got if size > 0] == ["/v1/traces"]
    assert [path.name for path in Path().iterdir()] == ["run.jsonl"]


@pytest.mark.parametrize(
    ("slow", "arguments", "said"),
    [
        (
            "kimi_nb.views.otel.export_spans",
            ["export", "run.jsonl", "--otlp", "http://localhost:9"],
            "export: sending spans to http://localhost:9; Ctrl-C stops it …",
        ),
        ("kimi_nb.cli.exchange.export", ["export", "run.jsonl"], "export: writing run.json …"),
        (
            "kimi_nb.views.otel.from_spans",
            ["import", "spans.json", "-o", "new.jsonl"],
            "import: reading spans.json …",
        ),
    ],
)
@pytest.mark.usefixtures("trace")
def test_who_waits_long_is_told_for_what(slow, arguments, said, monkeypatch) -> None:
    heard: list[str] = []
    told = threading.Event()

    def tell(line: str) -> None:
        heard.append(line)
        told.set()

    def waits(*_: object, **__: object) -> None:
        assert told.wait(50)
        raise UsageFault("enough")

    monkeypatch.setattr("kimi_nb.patience.SECONDS", 0.01)
    monkeypatch.setattr("kimi_nb.patience._tell", tell)
    monkeypatch.setattr(slow, waits)
    assert main(arguments) == 2
    assert heard == [said]


def test_without_a_url_they_go_where_the_environment_says(trace, collector, monkeypatch) -> None:
    url, got = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    assert main(["export", "run.jsonl", "--otlp"]) == 0
    assert len(got) == 1
    assert len(trace) > 0


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["export", "none.jsonl"], 1, "cannot read the trace 'none.jsonl'"),
        (["export", "run.jsonl", "-o", "run.xml"], 2, "ends with .json, .csv, .graphml, .html"),
        (["export", "run.jsonl", "-o", "run.json", "--rows", "steps"], 2, "rows go to a .csv file"),
        (["export", "run.jsonl", "--rows", "step"], 2, "give one of agents, stages, steps"),
        (["export", "run.jsonl", "--rows", "../x"], 2, "give one of agents, stages, steps"),
        (["export", "run.jsonl", "--otlp", "nowhere"], 2, "'nowhere' is no endpoint"),
        (["export", "run.jsonl", "--otlp", "-o", "a.csv"], 2, "--otlp writes no file"),
        (["export", "run.jsonl", "--otlp", "--rows", "path"], 2, "--otlp writes no file"),
        (["import", "run.jsonl", "-o", "a.jsonl"], 2, "it is a trace already"),
        (["import", "none.json", "-o", "a.jsonl"], 1, "none.json"),
        (["import", "run.jsonl", "-o", "run.jsonl"], 2, "run.jsonl exists and stays as it is"),
    ],
)
def test_mistakes_get_one_clear_line(arguments, code, complaint, capsys) -> None:
    was = Path("run.jsonl").read_bytes()
    assert main([*arguments, "--json"]) == code
    out, err = capsys.readouterr()
    assert complaint in err
    assert err.count("\n") == 1
    assert complaint in json.loads(out)["error"]
    assert [path.name for path in Path().iterdir()] == ["run.jsonl"]
    assert Path("run.jsonl").read_bytes() == was


@pytest.mark.usefixtures("trace")
def test_spans_of_another_library_become_a_trace(capsys) -> None:
    assert main(["import", str(SPANS), "-o", "new run.jsonl", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    told = {"simulated": True, "metrics": metrics(read("new run.jsonl")).as_dict()}
    assert found == {"trace": "new run.jsonl"} | told
    agents, steps = found["metrics"]["agents"], found["metrics"]["total_steps"]
    assert agents > 1
    first, second = err.splitlines()
    assert first == f"import: new run.jsonl: {agents} agents, {steps} steps, from pydantic-ai"
    assert second == "now type: kimi-nb report 'new run.jsonl'"
    assert main(["report", "new run.jsonl"]) == 0


@pytest.mark.filterwarnings("always:2 traces:UserWarning")
@pytest.mark.usefixtures("trace")
def test_of_several_traces_one_is_chosen(capsys) -> None:
    span = json.loads(SPANS.read_text("utf-8").splitlines()[0])
    (one,) = (s["spans"] for r in span["resourceSpans"] for s in r["scopeSpans"])
    one[0]["traceId"] = "f" * 32
    Path("two.jsonl").write_text(SPANS.read_text("utf-8") + json.dumps(span), "utf-8")
    assert main(["import", "two.jsonl", "-o", "large.jsonl"]) == 0
    assert "2 traces" in capsys.readouterr().err
    assert main(["import", "two.jsonl", "-o", "small.jsonl", "--trace-id", "ffff"]) == 0
    assert main(["import", "two.jsonl", "-o", "none.jsonl", "--trace-id", "eeee"]) == 2
    assert len(read("small.jsonl")) < len(read("large.jsonl"))
    assert not Path("none.jsonl").exists()


def test_a_trace_is_not_overwritten(trace, capsys) -> None:
    trace.save("old.json")
    assert main(["export", "run.jsonl", "-o", "old.json"]) == 2
    assert main(["export", "old.json"]) == 2  # whose own name is that of its export
    assert capsys.readouterr().err.count("old.json is a trace and stays as it is") == 2
