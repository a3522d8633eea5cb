"""Notebook 06: context sharding. How many shards, and what is read again."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Shards = list[list[int]]


def shards(sizes: list[int], room: int) -> int:
    count, used = 0, room

    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0

        used += size

    return count


def _as_if_cut(sizes: list[int], room: int) -> int:
    return -(-sum(sizes) // room)


def _by_mean(sizes: list[int], room: int) -> int:
    fit = int(room // (sum(sizes) / len(sizes)))
    return -(-len(sizes) // fit)


def _one_each(sizes: list[int], room: int) -> int:
    del room
    return len(sizes)


def _moved(sizes: list[int], room: int) -> int:
    """As if a shard could be of any files: the largest first, each where it fits."""
    left: list[int] = []

    for size in sorted(sizes, reverse=True):
        place = next((at for at, free in enumerate(left) if size <= free), len(left))
        left += [room] if place == len(left) else []
        left[place] -= size

    return len(left)


def _not_full(sizes: list[int], room: int) -> int:
    """A file that fills the room exactly begins another shard."""
    return shards(sizes, room - 1)


def _folders(dice: Random) -> list[list[Any]]:
    """In the first two, sum and mean are too few; in the third, one shard holds all.

    Then files that fill it exactly, and files that would fit together better in another order.
    """
    room = dice.choice([8_000, 10_000, 12_000, 16_000])
    large, small = 9 * room // 10, room // 20
    folders: list[list[Any]] = [
        [[6 * room // 10] * dice.randint(3, 5), room],
        [[large, large, small, small, small, small], room],
        [[small] * dice.randint(3, 6), room],
        [[room // 2] * 4, room],
        [[7 * room // 10] * 2 + [3 * room // 10] * 2, room],
        [[9 * room // 10, room // 5] * 2, room],
    ]
    folders += [
        [[dice.randint(room // 20, room) for _ in range(dice.randint(5, 9))], room]
        for _ in range(2)
    ]
    return folders


SHARDS = Exercise(
    id="ex06.shards",
    title=Text("The fewest shards that fit", "最少要几个分片"),
    task=Text(
        "`sizes` has the characters of each file, in order. An agent remembers the last `room` "
        "characters that it read. A shard is a run of neighbouring files, a file is never cut, and "
        "an agent must remember all of its shard. Return the fewest shards.",
        "`sizes` 依次是各文件的字符数。一个智能体只记得最近读到的 `room` 个字符。"
        "一个分片是若干相邻的文件，文件不能切开，智能体必须记住自己分片的全部内容。返回最少的分片数。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="shards",
    stub='def shards(sizes, room):\n    """The fewest shards, each within the room."""\n    ...',
    cases=_folders,
    solve=shards,
    hints=(
        Text("When must a new shard begin?", "什么时候必须开始一个新的分片？"),
        Text(
            "Go through the files once; keep a count of shards and what the last one holds.",
            "把文件过一遍；记下分片的个数，以及最后一个分片已装了多少。",
        ),
    ),
    mistakes=(
        Mistake(
            key="whole",
            wrong=_as_if_cut,
            says=Text(
                "You divided the sum by the room. With room for 10: into how many shards do three "
                "files of 6 go?",
                "你用总和除以容量。容量为 10 时，三个大小为 6 的文件要分成几个分片？",
            ),
        ),
        Mistake(
            key="M3",
            wrong=_by_mean,
            says=Text(
                "You reckoned with the mean file. What does the agent forget that gets the two "
                "longest ones?",
                "你是按平均大小算的。分到最长两个文件的那个智能体会忘掉什么？",
            ),
        ),
        Mistake(
            key="moved",
            wrong=_moved,
            says=Text(
                "You put files together that are no neighbours. With room for 10: into how many "
                "shards do files of 7, 7, 3 and 3 go in this order?",
                "你把不相邻的文件放到了一起。容量为 10 时，大小依次为 7、7、3、3 的文件，"
                "按这个顺序要分成几个分片？",
            ),
        ),
        Mistake(
            key="full",
            wrong=_not_full,
            says=Text(
                "Your shards are never quite full. With room for 10: do two files of 5 fit?",
                "你的分片从来装不满。容量为 10 时，两个大小为 5 的文件装得下吗？",
            ),
        ),
        Mistake(
            key="each",
            wrong=_one_each,
            says=Text(
                "One shard for each file always fits, but each agent has to be told what to do and "
                "has to report. How many of the small files fit together?",
                "每个文件一个分片当然装得下，但每个智能体都要先分派、后汇报。"
                "小文件有几个可以放在一起？",
            ),
        ),
    ),
)


def tokens_read(brief: int, shards: list[list[int]]) -> int:
    total = 0

    for files in shards:
        context = brief
        total += context

        for file in files:
            context += file
            total += context

    return total


def _longest_only(brief: int, shards: Shards) -> int:
    return max(tokens_read(brief, [files]) for files in shards)


def _read_once(brief: int, shards: Shards) -> int:
    return sum(brief + sum(files) for files in shards)


def _without_answer(brief: int, shards: Shards) -> int:
    return sum(tokens_read(brief, [files[:-1]]) for files in shards)


def _without_first(brief: int, shards: Shards) -> int:
    return tokens_read(brief, shards) - brief * len(shards)


def _one_context(brief: int, shards: Shards) -> int:
    """Whoever begins knows what the one before has read."""
    before = [sum(map(sum, shards[:place])) for place in range(len(shards))]
    return sum(tokens_read(brief + n, [files]) for n, files in zip(before, shards, strict=True))


def _teams(dice: Random) -> list[list[Any]]:
    """The same files alone, in pairs, each by itself; and teams of other sizes."""
    brief = dice.randint(80, 400)
    files = [dice.randint(300, 2_000) for _ in range(6)]
    drawn: list[list[Any]] = [
        [brief, [files]],
        [brief, [files[:2], files[2:4], files[4:]]],
        [brief, [[file] for file in files]],
    ]

    for _ in range(2):
        sizes = [dice.randint(1, 5) for _ in range(dice.randint(2, 4))]
        drawn.append([brief, [[dice.randint(300, 2_000) for _ in range(n)] for n in sizes]])

    return drawn


TOKENS = Exercise(
    id="ex06.tokens",
    title=Text("What is read again", "被反复重读的部分"),
    task=Text(
        "`shards` has for each agent the tokens of its files. Its first request sends `brief` "
        "tokens and asks for the first file. Each further request sends everything so far, with "
        "the file that came, and asks for the next; the last one has all files and gets the "
        "answer. Return the tokens that all agents read together.",
        "`shards` 中依次是每个智能体各文件的 token 数。它的第一次请求发送 `brief` 个 token，"
        "并索取第一个文件。此后每次请求都发送到目前为止的全部内容（包括刚拿到的文件），再索取下一个；"
        "最后一次请求带着所有文件，换回答案。返回所有智能体合计读入的 token 数。",
    ),
    difficulty=3,
    minutes=8,
    form="function",
    name="tokens_read",
    stub='def tokens_read(brief, shards):\n    """Tokens in, of all requests."""\n    ...',
    cases=_teams,
    solve=tokens_read,
    hints=(
        Text(
            "How many requests does an agent with three files make?",
            "有三个文件的智能体一共发出几次请求？",
        ),
        Text(
            "With files of 5 and 7 the requests send brief, brief + 5 and brief + 5 + 7.",
            "文件为 5 和 7 时，各次请求依次发送 brief、brief + 5、brief + 5 + 7。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M5",
            wrong=_longest_only,
            says=Text(
                "You counted only the agent that reads most. Who pays for what the others read at "
                "the same time?",
                "你只算了读得最多的那个智能体。其他智能体同时读的那些，由谁付钱？",
            ),
        ),
        Mistake(
            key="once",
            wrong=_read_once,
            says=Text(
                "You counted each file once. An endpoint keeps nothing between two requests: what "
                "does the second request have to send?",
                "每个文件你只算了一次。接口在两次请求之间什么也不保留：第二次请求要发送什么？",
            ),
        ),
        Mistake(
            key="last",
            wrong=_without_answer,
            says=Text(
                "One request is missing. Which one carries the last file, and what does it get?",
                "少了一次请求。是哪次请求带着最后一个文件，它换回了什么？",
            ),
        ),
        Mistake(
            key="first",
            wrong=_without_first,
            says=Text(
                "One request of each agent is missing. Before it has any file: how does it come "
                "by the first?",
                "每个智能体都少算了一次请求。它手里还没有文件时，第一个文件是怎么来的？",
            ),
        ),
        Mistake(
            key="carried",
            wrong=_one_context,
            says=Text(
                "Your second agent begins with what the first has read. What is in a sub-agent's "
                "context when it begins?",
                "你的第二个智能体一开始就带着第一个读过的内容。子智能体刚开始时，上下文里有什么？",
            ),
        ),
    ),
)

EXERCISES = (SHARDS, TOKENS)
