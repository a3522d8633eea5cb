"""What limiters let through, keep back and are told, by endpoint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kimi_nb.models.endpoint import SIMULATOR
from kimi_nb.models.limiter import Limiter
from kimi_nb.redact import hide
from kimi_nb.swarm.telemetry.families import Families, check_installed

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["LimiterCollector", "limiter_collector", "tell_prometheus"]

LONGEST = 100
"""Characters of a label."""

_ONE_RUNS = re.compile(f"{SIMULATOR} [0-9a-f]{{32}}")
"""On a cluster each run with a simulator has a limiter of its own."""


def limiter_collector(
    limiters: Mapping[str, Limiter] | Callable[[], Mapping[str, Limiter]],
) -> LimiterCollector:
    """A collector for a registry of prometheus_client; reads the limiters at each scrape.

    For every process that holds limiters: a kernel, a Dask scheduler with its switchboard, a
    proxy. `limiters`: each by what it is for, a mapping that may grow and shrink, or a function
    that gives one. Register it once in a process, and nothing is counted twice:

        prometheus_client.REGISTRY.register(limiter_collector(switchboard.gates))

    The label `endpoint` is the name's first word if that is a URL, as `limiter_for` has it,
    without user, password, query or what tells accounts apart; equal ones get `#2`, `#3`.
    It is read in the thread that scrapes. Raises UsageFault without the extra `prometheus`.
    """
    check_installed()
    return LimiterCollector(limiters if callable(limiters) else lambda: limiters)


def tell_prometheus(limiters: Mapping[str, Limiter]) -> Callable[[], None]:
    """Have them told by whatever serves this process's default registry, as a scheduler does.

    Returns what ends that. Without prometheus_client nobody can ask, and nothing happens.
    """
    try:
        from prometheus_client import REGISTRY
    except ImportError:
        return _nothing

    collector = limiter_collector(limiters)
    REGISTRY.register(collector)
    return lambda: REGISTRY.unregister(collector)


def _nothing() -> None:
    pass


class LimiterCollector:
    """Registered with `registry.register(…)`; see `limiter_collector`."""

    def __init__(self, limiters: Callable[[], Mapping[str, Limiter]]) -> None:
        self._limiters = limiters
        self._sent: dict[str, int] = {}
        """The most that was told: a call that is cancelled as it goes is taken back."""

    def describe(self) -> list[Metric]:
        """Nothing: names are known when they are asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        limiters = [*self._limiters().items()]
        labels = _labels([name for name, _ in limiters])
        self._sent = {label: self._sent.get(label, 0) for label in labels}
        found = Families("endpoint")

        for label, (_, limiter) in zip(labels, limiters, strict=True):
            self._tell(found, label, limiter)

        yield from found

    def _tell(self, found: Families, label: str, limiter: Limiter) -> None:
        now, one = limiter.standing(), (label,)
        sent = self._sent[label] = max(self._sent[label], now.sent)
        found.gauge("limiter_calls_in_flight", "Calls that are out.", one, now.in_flight)
        found.gauge("limiter_calls_waiting", "Calls in the queue.", one, now.waiting)
        found.counter("limiter_calls_sent", "Calls that were let go.", one, sent)
        found.counter("limiter_calls_refused", "Calls that were answered 429.", one, now.refused)
        about = "Seconds until a call may go again after a refusal."
        found.gauge("limiter_paused_seconds", about, one, now.paused_s)

        for name, limit, what in (
            ("concurrency", now.concurrency, "Calls at once"),
            ("rpm", now.rpm, "Requests a minute"),
            ("tpm", now.tpm, "Tokens a minute"),
        ):
            about = f"{what}, as set, told or learned; missing where nothing limits them."
            found.gauge(f"limiter_{name}_limit", about, one, limit.most)


def _labels(names: list[str]) -> list[str]:
    """What may be shown of each name, all different."""
    seen: Counter[str] = Counter()
    labels: list[str] = []

    for name in names:
        label = _label(name)
        seen[label] += 1
        labels.append(f"{label} #{seen[label]}" if seen[label] > 1 else label)

    return labels


def _label(name: str) -> str:
    first = name.partition(" ")[0]

    if _ONE_RUNS.fullmatch(name):
        return SIMULATOR

    try:
        parts = urlsplit(first)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "unknown"

    if parts.scheme not in {"http", "https"} or not host:
        return hide(name)[:LONGEST]

    where = f"[{host}]" if ":" in host else host
    place = where if port is None else f"{where}:{port}"
    return hide(f"{parts.scheme}://{place}{parts.path.rstrip('/')}")[:LONGEST]
