"""What teachers get: up to date, bound to the curriculum, and right in its figures."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from building.chinese import faults as chinese_faults
from building.links import faults as link_faults
from building.markup import links, passages
from building.source import digest
from building.teaching import documents, filling
from building.teaching.bound import PREDICTED, bound
from building.teaching.classroom import (
    COURSES,
    DISCUSSION,
    PREDICTION,
    hours,
    notebooks,
    taken,
    total,
)
from building.teaching.documents import DECKS, DOCUMENTS, FOLDER, LANGUAGES, Document
from building.teaching.game import EXAMPLE, KNOT, ROUNDS, WIDE, expected
from building.teaching.slides import parts

import kimi_nb as kn
from kimi_nb.parl.reward import Components, r_parallel, r_perf, report
from kimi_nb.teach.byhand import planned, staged
from kimi_nb.teach.curriculum import exercises, questions
from kimi_nb.teach.misconceptions import MISCONCEPTIONS

PLACES = [(document, language) for document in DOCUMENTS for language in LANGUAGES]
IDS = [f"{document.file}-{language}" for document, language in PLACES]
SLIDES = {
    name: len(list(document.read()[0].pairs()))
    for name, document in zip(DECKS, DOCUMENTS[-len(DECKS) :], strict=True)
}
NETWORK = re.compile(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(""")


def told(findings: object) -> None:
    found = list(findings)  # type: ignore[call-overload]
    assert not found, "\n" + "\n".join(map(str, found))


def text(document: Document, language: str) -> str:
    return document.place(language).read_text(encoding="utf-8")  # type: ignore[arg-type]


def rows(page: str, kind: str) -> list[list[str]]:
    """The cells of the tables of a kind, without their heads."""
    tables = re.findall(rf'<table class="{kind}">(.*?)</table>', page, re.DOTALL)
    return [
        re.findall(r"<td>(.*?)</td>", row)
        for table in tables
        for row in re.findall(r"<tr>(.*?)</tr>", table)
        if "<td>" in row
    ]


def test_up_to_date_and_translated() -> None:
    told(documents.stale())


def test_links_pictures_and_chinese_of_the_sources() -> None:
    told(documents.faults())


@pytest.mark.parametrize(("document", "language"), PLACES, ids=IDS)
def test_links_pictures_and_chinese_of_the_pages(document: Document, language: str) -> None:
    """With what was put into them."""
    page, body = document.place(language), text(document, language)  # type: ignore[arg-type]
    shown = [passage.words for passage in passages(body)] if document.kind == "page" else [body]
    assert not [words for words in shown if "**" in words], (
        "** that is no emphasis: 。** and a word"
    )

    if document.kind == "page":
        told(link_faults(body, page))
        told(chinese_faults(body) if language == "zh" else ())
        return

    assert f'<html lang="{language}">' in body
    assert not NETWORK.search(body), "nothing is loaded from the network"
    whole = Whole()
    whole.feed(body)
    assert not whole.open, whole.open
    assert whole.pictures.count("") == 0, "a picture without alt text"


