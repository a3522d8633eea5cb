"""The office world: its files say what is graded, its grader cannot be talked round."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import functools
import io
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kimi_nb as kn
from kimi_nb.errors import UsageFault
from kimi_nb.events import Judged
from kimi_nb.models.simulator.local import Simulator
from kimi_nb.models.simulator.memory import Done, Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.skills import skilled
from kimi_nb.models.simulator.skills.office.task import understand
from kimi_nb.tools import ToolContext, Toolset
from kimi_nb.tools.chart import chart
from kimi_nb.tools.documents import document_tool
from kimi_nb.worlds import office
from kimi_nb.worlds.base import Grade
from kimi_nb.worlds.office_files.claims import claims, matches
from kimi_nb.worlds.office_files.folder import FIGURES, Company, company
from kimi_nb.worlds.office_files.papers import Value

Facts = dict[tuple[str, str], Value]
Grading = Callable[..., Grade]


def shown(value: Value) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def report(facts: Facts, *more: str, figures: bool = True) -> str:
    rows = [f"| {file} | {name} | {shown(value)} |" for (file, name), value in facts.items()]
    links = [f"![x]({name})" for name in FIGURES] if figures else []
    return "\n".join([*links, "", "| file | fact | value |", "| --- | --- | --- |", *rows, *more])


@functools.cache
def firm() -> Company:
    return company(14, 3)


def draw(folder: Path, found: Company, **wrong: float) -> None:
    context = ToolContext(folder=folder, agent="a1", run="r1")

    for name in FIGURES:
        if bars := found.bars(name):
            values = [wrong.get(label, value) for label, value in bars.items()]
            chart(context, "bar", list(bars), values, "T", name)


@pytest.fixture(scope="module")
def grade(tmp_path_factory: pytest.TempPathFactory) -> Grading:
    """The grade of a report in a folder that has the right figures, if it is not another one."""
    drawn = tmp_path_factory.mktemp("office")
    draw(drawn, firm())

    def graded(text: str, folder: Path = drawn, *, in_answer: bool = False) -> Grade:
        (folder / "report.md").unlink(missing_ok=True)

        if not in_answer:
            (folder / "report.md").write_text(text, "utf-8")

        return office(14, 3).grade(text if in_answer else "", folder)

    return graded


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("| file | fact | value |", "| a_b.csv | revenue | 1234.50 |"),
        ("| Fact | Value (EUR) | File |", "| **Revenue** | €1,234.50 | [a_b.csv](a_b.csv) |"),
        ("file | fact | value", r"a\_b.csv | `revenue` | １，２３４．５０"),
    ],
)
@pytest.mark.parametrize("fence", ["", "```"])
def test_a_claim_is_understood_however_its_table_is_written(
    head: str, row: str, fence: str
) -> None:
    text = f"Some | words.\n{fence}\n{head}\n|---|---|---|\n{row}\n{row}\n{fence}\nThe end."
    ((file, fact, value),) = claims(text)
    assert (file, fact) == ("a_b.csv", "revenue")
    assert matches(value, 1234.5)


# The world


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        (tmp_path / name).mkdir()
        office(12, seed).write(tmp_path / name)

    files = {
        name: {p.relative_to(tmp_path / name): p.read_bytes() for p in _files(tmp_path / name)}
        for name in "abc"
    }
    assert files["a"] == files["b"]
    assert len(files["a"]) == 12
    assert files["a"] != files["c"]
    assert office(12, 7).goal != office(13, 7).goal


def test_the_goal_tells_the_facts_and_none_of_the_values() -> None:
    goal = office(14, 3).goal

    for (file, name), value in firm().facts.items():
        assert f"`{name}`" in goal
        assert file == "all" or file not in goal
        assert len(shown(value)) < 4 or shown(value) not in goal


def test_a_size_that_there_is_not_is_refused() -> None:
    for size in (2, 301):
        with pytest.raises(UsageFault, match="3 to 300"):
            office(size, 7)


@pytest.mark.parametrize("seed", range(4))
def test_all_sales_files_say_what_is_taken_for_true(seed: int) -> None:
    seen = set[str]()

    for paper in company(60, seed).papers:
        if paper.kind == "sales":
            encoding, revenue = sold(paper.data())
            seen.add(encoding)
            assert matches(shown(sum(revenue.values()) / 100), paper.facts["revenue"])
            assert max(revenue, key=revenue.__getitem__) == paper.facts["best product"]

    assert len(seen) >= 4


def sold(data: bytes) -> tuple[str, Counter[str]]:
    """The encoding, and the cents of each product: an own reading, which knows the styles."""
    bare = {
        (b"\xff\xfe", b"\xfe\xff"): "utf-16",
        (b"\xef\xbb\xbf",): "utf-8-sig",
        ("订单,".encode("gb18030"),): "gb18030",
        (b"Auftrag",): "cp1252",
    }
    encoding = next((name for starts, name in bare.items() if data.startswith(starts)), "utf-8")
    text = data.decode(encoding)
    mark = next(each for each in ";\t|," if each in text.partition("\n")[0])
    orders = {row[0]: row for row in list(csv.reader(io.StringIO(text), delimiter=mark))[1:]}
    revenue: Counter[str] = Counter()

    for number, _, product, units, price in orders.values():
        digits = price.replace(",", "").replace(".", "")

        if number and units.isdigit() and digits.isdigit():
            revenue[product] += int(units) * int(digits)

    return encoding, revenue


def test_all_price_lists_say_what_is_taken_for_true() -> None:
    for paper in company(120, 5).papers:
        if paper.kind == "prices":
            book = openpyxl.load_workbook(io.BytesIO(paper.data()))
            lists = {sheet["B2"].value: sheet for sheet in book if sheet["A2"].value}
            day = max(day for day in lists if day <= dt.datetime(2025, 6, 30))  # noqa: DTZ001
            rows = [row for row in lists[day].iter_rows(min_row=5, values_only=True) if not row[3]]
            assert len(rows) == paper.facts["articles"]
            assert max(row[2] for row in rows) == paper.facts["highest price"]


def test_contracts_minutes_and_invoices_have_their_facts_in_them(tmp_path: Path) -> None:
    papers = [p for p in company(40, 9).papers if p.kind not in {"sales", "prices"}]
    texts = asyncio.run(read([paper.data() for paper in papers], tmp_path))

    for paper, text in zip(papers, texts, strict=True):
        for name, value in paper.facts.items():
            if name != "approved":  # a sum
                assert any(form in text for form in forms(value)), (paper.path, name)


async def read(files: list[bytes], folder: Path) -> list[str]:
    context = ToolContext(folder=folder, agent="a1", run="r1")
    tools = Toolset([document_tool()])
    texts: list[str] = []

    for data in files:
        (folder / "file").write_bytes(data)
        outcome = await tools.call("read_document", json.dumps({"path": "file"}), context)
        texts.append(outcome.text)

    await tools.close()
    return texts


def forms(value: Value) -> list[str]:
    if isinstance(value, dt.date):
        return [value.strftime("%-d %B %Y")]

    text = f"{value:,.2f}"
    return [text, text.translate(str.maketrans(",.", ".,"))]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# The grader


def test_the_truth_is_worth_one(grade: Grading) -> None:
    found = grade(report(firm().facts))
    assert found == Grade(True, 1.0, found.why)  # noqa: FBT003
    assert found.why == ("34 of 34 facts right, 0 claims wrong; 6 of 6 totals right; figures 100%.")


@pytest.mark.parametrize("size", [3, 5, 30])
def test_the_truth_is_worth_one_in_any_size(size: int, tmp_path: Path) -> None:
    truth = company(size, size)
    draw(tmp_path, truth)
    (tmp_path / "report.md").write_text(report(truth.facts))
    assert office(size, size).grade("", tmp_path)[:2] == (True, 1.0)


@given(st.sets(st.integers(0, 33), min_size=1))
@settings(max_examples=30)
def test_each_fact_that_is_missing_lowers_the_quality(grade: Grading, missing: set[int]) -> None:
    facts = dict(fact for n, fact in enumerate(firm().facts.items()) if n not in missing)
    rest = 34 - len(missing)
    assert grade(report(facts)).quality == pytest.approx(0.1 + 0.9 * 2 * rest / (rest + 34))


@given(st.lists(st.tuples(st.sampled_from(sorted(firm().facts)), st.integers(10**8, 10**9))))
@settings(max_examples=30)
def test_what_else_is_claimed_lowers_the_quality(
    grade: Grading, extra: list[tuple[tuple[str, str], int]]
) -> None:
    """Also if it stands beside what is true: then neither counts."""
    rows = [f"| {file} | {name} | {value} |" for (file, name), value in extra]
    spoilt = {key for key, _ in extra}
    claims = 34 + len(set(extra))
    expected = 2 * (34 - len(spoilt)) / (claims + 34)
    assert grade(report(firm().facts, *rows)).quality == pytest.approx(0.1 + 0.9 * expected)


def test_listing_all_candidates_is_worth_nothing(grade: Grading) -> None:
    values = {shown(value) for value in firm().facts.values()}
    rows = [f"| {f} | {name} | {value} |" for f, name in firm().facts for value in values]
    found = grade(report({}, *rows))
    assert found.quality == pytest.approx(0.1)
    joined = " or ".join(values)
    rows = [f"| {f} | {name} | {joined} |" for f, name in firm().facts]
    assert grade(report({}, *rows)).quality == pytest.approx(0.1)


@given(st.text(st.sampled_from("|-:\n fileactvu0123.,*`[]()!\\<>é白"), max_size=400))
@settings(max_examples=60)
def test_the_quality_of_any_text_is_a_share(grade: Grading, text: str) -> None:
    for whole in (text, report(firm().facts) + text):
        found = grade(whole)
        assert 0 <= found.quality <= 1


def test_rows_that_come_twice_and_other_tables_do_no_harm(grade: Grading) -> None:
    twice = report(firm().facts) + "\n\n" + report(firm().facts)
    other = "\n\n| branch | revenue |\n| --- | --- |\n| lyon | 1 |\n"
    assert grade(twice + other).quality == 1


def test_files_may_be_named_in_short_and_in_marks(grade: Grading) -> None:
    short = Counter(paper.path.rpartition("/")[2] for paper in firm().papers)
    assert set(short.values()) == {1, 2}

    def named(file: str) -> str:
        name = file.rpartition("/")[2]
        return f"`{name if short[name] == 1 else file}`"

    truth = firm().facts.items()
    marked: Facts = {(named(file), f"**{name.upper()}**"): value for (file, name), value in truth}
    assert grade(report(marked)).quality == 1
    bare: Facts = {(file.rpartition("/")[2], name): value for (file, name), value in truth}
    assert grade(report(bare)).quality < 1


def test_a_report_in_the_answer_counts_and_is_no_success(grade: Grading) -> None:
    found = grade(report(firm().facts), in_answer=True)
    assert (found.success, found.quality) == (False, 1)
    assert found.why.endswith("there is no report.md.")


def test_figures_count_as_far_as_they_are_right_and_shown(grade: Grading, tmp_path: Path) -> None:
    facts = report(firm().facts)
    bars = firm().bars("revenue.png")
    assert len(bars) == 2
    assert grade(report(firm().facts, figures=False)).quality == pytest.approx(0.9)
    assert grade(facts, tmp_path).quality == pytest.approx(0.9)
    draw(tmp_path, firm(), **{next(iter(bars)): 1.0})
    found = grade(facts, tmp_path)
    assert (found.success, found.quality) == (False, pytest.approx(0.975))
    (tmp_path / "revenue.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    assert grade(facts, tmp_path).quality == pytest.approx(0.95)


def test_a_total_that_is_wrong_is_no_success(grade: Grading) -> None:
    facts = {**firm().facts, ("all", "revenue"): 1.0}
    found = grade(report(facts))
    assert not found.success
    assert found.quality > 0.9


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        *(
            (text, 1234.5)
            for text in ("1,234.50", "1234.5", "1 234,50 €", "1.234,50", "EUR 1234.50")
        ),
        *((text, 1234.0) for text in ("1,234", "1.234", "1234", "1'234.00", "1\u202f234 EUR")),
        *((text, 7) for text in ("7", "7.00", "7,0")),
        *(
            (text, dt.date(2025, 3, 4))
            for text in ("2025-03-04", "4 March 2025", "March 4, 2025", "04.03.2025")
        ),
        ("白板", "白板"),
        (" Desk  LAMP", "desk lamp"),
    ],
)
def test_values_may_be_written_in_many_ways(said: str, truth: Value) -> None:
    assert matches(said, truth)


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        *((text, 1234.5) for text in ("1234.4", "1234.50 or 99", "12345", "", "about 1234.50")),
        *((text, 1234.5) for text in ("-1234.50", "1e3", "nan", "inf", "１２３４.50", "1,2,3,4.5")),
        *((text, dt.date(2025, 3, 4)) for text in ("2025-04-03", "2025-13-45", "4 March", "", "-")),
        ("desk", "desk lamp"),
        ("desk lamp, shelf", "desk lamp"),
    ],
)
def test_other_values_do_not_match(said: str, truth: Value) -> None:
    assert not matches(said, truth)


@pytest.mark.parametrize(
    "piece",
    ["| ", "|-", "![", "[x](", "| file | fact | value |\n|---|---|---|\n", "1" * 400, "- \n|"],
)
def test_a_hostile_report_is_harmless(grade: Grading, piece: str) -> None:
    head = report(firm().facts)
    assert grade((head + "\n" + piece * (4_000_000 // len(piece)))[:4_900_000]).quality <= 1


def test_a_report_that_leads_out_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "true.md").write_text(report(firm().facts))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "report.md").symlink_to(tmp_path / "true.md")
    assert office(14, 3).grade("", tmp_path / "work").quality == 0
    assert office(14, 3).grade("", tmp_path / "nowhere").quality == 0


# The simulator


def played(folder: Path, items: int, seed: int, *, single: bool, **options: Any) -> kn.Run:
    async def playing() -> kn.Run:
        model = Simulator(Options(latency=0, **options))
        run = office(items, seed).run(model=model, single=single, trace=folder / f"{single}.jsonl")
        await run
        return run

    return asyncio.run(playing())


def judged(run: kn.Run) -> Judged:
    (found,) = (record.fact for record in run.trace if isinstance(record.fact, Judged))
    return found


def test_a_swarm_and_one_alone_find_all_by_reading(tmp_path: Path) -> None:
    swarm = played(tmp_path, 10, 4, single=False)
    alone = played(tmp_path, 10, 4, single=True)
    assert judged(swarm).success
    assert judged(alone).success
    assert judged(swarm).quality >= 0.9
    assert swarm.metrics.agents == 11
    assert swarm.metrics.critical_steps < alone.metrics.critical_steps
    assert swarm.metrics.total_steps > alone.metrics.total_steps
    assert "Made by the simulator" in swarm.answer
    assert "Made by the simulator" in (tmp_path / "True.files" / "report.md").read_text()


def test_what_dropped_out_of_memory_is_left_out_and_said(tmp_path: Path) -> None:
    run = played(tmp_path, 10, 4, single=True, notes=False, memory_chars=3_000)
    found = judged(run)
    assert not found.success
    assert 0 < found.quality < 0.9
    assert "0 claims wrong" in found.why
    assert "Not found, and left out" in run.answer


def test_what_a_sub_agent_did_not_bring_the_orchestrator_reads() -> None:
    goal = office(3, 1).goal
    task = understand(goal)
    assert task is not None
    first, second = "invoices/falke-001.pdf", "sales/lyon-2022-01.csv"
    tools = frozenset({"read_document", "python", "chart", "write_file", "list_files"})
    team = tools | {"create_subagent", "assign_task"}
    past = past_of(goal, Done("list_files", {}, f"{first}\t10\n{second}\t10", 0))
    made = skilled(past, team, Options())
    assert made is not None
    assert [call.name for call in made.calls] == ["create_subagent"]
    past = past_of(goal, *past.done, Done("create_subagent", made.calls[0].arguments, "ok", 1))
    given = skilled(past, team, Options())
    assert given is not None
    assert [call.name for call in given.calls] == ["assign_task", "assign_task"]
    table = f"| file | fact | value |\n| --- | --- | --- |\n| {first} | total | 5.00 |"
    answers = [
        Done("assign_task", call.arguments, table if first in str(call) else "ERROR: failed", 2)
        for call in given.calls
    ]
    after = skilled(past_of(goal, *past.done, *answers), team, Options())
    assert after is not None
    assert [call.name for call in after.calls] == ["python"]
    assert second in after.calls[0].arguments["code"]


def past_of(goal: str, *done: Done) -> Past:
    return Past(system="", goal=goal, done=done, turns=0, calls=len(done))


def test_other_goals_are_none_of_its_business() -> None:
    for goal in ("", "Read report.md", "file | fact | value", office(3, 1).goal[:400]):
        assert understand(goal) is None


def test_the_rules_hold_over_many_seeds(tmp_path: Path) -> None:
    seed = random.Random(5).randrange(1000)

    for place in range(2):
        (tmp_path / str(place)).mkdir()
        run = played(tmp_path / str(place), 16, seed + place, single=False)
        assert judged(run).quality >= 0.9
