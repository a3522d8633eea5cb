"""The record of what a learner did: whole lines, on this machine alone, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

import kimi_nb as kn
from kimi_nb.errors import UsageFault
from kimi_nb.magics.commands import complete, run_command
from kimi_nb.teach import guess, progress, sitting, standing
from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.progress import Fact, facts, forget, place, record
from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.standing import standings
from kimi_nb.teach.text import Text

EXERCISE = "ex03.critical"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a kernel that has asked nothing yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv(progress.HOME, str(folder))
    monkeypatch.setattr(guess, "KEPT", {})
    monkeypatch.setattr(sitting, "KEPT", {})
    progress._tell.cache_clear()
    return folder


def right(stages: list[list[int]]) -> int:
    return sum(1 + max(stage) for stage in stages)


def by_mean(stages: list[list[int]]) -> float:
    return sum(1 + sum(stage) / len(stage) for stage in stages)


def did() -> list[tuple[str, str, bool | None, str]]:
    return [(fact.kind, fact.id, fact.passed, fact.key) for fact in facts()]


# What is recorded.


def test_exercises_predictions_and_quizzes_are_recorded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KIMI_NB_STUDENT", "anna")
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    kn.check(EXERCISE, by_mean)
    kn.check(EXERCISE, right)
    kn.predict("p00.critical").lock(12).lock(12)
    quiz = kn.quiz("quiz00").answer(1, "a").answer(1, "a")
    first = facts()[-1]
    assert did()[:3] == [
        ("checked", EXERCISE, False, "M3"),
        ("checked", EXERCISE, True, ""),
        ("predicted", "p00.critical", None, ""),
    ]
    assert (first.id, first.passed) == ("quiz00.1", quiz.right == 1)
    assert first.passed == (first.key == "")
    assert len(facts()) == 4
    assert {(fact.student, fact.language) for fact in facts()} == {("anna", "zh")}


def test_what_is_no_answer_and_what_is_of_ones_own_is_not_recorded():
    kn.check(EXERCISE, None)
    kn.predict("How many?", of="agents").lock(3)
    assert facts() == []
    assert not place().exists()


def test_only_its_owner_can_read_it(home: Path):
    record("checked", EXERCISE, passed=True)
    assert place() == home / "progress.jsonl"
    assert (home.stat().st_mode & 0o777, place().stat().st_mode & 0o777) == (0o700, 0o600)


def test_without_the_variable_it_lies_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv(progress.HOME)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place() == tmp_path / ".kimi_nb" / "progress.jsonl"


# Lines.


def test_torn_and_foreign_lines_are_left_out():
    record("checked", "a", passed=True)
    whole = place().read_text()
    fact = json.loads(whole)
    foreign = [
        "",
        "nonsense",
        "[" * 100_000,
        "[]",
        "7",
        "{}",
        *(json.dumps({**fact, name: [7]}) for name in fact),
        json.dumps({**fact, "kind": "stolen"}),
    ]
    place().write_text("\n".join([*foreign, whole.strip(), whole[:20]]))
    assert [fact.id for fact in facts()] == ["a"]


def test_a_torn_line_takes_no_other_with_it():
    record("checked", "a", passed=True)

    with place().open("ab") as log:
        log.write(b'{"at": 17')

    record("checked", "b", passed=False, key="M3")
    assert [fact.id for fact in facts()] == ["a", "b"]
    assert place().read_bytes().endswith(b"\n")


def test_bytes_that_are_no_text_are_left_out():
    record("checked", "a", passed=True)

    with place().open("ab") as log:
        log.write(b"\xff\xfe\n")

    assert [fact.id for fact in facts()] == ["a"]


WRITER = """
import sys
from kimi_nb.teach.progress import record
for number in range(150):
    record("checked", f"{sys.argv[1]}.{number}", passed=True, key="k" * (number * 7 % 900))
"""


def test_two_kernels_at_once_lose_nothing():
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], env=dict(os.environ))
        for name in ("one", "two")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    found = [fact.id for fact in facts()]
    assert len(place().read_text().splitlines()) == 300

    for name in ("one", "two"):
        assert [id for id in found if id.startswith(name)] == [f"{name}.{n}" for n in range(150)]


# Never in the way.


def unwritable(home: Path) -> None:
    home.write_text("a file is in the place of the folder")


def full(home: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    home.mkdir()
    (home / "progress.jsonl").symlink_to("/dev/full")


@pytest.mark.parametrize("broken", [unwritable, full])
def test_what_cannot_be_recorded_is_told_once_and_breaks_nothing(
    broken: Callable[[Path], None], home: Path, capsys: pytest.CaptureFixture[str]
):
    broken(home)
    assert kn.check(EXERCISE, right)
    assert kn.check(EXERCISE, right)
    told = capsys.readouterr().err
    assert told.count("your progress is not recorded") == 1
    assert "KIMI_NB_HOME" in told


SHORT = """
import resource
from kimi_nb.teach.progress import facts, place, record
record("checked", "a", passed=True)
size = place().stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))
record("checked", "b", passed=True)
assert place().stat().st_size == size
assert [fact.id for fact in facts()] == ["a"]
"""


def test_a_disk_that_takes_half_a_line_keeps_none_of_it():
    done = subprocess.run(
        [sys.executable, "-c", SHORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "not recorded" in done.stderr


# How far one is.


def text(words: str) -> Text:
    return Text(words, words)


def task(name: str, minutes: int) -> Exercise:
    return Exercise(
        id=name,
        title=text(f"Title of {name}"),
        task=text("Do it."),
        difficulty=1,
        minutes=minutes,
        form="value",
        name="x",
        stub="x = None",
        cases=lambda _: [[1]],
        solve=lambda x: x,
        hints=(),
        mistakes=(),
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A curriculum of two notebooks."""
    option = Option(says=text("a"))
    item = QuizItem(asks=text("?"), options=(option,), because=text("so"))
    known: dict[str, dict[str, list[Any]]] = {
        "exercises": {"03": [task("ex03.a", 5), task("ex03.b", 8)], "04": [task("ex04.a", 3)]},
        "questions": {"03": [Question(id="p03.a", asks=text("?"), of="agents")], "04": []},
        "quizzes": {"03": [Quiz(id="quiz03", items=(item, item))], "04": []},
    }

    for name, lessons in known.items():
        monkeypatch.setattr(standing, name, lessons.__getitem__)

    monkeypatch.setattr(standing, "lessons", lambda: {"03": (), "04": ()})


