"""A swarm beside a single agent on the same goal: what it saved, and what it cost.

A fair comparison or none: runs that differ in more than who did the work are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, cast

import orjson

from kimi_nb.errors import UsageFault
from kimi_nb.trace import Record
from kimi_nb.views.critical import Metrics, metrics
from kimi_nb.views.fold import Fold, as_fold
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.views.state import Run
from kimi_nb.views.text import fit, one_line
from kimi_nb.views.words import SIMULATOR, count, dollars, seconds

__all__ = ["Comparison", "compare"]

SAME = {
    "tools": "the tools differ",
    "folder": "the folders that the file tools see differ",
    "base_url": "the endpoints differ",
    "thinking": "the model is told to think otherwise",
    "max_tokens": "the tokens allowed for a turn differ",
    "simulator": "the simulator's options differ",
}
"""Options of a run that have a say in its time or its answer, whoever does the work."""

SHOWN = 60
"""Characters of a goal that a refusal repeats, around the first that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a swarm did against what one agent did, one run of each."""

    swarm: Metrics
    single: Metrics
    speedup_steps: float | None
    """Critical steps of the single agent for one of the swarm. Below 1 the swarm was slower."""
    speedup_s: float | None
    """The same of the wall time in seconds."""
    times_the_cost: float | None
    """US dollars of the swarm for one of the single agent; None if unknown or nothing was paid."""
    times_the_tokens: float | None
    """Tokens in and out, likewise."""
    times_the_steps: float | None
    """Total steps, likewise: the work that parallel agents add."""
    quality_swarm: float | None
    """In [0, 1], as the judge of both found; None where the same judge has not seen both."""
    quality_single: float | None
    judge: str
    """Who judged both; "" for nobody."""
    notes: tuple[str, ...]
    """What a reader has to know beside the figures."""

    def __repr__(self) -> str:
        head = f"{'':<16}{'swarm':>16}{'single':>16}   "
        lines = [head.rstrip(), *(_line(*row) for row in _rows(self))]
        mark = [SIMULATOR + ", and its times are no model's"] if self.swarm.simulated else []
        return "\n".join([*lines, *mark, *self.notes])


def compare(
    swarm: Fold | Iterable[Record],
    single: Fold | Iterable[Record],
    prices: Mapping[str, Price] = PRICES,
) -> Comparison:
    """Speed-up in critical steps and in seconds, cost, tokens and work, with quality beside them.

    Two traces or runs of one goal: the second by one agent alone (`single=True`, `--single`).
    Raises UsageFault, with all that is in the way, where the comparison would not be fair: another
    goal, model, tools, folder or endpoint, or a run that has not come to an answer.
    """
    many, one = as_fold(swarm), as_fold(single)
    wrong = [*_unfit(many, "the first run"), *_unfit(one, "the second run"), *_apart(many, one)]
    helpers = len(one.sub_agents())

    if helpers:
        turned = "give the single agent second" if not many.sub_agents() else ""
        again = turned or "run the goal once more with single=True"
        wrong.append(f"the second run has {count(helpers, 'sub-agent')}: {again}")

    if wrong:
        raise UsageFault("no fair comparison: " + "; ".join(wrong))

    return _compared(many, one, metrics(many, prices), metrics(one, prices))


def _compared(many: Run, one: Run, swarm: Metrics, single: Metrics) -> Comparison:
    judge, good, alone = _judged(many, one)
    return Comparison(
        swarm=swarm,
        single=single,
        speedup_steps=_ratio(single.critical_steps, swarm.critical_steps),
        speedup_s=_ratio(single.wall_s, swarm.wall_s),
        times_the_cost=_ratio(swarm.cost_usd, single.cost_usd),
        times_the_tokens=_ratio(
            swarm.tokens_in + swarm.tokens_out, single.tokens_in + single.tokens_out
        ),
        times_the_steps=_ratio(swarm.total_steps, single.total_steps),
        quality_swarm=good,
        quality_single=alone,
        judge=judge,
        notes=tuple(_notes(many, one, judge)),
    )


def _unfit(run: Run, which: str) -> list[str]:
    if run.status in {"finished", "partial"}:
        return []

    state = run.status.replace("_", " ")
    return [f"{which} is {state}: it has not come to an answer (await it, or kn.resume it)"]


def _apart(many: Run, one: Run) -> list[str]:
    """In what the two runs differ though they should not."""
    found: list[str] = []

    if many.goal != one.goal:
        pairs = zip(many.goal, one.goal, strict=False)
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        begin = max(0, alike - SHOWN // 2)
        goals = (one_line(run.goal[begin : begin + SHOWN]) for run in (many, one))
        found.append("the goals differ ({!r}, {!r})".format(*goals))

    if many.model != one.model:
        found.append(f"the models differ ({one_line(many.model)}, {one_line(one.model)})")

    has, had = _options(many), _options(one)
    other = {key: said for key, said in SAME.items() if has.get(key) != had.get(key)}

    if has.get("judge") and has.get("judge") == had.get("judge"):
        other.pop("folder", None)  # each run of a world has a fresh copy of its own

    if "tools" in other:
        other["tools"] += f" ({_tools_apart(has, had)})"

    return [*found, *other.values()]


def _tools_apart(has: Mapping[str, Any], had: Mapping[str, Any]) -> str:
    ours, theirs = (cast("dict[str, Any]", options.get("tools") or {}) for options in (has, had))
    names = [name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)]
    return one_line(", ".join(sorted(names)))


def _options(run: Run) -> dict[str, Any]:
    try:
        found: object = orjson.loads(run.options or "{}")
    except orjson.JSONDecodeError:
        return {}

    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _ratio(over: float | None, under: float | None) -> float | None:
    return None if over is None or not under else round(over / under, 4)


def _judged(many: Run, one: Run) -> tuple[str, float | None, float | None]:
    """The latest judge of both, and the quality that it found in each."""
    ours = {judged.by: judged.quality for judged in many.judgements}
    theirs = {judged.by: judged.quality for judged in one.judgements}
    both = [by for by in ours if by in theirs]
    return (both[-1], ours[both[-1]], theirs[both[-1]]) if both else ("", None, None)


def _notes(many: Run, one: Run, judge: str) -> list[str]:
    found = ["One run of each: the next pair may differ."]

    if not judge:
        found.append("Nobody judged both answers: a faster answer need not be as good.")

    if not many.sub_agents():
        found.append("The first run launched no sub-agent: it is one agent against one.")

    for run, which in ((many, "swarm"), (one, "single agent")):
        unsuccessful = [one_line(judged.by) for judged in run.judgements if not judged.success]

        if unsuccessful:
            found.append(f"The {which} did not succeed, says {', '.join(unsuccessful)}.")

        if run.status == "partial":
            found.append(f"The {which} is partial: {one_line(run.why)}")

        if run.resumed or run.forked_from:
            found.append(f"The {which} went on after a break, which is not in its time.")

        if run.estimated:
            found.append(f"Some tokens of the {which} are estimates.")

    if "tools" not in _options(many):
        found.append("The traces do not say which tools there were.")

    return found


def _rows(found: Comparison) -> list[tuple[str, str, str, str]]:
    many, one = found.swarm, found.single

    def row(name: str, show: Callable[[Metrics], str], note: str) -> tuple[str, str, str, str]:
        return name, show(many), show(one), note

    rows = [
        row("critical steps", _critical, _times(found.speedup_steps, "as fast")),
        row("wall", lambda m: seconds(m.wall_s), _times(found.speedup_s, "as fast")),
        row(
            "total steps", lambda m: f"{m.total_steps:,}", _times(found.times_the_steps, "the work")
        ),
        row("tokens", _tokens, _times(found.times_the_tokens, "the tokens")),
        row(
            "cost",
            lambda m: dollars(m.cost_usd, simulated=many.simulated),
            _times(found.times_the_cost, "the cost"),
        ),
    ]

    if found.judge:
        good, alone = f"{found.quality_swarm:.2f}", f"{found.quality_single:.2f}"
        rows.append(("quality", good, alone, f"judged by {one_line(found.judge)}"))

    return rows


def _critical(measured: Metrics) -> str:
    return f"{measured.critical_steps:,}"


def _tokens(measured: Metrics) -> str:
    return f"{measured.tokens_in + measured.tokens_out:,}"


def _times(ratio: float | None, what: str) -> str:
    return "" if ratio is None else f"{ratio:.2f}× {what}"


def _line(name: str, many: str, one: str, note: str) -> str:
    cells = f"{name:<16}{fit(many, 16, right=True)}{fit(one, 16, right=True)}"
    return f"{cells}   {note}".rstrip()
