"""PARL's experiments: trainings over seeds, and tables and figures made of their rows alone."""

from __future__ import annotations

import importlib.util
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gated import ctrl_c_before_rows_are_written

from kimi_nb.errors import KimiNbError, TraceError, UsageFault
from kimi_nb.parl.experiments.catalogue import ANNEALED, EXPERIMENTS, NOTHING, Experiment, phase
from kimi_nb.parl.experiments.conditions import Condition, annealed, blog, constant
from kimi_nb.parl.experiments.figures import draw
from kimi_nb.parl.experiments.measure import SETS, WIDER, mean
from kimi_nb.parl.experiments.publish import block, publish
from kimi_nb.parl.experiments.rows import Key, Row, Rows, keep, key, read_rows
from kimi_nb.parl.experiments.rules import LEAST, LOWER, Rule, measured
from kimi_nb.parl.experiments.runner import RESULTS, Progress, asked_for, carry_out, missing
from kimi_nb.parl.experiments.statistics import Interval, over, quantile
from kimi_nb.parl.experiments.summary import collapsed, difference, values
from kimi_nb.parl.experiments.tables import Table, markdown, tables
from kimi_nb.parl.experiments.trial import Trial, done
from kimi_nb.parl.plan import Plan
from kimi_nb.parl.reward import Components
from kimi_nb.parl.tasks import FAMILIES

PUBLISHED = Path(__file__).parents[1] / "notebooks" / "parl"
TINY = Condition(
    name="tiny",
    plan=Plan(iterations=7, tasks=2, rollouts=4, form="blog"),
    parallel=constant(0.3),
)
SERIAL = Rule(name="all-serial")


def tiny(**more: Any) -> dict[str, Experiment]:
    usual = {"title": "Tiny", "question": "?", "conditions": (TINY,), "rules": (SERIAL,)}
    return {"tiny": Experiment(**usual | more)}


def a_row(name: str, seed: int, **values: float) -> Row:
    usual = {
        "success_q": 0.5,
        "critical_steps": 30.0,
        "total_steps": 40.0,
        "sub_agents": 2.0,
        "useless": 1.0,
    }
    families = {family: {"tasks": 10, **usual, **values} for family in FAMILIES}
    return {
        "condition": name,
        "seed": seed,
        "options": {},
        "on": "held-out",
        "families": families,
    }


def filled(experiment: str, seeds: int = 3) -> Rows:
    """Made-up rows of every condition and rule of an experiment."""
    dice, found = np.random.default_rng(0), list[Row]()

    for of in (*EXPERIMENTS[experiment].conditions, *EXPERIMENTS[experiment].rules):
        for seed in range(1 if isinstance(of, Rule) else seeds):
            chance = {"success_q": float(dice.random()), "sub_agents": float(8 * dice.random())}
            curve = {name: dice.random(30).tolist() for name in ("r_perf", "sub_agents")}
            training = {"condition": of.name, "seed": seed, "options": {}, "curve": curve}
            sets = EXPERIMENTS[experiment].sets(of)
            found += [training, *(a_row(of.name, seed, **chance) | {"on": on} for on in sets)]

    return {key(row): row for row in found}


def untimed(rows: list[Row]) -> list[Row]:
    return [{name: row[name] for name in row if name != "cpu_seconds"} for row in rows]


@pytest.mark.parametrize(
    ("freedom", "table"), [(1, 12.7062), (2, 4.3027), (3, 3.1824), (11, 2.2010), (100, 1.9840)]
)
def test_student_s_quantiles(freedom: int, table: float) -> None:
    assert quantile(freedom) == pytest.approx(table, abs=5e-5)


def test_an_interval_is_that_of_a_textbook() -> None:
    found = over([1.0, 2.0, 3.0, 4.0])
    assert found.mean == 2.5
    assert found.half == pytest.approx(3.1824 * math.sqrt(5 / 3) / 2, abs=1e-4)
    assert math.isnan(over([1.0]).half)


