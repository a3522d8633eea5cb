"""Notebook 12: what a published factor says, what it costs at a price, and the quiz."""

from __future__ import annotations

from random import Random
from typing import Any

from kimi_nb.teach.exercise import Exercise, Mistake
from kimi_nb.teach.question import Question
from kimi_nb.teach.quiz import Option, Quiz, QuizItem
from kimi_nb.teach.text import Text
from kimi_nb.views.critical import metrics
from kimi_nb.views.prices import PRICES

__all__ = ["EXERCISES", "PREDICTIONS", "QUIZ", "cents_of_k3"]

Runs = list[dict[str, Any]]
STEPS = "critical_steps"


def claim(runs: list[dict[str, Any]], currency: str) -> list[float]:
    times = [run["single"][currency] / run["swarm"][currency] for run in runs]
    return [min(times), max(times)]


def _in_steps(runs: Runs, currency: str) -> list[float]:
    del currency
    return claim(runs, STEPS)


def _across_targets(runs: Runs, currency: str) -> list[float]:
    """The swarm's easiest target against the hardest of the single agent, and the other way."""
    swarm = [run["swarm"][currency] for run in runs]
    single = [run["single"][currency] for run in runs]
    return [min(single) / max(swarm), max(single) / min(swarm)]


def _best_only(runs: Runs, currency: str) -> list[float]:
    return [max(claim(runs, currency))] * 2


def _upside_down(runs: Runs, currency: str) -> list[float]:
    return sorted(1 / times for times in claim(runs, currency))


def _reports(dice: Random) -> list[list[Any]]:
    """Both grow with the target, the single agent faster; tokens and seconds go another way."""
    drawn: list[list[Any]] = []

    for currency in (STEPS, "seconds", "tokens"):
        runs: Runs = []

        for place, target in enumerate((0.3, 0.5, 0.7)):
            steps = dice.randint(14, 20) + 12 * place
            alone = int(steps * (2.5 + place + dice.random() / 2))
            pace = 2 + dice.random()
            swarm = {STEPS: steps, "seconds": round(steps * pace * 1.6, 1)}
            single = {STEPS: alone, "seconds": round(alone * pace, 1)}
            swarm["tokens"] = dice.randint(90, 120) * 1_000 * (place + 2)
            single["tokens"] = dice.randint(40, 80) * 1_000 * (place + 1)
            runs.append({"target": target, "swarm": swarm, "single": single})

        drawn.append([runs, currency])

    return drawn


CLAIM = Exercise(
    id="ex12.claim",
    title=Text("From figures to a claim", "从数据到一句话的结论"),
    task=Text(
        "For some targets of quality, `runs` says what a swarm and a single agent needed to reach "
        'it: `{"target": 0.3, "swarm": {…}, "single": {…}}`, each with `critical_steps`, `seconds` '
        "and `tokens`. You want to write: *between x and y times fewer*, in one `currency`, at "
        "equal quality. Return `[x, y]`, single for one of the swarm.",
        '对几个质量目标，`runs` 给出集群和单个智能体分别用多少才达到：`{"target": 0.3, "swarm": {'
        '…}, "single": {…}}`，各有 `critical_steps`、`seconds` 和 `tokens`。你想写：*质量相同时，'
        "单个智能体的用量是集群的 x 到 y 倍*，指某一种货币 `currency`。返回 `[x, y]`，即单个智能"
        "体除以集群。",
    ),
    difficulty=2,
    minutes=6,
    form="function",
    name="claim",
    stub='def claim(runs, currency):\n    """Least and most."""\n    ...',
    cases=_reports,
    solve=claim,
    hints=(
        Text(
            "At equal quality: which two numbers may be divided by one another?",
            "质量相同：哪两个数才可以相除？",
        ),
        Text(
            "One ratio for each target, in the currency that was asked for; then the least and the "
            "largest.",
            "按所问的货币，为每个目标算一个比值，再取最小和最大。",
        ),
    ),
    mistakes=(
        Mistake(
            key="M11",
            wrong=_in_steps,
            says=Text(
                "You gave the factor of critical steps for every currency. Does each step take "
                "the same time, and read as much?",
                "无论问哪种货币，你给的都是关键步数的倍数。每一步的用时和读入量都一样吗？",
            ),
        ),
        Mistake(
            key="targets",
            wrong=_across_targets,
            says=Text(
                "You set one target of the swarm against another of the single agent. Is that at "
                "equal quality?",
                "你拿集群的一个目标和单个智能体的另一个目标相比。质量相同吗？",
            ),
        ),
        Mistake(
            key="best",
            wrong=_best_only,
            says=Text(
                "You kept the best target alone. What does somebody get who stops at another?",
                "你只留下了最好的那个目标。换一个目标的人会得到多少？",
            ),
        ),
        Mistake(
            key="inverse",
            wrong=_upside_down,
            says=Text(
                "You divided the swarm's by the single agent's. Which of them needs more, if the "
                "factor is above 1?",
                "你用集群的除以了单个智能体的。倍数大于 1 时，谁用得更多？",
            ),
        ),
    ),
)


