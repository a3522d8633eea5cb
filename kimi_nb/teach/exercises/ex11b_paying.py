"""Notebook 11: what is reserved before a call, and what a resumed run pays for."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Calls = list[list[int]]
Records = list[list[str | int]]


def sent(budget: int, calls: list[list[int]]) -> list[int]:
    places: list[int] = []

    for place, (prompt, longest) in enumerate(calls):
        if prompt + longest <= budget:
            places.append(place)
            budget -= prompt + longest

    return places


def _checked_afterwards(budget: int, calls: Calls) -> list[int]:
    """None of them has been paid for yet when the next one asks."""
    return [place for place in range(len(calls)) if budget > 0]


def _prompt_only(budget: int, calls: Calls) -> list[int]:
    return sent(budget, [[prompt, 0] for prompt, _ in calls])


def _up_to_the_first(budget: int, calls: Calls) -> list[int]:
    return [place for n, place in enumerate(sent(budget, calls)) if n == place]


def _each_alone(budget: int, calls: Calls) -> list[int]:
    return [place for place, call in enumerate(calls) if sum(call) <= budget]


def _just_not(budget: int, calls: Calls) -> list[int]:
    return sent(budget - 1, calls)


def _rushes(dice: Random) -> list[list[Any]]:
    """One never fits, one would by itself, and a later and smaller one just does.

    More that never fit stand anywhere between them, so that the places differ.
    """
    drawn: list[list[Any]] = []

    for _ in range(4):
        first = [dice.randint(200, 900), dice.randint(1_500, 2_000)]
        large = [dice.randint(200, 900), dice.randint(7_000, 9_000)]
        second = [dice.randint(100, 300), dice.randint(800, 2_000)]
        alone = [dice.randint(100, 300), dice.randint(1_000, 1_500)]
        small = [dice.randint(100, 300), dice.randint(200, 500)]
        last = [dice.randint(7_000, 8_000), dice.randint(200, 900)]
        budget = sum(first) + sum(second) + sum(small)
        calls = [first, large, second, alone, small, last]

        for _ in range(dice.randint(1, 3)):
            never = [dice.randint(200, 900), dice.randint(7_000, 9_000)]
            calls.insert(dice.randint(0, len(calls)), never)

        drawn.append([budget, calls])

    return drawn


RESERVE = Exercise(
    id="ex11.reserve",
    title=Text("Reserve before you send", "先预留，再发送"),
    task=Text(
        "Several agents want to send at the same moment; nothing has been answered yet. `calls` "
        "has for each, in their order, the tokens of the prompt and of the longest answer that it "
        "allows. A call is sent if all that it may cost fits into what is left of `budget`, and "
        "from then on that is reserved; one that does not fit waits, and later ones may still go. "
        "Return the places, from 0, of the calls that are sent.",
        "几个智能体在同一时刻要发送请求，目前还没有任何应答。`calls` 按先后给出每次调用的提示词 "
        "token 数，以及它允许的最长回答的 token 数。如果一次调用可能花费的全部装得下 `budget` "
        "的余额，就发送并预留；装不下的就等着，后面的仍可以发送。"
        "返回被发送的调用的位置（从 0 数起）。",
    ),
    difficulty=3,
    minutes=7,
    form="function",
    name="sent",
    stub='def sent(budget, calls):\n    """Places of the calls that go out now."""\n    ...',
    cases=_rushes,
    solve=sent,
    hints=(
        Text(
            "What is the most that one call can cost?",
            "一次调用最多会花多少？",
        ),
        Text(
            "Go through the calls once, and take prompt + longest answer off the budget for each "
            "one that fits.",
            "把调用过一遍，每有一次装得下，就从预算里减去提示词加最长回答。",
        ),
    ),
    mistakes=(
        Mistake(
            key="after",
            wrong=_checked_afterwards,
            says=Text(
                "You looked at what was spent, and nothing has been spent yet. What will the "
                "answers cost that are all on their way?",
                "你看的是已经花掉的，而此刻什么都还没花。已经在路上的那些应答会花多少？",
            ),
        ),
        Mistake(
            key="prompt",
            wrong=_prompt_only,
            says=Text(
                "You reserved the prompts alone. What is paid for beside them?",
                "你只预留了提示词。除此之外还要为什么付钱？",
            ),
        ),
        Mistake(
            key="stop",
            wrong=_up_to_the_first,
            says=Text(
                "You stopped at the first call that does not fit. Is there a smaller one behind?",
                "遇到第一个装不下的你就停了。它后面有没有更小的？",
            ),
        ),
        Mistake(
            key="alone",
            wrong=_each_alone,
            says=Text(
                "Two of your calls count on the same tokens. How much of the budget is still free "
                "once the first one is on its way, with the longest answer?",
                "你有两次调用指望同一批 token。第一次带着最长回答发出之后，预算还剩多少？",
            ),
        ),
        Mistake(
            key="just",
            wrong=_just_not,
            says=Text(
                "You hold one back that fits. Is a budget exceeded when its last token is used?",
                "有一次装得下，你却没有发送。用掉预算的最后一个 token，算超出预算吗？",
            ),
        ),
    ),
)


def again(log: list[list[str | int]]) -> list[list[str | int]]:
    answered = [call[:2] for call in log if call[2] == "answered"]
    calls: list[list[str | int]] = []

    for agent, step, _ in log:
        if [agent, step] not in answered and [agent, step] not in calls:
            calls.append([agent, step])

    return calls


def _everything(log: Records) -> Records:
    return again([[agent, step, "sent"] for agent, step, _ in log])


def _nothing(log: Records) -> Records:
    del log
    return []


def _failed_is_done(log: Records) -> Records:
    return again([[a, step, "answered" if what == "failed" else what] for a, step, what in log])


def _last_record_is_sent(log: Records) -> Records:
    last = {(agent, step): what for agent, step, what in log}
    return [[*call] for call, what in last.items() if what == "sent"]


def _last_agents_only(log: Records) -> Records:
    return again(log)[-1:]


def _each_attempt(log: Records) -> Records:
    return [[a, step] for a, step, what in log if what == "sent" and [a, step] in again(log)]


def _logs(dice: Random) -> list[list[Any]]:
    """Killed while calls were out: one failed, one then answered, one sent for the second time."""
    drawn: list[list[Any]] = []

    for _ in range(3):
        names = [f"a{number}" for number in dice.sample(range(1, 10), 6)]
        log: Records = [["a0", 1, "sent"], ["a0", 1, "answered"]]
        log += [[name, 1, "sent"] for name in names]
        answered, mended, failed, tried, *_ = names
        ends = [
            [answered, 1, "answered"],
            *([name, 1, "failed"] for name in (mended, failed, tried)),
        ]
        dice.shuffle(ends)
        log += [
            *ends,
            [tried, 1, "sent"],
            [mended, 1, "sent"],
            [mended, 1, "answered"],
            [mended, 2, "sent"],
        ]
        log += [[mended, 2, "answered"]] if dice.random() < 0.5 else []
        drawn.append([log])

    return drawn


_FAILED = Text(
    "You took a failed call to be done. What does its agent know of the answer?",
    "你把失败的调用当成做完了。它的智能体得到应答了吗？",
)

RESUME = Exercise(
    id="ex11.resume",
    title=Text("What does a resumed run send again?", "续跑时要重发哪些调用？"),
    task=Text(
        'A process was killed. `log` has what it wrote: `[agent, step, what]`, and what is "sent", '
        '"failed" (no answer came) or "answered" (the answer is in the log). A failed call is '
        "sent again under the same step. Return `[agent, step]` of each call that the resumed run "
        "has to send, once each, in the order in which they stand first in the log.",
        '一个进程被强行结束。`log` 是它写下的内容：`[智能体, 步, 事件]`，事件是 "sent"（已发送）、'
        '"failed"（没有得到应答）或 "answered"（应答已在日志里）。失败的调用会以同一个步号重发。'
        "返回续跑时必须发送的各次调用 `[智能体, 步]`，每个一次，按首次出现在日志中的先后排列。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="again",
    stub='def again(log):\n    """The calls that have no answer in the log."""\n    ...',
    cases=_logs,
    solve=again,
    hints=(
        Text("Which calls need not be sent again, and why?", "哪些调用不必重发，为什么？"),
        Text(
            "Collect the calls that were answered; then go through the log once more for all "
            "others.",
            "先收集已得到应答的调用，再把日志过一遍，找出其余的。",
        ),
    ),
    mistakes=(
        Mistake(
            key="all",
            wrong=_everything,
            says=Text(
                "You begin anew. What stands in the log that was paid for already?",
                "你从头再来了。日志里有哪些是已经付过钱的？",
            ),
        ),
        Mistake(
            key="none",
            wrong=_nothing,
            says=Text(
                "Some calls were on their way when the process died. Where are their answers now?",
                "进程结束时还有调用在路上。它们的应答现在在哪里？",
            ),
        ),
        Mistake(
            key="failed",
            wrong=_failed_is_done,
            says=_FAILED,
        ),
        Mistake(
            key="sent",
            wrong=_last_record_is_sent,
            says=_FAILED,
        ),
        Mistake(
            key="attempts",
            wrong=_each_attempt,
            says=Text(
                "You send one call for each of its attempts. How many answers does its agent need?",
                "一次调用尝试了几回，你就重发了几次。它的智能体需要几个应答？",
            ),
        ),
        Mistake(
            key="last",
            wrong=_last_agents_only,
            says=Text(
                "You go on with one agent only. How many calls were out at the same time?",
                "你只让一个智能体继续。当时有几次调用同时在路上？",
            ),
        ),
    ),
)

EXERCISES = (RESERVE, RESUME)