def test_a_name_means_one_way_to_train() -> None:
    ways: dict[str, set[str]] = {}

    for experiment in EXPERIMENTS.values():
        for of in (*experiment.conditions, *experiment.rules):
            ways.setdefault(of.name, set()).add(json.dumps(of.options, sort_keys=True))

    assert {len(found) for found in ways.values()} == {1}
    trained = [of.options for e in EXPERIMENTS.values() for of in e.conditions]
    assert len({json.dumps(each, sort_keys=True) for each in trained}) == len(
        {of.name for e in EXPERIMENTS.values() for of in e.conditions}
    )


def test_options_are_what_differs_from_the_usual() -> None:
    assert TINY.options == {
        "iterations": 7,
        "tasks": 2,
        "rollouts": 4,
        "form": "blog",
        "parallel": "0.3 constant",
    }
    assert phase(0.1, (1.0, -2.0)).options["running"] == -2
    assert "seed" not in replace(TINY, plan=replace(TINY.plan)).options


def test_the_seed_decides_all() -> None:
    first, again, other = (untimed(done(Trial(TINY, seed, ("held-out",)))) for seed in (3, 3, 4))
    assert first == again
    assert first[0]["weights"] != other[0]["weights"]
    assert [row.get("on") for row in first] == [None, "held-out"]
    assert len(first[0]["curve"]["r_perf"]) == 2  # of 5 and of 2 iterations


def test_weights_that_are_there_are_only_measured() -> None:
    trained, found = done(Trial(TINY, 0, ("held-out",)))
    assert done(Trial(TINY, 0, ("held-out",), tuple(trained["weights"]))) == [found]


def test_a_prior_that_ends_its_turns_later_trains_from_there() -> None:
    still = replace(TINY, plan=replace(TINY.plan, rate=0.0))
    usual, later = (
        done(Trial(c, 0, ()))[0]["weights"] for c in (still, replace(still, running=-2.0))
    )
    assert sorted(np.subtract(later, usual)) == [-2.0, *[0.0] * (len(usual) - 1)]


@pytest.mark.parametrize("weight", [0.001, 0.03, 0.9])
def test_divided_each_by_its_own_deviation_the_weight_cancels(weight: float) -> None:
    dice = np.random.default_rng(0)
    paid = Components(dice.random(32), np.zeros(32), dice.random(32))
    found = [
        blog("", constant(each), apart=True, rollouts=8).reward.total(paid, 0.5)
        for each in (weight, 0.3)
    ]
    np.testing.assert_allclose(*found, atol=0.02)
    assert found[0].reshape(-1, 8).mean(axis=1) == pytest.approx(0)


def test_without_a_weight_the_auxiliary_reward_has_no_say() -> None:
    dice = np.random.default_rng(0)
    paid = Components(dice.random(32), np.zeros(32), dice.random(32))
    other = paid._replace(r_parallel=dice.random(32))
    reward = blog("", annealed(0.3), apart=True, rollouts=8).reward
    np.testing.assert_array_equal(reward.total(paid, 1.0), reward.total(other, 1.0))


def test_rules_are_measured_on_the_same_tasks() -> None:
    found = {name: measured(Rule(name=name), "held-out") for name in ("all-serial", LEAST, LOWER)}
    steps = {name: mean(each, "critical_steps") for name, each in found.items()}
    assert steps[LOWER] < steps[LEAST] < steps["all-serial"]
    assert {name: each["wide"]["tasks"] for name, each in found.items()} == dict.fromkeys(
        found, found[LEAST]["wide"]["tasks"]
    )
    assert math.isnan(mean(found[LEAST], "success_q"))


def test_a_set_of_wide_tasks_has_its_fan_out() -> None:
    chosen = SETS["fan-out 16"]
    assert set(chosen.tasks().present.sum(axis=1)) == {17}
    assert chosen.costs.most == 16


