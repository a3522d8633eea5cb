"""The teachers' pages in Markdown: the guide, the misconceptions, the rubric."""

from __future__ import annotations

import re
from collections.abc import Sequence

from building.source import Pair, Source, SourceFault
from building.teaching import words
from building.teaching.bound import Bound, bound
from building.teaching.classroom import (
    COURSES,
    DISCUSSION,
    PREDICTION,
    Part,
    hours,
    notebooks,
    taken,
    total,
)
from building.teaching.filling import Fill, filled, said
from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.misconceptions import MISCONCEPTIONS
from kimi_nb.teach.text import Language

__all__ = ["covered", "fills", "page"]

NOTE = re.compile(r"^<!-- notebook (\d\d) -->$", re.MULTILINE)
MADE = "<!-- Made by python notebooks/build.py; edit {source}. -->"


def page(
    sources: Sequence[Source], language: Language, file: str, slides: dict[str, Source]
) -> str:
    """A page of one language. `slides`: the decks by name. Raises as `filled` does."""
    twin = file.replace(".md", ".zh.md") if language == "en" else file
    front = sources[0].front["title"][language]
    edited = " and ".join(f"src/{source.path.name}" for source in sources)
    pairs = [pair for source in sources for pair in source.pairs() if _there(pair)]
    body = [filled(said(pair, language), language, fills(slides)) for pair in pairs]
    also = words.ALSO.said(language).format(twin=twin)
    return "\n\n".join([MADE.format(source=edited), f"# {front}", also, *body]) + "\n"


def covered(source: Source) -> list[str]:
    """Numbers of the notebooks that a source has a note on."""
    return [number for pair in source.pairs() for number in NOTE.findall(pair.piece.text)]


def fills(slides: dict[str, Source]) -> dict[str, Fill]:
    """What a slot of a page may be."""
    return {
        "notebook": _notebook,
        "course": lambda about, language: _course(about, language, slides),
        "table": lambda _, language: _table(language),
        "belief": _belief,
        "bound": lambda about, language: _bound(bound()[about], language),
    }


def _there(pair: Pair) -> bool:
    """Whether its notebook is there, if it is a note on one."""
    number = NOTE.search(pair.piece.text)
    return number is None or number[1] in notebooks()


def _notebook(number: str, language: Language) -> str:
    source = notebooks()[number]
    found = hours(source, language)
    asked = [exercise(p.piece.text) for p in source.pairs() if p.piece.kind == "exercise"]
    done = [words.EXERCISE.said(language).format(e=e, title=e.title.said(language)) for e in asked]
    keys = {m.key for e in asked for m in e.mistakes if m.key in MISCONCEPTIONS}
    ordered = sorted(keys, key=lambda key: int(key[1:]))
    met = words.COMMA.said(language).join(_link(key, language) for key in ordered)
    goals = [f"- {goal[language]}" for goal in source.front["objectives"]]
    exercises = round(found.spent.exercises)
    minutes = words.SPENT.said(language).format(
        reading=found.spent.total - exercises - found.spent.quiz,
        predicting=found.predictions * PREDICTION,
        exercises=exercises,
        quiz=found.spent.quiz,
        discussion=DISCUSSION,
        total=found.total,
        alone=found.spent.total,
    )
    colon = ": " if language == "en" else "："
    rows = [
        f"### {_titled(number, language)}",
        f"{source.front['claim'][language]}",
        f"{words.GOALS.said(language)}{colon.rstrip()}",
        "\n".join(goals),
        minutes,
        f"{words.EXERCISES.said(language)}{colon}{words.SEMICOLON.said(language).join(done)}"
        if done
        else "",
        f"{words.MET.said(language)}{colon}{met}" if met else "",
    ]
    return "\n\n".join(filter(None, rows))


def _titled(number: str, language: Language) -> str:
    source = notebooks()[number]
    path = f"../{language}/{source.path.stem}.ipynb"
    return f"[{number} · {source.front['title'][language]}]({path})"


def _course(name: str, language: Language, slides: dict[str, Source]) -> str:
    course = COURSES[name]
    counts = {deck: len(list(source.pairs())) for deck, source in slides.items()}

    def row(part: Part) -> tuple[str, int]:
        return _named(part, language, slides), taken(part, language, counts)

    shown = [[row(part) for part in lesson if _held(part)] for lesson in course.lessons]
    sums = [total(lesson, language, counts) for lesson in course.lessons]

    if len(shown) == 1:
        last = f"| **{words.SUM.said(language).format(most=course.most)}** | **{sums[0]}** |"
        rows = [f"| {what} | {minutes} |" for what, minutes in shown[0]]
        return "\n".join([words.COLUMNS.said(language), "|---|--:|", *rows, last])

    cell = "{} ({})" if language == "en" else "{}（{}）"
    rows = [
        f"| {week} | {'<br>'.join(cell.format(*each) for each in lesson)} | {took} |"
        for week, (lesson, took) in enumerate(zip(shown, sums, strict=True), 1)
    ]
    return "\n".join([words.LESSON.said(language), "|--:|---|--:|", *rows])


def _held(part: Part) -> bool:
    return part.kind != "notebook" or part.what in notebooks()


def _named(part: Part, language: Language, slides: dict[str, Source]) -> str:
    if part.kind == "notebook":
        return _titled(part.what, language)

    if part.kind == "slides":
        name = slides[part.what].front["title"][language]
        return words.SLIDES.said(language).format(name=name, file=part.what)

    known = {"cards": words.CARDS, "graham": words.GRAHAM, "break": words.BREAK}
    return known.get(part.kind, part.about).said(language)


def _table(language: Language) -> str:
    rows = [
        f"| [{key}](#{key.lower()}) | {MISCONCEPTIONS[key].belief.said(language)} | "
        f"{_ids(found.exercises)} | {_ids(_items(found))} | {_ids(found.predictions)} |"
        for key, found in bound().items()
    ]
    return "\n".join([words.TABLE.said(language), "|---|---|---|---|---|", *rows])


def _belief(key: str, language: Language) -> str:
    if key not in MISCONCEPTIONS:
        raise SourceFault(f"belief {key}: there is {', '.join(MISCONCEPTIONS)}")

    colon = ": " if language == "en" else "："
    known = MISCONCEPTIONS[key]
    return (
        f"## {key}\n\n**{words.BELIEF.said(language)}**{colon}{known.belief.said(language)}\n\n"
        f"**{words.TRUTH.said(language)}**{colon}{known.truth.said(language)}"
    )


def _bound(found: Bound, language: Language) -> str:
    colon = ": " if language == "en" else "："
    named = (f"{exercise(e).title.said(language)} `{e}`" for e in found.exercises)
    asked = (f"`{quiz.id}`.{n} {item.asks.said(language)}" for quiz, n, item in found.options)
    lines = [
        (words.EXERCISES, words.SEMICOLON.said(language).join(named)),
        (words.OPTIONS, " · ".join(asked)),
        (words.PREDICTIONS, words.COMMA.said(language).join(f"`{p}`" for p in found.predictions)),
    ]
    return "\n".join(
        f"- {what.said(language)}{colon}{rows or words.NONE.said(language)}" for what, rows in lines
    )


def _items(found: Bound) -> tuple[str, ...]:
    return tuple(f"{quiz.id}.{number}" for quiz, number, _ in found.options)


def _ids(ids: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in ids)


def _link(key: str, language: Language) -> str:
    file = "misconceptions.md" if language == "en" else "misconceptions.zh.md"
    return f"[{key}]({file}#{key.lower()})"
