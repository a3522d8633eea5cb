"""Metrics of the official client, made at each scrape out of what is known anyway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kimi_nb.errors import UsageFault

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

__all__ = ["Families", "check_installed"]

INSTALL = "the Prometheus client is not installed: pip install 'kimi-nb[prometheus]'"
PREFIX = "kimi_nb_"


def check_installed() -> None:
    """Raises UsageFault without the extra."""
    try:
        import prometheus_client  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise UsageFault(INSTALL) from error


class Families:
    """The metrics of one scrape, in the order in which they were first named."""

    def __init__(self, *labels: str) -> None:
        self._labels = labels
        """The labels that all have first."""
        self._made: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}

    def __iter__(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        return iter(self._made.values())

    def gauge(self, name: str, about: str, values: tuple[str, ...], value: float | None) -> None:
        """Tell what goes up and down; None is not told. `values`: those of the labels."""
        from prometheus_client.core import GaugeMetricFamily

        if value is not None:
            if name not in self._made:
                family = GaugeMetricFamily(PREFIX + name, about, labels=self._labels)
                self._made[name] = family

            self._made[name].add_metric(values, value)

    def counter(self, name: str, about: str, values: tuple[str, ...], value: float | None) -> None:
        """Tell what only grows; the client adds `_total` to the name."""
        from prometheus_client.core import CounterMetricFamily

        if value is not None:
            if name not in self._made:
                family = CounterMetricFamily(PREFIX + name, about, labels=self._labels)
                self._made[name] = family

            self._made[name].add_metric(values, value)