def test_what_is_missing_is_done_once_and_kept(tmp_path: Path) -> None:
    heard: list[Progress] = []
    rows = carry_out(tiny(), 3, tmp_path / "new", 2, heard.append)
    assert set(rows) == {
        Key("all-serial", 0, "held-out"),
        *(Key("tiny", seed, on) for seed in range(3) for on in ("", "held-out")),
    }
    assert [(each.ended, each.trials) for each in heard] == [(n, 4) for n in range(5)]
    assert untimed([rows[Key("tiny", 1, "")]]) == untimed(done(Trial(TINY, 1, ())))

    heard.clear()
    assert carry_out(tiny(), 3, tmp_path / "new", 2, heard.append) == rows
    assert heard == []


def test_an_interrupted_one_keeps_what_is_under_way_and_goes_on(tmp_path: Path) -> None:
    def impatient(progress: Progress) -> None:
        if progress.ended == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(tiny(), 6, tmp_path, 1, impatient)

    kept = read_rows(tmp_path / RESULTS)
    assert Key("all-serial", 0, "held-out") in kept
    assert len(kept) == len((tmp_path / RESULTS).read_text().splitlines()) < 13
    rows = carry_out(tiny(), 6, tmp_path, 1, lambda _: None)
    assert len(rows) == 13
    assert {each: rows[each] for each in kept} == kept


def test_ctrl_c_before_rows_are_written_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctrl_c_before_rows_are_written(monkeypatch)

    with pytest.raises(KeyboardInterrupt):
        carry_out(tiny(), 1, tmp_path, 1, lambda _: None)

    assert Key("all-serial", 0, "held-out") in read_rows(tmp_path / RESULTS)


def test_a_torn_last_line_is_no_row_and_goes(tmp_path: Path) -> None:
    path = tmp_path / RESULTS

    with keep(path) as results:
        results.add([a_row("a", 0), a_row("a", 1)])

    path.write_bytes(path.read_bytes()[:-9])
    assert list(read_rows(path)) == [Key("a", 0, "held-out")]

    with keep(path) as results:
        results.add([a_row("a", 2)])

    assert list(read_rows(path)) == [Key("a", 0, "held-out"), Key("a", 2, "held-out")]


NAMED = '"condition": "a", "seed": 1'


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"seed": 1}',
        f'{{{NAMED}, "weights": []}}',
        f'{{{NAMED}, "options": {{}}}}',
        f'{{{NAMED}, "options": {{}}, "on": "held-out", "weights": []}}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / RESULTS
    path.write_text(f"{json.dumps(a_row('a', 0))}\n{line}\n", "utf-8")

    with pytest.raises(TraceError, match="line 2, is no row"):
        read_rows(path)


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    with (
        keep(tmp_path / RESULTS),
        pytest.raises(KimiNbError, match="being written"),
        keep(tmp_path / RESULTS),
    ):
        pass


def test_only_what_is_missing_is_asked_for() -> None:
    first = missing(tiny(), 2, {})
    assert [(each.of.name, each.seed) for each in first] == [
        ("all-serial", 0),
        ("tiny", 0),
        ("tiny", 1),
    ]
    label = {"options": TINY.options}
    trained = {"condition": "tiny", "seed": 0, "weights": [1.0, 2.0], **label}
    more = tiny(more={"tiny": WIDER}, rules=())
    rows = {key(row): row for row in (trained, a_row("tiny", 0) | label)}
    left = missing(more, 1, rows)
    assert [(each.weights, each.on) for each in left] == [((1.0, 2.0), WIDER)]


@pytest.mark.parametrize("seed", [0, 5])
def test_rows_of_other_options_are_refused(seed: int) -> None:
    row = {"condition": "tiny", "seed": seed, "options": {}, "weights": []}

    with pytest.raises(UsageFault, match="--out"):
        missing(tiny(), 1, {key(row): row})


def test_an_unknown_experiment_names_those_there_are() -> None:
    with pytest.raises(UsageFault, match="collapse, spurious"):
        asked_for(["colapse"])

    assert list(asked_for([])) == list(EXPERIMENTS)
    assert list(asked_for(["phase", "anneal"])) == ["anneal", "phase"]


