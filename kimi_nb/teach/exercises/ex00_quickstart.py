"""Notebook 00: how many times as fast a swarm was."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Summaries = dict[str, str]

SUMMARY = (
    "{agents}, {stages} stages; {steps} steps, {critical} of them critical; "
    "{calls} tool calls\n"
    "wall {wall} s, work {work} s, span {span} s"
)


def _number(summary: str, pattern: str) -> float:
    return float(re.findall(pattern, summary)[0])


def speed_up(given: Summaries) -> float:
    return _wall(given["alone"]) / _wall(given["swarm"])


def _wall(summary: str) -> float:
    return _number(summary, r"wall ([\d.]+) s")


def _agents(given: Summaries) -> float:
    return _number(given["swarm"], r"(\d+) agents")


def _spawned(given: Summaries) -> float:
    return _agents(given) - 1


def _concurrency(given: Summaries) -> float:
    """Work over wall of the swarm alone."""
    return _number(given["swarm"], r"work ([\d.]+) s") / _wall(given["swarm"])


def _in_steps(given: Summaries) -> float:
    pattern = r"(\d+) of them critical"
    return _number(given["alone"], pattern) / _number(given["swarm"], pattern)


def _upside_down(given: Summaries) -> float:
    return 1 / speed_up(given)


def _saved(given: Summaries) -> float:
    return _wall(given["alone"]) - _wall(given["swarm"])


def _by_how_much(given: Summaries) -> float:
    return speed_up(given) - 1


def _pair_of_runs(dice: Random) -> list[list[Any]]:
    """Such that what one may take for the speed-up differs from it, and from the others."""
    while True:
        pair = _pair(dice)
        answers = {round(wrong(pair), 3) for wrong in (speed_up, *WRONG_ONES)}

        if len(answers) > len(WRONG_ONES):
            return [[pair]]


def _pair(dice: Random) -> Summaries:
    ratio = dice.choice([1.5, 2.0, 2.5])
    wall = 2 * dice.randint(15, 40) / 10
    work = wall * (ratio + dice.choice([0.5, 1.0]))
    files = dice.choice([8, 9, 11, 12, 14])
    swarm = SUMMARY.format(
        agents=f"{files + 1} agents",
        stages=4,
        steps=4 + 2 * files,
        critical=6,
        calls=2 + 2 * files,
        wall=wall,
        work=round(work, 1),
        span=round(wall - 0.1, 1),
    )
    alone = round(wall * ratio, 1)
    single = SUMMARY.format(
        agents="1 agent",
        stages=files + 2,
        steps=files + 2,
        critical=files + 2,
        calls=files + 1,
        wall=alone,
        work=alone,
        span=alone,
    )
    return {"swarm": swarm, "alone": single}


WRONG_ONES = (_spawned, _agents, _concurrency, _in_steps, _upside_down, _saved, _by_how_much)


COUNTED = Text(
    "You counted agents. Had half of them only waited, would the clock have shown another time?",
    "你数的是智能体。如果其中一半只是在空等，时钟走过的时间会不一样吗？",
)

SPEED_UP = Exercise(
    id="ex00.speed-up",
    title=Text("How many times as fast", "快了多少倍"),
    task=Text(
        '`given` has the last lines of two summaries, of the same goal: `given["swarm"]` and '
        '`given["alone"]`. Print them. How many times as fast as the agent alone was the swarm? '
        "Bind the number to `speed_up`, without rounding it.",
        '`given` 里是同一个目标两次运行的摘要，各取最后几行：`given["swarm"]` 和 `given["alone"]`。'
        "先把它们打印出来。集群的速度是单个智能体的多少倍？把这个数赋给 `speed_up`，不要四舍五入。",
    ),
    difficulty=1,
    minutes=3,
    form="value",
    name="speed_up",
    stub=(
        "import kimi_nb as kn\n\n"
        'given = kn.given("ex00.speed-up")\n'
        'print(given["swarm"], given["alone"], sep="\\n\\n")\n'
        "speed_up = None"
    ),
    cases=_pair_of_runs,
    solve=speed_up,
    solution=(
        "import re\n\n"
        "def wall(summary):\n"
        '    return float(re.search(r"wall ([\\d.]+) s", summary)[1])\n\n'
        'speed_up = wall(given["alone"]) / wall(given["swarm"])'
    ),
    hints=(
        Text(
            "Fast is about time: which of the figures is the time that passed on the clock?",
            "快慢看的是时间：哪个数字是时钟真正走过的时间？",
        ),
        Text(
            "Two runs, one figure of each, and the longer one stands on top.",
            "两次运行各取一个数字，长的那个作分子。",
        ),
    ),
    mistakes=(
        Mistake(key="M2", wrong=_spawned, says=COUNTED),
        Mistake(key="all-agents", wrong=_agents, says=COUNTED),
        Mistake(
            key="M8",
            wrong=_concurrency,
            says=Text(
                "That is how busy the swarm was, and the agent alone does not occur in it. What "
                "if the swarm's agents do more work in all than the one alone did?",
                "这说的是集群有多忙，根本没用到单个智能体的数字。如果集群的总工作量比单个智能体还"
                "大呢？",
            ),
        ),
        Mistake(
            key="M11",
            wrong=_in_steps,
            says=Text(
                "You divided steps. A step may take a second or a minute: what does the clock say?",
                "你用的是步数之比。一步可能是一秒，也可能是一分钟：时钟走了多久？",
            ),
        ),
        Mistake(
            key="upside-down",
            wrong=_upside_down,
            says=Text(
                "The right figures, but with these the faster a swarm is, the smaller your number.",
                "数字选对了，但照这样算，集群越快，得数反而越小。",
            ),
        ),
        Mistake(
            key="saved",
            wrong=_saved,
            says=Text(
                "These are the seconds that were saved. Three saved seconds of four, or of four "
                "hundred: is the swarm as many times as fast?",
                "这是省下的秒数。四秒里省下三秒，和四百秒里省下三秒，快的倍数一样吗？",
            ),
        ),
        Mistake(
            key="by-how-much",
            wrong=_by_how_much,
            says=Text(
                "That is by how much it was faster, not how many times as fast. What would your "
                "number be for two runs of the same length?",
                "这是快出了多少，不是速度的多少倍。如果两次运行一样长，你的得数会是多少？",
            ),
        ),
    ),
)

EXERCISES = (SPEED_UP,)
