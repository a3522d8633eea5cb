"""The assignments with the real nbgrader: released, validated, autograded, told back, exported."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building.assignment import CONFIG, COURSE, assignment, assignments, released
from building.write import text

from kimi_nb.teach.curriculum import exercise, lessons
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.grade import grade
from kimi_nb.tools.native import available

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.timeout(300)  # programs and kernels, one after the other

CRITICAL, VALUE = "ex03.critical", "ex00.speed-up"
WRONG = "def critical_steps(stages):\n    return sum(max(stage) for stage in stages)"
NAME = "lesson03"


class Course:
    """A folder in which nbgrader's commands run, as in a shell of a teacher's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = path / "home"
        self.home.mkdir()
        shutil.copy(COURSE / CONFIG, path)

    def run(self, *words: str) -> str:
        """What a command prints. Fails the test if it fails."""
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        programs = str(Path(sys.executable).parent)
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=self.path,
            env={
                **{name: str(self.home / name) for name in folders},
                "HOME": str(self.home),
                "PATH": os.pathsep.join([programs, os.environ["PATH"]]),
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONWARNINGS": "ignore",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def notebook(self, step: str, student: str = "") -> Path:
        return self.path / step / student / NAME / f"{NAME}.ipynb"


def answered(asked: Exercise) -> str:
    """The solution as a learner would type it in place of the stub."""
    code = asked.code()
    return code if asked.form == "function" or "kn.given" in code else f"{asked.stub}\n{code}"


def hand_in(course: Course, student: str, answers: dict[str, str]) -> None:
    """The released notebook with these answers, and the student's name."""
    made = nbformat.read(course.notebook("release"), as_version=4)

    for cell in made.cells:
        tagged = cell.metadata.get("kimi_nb", {})
        cell.source = cell.source.replace('"anyone"', f'"{student}"')

        if tagged.get("role") == "answer":
            cell.source = answers.get(tagged["exercise"], cell.source)

    course.notebook("submitted", student).parent.mkdir(parents=True)
    nbformat.write(made, course.notebook("submitted", student))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Three students: one right, one wrong, one who handed in what was released."""
    made = Course(tmp_path_factory.mktemp("course"))
    asked = [exercise(CRITICAL), exercise(VALUE)]
    made.notebook("source").parent.mkdir(parents=True)
    nbformat.write(assignment("03", asked, "en"), made.notebook("source"))
    shutil.copytree(COURSE / "release" / NAME, made.path / "release" / NAME)  # a copied course
    made.run("generate_assignment", NAME)
    hand_in(made, "anna", {each.id: answered(each) for each in asked})
    hand_in(made, "ben", {CRITICAL: WRONG})
    hand_in(made, "carl", {})
    made.run("autograde", NAME)
    made.run("generate_feedback", NAME)
    made.run("export", "--to=grades.csv")
    return made


def test_a_release_has_stubs_and_no_solution(course: Course) -> None:
    source = nbformat.read(course.notebook("source"), as_version=4).cells
    release = nbformat.read(course.notebook("release"), as_version=4).cells
    assert [cell.id for cell in source] == [cell.id for cell in release]
    answers = {
        cell.metadata.kimi_nb.exercise: (cell.source, other.source)
        for cell, other in zip(source, release, strict=True)
        if cell.metadata.get("kimi_nb", {}).get("role") == "answer"
    }
    assert set(answers) == {CRITICAL, VALUE}

    for identity, (full, left) in answers.items():
        assert exercise(identity).code() in full
        assert left.strip() == exercise(identity).stub.strip()


def test_validate_tells_right_from_unanswered(course: Course) -> None:
    """It exits 0 in both cases, so what it prints is what counts."""
    assert "Success! Your notebook passes all the tests." in course.run(
        "validate", str(course.notebook("source"))
    )
    assert "VALIDATION FAILED ON 2 CELL(S)!" in course.run(
        "validate", str(course.notebook("release"))
    )


def test_autograde_gives_the_points_of_the_difficulty(course: Course) -> None:
    rows = list(csv.DictReader(io.StringIO((course.path / "grades.csv").read_text())))
    points = exercise(CRITICAL).difficulty + exercise(VALUE).difficulty
    assert {row["student_id"]: float(row["score"]) for row in rows} == {
        "anna": points, "ben": 0.0, "carl": 0.0,
    }  # fmt: skip
    assert {float(row["max_score"]) for row in rows} == {points}


def test_feedback_names_the_misconception(course: Course) -> None:
    page = course.notebook("feedback", "ben").with_suffix(".html").read_text("utf-8")
    says = next(each.says.en for each in exercise(CRITICAL).mistakes if each.key == "M9")
    assert says in page


@pytest.mark.skipif(bool(available()), reason=available() or "there is a sandbox")
def test_the_same_submissions_go_through_the_sandbox(course: Course) -> None:
    found = grade(course.path / "submitted", seed="secret")
    keys = {(mark.student, mark.exercise): mark.key for mark in found.marks}
    assert keys == {
        ("anna", CRITICAL): "", ("anna", VALUE): "",
        ("ben", CRITICAL): "M9", ("ben", VALUE): "unanswered",
        ("carl", CRITICAL): "unanswered", ("carl", VALUE): "unanswered",
    }  # fmt: skip


def test_autograding_records_no_progress_of_the_teachers(course: Course) -> None:
    """The learner's record, with each student's name, would lie in the teacher's home."""
    assert list(course.home.rglob("progress.jsonl")) == []


# The files that are committed


def committed(kind: str, made: dict[str, Any]) -> list[str]:
    """Names of those whose file is another one."""
    paths = {name: COURSE / kind / name / f"{name}.ipynb" for name in made}
    return [
        name
        for name, path in paths.items()
        if not path.is_file() or path.read_text("utf-8") != made[name]
    ]


def test_sources_are_those_of_the_exercises() -> None:
    sources = {name: text(made) for name, made in assignments(lessons()).items()}
    assert committed("source", sources) == [], "run: python notebooks/assignments.py"
    there = {path.name for path in (COURSE / "source").iterdir()}
    assert there == set(sources) == {path.name for path in (COURSE / "release").iterdir()}


def test_a_release_is_what_nbgrader_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    assert committed("release", released(assignments(["03"]))) == []
