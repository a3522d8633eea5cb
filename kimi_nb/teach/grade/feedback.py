"""A page for each student, in their language: what was right, and what to think about."""

from __future__ import annotations

from kimi_nb.teach.exercise import Exercise
from kimi_nb.teach.grade.batch import Graded
from kimi_nb.teach.grade.mark import Mark
from kimi_nb.teach.grade.submissions import Submission
from kimi_nb.teach.text import Language, Text
from kimi_nb.views.text import escape

__all__ = ["feedback", "file_name"]

TITLE = Text("Feedback for {student}", "{student} 的反馈")
POINTS = Text("{points} of {most} points", "{points} / {most} 分")
CASES = Text("{right} of {cases} cases", "{cases} 个用例中对了 {right} 个")
UNREAD = Text("Not read: {faults}", "无法读取：{faults}")
LONGEST = 150
"""Bytes of a file's name, before its ending."""
_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 45rem; margin: auto; padding: 1rem; }}
h2 {{ font-size: 1.1rem; margin-bottom: 0; }}
p {{ margin-top: .25rem; }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def feedback(graded: Graded, student: Submission) -> str:
    """As HTML. Nothing of hidden cases is in it; all text is escaped."""
    tongue = student.language
    marks = graded.of(student.student)
    asked = {each.id: each for each in graded.exercises}
    points, most = (sum(getattr(mark, name) for mark in marks) for name in ("points", "most"))
    rows = [f"<p>{escape(POINTS.said(tongue).format(points=points, most=most))}</p>"]

    if student.faults:
        faults = "; ".join(student.faults)
        rows.append(f"<p>{escape(UNREAD.said(tongue).format(faults=faults))}</p>")

    rows += [_row(asked[mark.exercise], mark, tongue) for mark in marks]
    title = escape(TITLE.said(tongue).format(student=student.student))
    return _PAGE.format(language=tongue, title=title, body="\n".join(rows))


def _row(asked: Exercise, mark: Mark, tongue: Language) -> str:
    sign = "✔" if mark.passed else "✘"
    points = POINTS.said(tongue).format(points=mark.points, most=mark.most)
    counted = asked.form == "function" and mark.cases and not mark.passed
    cases = CASES.said(tongue).format(right=mark.right, cases=mark.cases) if counted else ""
    head = f"{sign} {asked.id} · {asked.title.said(tongue)}"
    facts = " · ".join(filter(None, [points, cases]))
    return f"<h2>{escape(head)}</h2>\n<p>{escape(facts)}<br>\n{escape(mark.says.said(tongue))}</p>"


def file_name(student: str) -> str:
    """Of a student's page: of a name that is a plain file's on any system."""
    safe = "".join(char if char.isalnum() or char in "-_.@+ " else "_" for char in student)
    cut = safe.encode()[:LONGEST].decode(errors="ignore").strip(". ")
    return f"{cut or '_'}.html"