class Whole(HTMLParser):
    """Which tags are left open, and what the pictures say."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs

        if tag not in {"meta", "br", "hr"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_notebook_has_a_note_once_and_its_minutes() -> None:
    noted = documents.noted()
    assert noted == sorted(set(noted))
    assert set(notebooks()) <= set(noted)
    guide = {language: text(DOCUMENTS[0], language) for language in LANGUAGES}

    for number, source in notebooks().items():
        for language, page in guide.items():
            found = hours(source, language)
            part = page.split(f"### [{number} · ")[1].split("\n### ")[0]
            predicted = sum(p.text.count("kn.predict(") for p in source.pieces if p.kind == "code")
            assert found.total == found.spent.total + predicted * PREDICTION + DISCUSSION
            assert re.search(rf"\b{found.total}\*\*", part), number
            assert all(goal[language] in part for goal in source.front["objectives"])
            assert all(p.text in part for p in source.pieces if p.kind == "exercise")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", COURSES)
def test_courses_fit_and_their_sums_are_right(name: str, language: str) -> None:
    course = COURSES[name]
    guide = text(DOCUMENTS[0], language)
    assert any(part.kind == "notebook" for lesson in course.lessons for part in lesson)

    for lesson in course.lessons:
        each = [taken(part, language, SLIDES) for part in lesson]  # type: ignore[arg-type]
        assert sum(each) <= course.most, (name, each)
        assert total(lesson, language, SLIDES) == sum(each)  # type: ignore[arg-type]
        assert f"| **{sum(each)}** |" in guide or f" | {sum(each)} |" in guide


def test_a_semester_has_every_notebook_once() -> None:
    parts_of = [part for lesson in COURSES["semester"].lessons for part in lesson]
    taught = [part.what for part in parts_of if part.kind == "notebook"]
    assert taught == [f"{number:02}" for number in range(15)]
    assert len(COURSES["semester"].lessons) == 14


@pytest.mark.parametrize("key", MISCONCEPTIONS)
def test_every_misconception_is_bound_and_drawn(key: str) -> None:
    found = bound()[key]
    assert found.exercises, f"{key} is no mistake of any exercise"
    assert found.options, f"{key} is no option of any quiz"
    sketch = FOLDER / "sketches" / f"{key}.svg"
    assert ET.parse(sketch).getroot().tag.endswith("svg")  # noqa: S314 -- ours

    for language in LANGUAGES:
        page = text(DOCUMENTS[1], language)
        part = page.split(f"\n## {key}\n")[1].split("\n## ")[0]
        assert MISCONCEPTIONS[key].belief.said(language) in part
        shown = [link for link in links(part) if link.picture]
        assert [(link.target, bool(link.alt)) for link in shown] == [(f"sketches/{key}.svg", True)]
        note = part.split(".svg)")[1].split("\n- ")[0].strip()
        assert len(note) > 40, f"{key} has no note in {language}"


def test_nothing_is_bound_to_what_is_not_there() -> None:
    assert set(PREDICTED) <= {question.id for question in questions()}
    assert {key for keys in PREDICTED.values() for key in keys} <= set(MISCONCEPTIONS)
    known = {
        key: {e.id for e in exercises() for m in e.mistakes if m.key == key} for key in bound()
    }
    assert all(set(found.exercises) == known[key] for key, found in bound().items())


@pytest.mark.parametrize("name", DECKS)
def test_slides_are_few_and_have_notes(name: str) -> None:
    document = DOCUMENTS[len(DOCUMENTS) - len(DECKS) + DECKS.index(name)]
    source = document.read()[0]
    assert 6 <= SLIDES[name] <= 12

    for pair in source.pairs():
        assert pair.zh is not None
        assert pair.zh.of == digest(pair.piece.text)
        assert all(parts(piece.text)[1] for piece in (pair.piece, pair.zh)), pair.piece.line

    pictures = [
        re.findall(r'<img src="([^"]+)"', text(document, language)) for language in LANGUAGES
    ]
    assert pictures[0] == pictures[1]
    assert pictures[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_measured_tables_of_the_slides_are_those_of_the_experiments(language: str) -> None:
    """Those of experiments 1 to 3, by the name of a condition; without their intervals."""
    everything = (FOLDER.parent / "parl" / "README.md").read_text(encoding="utf-8")
    said_there = everything.split("\n## 4.")[0]
    known = [re.split(r"\s*\|\s*", row.strip("| \n")) for row in said_there.split("\n")]
    measured = {row[0]: {cell.split(" ±")[0] for cell in row[1:]} for row in known if row[1:]}
    pieces = documents.DOCUMENTS[-1].read()[0].pairs()
    body = "\n".join(filling.said(pair, language) for pair in pieces)  # type: ignore[arg-type]
    shown = [
        re.split(r"\s*\|\s*", row.replace("**", "").strip("| "))
        for row in body.split("\n")
        if re.match(r"\| \**λ [=0]", row)
    ]
    assert len(shown) == 9

    for name, *cells in shown:
        assert {cell.replace(" / ", " of ") for cell in cells} <= measured[name], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_printed_game_is_counted_right(language: str) -> None:
    """From the traces of its trials, by the functions that read any run."""
    printed = rows(text(DOCUMENTS[3], language), "example")
    asked = [(name, job, weight) for name, trials in ROUNDS for job, weight in trials]
    assert len(printed) == len(asked) == len(EXAMPLE)

    for row, (name, job, weight), trial in zip(printed, asked, EXAMPLE, strict=True):
        assert trial.job is job
        real, blank, back = map(int, row[3:6])
        assert (real, blank, back) == (trial.real, trial.blank, trial.back)
        own = (job.cards - real + back) * job.steps
        stage = [job.steps + 1] * real + [1] * blank
        run = staged([*([stage] if stage else []), *[[]] * own, []])
        counted = kn.metrics(run)
        assert row[:3] == [name, job.name.said(language), f"{weight:g}"]  # type: ignore[arg-type]
        assert [int(cell) for cell in row[6:8]] == [counted.critical_steps, counted.total_steps]
        own_cards = [1.0 if (n + 1) * job.steps <= 12 else 0.5 for n in range(own // job.steps)]
        quality = (sum(own_cards) + (real - back) * (0.5 if job is KNOT else 1)) / job.cards
        performed = r_perf(counted.critical_steps <= job.most, quality)
        paid = Components(r_parallel(real + blank), r_parallel(0), performed)
        figures = [quality, *map(float, (paid.r_parallel, paid.r_perf, report(paid, weight, 0)))]
        assert [float(cell) for cell in row[8:]] == pytest.approx(figures)


def test_the_game_shows_what_it_is_about() -> None:
    alone = expected(WIDE, 0, 0, 0.0)
    given = [expected(WIDE, real, 0, 0.0) for real in range(1, 9)]
    assert max(given[:2]) < alone < given[7], "round A: a first step loses, all of them win"
    assert all(one < other for one, other in pairwise(given))
    assert expected(KNOT, 0, 8, 0.5) > expected(KNOT, 0, 0, 0.5) > expected(KNOT, 4, 0, 0.5)
    assert expected(KNOT, 0, 8, 0.0) == expected(KNOT, 0, 0, 0.0), "blank cards pay nothing then"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_warm_up_and_grahams_round(language: str) -> None:
    page = text(DOCUMENTS[3], language)
    warm = [
        (int(total_steps), int(stage), int(critical))
        for _, total_steps, stage, critical in rows(page, "warm")
    ]
    assert warm == [(29, 10, 12), (29, 8, 10)]
    cost = dict(zip("123456789", (3, 2, 2, 2, 4, 4, 4, 4, 9), strict=True))
    after = {"9": ["1"], **{task: ["4"] for task in "5678"}}
    counted = [kn.what_if(planned(cost, after), workers=p).critical_steps for p in (2, 3, 4)]
    shorter = planned({task: steps - 1 for task, steps in cost.items()}, after)
    looser = planned(cost, {"9": ["1"], "7": ["4"], "8": ["4"]})
    counted += [kn.what_if(run, workers=3).critical_steps for run in (shorter, looser)]
    assert [int(claps) for _, claps in rows(page, "graham")] == counted == [17, 12, 15, 13, 16]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rubric_is_that_of_the_capstone(language: str) -> None:
    """Its columns of points; where to look is for teachers alone."""
    pairs = (pair for pair in notebooks()["14"].pairs() if pair.piece.kind == "en")
    said_there = "\n".join(filling.said(pair, language) for pair in pairs)  # type: ignore[arg-type]
    here = [row.rsplit(" | ", 1)[0] for row in text(DOCUMENTS[2], language).split("\n")]
    table = [row.removesuffix(" |") for row in said_there.split("\n") if row.startswith("| ")]
    points = [row for row in table if row.count(" | ") == 3 and "ex14" not in row]
    assert len(points) == 9
    assert set(points) <= set(here)