def test_means_weigh_families_by_their_tasks() -> None:
    row = a_row("a", 0)
    row["families"] = {
        "wide": {"tasks": 30, "success_q": 1.0},
        "deep": {"tasks": 10, "success_q": 0.0},
    }
    rows = {key(row): row}
    assert values(rows, "a", "success_q").tolist() == [0.75]
    assert values(rows, "a", "success_q", families=("deep",)).tolist() == [0.0]


def test_seeds_are_paired_by_their_number() -> None:
    of = {("a", 0): 1.0, ("a", 2): 5.0, ("b", 2): 2.0, ("b", 3): 9.0}
    rows = {key(row): row for row in (a_row(*who, success_q=x) for who, x in of.items())}
    assert difference(rows, "a", "b", "success_q").tolist() == [3.0]


def test_a_seed_without_useful_sub_agents_has_collapsed() -> None:
    of = {0: (0.0, 0.0), 1: (3.0, 2.6), 2: (0.51, 0.0), 3: (3.0, 2.0)}
    rows = {
        key(row): row
        for seed, (subs, useless) in of.items()
        for row in (a_row("a", seed, sub_agents=subs, useless=useless),)
    }
    assert collapsed(rows, "a") == 2


def test_a_table_can_be_read_as_it_stands() -> None:
    lines = [("a", Interval(-1.25, 0.5)), ("bcd", Interval(10.0, math.nan)), ("e", None)]
    assert markdown(Table(("who", "x"), (0, 1), lines)) == (
        "| who |          x |\n"
        "| --- | ---------: |\n"
        "| a   | −1.2 ± 0.5 |\n"
        "| bcd |       10.0 |\n"
        "| e   |            |"
    )


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_table_and_a_figure_of_its_rows(name: str, tmp_path: Path) -> None:
    rows = filled(name)
    assert all(table.rows for table in tables(name, rows))
    draw(name, rows, tmp_path / "one.png")
    draw(name, dict(reversed(rows.items())), tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert {len(line) for table in tables(name, {}) for line in table.rows} == set()


def test_what_is_written_by_hand_is_kept(tmp_path: Path) -> None:
    rows = filled("finish")
    chosen = asked_for(["finish"])
    publish(chosen, rows, tmp_path)
    readme = tmp_path / "README.md"
    text = readme.read_text("utf-8") + "\nSeen: much.\n"
    readme.write_text(text, "utf-8")
    publish(chosen, rows, tmp_path)
    assert readme.read_text("utf-8") == text
    publish(chosen, filled("finish", 2), tmp_path)
    assert (found := readme.read_text("utf-8")) != text
    assert found.endswith("\nSeen: much.\n")
    assert found.count("![") == 1
    readme.write_bytes(b"\xff\xfe")

    with pytest.raises(TraceError, match="--out"):
        publish(chosen, rows, tmp_path)

    assert readme.read_bytes() == b"\xff\xfe"


def test_without_matplotlib_it_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[images\]'"):
        draw("finish", filled("finish"), tmp_path / "x.png")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_published_tables_are_those_of_the_published_rows(name: str) -> None:
    rows = read_rows(PUBLISHED / RESULTS)
    assert missing(asked_for([name]), 12, rows) == []
    assert block(name, rows) in (PUBLISHED / "README.md").read_text("utf-8")
    assert (PUBLISHED / f"{name}.png").exists()


def test_a_published_training_comes_again() -> None:
    rows = read_rows(PUBLISHED / RESULTS)
    found = done(Trial(NOTHING, 0, ("held-out",)))[1]["families"]
    there = rows[Key(NOTHING.name, 0, "held-out")]["families"]
    assert mean(found, "success_q") == pytest.approx(mean(there, "success_q"), abs=0.01)


def test_the_published_rows_show_the_anneal() -> None:
    rows = read_rows(PUBLISHED / RESULTS)

    for other in (NOTHING.name, "λ = 0.5"):
        gain = over(difference(rows, ANNEALED.name, other, "success_q"))
        steps = over(difference(rows, ANNEALED.name, other, "critical_steps"))
        assert gain.mean - gain.half > 0
        assert steps.mean + steps.half < 0
