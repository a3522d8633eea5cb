"""Notebook 06: what belongs together stays together. And its quiz."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any, cast

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES", "QUIZ"]

ROOM = 16_000

Given = dict[str, Any]
Plan = list[list[str]]


def _groups(given: Given) -> Plan:
    """What must not be separated."""
    paired = [name for pair in given["pairs"] for name in pair]
    return [*given["pairs"], *([name] for name in given["files"] if name not in paired)]


def _fits(given: Given, plan: Plan) -> bool:
    return all(sum(given["files"][name] for name in shard) <= given["room"] for shard in plan)


def _fewest(given: Given) -> Plan:
    groups = _groups(given)

    for count in range(1, len(groups)):
        for places in product(range(count), repeat=len(groups)):
            plan: Plan = [[] for _ in range(count)]

            for place, group in zip(places, groups, strict=True):
                plan[place] += group

            if _fits(given, plan):
                return plan

    return groups


def _all_in_one(given: Given) -> Plan:
    return [list(given["files"])]


def _each_alone(given: Given) -> Plan:
    return [[name] for name in given["files"]]


def _judge(output: Any, args: list[Any]) -> str:
    given: Given = args[0]

    if not _is_plan(output, set(given["files"])):
        return "wrong"

    if not _fits(given, output):
        return "room"

    if any(not any(set(pair) <= set(shard) for shard in output) for pair in given["pairs"]):
        return "apart"

    return "M6" if len(output) > len(_fewest(given)) else ""


def _is_plan(output: Any, names: set[str]) -> bool:
    """Lists of names, each name once."""
    if not isinstance(output, list):
        return False

    shards = cast("list[list[Any]]", output)

    if not all(isinstance(cast("object", shard), list) and shard for shard in shards):
        return False

    listed = [name for shard in shards for name in shard]
    return all(isinstance(name, str) for name in listed) and sorted(listed) == sorted(names)


def _archive(dice: Random) -> list[list[Any]]:
    """Eight files that do not fit together, three pairs of which no half is of use by itself."""
    names = [f"log-{number:02}" for number in range(1, 9)]
    files = {name: dice.randrange(2_500, 5_000, 100) for name in names}
    mixed = dice.sample(names, 6)
    pairs = [sorted(mixed[place : place + 2]) for place in (0, 2, 4)]
    return [[{"room": ROOM, "files": files, "pairs": pairs}]]


TOGETHER = Exercise(
    id="ex06.together",
    title=Text("Shards that keep together what belongs together", "把分不开的放在同一个分片"),
    task=Text(
        '`given["files"]` has the characters of each file, `given["room"]` how many an agent '
        'remembers. For each of `given["pairs"]` a question is asked that only somebody who '
        "remembers both files can answer. Bind `plan` to a list of shards, each a list of file "
        "names: every file once, every pair in one shard, nothing forgotten, as few shards as "
        "possible.",
        '`given["files"]` 是各文件的字符数，`given["room"]` 是一个智能体能记住的字符数。'
        '`given["pairs"]` 中的每一对都有一个问题，只有同时记得两个文件的人才能回答。'
        "把一个分片的列表赋给 `plan`，每个分片是文件名的列表："
        "每个文件恰好出现一次，每一对都在同一个分片里，什么都不会忘掉，分片数尽可能少。",
    ),
    difficulty=4,
    minutes=10,
    form="value",
    name="plan",
    stub='import kimi_nb as kn\n\ngiven = kn.given("ex06.together")\nplan = None',
    cases=_archive,
    solve=_fewest,
    judge=_judge,
    solution="""\
from itertools import product

import kimi_nb as kn

given = kn.given("ex06.together")
files, pairs = given["files"], given["pairs"]
paired = [name for pair in pairs for name in pair]
groups = pairs + [[name] for name in files if name not in paired]


def packed(count):
    for places in product(range(count), repeat=len(groups)):
        shards = [sum((g for g, p in zip(groups, places) if p == n), []) for n in range(count)]

        if all(shards) and all(sum(files[f] for f in s) <= given["room"] for s in shards):
            return shards


