"""What the doctor found: one check a line, and what to do where one failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from kimi_nb.tools.render import clean
from kimi_nb.views.text import escape, fit, one_line

__all__ = ["Check", "Finding", "Report", "check_of", "failed", "passed", "unfit"]

NAME_WIDTH = 10
DETAIL_MAX = 600
"""Characters of one detail: an endpoint may say much."""
_RESULTS = {True: "✔ pass", False: "✘ fail", None: "– n/a"}


class Finding(NamedTuple):
    """How one check went, in words that may be an endpoint's own."""

    ok: bool | None
    detail: str
    todo: str = ""
    final: bool = False
    """No later check can succeed."""


def passed(detail: str) -> Finding:
    """All is well."""
    return Finding(ok=True, detail=detail)


def failed(detail: str, todo: str, *, final: bool = False) -> Finding:
    """Something is wrong, and `todo` says what to do about it."""
    return Finding(ok=False, detail=detail, todo=todo, final=final)


def unfit(detail: str) -> Finding:
    """Not applicable here."""
    return Finding(ok=None, detail=detail)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report, without keys and without control characters."""

    name: str
    ok: bool | None
    """None: not applicable here, or not tried; the detail says which."""
    detail: str
    todo: str = ""
    """What to do; "" unless it failed."""

    @property
    def result(self) -> str:
        """The verdict as a sign and a word."""
        return _RESULTS[self.ok]

    def __str__(self) -> str:
        todo = f"\n{'':8} {'':{NAME_WIDTH}} → {self.todo}" if self.todo else ""
        return f"{self.result:8} {fit(self.name, NAME_WIDTH)} {self.detail}{todo}"


def check_of(name: str, finding: Finding) -> Check:
    """The finding as a line that may be shown anywhere."""
    return Check(name, finding.ok, _tidy(finding.detail), _tidy(finding.todo))


def _tidy(text: str) -> str:
    line = one_line(clean(text))
    return line if len(line) <= DETAIL_MAX else line[: DETAIL_MAX - 1] + "…"


class Report(list[Check]):
    """The checks, in their order, and what the calls cost."""

    calls: int = 0
    """Model calls that were answered."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: float | None = 0.0
    """None: the model's price is not known."""

    @property
    def ok(self) -> bool:
        """Nothing failed."""
        return all(check.ok is not False for check in self)

    @property
    def bill(self) -> str:
        """What the calls cost, in one line; "" if there were none."""
        if not self.calls:
            return ""

        cost = "what that costs is not known"

        if self.cost_usd is not None:
            cost = f"${self.cost_usd:.4f}" if self.cost_usd else "$0"

        return (
            f"{self.calls} calls: {self.tokens_in:,} tokens in ({self.tokens_cached:,} cached), "
            f"{self.tokens_out:,} out; {cost}"
        )

    def as_dict(self) -> dict[str, Any]:
        """{"checks": [{"name", "ok", "detail", "todo"}], "calls", "tokens_in", …}."""
        return {
            "checks": [asdict(check) for check in self],
            "calls": self.calls,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "tokens_cached": self.tokens_cached,
            "cost_usd": self.cost_usd,
        }

    def __repr__(self) -> str:
        return "\n".join([*map(str, self), *filter(None, [self.bill])])

    def _repr_html_(self) -> str:
        rows = [(check.result, check.name, check.detail, check.todo) for check in self]
        wide = 4 if any(check.todo for check in self) else 3
        head = _row("th", ("result", "check", "detail", "what to do")[:wide])
        body = "".join(_row("td", row[:wide]) for row in rows)
        bill = f"<p>{escape(self.bill)}</p>" if self.calls else ""
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{bill}"


def _row(tag: str, texts: Iterable[str]) -> str:
    """A row of a table; the first two columns do not wrap."""
    style = ["text-align:left;white-space:nowrap"] * 2 + ["text-align:left"] * 2
    cells = (
        f'<{tag} style="{how}">{escape(text)}</{tag}>'
        for how, text in zip(style, texts, strict=False)
    )
    return f"<tr>{''.join(cells)}</tr>"
