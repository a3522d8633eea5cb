"""What a teacher may get wrong: it is said before the class is graded, with what to type."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grading import OWN, TOTAL, answer, submit

from kimi_nb.cli import main
from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.grade import batch
from kimi_nb.teach.grade.marking import Marking
from kimi_nb.tools.native import available

pytestmark = [
    pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox"),
    pytest.mark.usefixtures("class_"),
]

RIGHT = "def total(numbers):\n    return sum(numbers)"


@pytest.fixture
def class_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a class of two and exercises of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KIMI_NB_SEED", raising=False)
    Path("mine.py").write_text(OWN, "utf-8")
    submit(Path("class"), "anna", answer(TOTAL, RIGHT))
    submit(Path("class"), "ben", answer(TOTAL, "total = max"))
    return tmp_path


def graded(*words: str) -> int:
    return main(["grade", *words, "--exercises", "mine.py"])


def refuse(*_: object) -> Any:
    raise AssertionError("nobody is to be graded")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nowhere", "'nowhere' is not there; kimi-nb grade SUBMISSIONS/ wants a folder"),
        ("class/anna/work.ipynb", "is a file; kimi-nb grade SUBMISSIONS/ wants a folder"),
        ("course", "is a course; type: kimi-nb grade course/submitted"),
        ("course/submitted/anna", "has lessons, not students: give the folder around it"),
        ("class --seed @missing", "missing: No such file or directory; write a secret word"),
        ("class --seed @utf16", "utf16: not UTF-8; write a secret word"),
        ("class --seed @mine.d", "mine.d: Is a directory; write a secret word"),
        ("class --out class", "class is a folder; give a file, as class/grades.csv"),
        ("class --out mine.py/x.csv", "cannot write 'mine.py/x.csv': "),
        ("class --nbgrader mine.py/x.csv", "cannot write 'mine.py/x.csv': "),
        ("class --feedback mine.py", "cannot write 'mine.py': File exists; give another place"),
        ("class --feedback /proc/pages", "cannot write '/proc/pages': "),
        ("class --seconds nan", "--seconds nan is no time; 10 is usual"),
        ("class --seconds inf", "--seconds inf is no time; 10 is usual"),
        ("class --lessons 9", "no lesson '9' has exercises; there are 00"),
    ],
)
def test_it_is_said_before_anything_is_graded(
    typed: str,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Marking, "mark", refuse)
    Path("utf16").write_text("secret", "utf-16")
    Path("mine.d").mkdir()
    submit(Path("course/submitted/anna"), "lesson90", answer(TOTAL, RIGHT))
    submit(Path("course/source"), "lesson90", answer(TOTAL, RIGHT))
    assert graded(*typed.split()) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("cases=lists", "cases=lambda dice: 1 / 0", "ex90.total: ZeroDivisionError: division"),
        ("10**9", "10**30", "ex90.total: TypeError: Integer exceeds 64-bit range"),
        ("cases=lists", "cases=lambda dice: []", "ex90.total: it needs cases"),
        ("return sum(", "return nowhere(", "what its solve gives is not right (raised)"),
        ('"" if count ==', '"" if count !=', "ex91.next: what its solve gives is not right (far)"),
        ("[[dice.randint(1, 99)]]", "[[1, 2]]", "ex91.next: it needs cases; of the form value"),
    ],
)
def test_exercises_that_cannot_be_graded_by(
    was: str, now: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert was in OWN
    Path("mine.py").write_text(OWN.replace(was, now), "utf-8")
    assert graded("class") == 2
    assert told in capsys.readouterr().err


def test_a_file_from_windows_has_the_same_seed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("seed.txt").write_bytes(b"\xef\xbb\xbfword\r\n")
    tables: list[str] = []

    for seed in ("@seed.txt", "word"):
        assert graded("class", "--seed", seed, "--lessons", "90, 91", "--json") == 0
        tables.append(capsys.readouterr().out)

    assert tables[0] == tables[1]


def test_a_name_that_no_student_can_type_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert graded("class") == 0
    submit(Path("class"), "Anna Müller_12_file", answer("ex90.double", "doubled = 1"))
    assert "kn.student" not in capsys.readouterr().err
    assert graded("class") == 0
    assert "no name that kn.student(…) takes: Anna Müller_12_file;" in capsys.readouterr().err


def test_a_renamed_function_is_told_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    submit(Path("class"), "carl", answer(TOTAL, RIGHT.replace("total", "totl")))
    assert graded("class", "--out", "g.csv", "--feedback", "pages") == 0
    page = Path("pages/carl.html").read_text("utf-8")
    assert "not by the name that the task gives it: total." in page
    assert "--seed" in capsys.readouterr().err


def test_what_differs_by_student_is_told_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    submit(Path("class"), "carl", answer(TOTAL, "def total(n):\n    return first"))
    submit(Path("class"), "dora", answer(TOTAL, "1 / 0"))
    assert graded("class") == 0
    shown = capsys.readouterr().out
    assert "2 × raised: It raised an error; the table (--out) has each one's words." in shown
    assert "ZeroDivisionError" not in shown


def test_a_disk_that_fills_meanwhile_costs_no_grades(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is printed, the other file written; and the seed is told."""
    marked = Marking.mark

    def mark(self: Marking, *rest: Any) -> Any:
        Path("out").mkdir(exist_ok=True)
        Path("out/g.csv").mkdir(exist_ok=True)
        return marked(self, *rest)

    monkeypatch.setattr(Marking, "mark", mark)
    assert graded("class", "--out", "out/g.csv", "--nbgrader", "n.csv") == 1
    shown = capsys.readouterr()
    assert "anna                       2 of 2" in shown.out
    assert "cannot write 'out/g.csv'" in shown.err
    assert "--seed" in shown.err
    assert Path("n.csv").is_file()


