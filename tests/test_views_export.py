"""Files for other programs, read back by readers that are not ours."""

from __future__ import annotations

import csv
import errno
import json
from pathlib import Path

import networkx as nx
import pytest
from hostile import HOSTILE, Page, hostile_trace
from hypothesis import given
from test_views_chrome import check
from traces import Script, staged, swarms

from kimi_nb.errors import KimiNbError, UsageFault
from kimi_nb.swarm.start import replay
from kimi_nb.trace import Trace, read
from kimi_nb.views import export as module
from kimi_nb.views.chrome import chrome_trace
from kimi_nb.views.export import export
from kimi_nb.views.graph import graph
from kimi_nb.views.rows import TABLES, rows

FORMULAS = ("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1", "\ufeff=1")


def saying(text: str) -> Trace:
    script = Script(goal=text)
    main = script.orchestrator(name=text)
    (sub,) = main.assign([text])
    sub.step(1.0, tools=((text, {text: text}, 0.5),), said=text).end(text)
    main.join([sub])
    main.step(1.0).end(text)
    return script.end(text)


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_is_the_chrome_trace(tmp_path) -> None:
    trace = staged((2, 1), ())
    path = export(trace, tmp_path / "run.json")
    assert path == tmp_path / "run.json"
    found = json.loads(path.read_bytes())
    assert found == chrome_trace(trace)
    check(found)


@pytest.mark.parametrize("of", [*TABLES, None])
def test_csv_without_rows_has_its_columns(of: str | None, tmp_path) -> None:
    (head,) = csv.reader(export(Trace(), tmp_path / "run.csv", of).read_text("utf-8").splitlines())
    assert head == list(rows(saying("x"), of or "agents")[0])


@pytest.mark.parametrize("of", [*TABLES, None])
def test_csv_is_a_table(of: str | None, tmp_path) -> None:
    trace = staged((2, 1), ())
    found = cells(export(trace, tmp_path / "run.csv", of))
    wanted = rows(trace, of or "agents")
    assert [list(row) for row in found] == [list(row) for row in wanted]

    for row, want in zip(found, wanted, strict=True):
        assert list(row.values()) == ["" if v is None else str(v) for v in want.values()]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("of", TABLES)
def test_no_cell_is_a_formula(text: str, of: str, tmp_path) -> None:
    numbers = {
        c for r in rows(saying(text), of) for c, v in r.items() if isinstance(v, int | float)
    }

    for row in cells(export(saying(text), tmp_path / "run.csv", of)):
        texts = [cell for column, cell in row.items() if column not in numbers]
        assert not [cell for cell in texts if cell.strip().startswith(tuple("=+-@＝＋－＠"))]


def test_a_negative_number_stays_a_number() -> None:
    assert module._cell(-1.5) == -1.5
    assert module._cell("plain") == "plain"


@pytest.mark.parametrize("evil", [*HOSTILE, *FORMULAS, "\ufffe \uffff \ud800"])
def test_graphml_is_well_formed_whatever_a_model_says(evil: str, tmp_path) -> None:
    path = export(saying(evil), tmp_path / "run.graphml")
    back = nx.read_graphml(path)
    assert sorted(back) == ["a00/1", "a00/2", "a01"]


def test_an_attribute_has_one_type_in_graphml(tmp_path) -> None:
    script = Script()
    script.orchestrator().step(0.0).step(1.0).end()
    text = export(script.end(), tmp_path / "run.graphml").read_text("utf-8")
    assert text.count('attr.name="seconds"') == 1


@given(swarms())
def test_graphml_comes_back_as_the_graph(trace: Trace) -> None:
    was = graph(trace)
    back = nx.parse_graphml(module._graphml(trace, "").decode())
    assert dict(back.nodes(data=True)) == dict(was.nodes(data=True))
    assert {(a, b, data["kind"]) for a, b, data in back.edges(data=True)} == {
        (a, b, data["kind"]) for a, b, data in was.edges(data=True)
    }


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("ending", ["json", "csv", "html"])
def test_what_a_model_says_breaks_no_file(evil: str, ending: str, tmp_path) -> None:
    text = export(hostile_trace(evil), tmp_path / f"run.{ending}").read_text("utf-8")

    if ending == "html":
        assert Page(text).faults == []

    assert "\x1b" not in text
    assert "\x00" not in text


def test_a_run_of_a_notebook_is_exported_as_it_is(tmp_path) -> None:
    path = staged((1,), ()).save(tmp_path / "run.jsonl")
    assert export(replay(path), tmp_path / "a.CSV").read_bytes() == (
        export(read(path), tmp_path / "b.csv").read_bytes()
    )


def test_another_ending_names_those_that_exist(tmp_path) -> None:
    for name in ("run.xml", "run"):
        with pytest.raises(UsageFault, match=r"\.json, \.csv, \.graphml, \.html"):
            export(staged((1,)), tmp_path / name)

    with pytest.raises(UsageFault, match=r"rows go to a \.csv file"):
        export(staged((1,)), tmp_path / "run.json", "steps")

    with pytest.raises(UsageFault, match="agents, stages, steps"):
        export(staged((1,)), tmp_path / "run.csv", "nothing")

    assert list(tmp_path.iterdir()) == []


def test_a_trace_is_never_overwritten(tmp_path) -> None:
    path = staged((1,), ()).save(tmp_path / "run.json")
    was = path.read_bytes()

    with pytest.raises(UsageFault, match="is a trace and stays as it is"):
        export(read(path), path)

    assert path.read_bytes() == was
    other = tmp_path / "other.json"
    other.write_text("{}")
    export(read(path), other)
    assert "traceEvents" in other.read_text()


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch) -> None:
    target = tmp_path / "run.csv"
    target.write_text("old")

    def full(self: Path, _data: bytes) -> int:
        with self.open("wb") as file:
            file.write(b"ha")

        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)

    with pytest.raises(KimiNbError, match=r"cannot write '.*run.csv': No space left on device"):
        export(staged((1,)), target)

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
