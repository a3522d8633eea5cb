"""The tables of the card game's sheets, reckoned from the game's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from building.teaching.game import (
    EXAMPLE,
    KNOT,
    ROUNDS,
    WARM,
    WIDE,
    Trial,
    expected,
    graham,
)
from kimi_nb.teach.text import Language, Text

__all__ = [
    "example_table",
    "expected_table",
    "graham_table",
    "schedules",
    "scores",
    "warm_table",
]

HEAD = (
    Text("round", "轮"),
    Text("job", "活"),
    Text("λ", "λ"),
    Text("given away", "交出"),
    Text("blank", "空白"),
    Text("came back", "退回"),
    Text("Critical Steps", "关键步数"),
    Text("total steps", "总步数"),
    Text("quality Q", "质量 Q"),
    Text("r_parallel", "r_parallel"),
    Text("r_perf", "r_perf"),
    Text("reward", "奖励"),
)
EXPECTED = (
    Text("job", "活"),
    Text("given away", "交出"),
    Text("blank", "空白"),
    Text("λ = 0", "λ = 0"),
    Text("λ = 0.25", "λ = 0.25"),
    Text("λ = 0.5", "λ = 0.5"),
)
WEIGHTS = (0.0, 0.25, 0.5)
CHOICES = (
    *((WIDE, real, 0) for real in (0, 1, 2, 3, 4, 6, 8)),
    (WIDE, 0, 8),
    (KNOT, 0, 0),
    (KNOT, 0, 8),
    (KNOT, 4, 0),
    (KNOT, 4, 4),
)
"""What a team may do: the job, cards given away, blank ones."""
WARMED = (
    Text("sub-agents", "子智能体"),
    Text("total steps", "总步数"),
    Text("the stage alone", "仅此阶段"),
    Text("Critical Steps", "关键步数"),
)
CASES = (
    (Text("2 workers", "2 个工作者"), graham(2)),
    (Text("3 workers", "3 个工作者"), graham(3)),
    (Text("4 workers", "4 个工作者"), graham(4)),
    (
        Text("3 workers, every card one step shorter", "3 个工作者，每张卡少一步"),
        graham(3, shorter=1),
    ),
    (
        Text("3 workers, cards 5 and 6 wait for nobody", "3 个工作者，卡 5 和卡 6 不用等"),
        graham(3, without=("5", "6")),
    ),
)
CLAPS = (Text("who", "谁来做"), Text("claps", "击掌次数"))
WORKER = Text("worker {n}", "工作者 {n}")
DRAWN = Text("{who}: {claps:g} claps", "{who}：{claps:g} 次击掌")
SCALE, LANE, LEFT = 34, 30, 80
"""Of a drawn schedule: width of a step, height of a lane, room for names."""


def expected_table(language: Language) -> str:
    """The mean reward of each choice."""
    rows = [
        [job.name.said(language), real, blank]
        + [f"{expected(job, real, blank, weight):.2f}" for weight in WEIGHTS]
        for job, real, blank in CHOICES
    ]
    return _table([head.said(language) for head in EXPECTED], rows, "expected")


def example_table(language: Language) -> str:
    """A game as it may go."""
    trials = iter(EXAMPLE)
    rows = [
        _scored(name, next(trials), weight, language)
        for name, asked in ROUNDS
        for _, weight in asked
    ]
    return _table([head.said(language) for head in HEAD], rows, "example")


def scores(language: Language) -> str:
    """The sheet to fill in."""
    rows = [
        [name, job.name.said(language), f"{weight:g}", *[""] * (len(HEAD) - 3)]
        for name, asked in ROUNDS
        for job, weight in asked
    ]
    return _table([head.said(language) for head in HEAD], rows, "blank")


def warm_table(language: Language) -> str:
    """The report's example, and dealt out evenly."""
    rows = [
        [", ".join(map(str, steps)), 3 + sum(steps), 1 + max(steps), 3 + max(steps)]
        for steps in WARM
    ]
    return _table([head.said(language) for head in WARMED], rows, "warm")


def graham_table(language: Language) -> str:
    """How long each crew takes."""
    rows = [[who.said(language), f"{found.seconds:g}"] for who, found in CASES]
    return _table([head.said(language) for head in CLAPS], rows, "graham")


def schedules(language: Language) -> str:
    """Who does what and when, with three and with four workers."""
    drawn = (
        _schedule(who, language, workers) for workers, (who, _) in ((3, CASES[1]), (4, CASES[2]))
    )
    return "".join(drawn)


def _schedule(who: Text, language: Language, workers: int) -> str:
    found = graham(workers)
    said = DRAWN.said(language).format(who=who.said(language), claps=found.seconds)
    high = 24 + workers * LANE
    boxes = "".join(
        f'<rect x="{LEFT + row.began * SCALE:g}" y="{24 + (row.worker - 1) * LANE:g}" '
        f'width="{(row.ended - row.began) * SCALE:g}" height="{LANE - 4}" fill="#fff" '
        f'stroke="#000" stroke-width="1.5"/>'
        f'<text x="{LEFT + row.began * SCALE + 8:g}" y="{43 + (row.worker - 1) * LANE:g}">'
        f"{row.task}</text>"
        for row in found.rows
    )
    names = "".join(
        f'<text x="0" y="{43 + (n - 1) * LANE}">{WORKER.said(language).format(n=n)}</text>'
        for n in range(1, workers + 1)
    )
    return (
        f'<svg role="img" aria-label="{said}" viewBox="0 0 600 {high}" font-size="14" '
        f'font-family="sans-serif"><text x="0" y="14" font-weight="bold">{said}'
        f"</text>{names}{boxes}</svg>"
    )


def _scored(name: str, trial: Trial, weight: float, language: Language) -> list[object]:
    return [
        name,
        trial.job.name.said(language),
        f"{weight:g}",
        trial.real,
        trial.blank,
        trial.back,
        trial.critical(),
        trial.total(),
        f"{trial.quality():.4g}",
        f"{trial.parallel():.4g}",
        f"{trial.performance():.4g}",
        f"{trial.reward(weight):.4g}",
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], kind: str) -> str:
    """Without line breaks, which would end it within Markdown."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{kind}"><tr>{top}</tr>{body}</table>'