def fact(kind: Any, id: str, passed: bool | None = None, student: str = "anyone") -> Fact:  # noqa: FBT001
    return Fact(at=1.7e9, kind=kind, id=id, passed=passed, key="", student=student, language="en")


@pytest.mark.usefixtures("small")
def test_how_far_one_is():
    log = [
        fact("checked", "ex03.a", passed=False),
        fact("checked", "ex03.a", passed=True),
        fact("checked", "ex03.a", passed=False),
        fact("checked", "ex03.gone", passed=True),
        fact("checked", "ex03.b", passed=True, student="otto"),
        fact("predicted", "p03.a"),
        fact("predicted", "p03.a"),
        fact("answered", "quiz03.1", passed=False),
        fact("answered", "quiz03.1", passed=True),
        fact("answered", "quiz03.2", passed=True),
        fact("answered", "quiz03.9", passed=True),
    ]
    third, fourth = standings(log, "anyone")
    assert asdict(third) == {
        "lesson": "03",
        "exercises": 2,
        "passed": 1,
        "tries": 3,
        "minutes": 8,
        "questions": 1,
        "locked": 1,
        "items": 2,
        "answered": 2,
        "right": 1,
        "next": "ex03.b",
    }
    assert (fourth.tries, fourth.minutes, fourth.next) == (0, 3, "ex04.a")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("log", "following"),
    [
        ([], "p03.a"),
        (["p03.a"], "ex03.a"),
        (["p03.a", "ex03.a"], "ex03.b"),
        (["p03.a", "ex03.a", "ex03.b", "quiz03.1"], "quiz03"),
        (["p03.a", "ex03.a", "ex03.b", "quiz03.1", "quiz03.2"], ""),
    ],
)
def test_what_is_next(log: list[str], following: str):
    kinds = {"p": "predicted", "e": "checked", "q": "answered"}
    done = [fact(kinds[id[0]], id, passed=True) for id in log]
    assert standings(done, "anyone")[0].next == following


def test_it_is_shown_as_text_and_as_a_table():
    kn.check(EXERCISE, by_mean)
    shown = run_command(None, "progress")  # type: ignore[arg-type]
    row = next(line.split() for line in repr(shown).splitlines() if line.startswith("03"))
    assert row[2] == "1"
    assert "Next: " in repr(shown)
    assert f"on this machine alone, in {place()}" in repr(shown)
    html = shown._repr_html_()
    assert html.count("<tr>") == len(shown.rows) + 1
    assert '<th scope="col">exercises</th>' in html


def test_it_is_shown_in_the_readers_language(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KIMI_NB_LANGUAGE", "zh")
    shown = repr(run_command(None, "progress"))  # type: ignore[arg-type]
    assert "笔记本" in shown
    assert "下一步：" in shown
    assert "只保存在本机" in shown


def test_it_is_forgotten():
    record("checked", EXERCISE, passed=True)
    assert str(place()) in repr(run_command(None, "progress forget"))  # type: ignore[arg-type]
    assert not place().exists()
    assert "no record" in repr(run_command(None, "progress forget"))  # type: ignore[arg-type]
    assert not forget()


def test_what_cannot_be_read_or_deleted_is_told(home: Path):
    (home / "progress.jsonl").mkdir(parents=True)

    for line in ("progress", "progress forget"):
        with pytest.raises(UsageFault, match=r"cannot (read|delete) .*progress\.jsonl"):
            run_command(None, line)  # type: ignore[arg-type]


def test_other_words_are_refused():
    with pytest.raises(UsageError, match="%swarm progress forget deletes"):
        run_command(None, "progress all")  # type: ignore[arg-type]


def test_tab_completes_it():
    parser: Any = None
    assert complete("%swarm prog", "prog", parser, []) == ["progress"]
    assert complete("%swarm progress ", "", parser, []) == ["forget"]
    assert complete("%swarm progress fo", "fo", parser, []) == ["forget"]
