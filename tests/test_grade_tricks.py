"""More that a submission may try: with the result's file, with words, with names and with ids."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from grading import OWN, TOTAL, answer, notebook, short_for, submit

from kimi_nb.cli import grade as command
from kimi_nb.teach.grade import Graded, Mark, grade
from kimi_nb.teach.grade.asked import catalogue
from kimi_nb.teach.grade.feedback import feedback
from kimi_nb.teach.grade.tables import csv_text, grades
from kimi_nb.tools.native import available

pytestmark = [
    pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox"),
    pytest.mark.timeout(300),
]

SEED = "the teacher's secret"
HONEST = answer("ex90.double", 'doubled = 2 * kn.given("ex90.double")')
PLACE = "import os\nplace = os.environ['HOME'] + '/results/outcome.json'\n"
EVIL = "\\x1b[2J<img src=x onerror=alert(1)>\\u202e=cmd|' /C calc'!A0"
"""What moves a cursor, runs in a page, reverses a line and is a formula; as Python writes it."""


def forged(text: str) -> str:
    return f"{PLACE}open(place, 'w').write({text!r})\nos._exit(0)"


FUNCTIONS = {
    "a file with NaN": (forged('[{"value": NaN}]'), "unread"),
    "a file with a key twice": (forged('[{"value": 1, "value": 2, "passed": true}]'), "wrong"),
    "a deep file": (forged("[" * 50_000 + "]" * 50_000), "unread"),
    "a file with a huge number": (forged('[{"value": ' + "9" * 5_000 + "}]"), "unread"),
    "a file with half a letter": (forged('[{"value": "\\ud800"}]'), "unread"),
    "half a file": (forged('[{"value": 1}, {"val'), "unread"),
    "a file of nothing": (forged("[]"), "unread"),
    "a file of many": (forged(json.dumps([{"value": 1}] * 1000)), "unread"),
    "a file of odd kinds": (forged('[{"odd": 1}, {"raised": ["a"]}, {}]'), "unread"),
    "a file with a verdict": (forged('{"passed": true, "key": "", "share": 1}'), "unread"),
    "a file that is a link": (f"{PLACE}os.symlink('/etc/passwd', place)\nos._exit(0)", "raised"),
    "a file that is a pipe": (f"{PLACE}os.mkfifo(place)\nos._exit(0)", "raised"),
    "a thread that writes later": (
        "import threading, time, json\n" + PLACE
        + "def late():\n    while True:\n"
        "        try: open(place, 'w').write('[{\"value\": true}]')\n        except OSError: pass\n"
        "threading.Thread(target=late, daemon=True).start()\ndef total(n): return True",
        "wrong or unread",
    ),
    "what it heard before": (
        "heard = []\ndef total(n):\n    heard.append(sum(n))\n    return heard[0]", "wrong",
    ),
    "an accumulator": ("def total(n, seen=[]):\n    seen += n\n    return sum(seen)", "wrong"),
    "the time": ("import time\ndef total(n): return time.time()", "wrong"),
    "its arguments, changed": ("def total(n):\n    n[:] = [0]\n    return sum(n)", "wrong"),
    "a slow import": ("import time\ntime.sleep(100)\ndef total(n): return sum(n)", "timeout"),
    "an error with a long name": (
        "def total(n): raise type('E' * 10**6, (Exception,), {})('x' * 10**6)", "raised",
    ),
    "a type with a long name": ("def total(n): return type('E' * 10**6, (), {})()", "odd"),
    "an error that fails when it is told": (
        "class E(Exception):\n    def __str__(self): raise self\ndef total(n): raise E", "raised",
    ),
    "an error's words": (f"def total(n): raise ValueError('{EVIL}')", "raised"),
    "an error's name": (f"def total(n): raise type({EVIL!r}, (Exception,), {{}})", "raised"),
    "a type's name": (f"def total(n): return type({EVIL!r}, (), {{}})()", "odd"),
    "a list that holds itself": ("def total(n):\n    n.append(n)\n    return n", "odd"),
    "a set that lies": (
        "class Set(set):\n    def __iter__(self): return iter([])\ndef total(n): return Set(n)",
        "odd",
    ),
    "a dict that lies": (
        "class D(dict):\n    def items(self): raise SystemExit\ndef total(n): return D(a=1)", "odd",
    ),
    "a fraction of one's own": (
        ("import fractions\nclass Fraction(float):\n    def __float__(self): return 1.0\n"
        "fractions.Fraction = Fraction\ndef total(n): return Fraction(2)"), "wrong",
    ),
    "the package of its own": (
        ("import sys, types\nfake = types.ModuleType('kimi_nb.teach.plain')\n"
        "sys.modules['kimi_nb.teach.plain'] = sys.modules['json'] = fake\n"
        "def total(n): return 1"), "wrong",
    ),
    "a class that prints when it dies": (
        ("class D:\n    def __del__(self):\n        while True: pass\n"
        "def total(n):\n    D()\n    return 1"), "timeout",
    ),
}  # fmt: skip
"""Of a function, by what it tries, with the key that comes of it."""
NAMES = ("=cmd|'calc'!A0", "@SUM(1)", "＝1+1", "\x1b[31mred", "<b>bold</b>", "a\nb", "\u202eabc")


@dataclass(frozen=True)
class Class:
    found: Graded

    def mark(self, student: str, exercise: str = TOTAL) -> Mark:
        (mark,) = [each for each in self.found.of(student) if each.exercise == exercise]
        return mark


@pytest.fixture(scope="module")
def tricked(tmp_path_factory: pytest.TempPathFactory) -> Class:
    base = tmp_path_factory.mktemp("tricks")
    folder, own = base / "class", base / "mine.py"
    own.write_text(OWN, "utf-8")
    asked = catalogue(own)[TOTAL]
    seen = {
        json.dumps(n): sum(n) for who in ("visible cases", "anyone") for [n] in asked.drawn(who)
    }
    lookup = f"import json\nknown = {seen}\ndef total(n): return known.get(json.dumps(n), 1)"
    submit(folder, "visible cases", answer(TOTAL, lookup), HONEST)

    for student, (source, _) in FUNCTIONS.items():
        submit(folder, student, answer(TOTAL, source), HONEST)

    for name in NAMES:
        submit(folder, name, answer(TOTAL, f"raise ValueError('{EVIL}')"))
        submit(
            folder,
            name,
            answer(TOTAL, "total = 1"),
            answer("ex91.next", f"raise OSError('{EVIL}')"),
        )

    submit(folder, "look-alike", answer("ex90.t\u043etal", "total = sum"), HONEST)
    submit(
        folder, "another's cell", answer(TOTAL, "doubled = 1"), answer("ex90.double", "total = sum")
    )
    made = json.loads(notebook(answer(TOTAL, "total = sum"), HONEST))
    made["cells"][0]["outputs"] = [{"output_type": "stream", "text": "x"}] * 100_000
    (folder / "many outputs").mkdir()
    (folder / "many outputs" / "work.ipynb").write_text(json.dumps(made))
    (folder / "ring").mkdir()
    (folder / "ring" / "again").symlink_to(folder / "ring")
    (folder / "ring" / "class").symlink_to(folder)

    with pytest.MonkeyPatch.context() as patch:
        short_for([student for student, (_, key) in FUNCTIONS.items() if key == "timeout"], patch)
        return Class(grade(folder, seed=SEED, file=own, seconds=60.0, jobs=2))


@pytest.mark.parametrize("student", FUNCTIONS)
def test_no_trick_gets_points(tricked: Class, student: str) -> None:
    mark = tricked.mark(student)
    assert mark.key in FUNCTIONS[student][1].split(" or ")
    assert (mark.passed, mark.points) == (False, 0)
    assert tricked.mark(student, "ex90.double").passed


def test_visible_cases_are_no_hidden_ones(tricked: Class) -> None:
    assert tricked.mark("visible cases").key == "wrong"
    assert tricked.mark("visible cases", "ex90.double").passed


def test_ids_that_look_alike_are_told_apart(tricked: Class) -> None:
    assert tricked.mark("look-alike").key == "missing"
    assert tricked.found.unknown == ("ex90.t\u043etal",)


def test_an_answer_counts_where_its_cell_says(tricked: Class) -> None:
    assert not tricked.mark("another's cell").passed
    assert not tricked.mark("another's cell", "ex90.double").passed


def test_outputs_cost_nothing(tricked: Class) -> None:
    assert tricked.mark("many outputs").passed


def test_a_ring_of_links_is_not_followed(tricked: Class) -> None:
    (student,) = [each for each in tricked.found.students if each.student == "ring"]
    assert student.notebooks == ()


def test_no_table_reckons_with_a_name_or_a_message(tricked: Class) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(grades(tricked.found)))))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.strip().startswith(tuple("=+-@＝＋－＠"))]
    assert not [cell for cell in cells if any(ord(char) < 32 or char == "\u202e" for char in cell)]
    assert max(map(len, cells)) < 2000


def test_no_page_runs_what_was_handed_in(tricked: Class) -> None:
    for student in tricked.found.students:
        page = feedback(tricked.found, student)
        assert "<img" not in page
        assert "<b>bold" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page


def test_no_line_moves_the_teachers_cursor(tricked: Class) -> None:
    lines = [*command.lines(tricked.found), *command.notes(tricked.found)]
    assert any("red" in line for line in lines)
    assert not [line for line in lines if not line.replace("\ufffd", "").isprintable()]
    assert not [line for line in lines if "\u202e" in line]


def test_a_value_of_few_options_is_nobody_elses(tmp_path: Path) -> None:
    """Wrong for one's own data it is right for half of the class's: that accuses nobody."""
    own = tmp_path / "mine.py"
    few = OWN.replace("dice.randint(1, 10**9)]]", "dice.randint(0, 1)]]")
    own.write_text(few, "utf-8")
    asked: Any = catalogue(own)["ex90.double"]
    given = asked.drawn("anna")[0][0]
    submit(tmp_path / "class", "anna", answer("ex90.double", f"doubled = {2 - 2 * given}"))
    submit(tmp_path / "class", "ben", HONEST)
    found = grade(tmp_path / "class", seed=SEED, file=own)
    assert [mark.key in {"wrong", "half"} for mark in found.of("anna")] == [True]
