"""Pictures and sentences into code that draws them: write, draw, look, compare, mend.

The same rules for all. An agent alone takes one target after the other; an orchestrator lists
them, hands each to a sub-agent, and does itself what comes back without a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kimi_nb.models.simulator import phrases
from kimi_nb.models.simulator.division import Division, Part, label
from kimi_nb.models.simulator.memory import Past
from kimi_nb.models.simulator.options import Options
from kimi_nb.models.simulator.script import Call, Turn
from kimi_nb.models.simulator.skills.figure.sight import missing
from kimi_nb.models.simulator.skills.team import can_hand_out, divided, hand_out, reports
from kimi_nb.models.simulator.tables import read_tables, write_table

if TYPE_CHECKING:
    from kimi_nb.models.simulator.skills.figure.progress import Progress

__all__ = ["division", "turn"]

AGENT = "drawer"
ROLE = (
    "You turn pictures and descriptions into code. You draw what you have written, look at it "
    "beside the target, and mend what differs, until nothing does or it gets no better."
)
HEADERS = ("target", "file", "drafts", "result")
_WHOLE = re.compile(r"\b(?:figure|page)-N+\b")
_TARGET = re.compile(r"\b(?:figure|page)-\d+\.(?:png|txt)\b")
_LISTED = re.compile(r"(?m)^((?:figure|page)-\d+\.(?:png|txt))\t")


def turn(past: Past, tools: frozenset[str], options: Options) -> Turn | None:
    """The next turn; None if the goal names no targets of this kind."""
    del options
    whole = _WHOLE.search(past.goal) is not None
    targets = [] if whole else list(dict.fromkeys(_TARGET.findall(past.goal)))

    if not whole and not targets:
        return None

    if not whole:
        return _cannot() or _work(targets, past, {}, final=False)

    listed = _listed(past)

    if isinstance(listed, Turn):
        return listed

    return _lead(listed, past) if can_hand_out(past, tools) else _work(listed, past, {}, final=True)


def division(past: Past, options: Options) -> Division | Turn | None:
    """The goal in groups of targets, none of which needs another; see `skills.divided_goal`."""
    del options

    if _WHOLE.search(past.goal) is None:
        return None

    listed = _listed(past)

    if isinstance(listed, Turn):
        return listed

    from kimi_nb.models.simulator.skills.figure.progress import Progress, progress

    known = _reported(past)
    groups = divided(past, listed)
    left = [[each for each in group if each not in known] for group in groups]
    found = {each: progress(each, _wanted(each), past) for group in left for each in group}

    def alone(place: int) -> Turn | None:
        return next((_next(found[each]) for each in left[place] if found[each].call), None)

    def join() -> Turn:
        done = {each: _row(each, one) for each, one in found.items() if not one.call} | known
        lost = {each: _row(each, Progress(note="nobody has done it")) for each in listed}
        return Turn(text=_told([(lost | done)[each] for each in listed]))

    return Division(
        parts=tuple(
            Part(
                name=label(group),
                task=_prompt(group),
                work=sum(map(_calls, group)),
                done=not any(found[each].call for each in undone),
            )
            for group, undone in zip(groups, left, strict=True)
        ),
        agent=AGENT,
        role=ROLE,
        alone=alone,
        join=join,
    )


def _cannot() -> Turn | None:
    """What is said where nothing can be seen; None where it can."""
    if not (lacks := missing()):
        return None

    why = f"I cannot look at pictures here: {lacks} is missing; pip install 'kimi-nb[images]'"
    return Turn(text=f"{why}\n\n{phrases.signature(chinese=False)}")


def _listed(past: Past) -> list[str] | Turn:
    """The targets, or how to find them."""
    if (cannot := _cannot()) is not None:
        return cannot

    listed = next((done.result for done in past.done if done.name == "list_files"), None)

    if listed is None:
        thinking = phrases.looking(chinese=False)
        return Turn(thinking=thinking, calls=(Call("list_files", {}),))

    none = f"There are no targets here.\n\n{phrases.signature(chinese=False)}"
    return _LISTED.findall(listed) or Turn(text=none)


def _calls(target: str) -> int:
    """Those that a target takes, reckoned beforehand: a look and two drafts, or one page."""
    return 3 if target.endswith(".txt") else 5


def _lead(targets: Sequence[str], past: Past) -> Turn:
    """Hand the targets out; then do what came back without a file."""
    groups = divided(past, targets)
    thinking = phrases.plan(len(targets), len(groups), chinese=False)
    made = hand_out(past, AGENT, ROLE, [_prompt(group) for group in groups], thinking)

    if made is not None:
        return made

    return _work(targets, past, _reported(past), final=True)


def _reported(past: Past) -> dict[str, tuple[str, ...]]:
    """By target: what sub-agents say of it."""
    return {
        row[0]: tuple(row)
        for _, text in reports(past)
        for table in read_tables(text)
        if tuple(table.headers) == HEADERS
        for row in table.rows
    }


def _prompt(targets: Sequence[str]) -> str:
    lines = "".join(f"- {target} → {_wanted(target)}\n" for target in targets)
    return (
        "Turn each of these targets into code. A .py file makes one matplotlib figure of "
        "4.8 × 3.6 inches at 100 dots per inch; a page is made for 480 × 360 pixels; a .txt says "
        "what a page must do. Draw with shapes and text, without pictures and files.\n"
        f"{lines}Look at what you have drawn, and mend what differs. Report a table: "
        f"{', '.join(HEADERS)}."
    )


def _wanted(target: str) -> str:
    name = target.rsplit(".", 1)[0]
    return f"{name}.py" if name.startswith("figure") else f"{name}.html"


def _work(
    targets: Sequence[str], past: Past, known: dict[str, tuple[str, ...]], *, final: bool
) -> Turn:
    """The next call for the first target that is not done; the table once all are."""
    from kimi_nb.models.simulator.skills.figure.progress import progress

    rows: list[Sequence[str]] = []

    for target in targets:
        if target in known:
            rows.append(known[target])
            continue

        found = progress(target, _wanted(target), past)

        if found.call is not None:
            return _next(found)

        rows.append(_row(target, found))

    return Turn(text=_told(rows) if final else write_table(HEADERS, rows))


def _next(found: Progress) -> Turn:
    return Turn(thinking=found.thinking, calls=(found.call,) if found.call else ())


def _row(target: str, found: Progress) -> tuple[str, ...]:
    result = found.note if found.ok else f"failed: {found.note}"
    return target, _wanted(target), str(found.rounds), result


def _told(rows: Sequence[Sequence[str]]) -> str:
    """The answer to the user."""
    failed = sum(row[3].startswith("failed") for row in rows)
    lacks = f"; {failed} of them failed, the table says why" if failed else ""
    head = f"{len(rows)} targets were turned into code{lacks}."
    return f"{head}\n\n{write_table(HEADERS, rows)}\n\n{phrases.signature(chinese=False)}"