plan = next(filter(None, map(packed, range(1, len(groups) + 1))))""",
    hints=(
        Text(
            "First make one piece of each pair. Then the question is one of packing.",
            "先把每一对并成一块，剩下的就是装箱问题。",
        ),
        Text(
            "How many shards does the sum of all files need at least? Try that many, the largest "
            "piece first.",
            "按总和算，至少需要几个分片？就用这么多试试，从最大的一块放起。",
        ),
    ),
    mistakes=(
        Mistake(
            key="room",
            wrong=_all_in_one,
            says=Text(
                "A shard is larger than the room. Which of its files has the agent forgotten when "
                "it answers?",
                "有一个分片超出了容量。智能体作答时，其中哪些文件已经忘掉了？",
            ),
        ),
        Mistake(
            key="apart",
            wrong=_each_alone,
            says=Text(
                "A pair is torn apart. Sub-agents send each other no messages: who could answer "
                "the question about both files?",
                "有一对被拆开了。子智能体之间不传消息：关于这两个文件的问题，谁能回答？",
            ),
        ),
        Mistake(
            key="M6",
            wrong=_groups,
            says=Text(
                "Nothing is forgotten, but there are more shards than needed, and each one costs "
                "a briefing and a report. Which two shards would fit together?",
                "什么都没忘，但分片比需要的多，每个分片都要花一次分派和一次汇报。"
                "哪两个分片可以合在一起？",
            ),
        ),
    ),
)

EXERCISES = (TOGETHER,)

QUIZ = Quiz(
    id="quiz06",
    items=(
        QuizItem(
            asks=Text(
                "Ten shards read a third of the tokens that one agent read for the same. Why?",
                "处理同样的文件，十个分片读入的 token 只有单个智能体的三分之一。为什么？",
            ),
            options=(
                Option(
                    says=Text(
                        "What runs at the same time is counted only once.",
                        "同时进行的部分只计一次。",
                    ),
                    key="M5",
                ),
                Option(
                    says=Text(
                        "No agent sends files again that others have read.",
                        "没人重发别人读过的文件。",
                    ),
                ),
                Option(
                    says=Text(
                        "Fewer critical steps always mean fewer tokens.",
                        "关键步数少，token 就一定少。",
                    ),
                    key="M11",
                ),
            ),
            because=Text(
                "Each request sends the whole context again. In a small shard there is little "
                "to send again; the files themselves are read as before.",
                "每次请求都要把整个上下文再发一遍。分片小，需要重发的就少；文件本身该读的还是要读。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Five shards remember everything. What do ten shards bring?",
                "五个分片已经什么都不会忘。换成十个分片会怎样？",
            ),
            options=(
                Option(
                    says=Text(
                        "Twice the speed, as there are twice as many agents.",
                        "快一倍，因为智能体多了一倍。",
                    ),
                    key="M1",
                ),
                Option(
                    says=Text(
                        "No harm in any case: more workers never cost.",
                        "至少没有坏处：人多从不费事。",
                    ),
                    key="M6",
                ),
                Option(
                    says=Text(
                        "The same quality, more briefings and reports.",
                        "质量相同，分派和汇报更多。",
                    ),
                ),
            ),
            because=Text(
                "What is remembered already cannot be remembered better. Steps in all grow with "
                "each briefing and report; whether it is faster has to be measured.",
                "已经记住的不可能记得更牢。每多一次分派和汇报，总步数就多一些；是否更快要靠测量。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A chain of clues: each can only be looked for once the one before is found. What "
                "do shards do to it?",
                "一串线索：找到前一条才能去找下一条。分片对它有什么作用？",
            ),
            options=(
                Option(
                    says=Text(
                        "Hand-overs are added, and the chain stays as long.",
                        "多出交接，而链条一样长。",
                    ),
                ),
                Option(
                    says=Text(
                        "The span falls to the longest single clue.",
                        "跨度缩短为最长的一条线索。",
                    ),
                    key="M4",
                ),
                Option(
                    says=Text(
                        "The time falls, the orchestrator works for free.",
                        "用时变短，编排器不费时间。",
                    ),
                    key="M9",
                ),
            ),
            because=Text(
                "What depends on what came before cannot be at the same time, and what one agent "
                "knows has to be written down for the next.",
                "依赖前一步的事不能同时做，而且一个智能体知道的内容要写出来，才能交给下一个。",
            ),
        ),
    ),
)
