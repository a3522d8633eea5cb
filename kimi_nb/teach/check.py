"""`kn.check` and `kn.given`: an exercise in a notebook, at once and in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kimi_nb.errors import UsageFault
from kimi_nb.teach.curriculum import exercise
from kimi_nb.teach.difference import Difference, difference
from kimi_nb.teach.exercise import ODD, RAISED, UNANSWERED, WRONG, Exercise, Verdict
from kimi_nb.teach.language import language
from kimi_nb.teach.plain import Odd, Raised, called
from kimi_nb.teach.progress import record
from kimi_nb.teach.student import student
from kimi_nb.teach.text import Text
from kimi_nb.views.text import escape, fit, one_line

__all__ = ["Checked", "check", "given"]

SHOWN = 200
"""Columns of a case, or of an answer, that are shown."""

PASSED = Text("✔ {id}: right, {cases}", "✔ {id}：正确，{cases}")
FAILED = Text("✘ {id}: not yet, {right} of {cases}", "✘ {id}：还不对，{cases}中对了 {right} 个")
CASES = Text("{n} cases", "{n} 个用例")
CASE = Text("1 case", "1 个用例")
SAYS = {
    UNANSWERED: Text(
        "Nothing is there yet: write {name} in the cell above, run it, then run this one.",
        "还没有答案：请在上面的单元格里写出 {name} 并运行，然后再运行本单元格。",
    ),
    RAISED: Text("It raised {error}: {text}", "运行时出错 {error}：{text}"),
    ODD: Text(
        "It is {what}; give numbers, texts, lists or dicts.",
        "答案的类型不对（{what}）；请给出数字、文本、列表或字典。",
    ),
}
NO_RETURN = Text(
    "It gives nothing back: write {name} in the cell above, with a return, run it, then run this "
    "one.",
    "它什么也没有返回：请在上面的单元格里写出 {name}，记得写 return，运行之后再运行本单元格。",
)
OTHER = Text("The answer is another one. Open a hint below.", "答案不是这个。可以展开下面的提示。")
CALL = Text("With {call} it gave {gave}.", "{call} 得到的是 {gave}。")
RAN = Text("To see it happen, run {call}.", "想看看发生了什么，可以运行 {call}。")
WHOLE = Text("To run this case yourself: {call}", "想自己运行这个用例：{call}")
GAVE = Text("It was {gave}.", "你的答案是 {gave}。")


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of an answer, in words; true if it is right."""

    exercise: Exercise
    verdict: Verdict
    cases: int

    @property
    def case(self) -> list[Any] | None:
        """The arguments of the first case that is wrong; None where all are right."""
        return self.verdict.case

    def __bool__(self) -> bool:
        return self.verdict.passed

    def lines(self) -> list[str]:
        """In the reader's language."""
        tongue = language()
        verdict = self.verdict
        cases = (CASE if self.cases == 1 else CASES).said(tongue).format(n=self.cases)
        right = round(verdict.share * self.cases)
        head = (PASSED if verdict.passed else FAILED).said(tongue)
        told = [head.format(id=self.exercise.id, cases=cases, right=right)]

        if verdict.passed:
            return told

        found = self._differs(verdict)
        differs = [] if found is None or found.says is None else [found.says.said(tongue)]
        why = [] if found is not None and found.rounded else [self._why(verdict).said(tongue)]
        return [*told, *why, *differs, *self._where(verdict)]

    def _why(self, verdict: Verdict) -> Text:
        if verdict.says is not None:
            return verdict.says

        said, facts = self._words(verdict), self._facts(verdict)
        return Text(said.en.format(**facts), said.zh.format(**facts))

    def _facts(self, verdict: Verdict) -> dict[str, str]:
        gave: Any = verdict.gave
        return {
            "name": self.exercise.name,
            "error": gave.error if isinstance(gave, Raised) else "",
            "text": one_line(gave.text) if isinstance(gave, Raised) else "",
            "what": gave.what if isinstance(gave, Odd) else "",
        }

    def _words(self, verdict: Verdict) -> Text:
        if verdict.key == UNANSWERED and self.exercise.form == "function":
            return NO_RETURN

        return SAYS.get(verdict.key, OTHER)

    def _where(self, verdict: Verdict) -> list[str]:
        """The case that was wrong, so that one can try it by oneself."""
        if verdict.case is None or verdict.key == UNANSWERED:
            return []

        tongue = language()

        if self.exercise.form == "value":
            gave = GAVE.said(tongue).format(gave=_short(verdict.gave))
            return [] if verdict.key == ODD else [gave]

        name, args = self.exercise.name, verdict.case
        call = f"{name}({', '.join(map(_short, args))})"
        again = f'{name}(*kn.check("{self.exercise.id}", {name}).case)'
        cut = any(_short(arg) != one_line(repr(arg)) for arg in args)

        if isinstance(verdict.gave, Raised | Odd):
            raised = SAYS[RAISED].said(tongue).format_map(self._facts(verdict))
            ran = RAN.said(tongue).format(call=again if cut else call)
            return [ran] if verdict.says is None else [raised, ran]

        told = CALL.said(tongue).format(call=call, gave=_short(verdict.gave))
        return [told, *([WHOLE.said(tongue).format(call=again)] if cut else [])]

    def _differs(self, verdict: Verdict) -> Difference | None:
        """What no mistake explains, by its place and kind."""
        if verdict.key != WRONG:
            return None

        # Where a judge decides, the right answers have only the kind in common.
        true = called(self.exercise.solve, verdict.case or [])
        return difference(verdict.gave, true, deep=self.exercise.judge is None)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        head, *rest = map(escape, self.lines())
        return f"<p><strong>{head}</strong></p>" + "".join(f"<p>{line}</p>" for line in rest)


def _short(value: object) -> str:
    return fit(one_line(repr(value)), SHOWN).rstrip()


def check(identity: str, answer: object) -> Checked:
    """Whether the answer is right, and if not why: with a message for each known misconception.

    Raises UsageFault where no exercise has that id.
    """
    asked = exercise(identity)
    cases = asked.drawn(student())
    verdict = asked.verdict(asked.outputs(answer, cases), cases)

    if verdict.key != UNANSWERED:
        record("checked", asked.id, passed=verdict.passed, key=verdict.key)

    return Checked(asked, verdict, len(cases))


def given(identity: str) -> Any:
    """The data of an exercise, of this student's own.

    Raises UsageFault where no exercise has that id, and where it asks for a function: that gets
    its data when it is called.
    """
    asked = exercise(identity)

    if asked.form == "function":
        what = f"{identity} asks for a function, {asked.name}(…), which gets its data when called"
        raise UsageFault(f"{what}: kn.check({identity!r}, {asked.name})")

    return asked.drawn(student())[0][0]
