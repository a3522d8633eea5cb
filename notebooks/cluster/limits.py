"""What limits a hundred, ten thousand and a million sub-agents: the arithmetic of README.md.

python notebooks/cluster/limits.py            print the tables
python notebooks/cluster/limits.py --write    put them into README.md
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from inputs import INPUTS, amount
from reckoning import MODEL, calls, fan_out, longest, lost, pace, tree, usd

from kimi_nb.models.tiers import TIERS

README = Path(__file__).with_name("README.md")
AGENTS = (100, 10_000, 1_000_000)


class Row(NamedTuple):
    """One resource: what it takes for some number of agents, and where it ends first."""

    resource: str
    each: str
    needed: Callable[[int], str]
    wall: str


def seconds(value: float) -> str:
    """A time for people: "40 s", "9.4 h", "39 d"."""
    for unit, size, until in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 72)):
        if value < until * size:
            return f"{figure(value / size)} {unit}"

    return f"{figure(value / 86400)} d"


def figure(value: float) -> str:
    """Two digits at least, and no more than they are worth."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"

    return f"{value:.2g}"


def size(value: float) -> str:
    """So many bytes, for people."""
    for unit, amount_of in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= amount_of:
            return f"{figure(value / amount_of)} {unit}"

    return f"{figure(value / 1e3)} kB"


def _levels(agents: int) -> str:
    levels = tree(agents)
    return " + ".join(f"{level:,}" for level in levels)


def rows() -> list[Row]:
    """All resources, those that end first at the top."""
    return [*_account(), *_orchestrator(), *_machine(), *_cluster()]


def _account() -> list[Row]:
    top, each = pace("T5"), calls(1)
    busy = top.calls * amount("latency") / 60
    dear = usd(1, "kimi-k3") / usd(1)
    return [
        Row(
            f"money, {MODEL}, prompts cached",
            f"${usd(1):.2f} an agent",
            lambda agents: f"${figure(usd(agents))}",
            f"the budget; not cached {usd(1, cached=False) / usd(1):.1f} times, "
            f"kimi-k3 {dear:.1f} times as much",
        ),
        Row(
            f"the account, tier 5: {figure(top.calls)} calls a minute",
            f"{each:.0f} calls an agent",
            lambda agents: seconds(60 * calls(agents) / top.calls),
            f"{top.limit} a minute; {figure(busy)} agents keep it busy",
        ),
    ]


def _orchestrator() -> list[Row]:
    wide = [fan_out(context) for context in ("context", "context_k3")]
    return [
        Row(
            "the orchestrator's answer: one `assign_task` call each",
            f"{amount('assignment'):.0f} tokens written",
            lambda agents: seconds(agents * amount("assignment") / amount("speed")),
            "one model writes one token after another",
        ),
        Row(
            "orchestrators, each with a full context",
            f"{amount('report') + amount('assignment'):.0f} tokens read",
            _levels,
            f"{wide[0]:,} sub-agents in 262k tokens, {wide[1]:,} in 1M; a run has one",
        ),
        Row(
            "critical steps above the agents' own",
            "2 a level",
            lambda agents: f"{2 * len(tree(agents))}",
            "each level assigns and joins",
        ),
        Row(
            "waiting for the slowest, all at once",
            f"mean {seconds(amount('calls') * amount('latency'))}",
            lambda agents: f"{longest(agents):.1f} × the mean",
            "a barrier waits for the maximum, which grows with their number",
        ),
        Row(
            "attempts that fail and are made again",
            f"{amount('failing'):.0%} of attempts".replace("%", " %"),
            lambda agents: figure(calls(agents) * amount("failing") / (1 - amount("failing"))),
            "failures that are not independent; if they are, at 10 % of attempts "
            f"{lost(AGENTS[-1], 0.1):.0f} agents of a million are lost",
        ),
    ]


