"""Notebook 01: one agent, its loop and its context."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.text import Text

__all__ = ["EXERCISES"]

Message = dict[str, Any]


def tokens_read(first: int, added: list[int]) -> int:
    total, prompt = 0, first

    for new in added:
        total += prompt
        prompt += new

    return total


def _each_once(first: int, added: list[int]) -> int:
    return first + sum(added[:-1])


def _always_alike(first: int, added: list[int]) -> int:
    return first * len(added)


def _own_words_too(first: int, added: list[int]) -> int:
    return sum(first + sum(added[: place + 1]) for place in range(len(added)))


def _latest_only(first: int, added: list[int]) -> int:
    return sum(first + latest for latest in [0, *added[:-1]])


def _loops(dice: Random) -> list[list[Any]]:
    """Three steps or more, so that reading twice and reading once differ."""
    loops: list[list[Any]] = [[100, [50, 50, 50, 10]]]

    for _ in range(3):
        steps = dice.randint(3, 8)
        loops.append([dice.randint(80, 900), [dice.randint(20, 2000) for _ in range(steps)]])

    return loops


TOKENS = Exercise(
    id="ex01.tokens",
    title=Text("How many tokens a loop reads", "一个循环总共读多少 token"),
    task=Text(
        "An agent takes one step for each entry of `added`. Its first prompt has `first` tokens: "
        "system prompt, tools and goal. Step number `i` adds `added[i]` tokens to the messages: "
        "its reply and what its tools returned. Nothing is cached. Return the input tokens of "
        "all its steps together.",
        "智能体为 `added` 的每一项走一步。它的第一个提示词有 `first` 个 token：系统提示词、"
        "工具和目标。"
        "第 `i` 步给消息增加 `added[i]` 个 token：它的回答，加上工具返回的内容。没有任何缓存。"
        "返回所有步合计的输入 token。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="tokens_read",
    stub='def tokens_read(first, added):\n    """Input tokens of all steps."""\n    ...',
    cases=_loops,
    solve=tokens_read,
    hints=(
        Text(
            "A model remembers nothing between two calls. What has to be in the second prompt?",
            "两次调用之间，模型什么也记不住。那么第二个提示词里必须有什么？",
        ),
        Text(
            "Keep two numbers: how long the prompt is now, and how much was read so far.",
            "用两个变量：现在的提示词有多长，到目前为止一共读了多少。",
        ),
        Text(
            "What a step adds is read by the steps after it, and not by itself.",
            "某一步增加的内容由之后的各步来读，它自己不读。",
        ),
    ),
    mistakes=(
        Mistake(
            key="once",
            wrong=_each_once,
            says=Text(
                "You counted each message once: that is how long the last prompt is. What did "
                "the steps before it read?",
                "每条消息你只算了一次：那是最后一个提示词的长度。之前的各步又读了什么？",
            ),
        ),
        Mistake(
            key="M11",
            wrong=_always_alike,
            says=Text(
                "You took all steps for alike. Steps are not tokens: how long is the prompt of "
                "the tenth step, beside that of the first?",
                "你把每一步都当成一样的。步数不是 token：和第一步相比，第十步的提示词有多长？",
            ),
        ),
        Mistake(
            key="latest",
            wrong=_latest_only,
            says=Text(
                "Each of your prompts holds the first one and what the step before has added. What "
                "has become of the steps before that one?",
                "你的每个提示词里只有最初的内容和上一步增加的内容。更早的那些步到哪里去了？",
            ),
        ),
        Mistake(
            key="own-words",
            wrong=_own_words_too,
            says=Text(
                "Here every step reads what it is only about to say. With one single step, how "
                "many tokens go in?",
                "照你的算法，每一步都读了自己还没说出口的话。如果只有一步，输入是多少？",
            ),
        ),
    ),
)


def run_agent(goal: str, replies: list[Message], results: dict[str, str]) -> list[Message]:
    messages = [{"role": "user", "content": goal}]

    for reply in replies:
        messages.append({"role": "assistant", **reply})

        if not reply["calls"]:
            break

        for call in reply["calls"]:
            text = results.get(call["tool"], f"ERROR: no tool {call['tool']}")
            messages.append({"role": "tool", "id": call["id"], "content": text})

    return messages


def _forgets_results(goal: str, replies: list[Message], results: dict[str, str]) -> list[Message]:
    return [each for each in run_agent(goal, replies, results) if each["role"] != "tool"]


def _first_call_only(goal: str, replies: list[Message], results: dict[str, str]) -> list[Message]:
    firsts = {reply["calls"][0]["id"] for reply in replies if reply["calls"]}
    made = run_agent(goal, replies, results)
    return [each for each in made if each["role"] != "tool" or each["id"] in firsts]


def _never_ends(goal: str, replies: list[Message], results: dict[str, str]) -> list[Message]:
    messages = [{"role": "user", "content": goal}]

    for reply in replies:
        messages.extend(run_agent(goal, [reply], results)[1:])

    return messages


def _raises(goal: str, replies: list[Message], results: dict[str, str]) -> list[Message]:
    for reply in replies:
        for call in reply["calls"]:
            results[call["tool"]]

    return run_agent(goal, replies, results)


def _scripts(dice: Random) -> list[list[Any]]:
    """One call; several in a turn; a tool that is not there; a reply after the last one."""
    tools = ["count_rows", "highest_price", "lowest_price"]
    scripts: list[list[Any]] = []

    for asked in (["count_rows"], tools, ["count_rows", dice.choice(["telepathy", "fly"])]):
        results = {tool: str(dice.randint(1, 500)) for tool in tools}
        number = dice.randint(1, 90)
        turns = [asked, *[[tool] for tool in dice.sample(tools, dice.randint(1, 2))]]
        replies = [_asking(tools_of, number, turn) for turn, tools_of in enumerate(turns)]
        last = {"content": f"The answer is {number}.", "calls": list[Any]()}
        never = {"content": "This is never asked for.", "calls": list[Any]()}
        scripts.append(["How many?", [*replies, last, never], results])

    return scripts


def _asking(tools: list[str], number: int, turn: int) -> Message:
    calls = [{"id": f"{tool}:{number + turn}", "tool": tool} for tool in tools]
    return {"content": "", "calls": calls}


LOOP = Exercise(
    id="ex01.loop",
    title=Text("The loop of an agent", "智能体的循环"),
    task=Text(
        "Write the loop. The model is a script: `replies[0]` is its reply to your first call, "
        '`replies[1]` to the second, and so on. A reply is `{"content": text, "calls": [{"id": '
        '…, "tool": name}, …]}`; one without calls is the final answer, and the loop ends. '
        "`results` has what each tool returns, by its name.\n\n"
        "Return the messages, from the first on:\n\n"
        '- `{"role": "user", "content": goal}`\n'
        '- for a reply `{"role": "assistant", "content": …, "calls": …}`\n'
        '- for each of its calls, in their order, `{"role": "tool", "id": …, "content": …}`. '
        'Of a tool that is not there the content is `"ERROR: no tool NAME"`.',
        "请写出这个循环。这里的模型按脚本作答：`replies[0]` 是对你第一次调用的回答，`replies[1]` "
        '是对第二次的，依此类推。一个回答是 `{"content": 文本, "calls": [{"id": …, "tool": 名称},'
        " …]}`；没有 calls 的回答就是最终答案，循环到此结束。`results` 按名称给出每个工具返回的内"
        "容。\n"
        "\n"
        "从第一条开始，返回全部消息：\n"
        "\n"
        '- `{"role": "user", "content": goal}`\n'
        '- 每个回答：`{"role": "assistant", "content": …, "calls": …}`\n'
        '- 它的每个调用，按顺序：`{"role": "tool", "id": …, "content": …}`。如果没有这个工具，'
        'content 就是 `"ERROR: no tool 名称"`。',
    ),
    difficulty=3,
    minutes=12,
    form="function",
    name="run_agent",
    stub=(
        "def run_agent(goal, replies, results):\n"
        '    """All messages, from the goal to the final answer."""\n    ...'
    ),
    cases=_scripts,
    solve=run_agent,
    hints=(
        Text(
            "Three things in turn: take the next reply, carry out what it asks for, decide "
            "whether to go on.",
            "循环里依次做三件事：取下一个回答，执行它要求的调用，决定要不要继续。",
        ),
        Text(
            "`for reply in replies:`, and `break` where the reply has no calls.",
            "`for reply in replies:`，回答里没有 calls 时 `break`。",
        ),
        Text(
            "`results.get(name, …)` gives the text of a tool, and something else where there is "
            "none.",
            "`results.get(name, …)` 给出工具的文本；没有这个工具时给出另一个值。",
        ),
    ),
    mistakes=(
        Mistake(
            key="forgets",
            wrong=_forgets_results,
            says=Text(
                "The tools ran, but nobody told the model. It sees the messages and nothing else: "
                "how would it know the results?",
                "工具运行了，却没人告诉模型。它只看得到消息：怎么会知道结果呢？",
            ),
        ),
        Mistake(
            key="first-only",
            wrong=_first_call_only,
            says=Text(
                "A turn may hold several calls. An endpoint refuses messages in which one of "
                "them has no answer: count yours.",
                "一轮里可以有好几个调用。只要有一个没有应答，接口就会拒绝这些消息：数一数你的。",
            ),
        ),
        Mistake(
            key="never-ends",
            wrong=_never_ends,
            says=Text(
                "You asked the model once more after its final answer. Each call is paid for: by "
                "what can you tell that it is done?",
                "最终答案之后你又问了模型一次。每次调用都要付费：凭什么能看出它已经完成了？",
            ),
        ),
        Mistake(
            key="raises",
            wrong=_raises,
            says=Text(
                "A model may ask for a tool that there is not, and your loop dies of it. Who could "
                "still mend that, if told?",
                "模型可能会调用不存在的工具，你的循环就此崩溃。如果把这件事说出来，谁还能补救？",
            ),
        ),
    ),
)

EXERCISES = (TOKENS, LOOP)
