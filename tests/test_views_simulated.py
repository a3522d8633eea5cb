"""Whoever looks at figures of the simulator sees that they are no model's."""

from __future__ import annotations

import csv
from pathlib import Path

import networkx as nx
import pytest
from traces import Script

import kimi_nb as kn
from kimi_nb.trace import Trace
from kimi_nb.views.rows import TABLES
from kimi_nb.views.text import escape
from kimi_nb.views.words import SIMULATOR

LOOKED_AT = {
    "measures": kn.measures,
    "critical path": kn.critical_path,
    "path table": lambda run: kn.critical_path(run).table(),
    "concurrency": kn.concurrency,
    "diagnosis": kn.diagnose,
    "prediction": lambda run: kn.what_if(run, workers=2),
    "comparison": lambda run: kn.compare(run, run),
}


def made(*, simulated: bool, agents: int = 0) -> Trace:
    """One agent, or a team of which each asks for a tool; half of them fail."""
    script = Script(simulated=simulated, model="simulator" if simulated else "kimi-k3")
    main = script.orchestrator(role="orchestrator" if agents else "single")
    main.step(2.0, tools=(("grep", {}, 0.5),))

    if agents:
        subs = main.assign([f"s{i}" for i in range(agents)])

        for i, sub in enumerate(subs):
            sub.step(1.0 + i).end("", "failed" if i % 2 else "finished")

        main.join(subs)
        main.step()

    main.end()
    return script.end()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("simulator", ""),
        ("parl:/home/me/runs/t.npz", "parl:t.npz · "),
        (r"parl:C:\runs\t.npz", "parl:t.npz · "),
        ("parl:a<b>\n.npz", "parl:a<b> .npz · "),
        ("PARL rollout", "PARL rollout · "),
    ],
)
def test_what_decides_beside_the_rules_is_named_and_is_no_markup(model, told, tmp_path) -> None:
    script = Script(simulated=True, model=model)
    script.orchestrator(role="single").end()
    run = kn.replay(script.end().save(tmp_path / "run.jsonl"))
    assert f"\n{told}{SIMULATOR}\n" in str(run)
    assert f'<p class="simulator">{escape(told + SIMULATOR)}</p>' in run._repr_html_()


@pytest.mark.parametrize("show", LOOKED_AT.values(), ids=LOOKED_AT)
def test_what_one_looks_at_names_the_simulator(show) -> None:
    assert SIMULATOR in str(show(made(simulated=True)))
    assert "SIMULATOR" not in str(show(made(simulated=False)))


@pytest.mark.parametrize("show", list(LOOKED_AT.values())[:-1], ids=list(LOOKED_AT)[:-1])
@pytest.mark.parametrize("agents", [5, 40])
def test_of_a_team_too_and_in_every_prefix(agents, show) -> None:
    trace = made(simulated=True, agents=agents)

    for end in (len(trace) // 2, len(trace)):
        assert str(show(trace[:end])).endswith(SIMULATOR)


@pytest.mark.parametrize("of", TABLES)
@pytest.mark.parametrize("simulated", [True, False])
def test_rows_and_spreadsheets_say_it(of, simulated, tmp_path) -> None:
    trace = made(simulated=simulated, agents=3)
    path = kn.export(trace, tmp_path / "run.csv", of)

    with path.open(encoding="utf-8", newline="") as file:
        first, *others = csv.DictReader(file)

    assert first["simulated"] == str(simulated)
    assert of == "facts" or {row["simulated"] for row in others} <= {str(simulated)}
    assert kn.rows(trace, of)[0]["simulated"] is simulated


@pytest.mark.parametrize("simulated", [True, False])
def test_a_graph_says_it_in_its_file_too(simulated, tmp_path) -> None:
    path = kn.export(made(simulated=simulated, agents=3), tmp_path / "run.graphml")
    assert nx.read_graphml(path).graph["simulated"] is simulated


def test_pages_and_chrome_traces_say_it(tmp_path) -> None:
    for name in ("run.html", "run.json"):
        said = {
            simulated: Path(kn.export(made(simulated=simulated), tmp_path / name)).read_text(
                "utf-8"
            )
            for simulated in (True, False)
        }
        assert "SIMULATOR" in said[True]
        assert "SIMULATOR" not in said[False]


@pytest.mark.parametrize("simulated", [True, False])
def test_metrics_say_it_to_people_and_beside_them_to_programs(simulated) -> None:
    found = kn.metrics(made(simulated=simulated))
    assert f"simulated={simulated}" in repr(found)
    assert "simulated" not in found.as_dict()
