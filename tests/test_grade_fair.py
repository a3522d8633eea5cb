"""Honest work is graded as the notebook checked it, however it is typed, saved and cut in cells."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pytest
from grading import OWN, TOTAL, answer, notebook, submit

from kimi_nb.teach.curriculum import exercises
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.grade import Graded, Mark, grade
from kimi_nb.teach.grade.wire import as_json, from_json
from kimi_nb.teach.plain import Odd, called, plain
from kimi_nb.tools.native import available

pytestmark = pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")

SEED = "the teacher's secret"
RIGHT = "def total(numbers):\n    return sum(numbers)"
STUB = answer(TOTAL, "x = None")
CHECK = answer(TOTAL, f'import kimi_nb as kn\nkn.check("{TOTAL}", total)', "check")
PLAIN = f'kn.check("{TOTAL}", total)'
"""The same without metadata."""
LOOP = (
    "def total(numbers):\n    found = 0\n    for n in numbers:\n        found = add(found, n)\n"
    "    return found"
)


def lesson(source: str) -> dict[str, Any]:
    """A cell of the notebook's own, which a learner may have added to."""
    made = answer("", source)
    made["metadata"]["kimi_nb"] = {"of": "1f3a9c20"}
    return made


HONEST: dict[str, tuple[dict[str, Any] | str, ...]] = {
    "a cell cut in two, helper first": (
        answer(TOTAL, "def add(a, b):\n    return a + b"), answer(TOTAL, LOOP), CHECK,
    ),
    "a cell cut in two, answer first": (
        answer(TOTAL, LOOP), answer(TOTAL, "def add(a, b):\n    return a + b"), CHECK,
    ),
    "a copied cell with a trial": (answer(TOTAL, RIGHT), answer(TOTAL, "total([1, 2])"), CHECK),
    "a helper that a later exercise has of that name": (
        "def add(a, b):\n    return a + b", answer(TOTAL, LOOP), CHECK,
        "def add(a, b):\n    return [a, b]", answer("ex90.double", "doubled = add(1, 2)"),
    ),
    "a built-in name that is used below": (
        answer(TOTAL, RIGHT), CHECK, "sum = 0\nfor n in range(3):\n    sum += n",
    ),
    "%%time": (answer(TOTAL, f"%%time\n{RIGHT}"), CHECK),
    "%%capture with options": (answer(TOTAL, f"%%capture out\n{RIGHT}"), CHECK),
    "a question mark": (answer(TOTAL, f"{RIGHT}\ntotal?\n?sum"), CHECK),
    "a name built up over cells": (
        "start = 1", answer(TOTAL, "start = start - 1\ndef total(n):\n    return sum(n, start)"),
    ),
    "a name counted up": (
        "start = 1", answer(TOTAL, "start -= 1\ndef total(n):\n    return sum(n, start)"),
    ),
    "imports typed into the first cell": (
        lesson("%load_ext kimi_nb\nimport kimi_nb as kn\nimport numpy as np\n1 / 0"),
        answer(TOTAL, "def total(n):\n    return np.sum(n)"), CHECK,
    ),
    "a helper typed into a cell of the lesson": (
        lesson("runs = nowhere(3)\ndef add(a, b):\n    return a + b"), answer(TOTAL, LOOP), CHECK,
    ),
    "no metadata, and the name once more below": (RIGHT, PLAIN, "total = 5"),
    "no metadata, the stub left, the answer below": ("x = None", PLAIN, RIGHT),
    "an answer by its name": (RIGHT, f'kn.check(identity="{TOTAL}", answer=total)'),
    "annotations that are read": (
        answer(TOTAL, "from dataclasses import dataclass, fields\n@dataclass\nclass Sum:\n"
               "    of: int\ndef total(numbers: list[float]) -> float:\n"
               "    return fields(Sum)[0].type(sum(numbers))"), CHECK,
    ),
    "a class": (
        answer(TOTAL, "class Total:\n    def __init__(self):\n        self.start = 0\n"
               "    def __call__(self, numbers):\n        return sum(numbers, self.start)\n"
               "total = Total()"), CHECK,
    ),
    "recursion": (
        answer(TOTAL, "def total(n):\n    return n[0] + total(n[1:]) if n else 0"), CHECK,
    ),
    "a lambda": (answer(TOTAL, "total = lambda n: sum(x for x in n)"), CHECK),
    "numpy": (answer(TOTAL, "import numpy as np\ndef total(n):\n    return np.array(n).sum()"),),
    "a fraction": (
        answer(TOTAL, "from fractions import Fraction\ndef total(n):\n"
               "    return sum(map(Fraction, n))"), CHECK,
    ),
    "Windows line ends": (answer(TOTAL, RIGHT.replace("\n", "\r\n") + "\r\n!dir\r\n"), CHECK),
    "a name of both worlds": (answer(TOTAL, "try:\n    import nothing\nexcept ImportError:\n"
                                     f"    nothing = None\n{RIGHT}"), CHECK),
}  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "mine.py"
    path.write_text(OWN, "utf-8")
    return path


