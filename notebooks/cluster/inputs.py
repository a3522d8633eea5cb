"""What the arithmetic of limits.py begins with: each figure with where it is from."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["INPUTS", "Input", "amount"]


class Input(NamedTuple):
    value: float
    unit: str
    what: str
    source: str


PUBLISHED = "published: "
ASSUMED = "assumed"
HERE = "`python notebooks/cluster/measure.py {}`"

INPUTS: dict[str, Input] = {
    "calls": Input(
        13, "calls", "an agent makes", PUBLISHED + "K2.6's ceilings, 4,000 steps ÷ 300 sub-agents"
    ),
    "tokens_in": Input(16_000, "tokens", "a prompt has on average: from 4,000 to 28,000", ASSUMED),
    "turn": Input(
        2_000,
        "tokens",
        "a step adds to the prompt: its answer, and 4,000 bytes from a tool",
        ASSUMED,
    ),
    "tokens_out": Input(
        1_000, "tokens", "an answer has, of which nothing is left out later", ASSUMED
    ),
    "reserved": Input(
        4_000, "tokens", "`max_completion_tokens`, which count as if they were used", ASSUMED
    ),
    "latency": Input(20, "s", "a call takes", ASSUMED),
    "spread": Input(
        0.5, "", "standard deviation ÷ mean of how long agents take, lognormal", ASSUMED
    ),
    "failing": Input(0.01, "", "of all attempts fail and are made again", ASSUMED),
    "attempts": Input(
        6, "", "attempts, then the agent is lost", "kimi_nb: `swarm/engine.py`, max_attempts"
    ),
    "report": Input(
        300, "tokens", "of a sub-agent's report, which the orchestrator reads", ASSUMED
    ),
    "assignment": Input(
        100, "tokens", "an `assign_task` call, which the orchestrator writes", ASSUMED
    ),
    "speed": Input(50, "tokens/s", "a model writes", ASSUMED),
    "context": Input(262_144, "tokens", "hold in kimi-k2.6", PUBLISHED + "Kimi platform, models"),
    "context_k3": Input(
        1_048_576, "tokens", "hold in kimi-k3", PUBLISHED + "Kimi platform, models"
    ),
    "ports": Input(
        28_232,
        "ports",
        "for connections from one address to one endpoint",
        "Linux: /proc/sys/net/ipv4/ip_local_port_range, 32,768 to 60,999",
    ),
    "handshake": Input(0.48, "ms", "of CPU, a TLS handshake", HERE.format("tls")),
    "call_cpu": Input(
        0.69, "ms", "of CPU, a streamed call in the kernel", "`python tests/bench/overhead.py`"
    ),
    "records": Input(5, "records", "of a call with one tool in the log", HERE.format("log")),
    "log_call": Input(
        8_615, "bytes", "of a call in the log, 8,000 of them its text", HERE.format("log")
    ),
    "kept": Input(
        1_800,
        "bytes",
        "of memory a call in the log keeps beside what it has on disk",
        "`python tests/bench/scale.py --only flat --repeat 1`: 4.57 kB kept, 2.77 kB logged",
    ),
    "log_rate": Input(135_000, "records/s", "one core writes to the log", HERE.format("log")),
    "view": Input(
        0.032,
        "ms",
        "of CPU, a fact in the live view of 300 agents",
        "`python tests/bench/pages.py`: 4.8 % of a core at 1,500 facts a second",
    ),
    "task": Input(0.67, "ms", "of CPU, a Dask task on the scheduler", HERE.format("task")),
    "cluster_kernel": Input(
        2.5, "ms", "of CPU in the kernel, a call made on a worker", HERE.format("swarm")
    ),
    "switchboard": Input(
        2.3, "ms", "of CPU on the scheduler, a call made on a worker", HERE.format("swarm")
    ),
    "worker": Input(
        5.8, "ms", "of CPU on the worker, with the simulator's own", HERE.format("swarm")
    ),
    "messages": Input(8.8, "messages", "of a call over the scheduler", HERE.format("swarm")),
    "message_bytes": Input(
        7_200, "bytes", "of these in all, with small texts and files", HERE.format("swarm")
    ),
}


def amount(name: str) -> float:
    """The input's value, in its unit."""
    return INPUTS[name].value
