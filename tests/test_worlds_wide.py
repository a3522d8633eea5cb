"""The table of lighthouses: what is graded how, and that the simulator really looks it up."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.errors import BadRequest
from kimi_nb.events import Said, ToolCalled
from kimi_nb.models import simulator
from kimi_nb.models.base import Reply, Request, Sink
from kimi_nb.models.simulator.local import Simulator
from kimi_nb.worlds.progress import curve
from kimi_nb.worlds.tables import rows_in
from kimi_nb.worlds.wide_search.coast import COLUMNS, coast
from kimi_nb.worlds.wide_search.documents import LEAST, documents

QUICK = kn.Simulator(latency=0)
ITEMS, SEED = 12, 4
WORLD = kn.worlds.wide(ITEMS, SEED)
ROWS = tuple(each.row for each in coast(ITEMS, SEED).lighthouses)
NOWHERE = Path()


def table(rows: list[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def quality(text: str) -> float:
    return WORLD.grade(text, NOWHERE).quality


# The grader


def test_the_truths_own_table_is_perfect() -> None:
    found = WORLD.grade(f"Here it is:\n\n{table([*ROWS])}\n\nDone.", NOWHERE)
    assert (found.success, found.quality) == (True, 1.0)


@given(st.randoms(use_true_random=False), st.integers(0, ITEMS))
def test_the_order_of_rows_and_columns_tells_nothing(draw: random.Random, wrong: int) -> None:
    rows = [(*row[:-1], "1") if n < wrong else row for n, row in enumerate(ROWS)]
    before = quality(table(rows))
    order = draw.sample(range(len(COLUMNS)), len(COLUMNS))
    draw.shuffle(rows)
    moved = [tuple(row[place] for place in order) for row in rows]
    assert quality(table(moved, tuple(COLUMNS[place] for place in order))) == before


@given(st.sets(st.tuples(st.integers(0, ITEMS - 1), st.integers(0, 5)), max_size=30), st.data())
def test_deleting_a_right_cell_lowers_it(gone: set[tuple[int, int]], data: st.DataObject) -> None:
    def without(cells: set[tuple[int, int]]) -> float:
        rows = [
            tuple("" if (n, m) in cells else cell for m, cell in enumerate(row))
            for n, row in enumerate(ROWS)
        ]
        return quality(table(rows))

    left = [(n, m) for n in range(ITEMS) for m in range(6) if (n, m) not in gone]
    n, m = data.draw(st.sampled_from(left))
    before, after = without(gone), without(gone | {(n, m)})
    assert 0 <= after <= before <= 1

    if (n, 0) not in gone:
        assert after < before


def test_the_number_is_the_harmonic_mean_of_precision_and_recall() -> None:
    rows = [*ROWS[:6], ("Nowhere Light", "1", "1900", "1", "Nobody", "1")]
    precision, recall = 6 / 7, 6 / 12
    assert quality(table(rows)) == pytest.approx(2 * precision * recall / (precision + recall))
    assert quality(table(rows)) < quality(table(rows[:6]))


@given(st.sets(st.integers(0, ITEMS - 1), min_size=1), st.integers(1, 5))
def test_a_second_table_that_repeats_some_cells_costs_nothing(rows: set[int], column: int) -> None:
    heading = (COLUMNS[0], COLUMNS[column])
    again = table([(ROWS[row][0], ROWS[row][column]) for row in rows], heading)
    wrong = table([(ROWS[row][0], "7") for row in rows], heading)
    assert quality(f"{table([*ROWS])}\n\nIn short:\n\n{again}") == 1.0
    assert quality(f"{table([*ROWS])}\n\nIn short:\n\n{wrong}") < 1.0


def test_guessing_twice_does_not_pay() -> None:
    wrong = (ROWS[0][0], *("1" for _ in COLUMNS[1:]))
    assert quality(table([*ROWS, wrong])) == quality(table([wrong, *ROWS]))
    assert quality(table([*ROWS, wrong])) < quality(table([wrong, *ROWS[1:]])) < 1
    assert quality(f"{table([*ROWS])}\n\n{table([*ROWS])}") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There is no table.",
        "|",
        "| --- |",
        "|" * 50_000,
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "\n".join("".join(f"| {cell} " for cell in row[1:]) for row in ROWS),
        "```\n" + "9" * 100_000 + " | 1\n```",
    ],
)
def test_what_is_no_such_table_is_worth_nothing(text: str) -> None:
    assert WORLD.grade(text, NOWHERE)[:2] == (False, 0.0)


@given(st.text(alphabet="| -:\n*12aÄ塔\\`[]()", max_size=400))
def test_whatever_is_answered_is_graded(text: str) -> None:
    assert 0 <= quality(text) <= 1
    assert 0 <= quality(f"{table([*ROWS])}{text}") <= 1


def test_a_table_that_is_cut_counts_as_far_as_it_goes() -> None:
    whole = table([*ROWS])
    cut = whole[: whole.index(ROWS[6][0]) + len(ROWS[6][0]) + 2]
    assert quality(cut) == pytest.approx(2 * (6 * 6 + 1) / (7 * 6 + 12 * 6))


def test_marks_units_and_other_columns_do_not_matter() -> None:
    columns = ("No.", "**Lighthouse**", "Height", "First lit", "Range (nautical miles)",
               "Operator", "Visitors (latest)", "Source")  # fmt: skip
    rows = [
        (str(n), f"**{name}**", f"{height} m", f"{lit}[1]", f"~{miles} nmi", f"the *{operator}*",
         f"{int(visitors):,}", "[4](https://example.org/a|b)")
        for n, (name, height, lit, miles, operator, visitors) in enumerate(ROWS)
    ]  # fmt: skip
    assert quality(table(rows, columns)) == 1
    split = f"{table(rows[:5], columns)}\n\nAnd in the north:\n\n{table(rows[5:], columns)}"
    assert quality(split) == 1


def test_a_value_in_another_unit_is_wrong() -> None:
    feet = [(row[0], f"{row[1]} ft", *row[2:]) for row in ROWS]
    assert quality(table(feet)) == pytest.approx(5 / 6)


def test_rows_are_read_without_a_heading_only_where_they_fit() -> None:
    bare = "\n".join(f"| {' | '.join(row)} |" for row in ROWS)
    assert quality(bare) == 1
    assert rows_in("| a | b |\n| c | d |", COLUMNS) == []


# The world


@pytest.mark.parametrize("items", [3, 50, 300])
def test_no_document_has_more_than_one_fact_of_a_lighthouse(items: int) -> None:
    where = coast(items, 1)
    truth = {each.name: each for each in where.lighthouses}
    found = list(documents(where, 1))
    assert len(found) >= max(LEAST, 20 * items)
    told: dict[str, int] = {}

    for document in found:
        for name in [name for name in truth if name in document.title]:
            _, _, lit, _, operator, visitors = truth[name].row
            facts = ({lit}, {operator}, {visitors, f"{int(visitors):,}"})
            said = sum(any(word in document.text for word in words) for words in facts)
            assert said <= 1, document
            told[name] = told.get(name, 0) + said

    assert min(told.values()) >= 3


def test_some_documents_are_chinese_and_some_facts_are_outdated() -> None:
    where = coast(50, 1)
    texts = [document.text for document in documents(where, 1)]
    assert 0.05 < sum("位于" in text for text in texts) / len(texts) < 0.4
    assert all(len(each.facts["visitors"]) == 3 for each in where.lighthouses)


def test_nothing_but_the_corpus_lies_in_the_folder(tmp_path: Path) -> None:
    WORLD.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.sqlite"]
    search = WORLD.tools(tmp_path).get("search")
    assert search is not None
    found = search.function(f'"register of lighthouses" "{coast(ITEMS, SEED).name}"')
    assert "2023, part 1 of 1" in found


def test_no_skill_knows_the_worlds() -> None:
    folder = Path(str(simulator.__file__)).parent
    imports = {
        name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert len(imports) > 20
    assert not any(name.startswith("kimi_nb.worlds") for name in imports)


# The simulator


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[kn.Run, kn.Run]:
    folder = tmp_path_factory.mktemp("wide")
    many = WORLD.run(trace=folder / "many.jsonl", simulator=QUICK, max_agents=6).result()
    one = WORLD.run(trace=folder / "one.jsonl", simulator=QUICK, single=True).result()
    return many, one


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_simulator_finds_nine_of_ten_cells(tmp_path: Path, seed: int) -> None:
    world = kn.worlds.wide(10, seed)
    run = world.run(trace=tmp_path / "run.jsonl", simulator=QUICK).result()
    assert run.judged is not None
    assert run.judged.quality >= 0.9


def test_a_swarm_is_as_good_in_far_fewer_critical_steps(both: tuple[kn.Run, kn.Run]) -> None:
    many, one = both
    assert many.judged is not None
    assert one.judged is not None
    assert abs(many.judged.quality - one.judged.quality) < 0.05
    assert one.metrics.critical_steps > 3 * many.metrics.critical_steps
    assert one.metrics.total_steps < many.metrics.total_steps < 1.3 * one.metrics.total_steps


def test_it_searches_before_it_opens_and_says_what_it_found(both: tuple[kn.Run, kn.Run]) -> None:
    _, one = both
    asked = [r.fact.tool for r in one.trace if isinstance(r.fact, ToolCalled)]
    assert asked[:2] == ["search", "open"]
    assert len(asked) == one.metrics.total_steps - 1
    assert asked.count("search") >= 4 * ITEMS


def test_more_calls_in_a_turn_are_fewer_turns_for_the_same(tmp_path: Path) -> None:
    runs = [
        kn.worlds.wide(4, 1)
        .run(
            trace=tmp_path / f"{most}.jsonl",
            simulator=kn.Simulator(latency=0, calls_per_turn=most),
            single=True,
        )
        .result()
        for most in (1, 4)
    ]
    assert runs[0].metrics.total_steps > 2 * runs[1].metrics.total_steps
    assert all(run.judged and run.judged.quality >= 0.9 for run in runs)


def test_without_notes_an_agent_forgets_what_it_found_first(tmp_path: Path) -> None:
    options = kn.Simulator(latency=0, notes=False)
    run = WORLD.run(trace=tmp_path / "one.jsonl", simulator=options, single=True).result()
    rows = rows_in(run.answer, COLUMNS)
    assert len(rows) == ITEMS
    assert not any(rows[0][1:])
    assert all(rows[-1])
    assert run.judged is not None
    assert run.judged.quality < 0.7


class Flaky(Simulator):
    """The first sub-agents fail that are to look up one of these names."""

    def __init__(self, *names: str) -> None:
        super().__init__(QUICK)
        self.left = set(names)

    async def reply(self, request: Request, sink: Sink) -> Reply:
        system, task = (str(m["content"]) for m in request.conversation.messages[:2])

        for name in tuple(self.left):
            if f"- {name}\n" in task and "You are a sub-agent" in system:
                self.left.remove(name)
                raise BadRequest("no more for this one")

        return await super().reply(request, sink)


@pytest.mark.parametrize(("agents", "stages"), [(9, 2), (6, 1)])
def test_rows_that_are_missing_are_handed_out_again_or_looked_up(
    tmp_path: Path, agents: int, stages: int
) -> None:
    names = [each.name for each in coast(6, 1).lighthouses]
    run = kn.worlds.wide(6, 1).run(
        trace=tmp_path / "run.jsonl", model=Flaky(names[0], names[3]), max_agents=agents
    )
    assert run.result().metrics.failed_agents == 2
    assert sum(bool(stage.sub_agents) for stage in run.fold.stages.values()) == stages
    assert run.metrics.agents == 1 + (8 if stages == 2 else 6)
    assert run.judged is not None
    assert run.judged.quality >= 0.9


# Quality over time


def test_quality_over_time_ends_where_the_answer_is(both: tuple[kn.Run, kn.Run]) -> None:
    for run in both:
        points = curve(WORLD, run)
        assert run.judged is not None
        assert points[-1].quality == pytest.approx(run.judged.quality)
        assert points[-1].rows == ITEMS
        assert len(points) >= ITEMS / 2
        assert all(0 < point.quality <= 1 for point in points)
        assert [p.t for p in points] == sorted(p.t for p in points)
        assert [p.tokens for p in points] == sorted(p.tokens for p in points)
        assert points[-1].total_steps <= run.metrics.total_steps
        assert points[-1].critical_steps <= run.metrics.critical_steps


def test_the_single_agent_takes_longer_to_the_same_quality(both: tuple[kn.Run, kn.Run]) -> None:
    took = [
        next(point.critical_steps for point in curve(WORLD, run) if point.quality >= 0.7)
        for run in both
    ]
    assert took[1] > 2 * took[0]


def test_another_world_has_no_such_curve(both: tuple[kn.Run, kn.Run]) -> None:
    with pytest.raises(kn.UsageFault, match="no table"):
        curve(kn.worlds.deep(3), both[0])


def test_what_it_took_counts_the_step_in_which_a_row_was_said(both: tuple[kn.Run, kn.Run]) -> None:
    _, one = both
    told = [r for r in one.trace if isinstance(r.fact, Said) and rows_in(r.fact.text, COLUMNS)]
    found = curve(WORLD, one)
    assert isinstance(told[0].fact, Said)
    assert found[0].critical_steps == found[0].total_steps == told[0].fact.step
    assert found[-1].tokens == one.metrics.tokens_in + one.metrics.tokens_out
