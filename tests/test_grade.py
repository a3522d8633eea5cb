"""Grading a class: what counts as an answer, what runs, and what teacher and student read."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grading import OWN, TOTAL, answer, notebook, submit

from kimi_nb.cli import main
from kimi_nb.errors import UsageFault
from kimi_nb.teach.curriculum import exercises
from kimi_nb.teach.grade import Graded, Mark, grade, sandboxed
from kimi_nb.teach.grade.feedback import feedback, file_name
from kimi_nb.teach.grade.program import chosen, work
from kimi_nb.teach.grade.submissions import submissions
from kimi_nb.teach.grade.tables import csv_text, grades, nbgrader_rows, summary
from kimi_nb.tools.native import available

pytestmark = pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
RIGHT = "def total(numbers):\n    return sum(numbers)"
SEED = "the teacher's secret"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "mine.py"
    path.write_text(OWN, "utf-8")
    return path


def graded(folder: Path, own: Path, **options: Any) -> Graded:
    return grade(folder, seed=SEED, file=own, jobs=2, **options)


def only(found: Graded, student: str, exercise: str = TOTAL) -> Mark:
    (mark,) = [each for each in found.of(student) if each.exercise == exercise]
    return mark


# Which code is the answer


ANSWERS: dict[str, tuple[tuple[dict[str, Any] | str, ...], str]] = {
    "its cell": ((answer(TOTAL, RIGHT),), ""),
    "nothing": ((answer(TOTAL, "x = None"),), "unanswered"),
    "an empty cell": ((answer(TOTAL, " \n"),), "unanswered"),
    "a helper of one's own": (
        ("def add(a, b):\n    return a + b", "from functools import reduce",
         answer(TOTAL, "def total(numbers):\n    return reduce(add, numbers)")), "",
    ),
    "a helper below": (
        (answer(TOTAL, "def total(numbers):\n    return add(numbers)"), "add = sum"), "",
    ),
    "what changes a helper": (
        ("known = {}", "known['f'] = sum", "names = []", "names.append('f')",
         answer(TOTAL, "def total(numbers):\n    return known[names[0]](numbers)")), "",
    ),
    "a star": (("from math import *", answer(TOTAL, "def total(n):\n    return fsum(n)")), ""),
    "another exercise's cell": (
        (answer("ex90.double", "add = sum\ndoubled = 0"), answer(TOTAL, "total = add")), "",
    ),
    "cells that it does not need never run": (
        ("import os; os._exit(0)", "while True:\n    pass", answer(TOTAL, RIGHT)), "",
    ),
    "a parameter is no helper": (
        ("numbers = 1 / 0", "n = open('nowhere')", answer(TOTAL, RIGHT)), "",
    ),
    "a helper of a helper": (
        ("def add(numbers):\n    return [plus(n) for n in (numbers,)][0]", "plus = sum",
         answer(TOTAL, "class S:\n    def of(self, n):\n        return add(n)\ntotal = S().of")),
        "",
    ),
    "magics": (
        ("%%swarm run\nCompare all.", "%load_ext kimi_nb\nimport kimi_nb as kn\nadd = sum",
         answer(TOTAL, "%matplotlib inline\ndef total(n):\n    !ls\n    return add(n)")),
        "",
    ),
    "await": (("import asyncio", answer(TOTAL, f"await asyncio.sleep(0)\n{RIGHT}")), ""),
    "the package, unasked for": (
        (answer(TOTAL, "def total(numbers):\n    kn.metrics\n    return sum(numbers)"),), "",
    ),
    "cells that print": ((answer(TOTAL, f"print('x' * 5_000_000)\ndisplay(1)\n{RIGHT}"),), ""),
    "the last of several": (
        (answer(TOTAL, RIGHT), answer(TOTAL, "total = max"), answer(TOTAL, "x = None")), "wrong",
    ),
    "a cell of one's own instead": (
        (answer(TOTAL, "x = None"), answer(TOTAL, f'kn.check("{TOTAL}", total)', "check"), RIGHT),
        "",
    ),
    "later cells that use the name for something else": (
        (answer(TOTAL, RIGHT), answer(TOTAL, f'kn.check("{TOTAL}", total)', "check"), "total = 5"),
        "",
    ),
    "no metadata": ((RIGHT, f'kn.check("{TOTAL}", total)'), ""),
    "another name": (
        (RIGHT.replace("total", "mine"), f'import kimi_nb as kn\nkn.check("{TOTAL}", mine)'), "",
    ),
    "a known mistake": ((answer(TOTAL, "total = lambda n: sum(n) / 4"),), "M3"),
    "no Python": ((answer(TOTAL, "def total(:"),), "raised"),
    "an error": ((answer(TOTAL, "def total(numbers):\n    return nowhere"),), "raised"),
    "an error before": ((answer(TOTAL, f"1 / 0\n{RIGHT}"),), "raised"),
    "no function": ((answer(TOTAL, "total = 5"),), "odd"),
    "a notebook without it": (("a = 1",), "missing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def read(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("answers")

    for name, (cells, _) in ANSWERS.items():
        submit(folder, name, *cells)

    return graded(folder, own)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_counts_as_an_answer(read: Graded, name: str) -> None:
    mark = only(read, name)
    assert (mark.key, mark.detail) == (ANSWERS[name][1], mark.detail)
    assert mark.passed is (not mark.key)
    assert mark.points == (2 if mark.passed else 0)


def test_of_several_answers_it_is_said_which_counts(read: Graded) -> None:
    assert "answered in 2 cells, the last counts" in only(read, "the last of several").detail


def test_solutions_of_the_curriculum_find_what_they_need(tmp_path: Path) -> None:
    """Their data and their imports. The others are plain functions, and tested as such."""
    cells: list[dict[str, Any] | str] = []

    for each in exercises():
        known = each.code()

        if each.form == "value" and "kn.given" not in known:
            known = f"{each.stub}\n{known}"

        if each.form == "value" or "import" in known:
            cells.append(answer(each.id, known))

    submit(tmp_path, "李雷", *cells)
    found = grade(tmp_path, seed=SEED, jobs=2)
    assert [(m.exercise, m.key, m.detail) for m in found.marks if not m.passed] == []
    assert len(found.marks) == len(cells) > 5


def test_an_answer_may_use_swarms_plots_and_threads(own: Path, tmp_path: Path) -> None:
    doubled = 'doubled = 2 * given("ex90.double")'
    swarm = 'run = await kn.swarm("List what you can do")\nassert run.status == "finished"'
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    thread = "from concurrent.futures import ThreadPoolExecutor as Pool\n"
    thread += "with Pool() as pool:\n    assert list(pool.map(abs, [-1])) == [1]"

    for student, code in (("anna", swarm), ("ben", plot), ("carl", thread)):
        whole = f"from kimi_nb import check, given\ncheck('ex90.double', 1)\n{code}\n{doubled}"
        submit(tmp_path, student, answer("ex90.double", whole))

    found = graded(tmp_path, own, seconds=50.0)
    assert [(mark.key, mark.detail) for mark in found.marks] == [("", "")] * 3


@pytest.mark.parametrize("language", ["en", "zh"])
def test_in_the_notebooks_each_solution_stands_by_itself(tmp_path: Path, language: str) -> None:
    known = {each.id: each for each in exercises()}
    filled: set[str] = set()

    for path in sorted((NOTEBOOKS / language).glob("*.ipynb")):
        made = json.loads(path.read_text("utf-8"))

        for cell in made["cells"]:
            tagged = cell["metadata"].get("kimi_nb", {})

            if tagged.get("role") == "answer":
                filled.add(tagged["exercise"])
                cell["source"] = known[tagged["exercise"]].code()

        (tmp_path / "anna").mkdir(exist_ok=True)
        (tmp_path / "anna" / path.name).write_text(json.dumps(made), "utf-8")

    (found,) = submissions(tmp_path)
    works = work(found)
    assert found.language == language
    assert filled

    for identity in filled:
        program = chosen(works, known[identity])
        assert program is not None
        assert len(program.cells) == 1, identity


# Whose data


def test_values_are_judged_by_the_students_own_data(own: Path, tmp_path: Path) -> None:
    value = 'given = kn.given("ex90.double")\ndoubled = 2 * given'
    submit(tmp_path, "anna", answer("ex90.double", value))
    submit(tmp_path, "ben", answer("ex90.double", f"import kimi_nb as kn\n{value}"))
    asked = graded(tmp_path, own).exercises[0]
    theirs = {who: asked.drawn(who)[0][0] for who in ("anna", "anyone", "nobody")}
    submit(tmp_path, "carl", answer("ex90.double", f"doubled = {2 * theirs['anna']}"))
    submit(tmp_path, "dora", answer("ex90.double", f"doubled = {2 * theirs['anyone']}"))
    submit(tmp_path, "eve", answer("ex90.double", f"doubled = {2 * theirs['nobody']}"))
    submit(tmp_path, "fay", answer("ex90.double", value.replace("2 *", ".5 *")))
    submit(tmp_path, "guy", answer("ex90.double", "doubled = 1 / 0"))
    found = graded(tmp_path, own)
    marks = {each.student: only(found, each.student, "ex90.double") for each in found.students}
    keys = {who: mark.key for who, mark in marks.items()}
    assert keys == {
        "anna": "", "ben": "", "carl": "others", "dora": "others", "eve": "wrong", "fay": "half",
        "guy": "raised",
    }  # fmt: skip
    assert "'anna'" in marks["carl"].detail
    assert "anna" not in marks["carl"].says.en
    assert 'kn.student("carl")' in marks["carl"].says.en
    assert "never called kn.student" in marks["dora"].detail
    assert "ZeroDivisionError: division by zero" in marks["guy"].says.en


def test_hidden_cases_are_the_seeds(own: Path, tmp_path: Path) -> None:
    submit(tmp_path, "anna", answer(TOTAL, RIGHT))
    asked = graded(tmp_path, own).exercises[0]
    known = {json.dumps(args[0]): sum(args[0]) for args in asked.drawn("anna") + asked.drawn(SEED)}
    told = f"import json\nknown = {known}\ndef total(n):\n    return known.get(json.dumps(n))"
    submit(tmp_path, "ben", answer(TOTAL, told))
    assert [mark.passed for mark in graded(tmp_path, own).marks] == [True, True]
    other = grade(tmp_path, seed="another", file=own).marks
    assert [(mark.passed, mark.key) for mark in other] == [(True, ""), (False, "unanswered")]


# Where submissions lie


def test_layouts(tmp_path: Path) -> None:
    cell = answer(TOTAL, RIGHT)

    for place in (
        "anna/03.ipynb", "anna/04/x.ipynb", "ben/lesson03/03.ipynb", "carl.ipynb",
        "dora_lesson 03.ipynb", "dora_04.ipynb", "Ju\u0308rgen/x.ipynb", "anna/notes.txt",
        "anna/.ipynb_checkpoints/03-checkpoint.ipynb", ".git/x.ipynb", "readme.txt",
    ):  # fmt: skip
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook(cell), "utf-8")

    found = {each.student: [n.path for n in each.notebooks] for each in submissions(tmp_path)}
    assert found == {
        "anna": ["anna/03.ipynb", "anna/04/x.ipynb"],
        "ben": ["ben/lesson03/03.ipynb"],
        "carl": ["carl.ipynb"],
        "dora": ["dora_04.ipynb", "dora_lesson 03.ipynb"],
        "J\u00fcrgen": ["J\u00fcrgen/x.ipynb"],
    }


def test_of_several_notebooks_the_last_one_that_answers_counts(own: Path, tmp_path: Path) -> None:
    for name, cell in (("a", "total = max"), ("b", RIGHT), ("c", "x = None")):
        path = tmp_path / "anna" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(notebook(answer(TOTAL, cell)), "utf-8")

    mark = only(graded(tmp_path, own), "anna")
    assert mark.passed
    assert mark.detail == "answered in 2 notebooks, anna/b.ipynb counts"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda _: None, "has no submissions"),
        (lambda path: submit(path, "anna", "a = 1"), "it has none at all"),
        (lambda path: submit(path, "a", answer("ex77.no", "a = 1")), "it has ex77.no"),
    ],
)
def test_nothing_to_grade(own: Path, tmp_path: Path, made: Any, message: str) -> None:
    made(tmp_path)

    with pytest.raises(UsageFault, match=message):
        graded(tmp_path, own)


def test_there_has_to_be_a_folder(own: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="wants a folder"):
        graded(tmp_path / "no", own)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EXERCISES = (", "SyntaxError"),
        ("EXERCISES = ()", "defines no exercises"),
        ("1 / 0", "ZeroDivisionError"),
        ("from kimi_nb.teach.exercises.ex03_stages import EXERCISES", "give it another id"),
    ],
)
def test_exercises_of_ones_own_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)

    with pytest.raises(UsageFault, match=message):
        graded(tmp_path, file)


def test_a_second_copy_of_the_solutions_is_told(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(tmp_path, "anna", answer(TOTAL, RIGHT))
    (tmp_path / "lib" / "kimi_nb" / "teach" / "exercises").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    assert only(graded(tmp_path, own), "anna").passed  # nobody in the sandbox can read that
    monkeypatch.setattr(sandboxed, "libraries", lambda: [tmp_path / "lib"])

    with pytest.raises(UsageFault, match="has a second kimi_nb"):
        graded(tmp_path, own)


def test_of_an_installed_wheel_the_notebooks_are_hidden_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("curriculum/en", "swarm", "teach/exercises", "teach/grade"):
        (tmp_path / name).mkdir(parents=True)

    monkeypatch.setattr(sandboxed, "PACKAGE", tmp_path)
    monkeypatch.setattr(sandboxed, "NOTEBOOKS", tmp_path / sandboxed.NOTEBOOKS.name)
    monkeypatch.setattr(sandboxed, "HIDDEN", tmp_path / "teach" / "exercises")
    seen = sandboxed._without_solutions.__wrapped__()
    assert set(seen) == {tmp_path / "swarm", tmp_path / "teach" / "grade"}


def test_without_a_sandbox_nothing_runs(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(tmp_path, "anna", answer(TOTAL, RIGHT))
    monkeypatch.setattr(
        "kimi_nb.teach.grade.sandboxed.available",
        lambda: "this kernel has no landlock; use the python tool",
    )

    with pytest.raises(UsageFault, match=r"no landlock\. .* grade on Linux 6\.2 or newer"):
        graded(tmp_path, own)


# What teacher and student read


@pytest.fixture(scope="module")
def class_(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("class")
    mean = answer(TOTAL, "total = lambda n: sum(n) / 4")
    half = answer("ex90.double", 'doubled = kn.given("ex90.double") / 2')
    bad = answer("ex91.next", "raise ValueError('<script>')")
    leak = "def total(n):\n    raise type(f'E{n[0]}', (ValueError,), {})(n)"
    submit(folder, "anna", answer(TOTAL, RIGHT), half)
    submit(folder, "ben", mean, bad, language="zh")
    submit(folder, "=cmd|'calc'!A0", mean)
    submit(folder, "<script>", answer(TOTAL, leak))
    (folder / "dora.ipynb").write_text("{")
    return graded(folder, own)


def test_the_table_for_a_spreadsheet(class_: Graded) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(grades(class_)))))
    assert list(rows[0]) == ["student", "exercise", "points", "max", "passed", "key", "message"]
    assert len(rows) == 5 * 3
    assert rows[3]["student"].startswith("'=cmd")
    assert {(r["student"], r["key"]) for r in rows if r["exercise"] == TOTAL} == {
        ("'=cmd|'calc'!A0", "M3"), ("<script>", "raised"), ("anna", ""), ("ben", "M3"),
        ("dora", "missing"),
    }  # fmt: skip
    assert sum(int(row["points"]) for row in rows) == 2


def test_the_table_for_nbgrader(class_: Graded) -> None:
    pytest.importorskip("nbgrader")
    from nbgrader.plugins import CsvExportPlugin

    rows = list(nbgrader_rows(class_))
    source = Path(sys.modules[CsvExportPlugin.__module__].__file__ or "").read_text()
    named = source.partition("keys = [")[2].partition("]")[0]
    assert list(rows[0]) == [word.strip(' \n"') for word in named.split(",")]
    assert [row["assignment"] for row in rows] == ["lesson90"] * 5 + ["lesson91"] * 5
    scores = {row["student_id"]: (row["score"], row["max_score"]) for row in rows[:5]}
    assert scores["anna"] == (2.0, 5.0)
    assert scores["ben"] == (0.0, 5.0)


def test_the_class_at_a_glance(class_: Graded) -> None:
    found = {each.exercise: each for each in summary(class_)}
    assert (found[TOTAL].answered, found[TOTAL].passed) == (4, 1)
    assert found[TOTAL].keys[0] == ("M3", 2)
    assert found["ex90.double"].keys == (("missing", 4), ("half", 1))


def test_feedback_is_in_the_students_language_and_escaped(class_: Graded) -> None:
    pages = {each.student: feedback(class_, each) for each in class_.students}
    assert "That is the mean.。中文" in pages["ben"]
    assert '<html lang="zh">' in pages["ben"]
    assert "ValueError: &lt;script&gt;" in pages["ben"]
    assert "Half &lt;b&gt;.</p>" in pages["anna"]
    assert "is no notebook: it is not JSON" in pages["dora"]
    assert all("<script" not in page for page in pages.values())


def test_feedback_has_nothing_of_hidden_cases(class_: Graded) -> None:
    page = next(feedback(class_, each) for each in class_.students if each.student == "<script>")
    asked = next(each for each in class_.exercises if each.id == TOTAL)
    first = str(asked.drawn(SEED)[0][0][0])
    assert first in only(class_, "<script>").detail  # the teacher may read it
    assert first not in page
    assert "It raised an error of its own." in page


def test_names_of_files(tmp_path: Path) -> None:
    assert file_name("李雷") == "李雷.html"
    assert file_name("a/b\\..:*?") == "a_b_..___.html"
    assert file_name("..") == "_.html"
    (tmp_path / file_name("ü" * 255)).write_text("fits")


# The command


def test_the_command(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIMI_NB_SEED", SEED)
    submit(tmp_path / "class", "anna", answer(TOTAL, RIGHT))
    submit(tmp_path / "class", "Ben", answer(TOTAL, "total = lambda n: sum(n) / 4"))
    submit(tmp_path / "class", "ben", answer("ex77.gone", "a = 1"))
    typed = ["grade", "class", "--exercises", str(own), "--out", "g.csv", "--nbgrader", "n.csv"]
    assert main([*typed, "--feedback", "pages"]) == 0
    shown = capsys.readouterr()
    assert "anna                       2 of 2" in shown.out
    assert "1 × M3: A stage takes as long as its mean sub-agent." in shown.out
    assert "ex77.gone" in shown.err
    assert "3 of 3 answers" in shown.err
    assert "--seed" not in shown.err
    assert Path("g.csv").read_text("utf-8-sig").startswith("student,exercise,points")
    assert Path("n.csv").read_text("utf-8").startswith("assignment,duedate,")
    assert sorted(os.listdir("pages")) == ["Ben.html", "anna.html", "ben 2.html"]  # noqa: PTH208


def test_the_command_for_programs(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "class", "anna", answer(TOTAL, RIGHT))
    typed = ["grade", str(tmp_path / "class"), "--exercises", str(own), "--json"]
    assert main(typed) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["grades"][0]["passed"] is True
    assert f"--seed {found['seed']}" in shown.err
    (tmp_path / "secret").write_text("word\n")
    assert main([*typed, "--seed", f"@{tmp_path / 'secret'}"]) == 0
    assert "seed" not in json.loads(capsys.readouterr().out)
    assert main([*typed, "--seconds", "0"]) == 2
    assert "--seconds 0 is no time" in capsys.readouterr().err
    (tmp_path / "secret").write_text("\n")
    assert main([*typed, "--seed", f"@{tmp_path / 'secret'}"]) == 2


def test_ctrl_c_ends_the_children(own: Path, tmp_path: Path) -> None:
    submit(tmp_path / "class", "anna", answer(TOTAL, "while True:\n    pass"))
    submit(tmp_path / "class", "ben", answer(TOTAL, "while True:\n    pass"))
    code = "import sys; from kimi_nb.cli import main; sys.exit(main(sys.argv[1:]))"
    typed = ["grade", str(tmp_path / "class"), "--exercises", str(own), "--seconds", "600"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *typed], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )

    try:
        while not (children := _children(process.pid)):
            assert process.poll() is None

        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()

    assert (process.returncode, "kimi-nb: stopped" in said) == (130, True)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def _children(pid: int) -> list[str]:
    """Of all threads of a process."""
    found: list[str] = []

    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has ended meanwhile
            found += file.read_text().split()

    return found