def test_ctrl_c_keeps_those_who_are_graded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("g.csv").write_text("of the whole class, from before")
    monkeypatch.setattr(batch.os, "cpu_count", lambda: 1)
    marked = Marking.mark

    def mark(self: Marking, task: Any, hold: Any) -> Any:
        if task.student.student == "ben":
            raise KeyboardInterrupt

        return marked(self, task, hold)

    monkeypatch.setattr(Marking, "mark", mark)
    assert graded("class", "--out", "g.csv", "--feedback", "pages") == 130
    shown = capsys.readouterr()
    assert "anna                       2 of 2" in shown.out
    assert "ben" not in shown.out
    assert "stopped; not graded: ben; the same command and seed grade all" in shown.err
    assert "--seed" in shown.err
    assert Path("g.csv").read_text() == "of the whole class, from before"
    rows = list(csv.DictReader(Path("g.partial.csv").read_text("utf-8-sig").splitlines()))
    assert [row["student"] for row in rows] == ["anna"]
    assert [page.name for page in Path("pages").iterdir()] == ["anna.html"]


def test_a_stub_that_lost_its_metadata_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """As some programs save notebooks: the stub, the check, and the answer below."""
    asked = exercise("ex03.critical")
    check = f'kn.check("{asked.id}", {asked.name})'
    submit(Path("class"), "carl", asked.stub, check, asked.code())
    submit(Path("class"), "dora", asked.stub, check)
    assert graded("class", "--lessons", "03", "--out", "g.csv") == 0
    rows = list(csv.DictReader(Path("g.csv").read_text("utf-8-sig").splitlines()))
    keys = {row["student"]: row["key"] for row in rows}
    assert keys == {"anna": "missing", "ben": "missing", "carl": "", "dora": "unanswered"}
    assert capsys.readouterr().out


def test_nothing_is_recorded_or_left_in_the_folder(class_: Path) -> None:
    """The teacher's progress is not the class's; submissions stay as they are."""
    before = {path: path.read_bytes() for path in class_.rglob("*") if path.is_file()}
    code = "import sys; from kimi_nb.cli import main; sys.exit(main(sys.argv[1:]))"
    typed = ["grade", "class", "--exercises", "mine.py"]
    done = subprocess.run([sys.executable, "-B", "-c", code, *typed], check=False)
    assert done.returncode == 0
    after = {path: path.read_bytes() for path in class_.rglob("*") if path.is_file()}
    assert after == before
