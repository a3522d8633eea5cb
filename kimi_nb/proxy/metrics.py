"""The counters for Prometheus, by class: learners' names are nobody's business there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kimi_nb.errors import ServerFault
from kimi_nb.proxy.answers import Refusals
from kimi_nb.proxy.seats import Seats
from kimi_nb.proxy.turnstile import Turnstile

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["exposition"]


def exposition(seats: Seats, gate: Turnstile, refusals: Refusals) -> tuple[bytes, str]:
    """The counters as Prometheus reads them, and the text's content type.

    Raises ServerFault where its client library is missing.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    except ImportError:
        message = "metrics need a library; type: pip install 'kimi-nb[prometheus]'"
        raise ServerFault(message) from None

    class Collector:
        def collect(self) -> Iterator[Metric]:
            return _metrics(seats, gate, refusals)

    registry = CollectorRegistry()
    registry.register(Collector())  # pyright: ignore[reportArgumentType]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _metrics(seats: Seats, gate: Turnstile, refusals: Refusals) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    tokens = CounterMetricFamily("kimi_nb_proxy_tokens", "Tokens paid for", labels=["class"])
    usd = CounterMetricFamily("kimi_nb_proxy_usd", "US dollars paid", labels=["class"])
    left = GaugeMetricFamily(
        "kimi_nb_proxy_budget_left", "What a class has left", labels=["class", "budget"]
    )
    inside = GaugeMetricFamily("kimi_nb_proxy_in_flight", "Calls let go", labels=["class"])
    waiting = GaugeMetricFamily("kimi_nb_proxy_waiting", "Calls that wait", labels=["class"])

    for name, room in seats.rooms.items():
        tokens.add_metric([name], room.purse.spent["tokens"])
        usd.add_metric([name], room.purse.spent["usd"])
        inside.add_metric([name], room.gate.inside.total())
        waiting.add_metric([name], room.gate.waiting)

        for budget, amount in room.purse.left().items():
            left.add_metric([name, budget], amount)

    refused = CounterMetricFamily("kimi_nb_proxy_refusals", "Errors answered", labels=["type"])

    for kind, count in refusals.items():
        refused.add_metric([kind], count)

    limiter = gate.limiter
    yield from (tokens, usd, left, inside, waiting, refused)
    yield GaugeMetricFamily(
        "kimi_nb_proxy_endpoint_in_flight", "Calls at the endpoint", value=limiter.in_flight
    )
    yield GaugeMetricFamily(
        "kimi_nb_proxy_endpoint_waiting", "Calls that wait for it", value=gate.waiting
    )

    if (limit := limiter.concurrency) is not None:
        yield GaugeMetricFamily(
            "kimi_nb_proxy_endpoint_concurrency", "Calls that it takes at once", value=limit
        )
