"""Notebook 06: what belongs together stays together."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any, cast

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

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


def _pairs_only(given: Given) -> Plan:
    return list(given["pairs"])


def _each_alone(given: Given) -> Plan:
    return [[name] for name in given["files"]]


def _judge(output: Any, args: list[Any]) -> str:
    given: Given = args[0]

    if not _is_plan(output):
        return "wrong"

    if sorted(name for shard in output for name in shard) != sorted(given["files"]):
        return "once"

    if not _fits(given, output):
        return "room"

    if any(not any(set(pair) <= set(shard) for shard in output) for pair in given["pairs"]):
        return "apart"

    return "M6" if len(output) > len(_fewest(given)) else ""


def _is_plan(output: Any) -> bool:
    """Lists of names."""
    if not isinstance(output, list):
        return False

    shards = cast("list[list[Any]]", output)

    if not all(isinstance(cast("object", shard), list) and shard for shard in shards):
        return False

    return all(isinstance(name, str) for shard in shards for name in shard)


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
            key="once",
            wrong=_pairs_only,
            says=Text(
                "Not every file is in your plan once: hold its names against those of "
                '`given["files"]`. Who would read the others?',
                '你的计划里，不是每个文件都恰好出现一次：和 `given["files"]` 的名字对一对。'
                "其余的由谁来读？",
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