def _machine() -> list[Row]:
    core = 1000 / amount("call_cpu")
    used = pace("T5").calls / 60 / core
    return [
        Row(
            "one core for the calls of all agents",
            f"{amount('call_cpu'):.2f} ms a call",
            lambda agents: seconds(calls(agents) * amount("call_cpu") / 1000),
            f"{figure(core)} calls a second; tier 5 keeps {100 * used:.1g} % of a core busy",
        ),
        Row(
            "the log",
            f"{size(amount('calls') * amount('log_call'))} an agent",
            lambda agents: size(calls(agents) * amount("log_call")),
            "the disk",
        ),
        Row(
            "the kernel's memory, which keeps all of the log",
            f"{size(amount('calls') * (amount('log_call') + amount('kept')))} an agent",
            lambda agents: size(calls(agents) * (amount("log_call") + amount("kept"))),
            f"16 GB hold {figure(16e9 / calls(1) / (amount('log_call') + amount('kept')))} agents",
        ),
        Row(
            "one core for writing the log",
            f"{amount('records'):.0f} records a call",
            lambda agents: seconds(calls(agents) * amount("records") / amount("log_rate")),
            f"{figure(amount('log_rate') / amount('records'))} calls a second",
        ),
        Row(
            "one core for the live view",
            f"{amount('view') * amount('records'):.2f} ms a call",
            lambda agents: seconds(calls(agents) * amount("records") * amount("view") / 1000),
            "a person: measured with 300 agents, one lane each",
        ),
        Row(
            "connections, all agents at once",
            "1 an agent",
            lambda agents: f"{agents:,}",
            f"tier 5 allows 1,000; `ulimit -n`; {amount('ports'):,.0f} ports of one address",
        ),
        Row(
            "CPU of TLS handshakes, one a connection",
            f"{amount('handshake'):.2f} ms",
            lambda agents: seconds(agents * amount("handshake") / 1000),
            "none: connections are kept, names looked up once in 5 minutes",
        ),
    ]


def _cluster() -> list[Row]:
    board, kernel = amount("switchboard"), amount("cluster_kernel")
    busy = 100 * pace("T5").calls / 60 * board / 1000
    return [
        Row(
            "a cluster: the scheduler, one task an agent",
            f"{amount('task'):.2f} ms",
            lambda agents: seconds(agents * amount("task") / 1000),
            f"{figure(1000 / amount('task'))} agents begun a second",
        ),
        Row(
            f"a cluster: the scheduler, {amount('messages'):.1f} messages a call",
            f"{board:.1f} ms a call",
            lambda agents: seconds(calls(agents) * board / 1000),
            f"{figure(1000 / board)} calls a second; tier 5 keeps {busy:.1f} % of a core busy",
        ),
        Row(
            "a cluster: the kernel's one core",
            f"{kernel:.1f} ms a call",
            lambda agents: seconds(calls(agents) * kernel / 1000),
            f"{figure(1000 / kernel)} calls a second, {figure(kernel / amount('call_cpu'))} times "
            "fewer than without a cluster",
        ),
        Row(
            "a cluster: bytes over the scheduler",
            f"{size(amount('calls') * amount('message_bytes'))} an agent",
            lambda agents: size(calls(agents) * amount("message_bytes")),
            "texts, images and files come on top",
        ),
    ]


def limits() -> str:
    """The table of resources."""
    head = ["resource", "for each", *(f"{agents:,}" for agents in AGENTS), "the first wall"]
    lines = [[row.resource, row.each, *map(row.needed, AGENTS), row.wall] for row in rows()]
    return _table(head, lines, right={2, 3, 4})


def tiers() -> str:
    """How long the calls take at each tier, and what they cost."""
    head = ["tier", "calls a minute", "limited by", *(f"{agents:,}" for agents in AGENTS)]
    lines: list[list[str]] = []

    for tier in TIERS:
        found = pace(tier)
        times = [seconds(60 * calls(agents) / found.calls) for agents in AGENTS]
        lines.append([tier, figure(found.calls), found.limit, *times])

    for model in ("kimi-k2.6", "kimi-k3"):
        for cached in (True, False):
            what = "cached" if cached else "not cached"
            costs = [f"${figure(usd(agents, model, cached=cached))}" for agents in AGENTS]
            lines.append([model, "", what, *costs])

    return _table(head, lines, right={1, 3, 4, 5})


def inputs() -> str:
    """What all of it begins with."""
    lines = [[_value(each.value, each.unit), each.what, each.source] for each in INPUTS.values()]
    return _table(["input", "", "from"], lines, right=set())


def _value(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return f"{number} {unit}".strip()


def _table(head: list[str], lines: list[list[str]], right: set[int]) -> str:
    rule = ["--:" if column in right else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


BLOCKS: dict[str, Callable[[], str]] = {"inputs": inputs, "tiers": tiers, "limits": limits}


def written(text: str) -> str:
    """README's text with every table as it is now."""
    for name, table in BLOCKS.items():
        block = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(\n<!-- {name}: end -->)", re.DOTALL)
        text, found = block.subn(lambda match, table=table: match[1] + table() + match[2], text)

        if found != 1:
            raise SystemExit(f"README.md has {found} blocks {name!r} instead of one")

    return text


def main() -> int:
    """0: there is nothing to fail."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put them into README.md")

    if parser.parse_args().write:
        README.write_text(written(README.read_text("utf-8")), "utf-8")
    else:
        print("\n\n".join(table() for table in BLOCKS.values()))

    return 0


if __name__ == "__main__":
    raise SystemExit(main())