def cents_of_k3(run: Any) -> float:
    """What the run's tokens cost at kimi-k3's price, in US cents, whoever answered it."""
    used = metrics(run)
    price = PRICES["kimi-k3"]
    return round(100 * price.usd(used.tokens_in, used.tokens_out, used.tokens_cached), 1)


PREDICTIONS = (
    Question(
        id="p12.cents",
        asks=Text(
            "Eight files, a sub-agent for each, two calls of each, four of the orchestrator. At "
            "kimi-k3's price (3 dollars for a million tokens in, 15 out), how many US cents do "
            "the run's tokens cost?",
            "八个文件，每个文件一个子智能体，各两次调用，编排器四次。按 kimi-k3 的价格"
            "（每百万 token 输入 3 美元、输出 15 美元），这次运行的 token 值多少美分？",
        ),
        of=cents_of_k3,
    ),
)

QUIZ = Quiz(
    id="quiz12",
    items=(
        QuizItem(
            asks=Text(
                "An account allows 200 requests and 2,000,000 tokens a minute. Each call leaves "
                "max_completion_tokens at 131,072. How many calls go out in a minute?",
                "账号每分钟允许 200 次请求、2,000,000 个 token。每次调用都让 "
                "max_completion_tokens 保持 131,072。一分钟能发出几次？",
            ),
            options=(
                Option(
                    says=Text("200: short answers use few tokens", "200：回答短，token 就少"),
                    key="M11",
                ),
                Option(
                    says=Text("As many as asyncio sends at once", "asyncio 发多少就是多少"),
                    key="M10",
                ),
                Option(says=Text("15: the longest answer counts", "15：按最长回答计")),
            ),
            because=Text(
                "The limit counts prompt + max_completion_tokens before it knows the answer: "
                "2,000,000 / 131,072 is 15.",
                "限流在看到回答之前，就按提示词加 max_completion_tokens 计："
                "2,000,000 / 131,072 约为 15。",
            ),
        ),
        QuizItem(
            asks=Text(
                "A report: to reach an item-F1 of 70 % on WideSearch, the swarm needs 4.5 times "
                "less. What may you tell your team about your own task?",
                "一份报告说：在 WideSearch 上达到 70% 的 item-F1，集群的用量只有单个智能体的 "
                "1/4.5。对你自己的任务，你可以怎么说？",
            ),
            options=(
                Option(says=Text("Nothing yet: measure one pair of it", "还不能说：先实测一对")),
                Option(
                    says=Text("It will be done in 22 % of the minutes", "用时会降到原来的 22%"),
                    key="M11",
                ),
                Option(says=Text("It will cost 4.5 times less", "费用会降到 1/4.5"), key="M5"),
                Option(
                    says=Text("100 agents make it 100 times as fast", "100 个智能体就快 100 倍"),
                    key="M1",
                ),
            ),
            because=Text(
                "The factor belongs to a benchmark, a target and a currency. Another task has "
                "other independent parts: kn.compare measures yours.",
                "这个倍数只属于某个基准、某个目标、某种货币。换一个任务，互不依赖的部分就不同："
                "用 kn.compare 测你自己的。",
            ),
        ),
        QuizItem(
            asks=Text(
                "Twenty sub-agents run at the same time instead of one after another, each with "
                "the same calls as before. What of the bill?",
                "二十个子智能体由先后改为同时运行，各自的调用与原来相同。账单会怎样？",
            ),
            options=(
                Option(
                    says=Text("A twentieth: they share the time", "二十分之一：时间共用"),
                    key="M5",
                ),
                Option(says=Text("It stays: tokens are paid for", "不变：付的是 token")),
                Option(
                    says=Text("It falls as the seconds fall", "时间少了，钱也跟着少"), key="M11"
                ),
            ),
            because=Text(
                "Tokens are paid for, not seconds. Caching of a common prefix may lower the bill, "
                "one after another as well as side by side.",
                "付费的是 token，不是秒数。公共前缀命中缓存会降低账单，但先后运行时也一样。",
            ),
        ),
    ),
)

EXERCISES = (CLAIM,)
