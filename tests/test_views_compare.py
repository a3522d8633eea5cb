"""A swarm against one agent: a fair comparison, or a refusal that says what is in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hostile import HOSTILE
from traces import Script

import kimi_nb as kn
from kimi_nb import events as e
from kimi_nb.trace import Trace
from kimi_nb.views.compare import compare
from kimi_nb.views.prices import Price

OPTIONS = {
    "tools": {"grep": ["1", ""]},
    "folder": "/data",
    "base_url": None,
    "thinking": None,
    "max_tokens": 100,
    "simulator": None,
}
PRICES = {"kimi-k3": Price(1.0, 1.0, 1.0)}


def script(model: str = "kimi-k3", goal: str = "Compare.", **options: object) -> Script:
    return Script(goal=goal, model=model, options=json.dumps(OPTIONS | options))


def many(
    made: Script | None = None, *, judged: float | None = None, status: str = "finished"
) -> Trace:
    made = made or script()
    main = made.orchestrator()
    main.step()
    main.launch(6, 9, 4, 7)
    main.step()
    main.end()
    return ended(made, judged, status)


def alone(
    made: Script | None = None, *, judged: float | None = None, status: str = "finished"
) -> Trace:
    made = made or script()
    main = made.orchestrator(role="single")

    for _ in range(24):
        main.step(tokens=(200, 40, 0))

    main.end()
    return ended(made, judged, status)


def ended(made: Script, judged: float | None, status: str) -> Trace:
    if judged is not None:
        t = max(t for t, _, _ in made.facts)
        made.add(t, "", e.Judged(by="grader", success=judged > 0.5, quality=judged, why=""))

    return made.end(status=status, why="" if status == "finished" else "two sub-agents failed")


def test_it_measures_time_work_cost_and_quality() -> None:
    found = compare(many(judged=0.9), alone(judged=0.8), PRICES)
    assert (found.speedup_steps, found.speedup_s) == (2.0, 2.0)  # 24 against 12, one second each
    assert found.times_the_steps == round(29 / 24, 4)
    assert found.times_the_tokens == found.times_the_cost == round(29 * 120 / (24 * 240), 4)
    assert (found.judge, found.quality_swarm, found.quality_single) == ("grader", 0.9, 0.8)


def test_it_reads_as_a_table() -> None:
    assert repr(compare(many(judged=0.9), alone(judged=0.8), PRICES)) == (
        "                           swarm          single\n"
        "critical steps                12              24   2.00× as fast\n"
        "wall                      12.0 s          24.0 s   2.00× as fast\n"
        "total steps                   29              24   1.21× the work\n"
        "tokens                     3,480           5,760   0.60× the tokens\n"
        "cost                     $0.0035         $0.0058   0.60× the cost\n"
        "quality                     0.90            0.80   judged by grader\n"
        "One run of each: the next pair may differ."
    )


def test_an_unknown_price_is_unknown_and_not_free() -> None:
    found = compare(many(script("mine")), alone(script("mine")))
    assert found.times_the_cost is None
    assert "unknown cost" in repr(found)


def test_quality_that_nobody_judged_is_none_and_said() -> None:
    found = compare(many(judged=0.9), alone(), PRICES)
    assert (found.judge, found.quality_swarm, found.quality_single) == ("", None, None)
    assert any("Nobody judged both" in note for note in found.notes)


def test_a_judge_who_saw_no_success_is_heard() -> None:
    found = compare(many(judged=0.2), alone(judged=0.8), PRICES)
    assert any("swarm did not succeed, says grader" in note for note in found.notes)


def test_a_partial_answer_is_compared_and_said_to_be_one() -> None:
    found = compare(many(status="partial"), alone())
    assert any("partial: two sub-agents failed" in note for note in found.notes)


@pytest.mark.parametrize(
    ("swarm", "single", "said"),
    [
        (many(), alone(script(goal="Other.")), "goals differ ('Compare.', 'Other.')"),
        (many(), alone(script("kimi-k2.6")), "models differ (kimi-k3, kimi-k2.6)"),
        (many(), alone(script(tools={"grep": ["2", ""]})), "tools differ (grep)"),
        (many(), alone(script(tools={})), "tools differ (grep)"),
        (many(), alone(script(folder="/other")), "folders that the file tools see differ"),
        (many(), alone(script(base_url="http://x/v1")), "endpoints differ"),
        (many(), alone(script(thinking="low")), "think otherwise"),
        (many(), alone(script(max_tokens=5)), "tokens allowed for a turn differ"),
        (many(), alone(script(simulator={"latency": 1})), "simulator's options differ"),
        (
            many(),
            many(),
            "the second run has 4 sub-agents: run the goal once more with single=True",
        ),
        (many(status="cancelled"), alone(), "first run is cancelled"),
        (many(), alone(status="over_budget"), "second run is over budget"),
        (many()[:20], alone(), "it has not come to an answer (await it,"),
    ],
)
def test_what_is_not_fair_is_refused(swarm: Trace, single: Trace, said: str) -> None:
    with pytest.raises(kn.UsageFault) as caught:
        compare(swarm, single)

    assert str(caught.value).startswith("no fair comparison: ")
    assert said in str(caught.value)


def test_copies_of_one_world_lie_in_folders_of_their_own() -> None:
    world = "wide(items=50, seed=7)"
    found = compare(many(script(judge=world)), alone(script(judge=world, folder="/other")))
    assert found.speedup_steps == 2.0

    with pytest.raises(kn.UsageFault, match="folders that the file tools see differ"):
        compare(many(script(judge=world)), alone(script(judge="deep", folder="/other")))


def test_all_that_is_in_the_way_is_said_at_once() -> None:
    with pytest.raises(kn.UsageFault, match=r"goals differ.*models differ.*tools differ"):
        compare(many(), alone(script("m", "Other.", tools={})))


def test_a_swarm_that_launched_nobody_is_told_so() -> None:
    found = compare(alone(), alone())
    assert any("launched no sub-agent" in note for note in found.notes)


def test_traces_that_do_not_name_their_tools_are_compared_with_a_note() -> None:
    found = compare(many(Script(options="not json")), alone(Script(options="[]")))
    assert any("do not say which tools" in note for note in found.notes)


def test_what_a_model_wrote_stays_on_its_line() -> None:
    with pytest.raises(kn.UsageFault) as caught:
        compare(many(script("".join(HOSTILE), "".join(HOSTILE))), alone())

    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_two_runs_of_the_simulator(tmp_path: Path) -> None:
    for name in ("north", "south", "west"):
        (tmp_path / f"{name}.csv").write_text("item,price\na,1\nb,2\n")

    goal = "For each CSV file, give the number of rows. Join the results into one table."
    fast = kn.Simulator(latency=0.0)
    runs = [
        kn.swarm(goal, folder=tmp_path, model="simulator", simulator=fast, single=single)
        for single in (False, True)
    ]
    found = compare(*(run.result() for run in runs))
    assert found.swarm.simulated
    assert found.swarm.agents == 4
    ratio = found.single.critical_steps / found.swarm.critical_steps
    assert found.speedup_steps == pytest.approx(ratio, abs=1e-4)
    assert "SIMULATOR" in repr(found)
