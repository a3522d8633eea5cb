"""`%swarm progress`: a table of what was done and what is next, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kimi_nb.errors import UsageFault
from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.language import here
from kimi_nb.teach.progress import facts, forget, place
from kimi_nb.teach.standing import Standing, standings
from kimi_nb.teach.student import student
from kimi_nb.teach.text import Text
from kimi_nb.views.text import escape, fit, width

__all__ = ["Report", "forgotten", "report"]

HEADS = (
    Text("notebook", "笔记本"),
    Text("exercises", "练习"),
    Text("tries", "尝试"),
    Text("minutes left", "还需分钟"),
    Text("predictions", "预测"),
    Text("quiz, first try", "测验（首次）"),
    Text("next", "下一步"),
)
DONE = Text("done", "已完成")
NEXT = Text("Next: {what}", "下一步：{what}")
ALL = Text("Everything is done.", "全部完成。")
QUIZ = Text(
    "the quiz of notebook {lesson}, kn.quiz({id!r})", "笔记本 {lesson} 的测验，kn.quiz({id!r})"
)
QUESTION = Text(
    "a prediction in notebook {lesson}, kn.predict({id!r})",
    "笔记本 {lesson} 的预测，kn.predict({id!r})",
)
EXERCISE = Text(
    "an exercise in notebook {lesson}, {id}: {title}", "笔记本 {lesson} 的练习 {id}：{title}"
)
KEPT = Text(
    "Of student {student}, on this machine alone, in {place}; `%swarm progress forget` deletes it.",
    "学生 {student} 的记录只保存在本机的 {place}；`%swarm progress forget` 可将其删除。",
)
GONE = Text("deleted: {place}", "已删除：{place}")
NONE = Text("there is no record of progress", "没有进度记录")


@dataclass(frozen=True, slots=True)
class Report:
    """Shows itself as text, and as a small table in a page."""

    rows: Sequence[Standing]
    who: str

    def cells(self) -> list[list[str]]:
        """The table, heads first, in the reader's language."""
        return [[here(head) for head in HEADS], *map(_row, self.rows)]

    def notes(self) -> list[str]:
        """What to do next, and where the record is."""
        return [_next(self.rows), here(KEPT).format(student=self.who, place=place())]

    def __repr__(self) -> str:
        cells = self.cells()
        wide = [max(map(width, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(fit, row, wide)).rstrip() for row in cells]
        return "\n".join([*lines, "", *self.notes()])

    def _repr_html_(self) -> str:
        head, *rows = self.cells()
        top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes())
        return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{notes}"


def report() -> Report:
    """How far this student has come. Raises UsageFault where the record cannot be read."""
    who = student()

    try:
        return Report(standings(facts(), who), who)
    except OSError as error:
        raise UsageFault(f"cannot read {place()}: {error.strerror}") from None


def forgotten() -> str:
    """Delete the record, of all students on this machine; a word on what was done.

    Raises UsageFault where it cannot be deleted.
    """
    try:
        return here(GONE).format(place=place()) if forget() else here(NONE)
    except OSError as error:
        raise UsageFault(f"cannot delete {place()}: {error.strerror}") from None


def _row(row: Standing) -> list[str]:
    quiz = f"{row.right}/{row.items}" if row.answered else f"–/{row.items}"
    return [
        row.lesson,
        f"{row.passed}/{row.exercises}",
        str(row.tries),
        str(row.minutes),
        f"{row.locked}/{row.questions}",
        quiz if row.items else "–",
        row.next or here(DONE),
    ]


def _next(rows: Sequence[Standing]) -> str:
    """Of the notebook that is begun, or the first one: what it lacks."""
    open_ones = [row for row in rows if row.next]
    begun = [row for row in open_ones if row.tries or row.locked or row.answered]

    if not open_ones:
        return here(ALL)

    row = (begun or open_ones)[0]
    kind = {"p": QUESTION, "q": QUIZ}.get(row.next[0], EXERCISE)
    title = here(exercise(row.next).title) if kind is EXERCISE else ""
    what = here(kind).format(lesson=row.lesson, id=row.next, title=title)
    return here(NEXT).format(what=what)