@pytest.fixture(scope="module")
def honest(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("honest")

    for name, cells in HONEST.items():
        submit(folder, name, *cells)

    return grade(folder, seed=SEED, file=own, jobs=2)


def only(found: Graded, student: str, exercise: str = TOTAL) -> Mark:
    (mark,) = [each for each in found.of(student) if each.exercise == exercise]
    return mark


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_gets_its_points(honest: Graded, name: str) -> None:
    mark = only(honest, name)
    assert (mark.key, mark.detail if mark.key else "") == ("", "")


# How notebooks are saved


def test_notebooks_as_programs_save_them(own: Path, tmp_path: Path) -> None:
    """Python's JSON knows NaN and half letters, as plots and cut texts have them."""
    made = json.loads(notebook(answer(TOTAL, RIGHT), "text = 'half \ud83d'"))
    made["cells"][0]["outputs"] = [{"data": {"x": [float("nan"), float("inf"), "\ud83d"]}}]
    whole = json.dumps(made)
    bare = {"cells": [{"cell_type": "code", "source": RIGHT}, {"cell_type": "markdown"}]}
    bare["cells"].append({"cell_type": "code", "source": PLAIN})
    half = json.loads(notebook(answer(TOTAL, f"text = '\ud83d'\n{RIGHT}")))

    for student, data in {
        "nan": whole.encode(),
        "mark": b"\xef\xbb\xbf" + notebook(answer(TOTAL, RIGHT)).encode(),
        "bare": json.dumps(bare).encode(),
        "half": json.dumps(half).encode(),
        "lines": notebook(answer(TOTAL, RIGHT)).replace("\n", "\r\n").encode(),
        "cut": whole.encode()[:-20],
    }.items():
        (tmp_path / f"{student}.ipynb").write_bytes(data)

    found = grade(tmp_path, seed=SEED, file=own, jobs=2)
    assert {mark.student: mark.key for mark in found.marks} == {
        "nan": "", "mark": "", "bare": "", "half": "", "lines": "", "cut": "missing",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (Fraction(1, 4), 0.25),
        ([Decimal("0.5")], [0.5]),
        (Counter("aab"), {"a": 2, "b": 1}),
        (defaultdict(list, x=[1]), {"x": [1]}),
        (Fraction(10**400), Odd("too large")),
        (Decimal("sNaN"), Odd("too large")),
        (type("Fraction", (float,), {})(1), Odd("a Fraction")),
    ],
)
def test_numbers_and_dicts_of_the_standard_library_are_plain(value: object, known: object) -> None:
    assert plain(value) == known


@pytest.mark.parametrize("asked", exercises(), ids=lambda asked: asked.id)
def test_a_notebook_and_the_grader_give_the_same_key(asked: Exercise) -> None:
    """The way between processes, as JSON, changes no verdict on any answer that is known."""
    cases = asked.drawn(SEED)

    for answers in (asked.solve, *(mistake.wrong for mistake in asked.mistakes)):
        outputs = [called(answers, args) for args in cases]
        arrived = from_json(orjson.loads(json.dumps(as_json(outputs))))
        assert arrived is not None
        there = orjson.loads(orjson.dumps(cases))
        assert asked.verdict(arrived, there).key == asked.verdict(outputs, cases).key
