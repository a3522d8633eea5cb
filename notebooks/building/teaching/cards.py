"""The card game as one HTML file to print on A4: rules, cards with cut lines, sheets."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from markdown_it import MarkdownIt

from building.source import Source
from building.teaching import tables
from building.teaching.filling import Fill, filled, said
from building.teaching.game import AFTER, COST, ENOUGH, KNOT, ROUNDS, WARM, WIDE, Job
from kimi_nb.teach.text import Language, Text

__all__ = ["sheet"]

PARSER = MarkdownIt("commonmark").enable("table")
ON_A_PAGE = 8
STYLE = Path(__file__).with_name("cards.css")
CUT = Text("✂ cut along the dashed lines", "✂ 沿虚线剪开")
TASK = Text("Task {n}", "任务 {n}")
STEPS = Text("{n} steps", "{n} 步")
GIVEN = Text(
    "Given away: tick “+1” first. After the barrier toss a coin: tails, and it goes back undone.",
    "交给子智能体时，先勾“+1”。屏障之后抛硬币：反面，卡片未完成，退回。",
)
TIED = Text(
    "Given away: tick “+1” first, no coin. Knots belong together: this one then counts half.",
    "交给子智能体时，先勾“+1”，不抛硬币。缠活分不开：交出去只算一半。",
)
EMPTY = Text("Blank", "空白卡")
EMPTY_ABOUT = Text(
    "A sub-agent with nothing to do. Tick the box and report “done”. Counts as launched.",
    "无事可做的子智能体。勾一格，报告“完成”。计入创建数。",
)
WARMING = Text("Warm-up", "热身")
EVEN = Text("Warm-up, evenly", "热身，均分")
SUB = Text("Sub-agent a{n}", "子智能体 a{n}")
SUB_ABOUT = Text(
    "You know what your card says, nothing else. Tick one box at each clap. Then stand at the "
    "barrier and say “done”. Do not talk to other sub-agents.",
    "你只知道卡上写的内容。每击掌一次勾一格。做完站到屏障前，说“完成”。不与其他子智能体交谈。",
)
LEAD = Text("Orchestrator", "编排器")
LEAD_ABOUT = Text(
    "You see the whole job, hand out once, wait at the barrier for the last one, and do the rest.",
    "你看得到整份活，只发一次卡，在屏障前等最后一个，其余自己做。",
)
BARRIER = Text("BARRIER", "屏障")
BARRIER_ABOUT = Text(
    "Nobody goes on until the last sub-agent of this stage stands here.",
    "本阶段最后一个子智能体站到这里之前，谁也不能继续。",
)
LAMBDA = Text("What r_parallel is worth in this trial", "本次试验中 r_parallel 值多少")
WAITS = Text("waits for {n}", "等 {n}")
FREE = Text("waits for nobody", "不用等")
GRAHAM = Text("Last round", "最后一轮")


def sheet(source: Source, language: Language) -> str:
    """All of it, in one language."""
    fills: dict[str, Fill] = {
        "expected": lambda _, spoken: tables.expected_table(spoken),
        "example": lambda _, spoken: tables.example_table(spoken),
        "graham": lambda _, spoken: tables.graham_table(spoken),
        "schedules": lambda _, spoken: tables.schedules(spoken),
        "scores": lambda _, spoken: tables.scores(spoken),
        "warm": lambda _, spoken: tables.warm_table(spoken),
        "cards": lambda _, spoken: "\n".join(_pages(spoken)),
    }
    title = html.escape(source.front["title"][language])
    body = (filled(said(pair, language), language, fills) for pair in source.pairs())
    pages = "".join(f"<section>\n{PARSER.render(text)}</section>\n" for text in body)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<!-- Made by python notebooks/build.py; edit src/{source.path.name}. -->\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n{pages}</html>\n"
    )


def _pages(language: Language) -> Iterable[str]:
    """Every page of cards; a section each, closed and opened around it."""
    cards = [
        *_jobs(WIDE, GIVEN, language),
        *_jobs(KNOT, TIED, language),
        *(_worker(WARM[0], n, WARMING, language) for n in range(4)),
        *(_worker(WARM[1], n, EVEN, language) for n in range(4)),
        *(_weight(weight, language) for weight in _weights()),
        _card(LEAD.said(language), 0, LEAD_ABOUT.said(language), ""),
        *[_card(EMPTY.said(language), 1, EMPTY_ABOUT.said(language), "")] * ENOUGH,
        *(_sub(n, language) for n in range(1, ENOUGH + 1)),
        *(_graham(task, language) for task in COST),
        _barrier(language),
    ]
    pages = [cards[at : at + ON_A_PAGE] for at in range(0, len(cards), ON_A_PAGE)]
    cut = f'<p class="scissors">{CUT.said(language)}</p>'
    made = [f'{cut}<div class="cards">{"".join(page)}</div>' for page in pages]
    yield "</section><section>".join(made)


def _jobs(job: Job, about: Text, language: Language) -> Iterable[str]:
    name = job.name.said(language)

    for number in range(1, job.cards + 1):
        title = TASK.said(language).format(n=number)
        yield _card(title, job.steps, about.said(language), name, start=True)


def _worker(steps: tuple[int, ...], place: int, kind: Text, language: Language) -> str:
    title = STEPS.said(language).format(n=steps[place])
    return _card(title, steps[place], f"a{place + 1}", kind.said(language))


def _sub(number: int, language: Language) -> str:
    return _card(SUB.said(language).format(n=number), 0, SUB_ABOUT.said(language), "")


def _weights() -> list[float]:
    return sorted({weight for _, trials in ROUNDS for _, weight in trials})


def _weight(weight: float, language: Language) -> str:
    return _card(f"λ = {weight:g}", 0, LAMBDA.said(language), "")


def _graham(task: str, language: Language) -> str:
    before = ", ".join(AFTER.get(task, ()))
    waits = WAITS.said(language).format(n=before) if before else FREE.said(language)
    return _card(task, COST[task], waits, GRAHAM.said(language))


def _barrier(language: Language) -> str:
    about = BARRIER_ABOUT.said(language)
    return _card(BARRIER.said(language), 0, about, "", kind="card wide")


def _card(
    title: str, boxes: int, about: str, corner: str, *, start: bool = False, kind: str = "card"
) -> str:
    dotted = '<i class="start">+1</i>' if start else ""
    drawn = f'<div class="boxes">{dotted}{"<i></i>" * boxes}</div>' if boxes else ""
    inner = f"<b>{title}</b>{drawn}<small>{about}</small>"
    return f'<div class="{kind}">{inner}<span class="kind">{corner}</span></div>'
