"""From a source to two notebooks: cells, ids, outputs, stamps."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from building.commands import main
from building.frame import minutes
from building.source import SourceFault, digest, read
from building.stale import stamp, untranslated
from building.write import document, notebook, place, text, written
from sourced import FRONT, code, en, lines, said, source, zh

from kimi_nb.errors import UsageFault
from kimi_nb.teach.curriculum import exercise, quizzes

EXERCISE = '+++ {"exercise": "ex03.critical"}\n\nex03.critical\n'
ASKED = quizzes()[0]
QUIZ = f'+++ {{"quiz": "{ASKED.id}"}}\n\n{ASKED.id}\n'


def sources_of(made):
    return [cell.source for cell in made.cells]


def ids(made):
    return [cell.id for cell in made.cells]


def test_prose_by_language_code_as_it_is(tmp_path):
    magic = "%%swarm run --folder {folder}\nCount it: $1 and `x`.\n\n- one"
    made = source(tmp_path, en("One *word*."), zh("一个词。"), code(magic, ":name: first"))
    english, chinese = (document(made, language) for language in ("en", "zh"))
    assert sources_of(english)[1:-1] == ["One *word*.", magic]
    assert sources_of(chinese)[1:-1] == ["一个词。", magic]
    assert ids(english) == ids(chinese)
    assert english.cells[2].id == "first"
    assert "name" not in english.cells[2].metadata


def test_prose_that_is_not_translated_stays_english(tmp_path):
    made = source(tmp_path, en("One."), code("1 + 1"))
    assert sources_of(document(made, "zh"))[1] == "One."
    assert said(untranslated(made))[0][0] == lines(made, "One.")[0]


def test_title_and_way_on(tmp_path):
    first = source(tmp_path, en("One."), zh("一。"))
    second = source(tmp_path, en("Two."), zh("二。"), name="04-more.md")
    title, *_, following = sources_of(document(first, "zh"))
    assert title.startswith("# 03 · 二加二\n")
    assert "等于四。" in title
    assert "1. 做加法\n2. 数数\n3. 说明" in title
    assert "(../en/03-two.ipynb)" in title
    assert re.search(r"mybinder\.org/v2/gh/\S+lab/tree/notebooks/zh/03-two\.ipynb\)", title)
    assert following == "下一篇：[04 · 二加二](04-more.ipynb)"
    assert sources_of(document(second, "en"))[-1].endswith("(03-two.ipynb)")


def test_an_exercise_becomes_four_cells(tmp_path):
    made = document(source(tmp_path, EXERCISE), "en")
    asked = exercise("ex03.critical")
    task, answer, check, helps = made.cells[1:-1]
    roles = [cell.metadata.kimi_nb for cell in (task, answer, check, helps)]
    assert [role.role for role in roles] == ["task", "answer", "check", "help"]
    assert {role.exercise for role in roles} == {"ex03.critical"}
    assert answer.id == "ex03-critical-answer"
    assert answer.source == asked.stub
    assert check.source == f'kn.check("ex03.critical", {asked.name})'
    assert asked.task.en in task.source
    assert f"{asked.minutes} minutes" in task.source
    assert "●" * asked.difficulty + "○" in task.source
    assert helps.source.count("<details>") == len(asked.hints) + 1
    assert f"```python\n{asked.code()}\n```" in helps.source
    assert asked.code() not in "".join(sources_of(made)[:-2])


def test_an_exercise_in_chinese_has_the_same_code(tmp_path):
    made = source(tmp_path, EXERCISE)
    english, chinese = (document(made, language).cells for language in ("en", "zh"))
    assert exercise("ex03.critical").title.zh in chinese[1].source
    assert [c.source for c in english if c.cell_type == "code"] == [
        c.source for c in chinese if c.cell_type == "code"
    ]


def test_a_quiz_is_a_call(tmp_path):
    made = document(source(tmp_path, QUIZ), "en")
    assert made.cells[2].source == f'kn.quiz("{ASKED.id}")'
    assert made.cells[2].id == ASKED.id


def test_what_nobody_has_written_is_named(tmp_path):
    with pytest.raises(UsageFault, match=r"ex03\.critical"):
        document(source(tmp_path, EXERCISE.replace("critical", "critcal")), "en")


def test_minutes(tmp_path):
    words = en("word " * 401)
    assert minutes(source(tmp_path, words), "en") == 3
    assert minutes(source(tmp_path, words, zh("字" * 801)), "zh") == 3
    alone = minutes(source(tmp_path, words, QUIZ), "en")
    assert alone == 3 + len(ASKED.items)
    asked = exercise("ex03.critical")
    more = minutes(source(tmp_path, words, QUIZ, EXERCISE), "en") - alone
    assert asked.minutes <= more <= asked.minutes + 1 + len(asked.task.en.split()) // 200


def test_ids_are_of_the_cell_alone(tmp_path):
    before = document(source(tmp_path, en("One."), zh("一。"), code("a = 1"), code("b = 2")), "en")
    more = (
        en("New."),
        zh("新。"),
        en("One."),
        zh("一。"),
        code("z = 0"),
        code("a = 1"),
        code("b = 2"),
    )
    after = document(source(tmp_path, *more), "en")
    assert [i for i in ids(after) if i in ids(before)] == ids(before)


def test_ids_are_unique(tmp_path):
    made = document(
        source(tmp_path, code("a = 1"), code("a = 1"), en("# Title"), en("# Next")), "en"
    )
    assert len(set(ids(made))) == len(ids(made))
    assert ids(made)[0] == "title"
    nbformat.validate(made)


def test_written_twice_is_written_once(tmp_path):
    made = source(tmp_path, en("One."), zh("一。"), code("1"))
    path = place(made, "zh")
    assert written(notebook(made, "zh"), path)
    before = path.read_bytes()
    assert not written(notebook(made, "zh"), path)
    assert path.read_bytes() == before
    assert "一。".encode() in before


def test_outputs_are_kept_of_compared_cells_that_stay_the_same(tmp_path):
    tag = ":tags: [nbval-check-output]"
    parts = (code("1 + 1", tag, ":name: sum"), code("2", ":name: free"))
    made = source(tmp_path, *parts, code("3", tag, ":name: new"))
    output = nbformat.v4.new_output("stream", text="2\n")
    ran = notebook(made, "en")

    for cell in ran.cells:
        if cell.cell_type == "code":
            cell.outputs = [output]

    written(ran, place(made, "en"))
    made = source(tmp_path, *parts, code("4", tag, ":name: new"))
    kept = {cell.id: cell.get("outputs") for cell in notebook(made, "en").cells}
    assert kept["sum"] == [output]
    assert kept["free"] == []
    assert kept["new"] == []


def test_a_damaged_notebook_is_written_anew(tmp_path):
    made = source(tmp_path, code("1"))
    place(made, "en").parent.mkdir()
    place(made, "en").write_text("<<<<<<< ours")
    assert written(notebook(made, "en"), place(made, "en"))
    assert json.loads(place(made, "en").read_text())["cells"]


def test_stamps(tmp_path):
    parts = (
        en("One."),
        zh("一。"),
        code("1"),
        en("Two."),
        zh("二。", of="00000000"),
        en("No twin."),
    )
    made = source(tmp_path, *parts)
    assert stamp(made) == 2
    again = read(made.path)
    assert [piece.of for piece in again.pieces if piece.kind == "zh"] == [
        digest("One."),
        digest("Two."),
    ]
    assert [piece.text for piece in again.pieces] == [piece.text for piece in made.pieces]
    assert stamp(again) == 0
    assert len(lines(again, '+++ {"lang": "zh", "of": "')) == 2


def test_lines_are_those_of_the_file(tmp_path):
    made = source(tmp_path, en("First."), zh("一。"), "\n\n" + code("second = 2"), EXERCISE)
    by_kind = {piece.kind: piece for piece in made.pieces}
    assert by_kind["en"].line == lines(made, "First.")[0]
    assert by_kind["code"].line == lines(made, "code-cell")[0]
    assert by_kind["exercise"].line == lines(made, "ex03.critical")[-1]


@pytest.mark.parametrize(
    ("front", "says"),
    [
        ("", "begin with a front matter"),
        ("---\ntitle: [\n---\n", "front matter"),
        ("---\n- one\n---\n", "no table"),
    ],
)
def test_a_front_matter_that_is_none(tmp_path, front, says):
    with pytest.raises(SourceFault, match=says):
        source(tmp_path, en("One."), front=front)


def test_options_that_are_none(tmp_path):
    with pytest.raises(SourceFault, match=r"03-two\.md"):
        source(tmp_path, '+++ {"lang": \n\nOne.\n')


def test_command_builds_the_others_where_one_cannot_be(tmp_path, capsys):
    source(tmp_path, en("One."), zh("一。"))
    source(tmp_path, en("One."), front=FRONT.replace("claim", "clam"), name="04-wrong.md")
    source(tmp_path, EXERCISE.replace("critical", "nothing"), name="05-wrong.md")
    source(tmp_path, en("Last."), zh("末。"), name="06-last.md")
    assert main([], tmp_path / "src") == 1
    assert sorted(path.name for path in tmp_path.rglob("*.ipynb")) == ["06-last.ipynb"] * 2
    told = capsys.readouterr().err
    assert "04-wrong.md:1: front matter: claim" in told
    assert "ex03.nothing" in told


def test_command_check(tmp_path, capsys):
    made = source(tmp_path, en("One."), zh("一。"))
    folder = tmp_path / "src"
    assert main(["--check"], folder) == 1
    assert main(["--translated", "03"], folder) == 0
    assert main(["--check"], folder) == 0
    capsys.readouterr()

    place(made, "zh").write_text(text(document(made, "en")))
    (tmp_path / "en" / "09-gone.ipynb").write_text("{}")
    assert main(["--check", "03"], folder) == 1
    told = capsys.readouterr().out
    assert "03-two.ipynb:1: not what its source makes" in told
    assert "09-gone.ipynb:1: no source makes it" in told


def test_command_asks_which(tmp_path):
    source(tmp_path, en("One."))

    with pytest.raises(SystemExit, match="--translated 03"):
        main(["--translated"], tmp_path / "src")

    with pytest.raises(SystemExit, match=r"07-….md"):
        main(["07"], tmp_path / "src")
