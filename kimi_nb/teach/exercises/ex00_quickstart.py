"""Notebook 00: the quickstart."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "PREDICTIONS", "QUIZ"]

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


def _pair_of_runs(dice: Random) -> list[list[Any]]:
    """Speed-up, agents, concurrency and the ratio in critical steps all differ."""
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
    return [[{"swarm": swarm, "alone": single}]]


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
    ),
)

EXERCISES = (SPEED_UP,)

PREDICTIONS = (
    Question(
        id="p00.critical",
        asks=Text(
            "A hundred sub-agents share out the installed packages, and each takes a few steps: "
            "some hundreds in all. How many of these are critical steps, which must follow one "
            "another before the run can end?",
            "一百个子智能体分担所有已安装的包，每个走几步，合计几百步。其中有多少是关键步数，"
            "也就是必须一步接一步走完、运行才能结束的步数？",
        ),
        of="critical_steps",
    ),
)

QUIZ = Quiz(
    id="quiz00",
    items=(
        QuizItem(
            asks=Text(
                "A goal was given to a swarm and to one agent alone. What is the speed-up?",
                "同一个目标交给了集群和单个智能体。加速比是什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "The number of sub-agents that it launched", "集群启动的子智能体的数量"
                    ),
                    key="M2",
                ),
                Option(
                    says=Text(
                        "The time alone, divided by the swarm's time", "单独用时除以集群的用时"
                    )
                ),
                Option(
                    says=Text(
                        "The most agents that were at work together", "同时在工作的智能体的峰值"
                    ),
                    key="M8",
                ),
                Option(
                    says=Text(
                        "The tokens alone, divided by the swarm's tokens",
                        "单独用的 token 除以集群用的",
                    ),
                    key="M11",
                ),
            ),
            because=Text(
                "Faster means that less time passes; so two times are compared, of the same goal.",
                "快，就是用时更短；所以要比的是同一个目标的两个用时。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Five sub-agents take 40 seconds, the orchestrator's own steps included. Fifty "
                "take the same goal. How long?",
                "五个子智能体用了 40 秒，其中包括编排器自己的步骤。同一个目标换成五十个，要多久？",
            ),
            options=(
                Option(
                    says=Text(
                        "4 seconds: ten times as many agents share the work",
                        "4 秒：十倍的智能体来分担",
                    ),
                    key="M1",
                ),
                Option(
                    says=Text(
                        "As long as its mean sub-agent takes for its own part",
                        "就是各子智能体用时的平均值",
                    ),
                    key="M3",
                ),
                Option(
                    says=Text(
                        "More than 4 seconds: the orchestrator's steps stay",
                        "超过 4 秒：编排器那几步还在",
                    )
                ),
            ),
            because=Text(
                "Only what was handed out is divided further. Planning, briefing and joining are "
                "not, and with fifty reports joining gets longer.",
                "能继续拆的只有分派出去的部分。规划、分派和汇总拆不了，报告有五十份时汇总还会更久。"
                "",
            ),
        ),
        QuizItem(
            asks=Text(
                "With three small files the swarm was no faster than one agent alone, and it took "
                "twice the steps. Why?",
                "只有三个小文件时，集群并不比单个智能体快，步数却是两倍。为什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "It went wrong: work that is shared is less work in all",
                        "出错了：分担之后总工作量应该变小",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "Handing out and joining cost steps of their own as well",
                        "分派和汇总本身也要花步数",
                    )
                ),
                Option(
                    says=Text(
                        "It had too few agents: with twenty it would have been faster",
                        "智能体太少：有二十个就会更快",
                    ),
                    key="M6",
                ),
            ),
            because=Text(
                "An orchestrator plans, briefs and joins; one agent alone need not. It is worth it "
                "where the parts are large or many.",
                "编排器要规划、分派、汇总，单个智能体都不用付这些开销。拆出的部分足够大或足够多时"
                "才划算。",
            ),
        ),
    ),
)
