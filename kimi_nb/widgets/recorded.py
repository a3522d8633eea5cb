"""What was typed for a training, as a source of its facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import cast

from kimi_nb.errors import UsageFault
from kimi_nb.events import TrainingBegan
from kimi_nb.trace import Record, Trace, read
from kimi_nb.views.prices import PRICES, Price
from kimi_nb.widgets.source import Source

__all__ = ["WAYS", "Recorded", "training_of"]

WAYS = "kn.playground('training.jsonl'), kn.playground(training) or kn.playground(trainer=train)"


class Recorded:
    """A training that was read from its log: nothing is added to it any more."""

    prices: Mapping[str, Price] = PRICES
    done = True
    draft = ""
    pace = ""

    def __init__(self, trace: Trace) -> None:
        self.records: Sequence[Record] = trace
        self.path = trace.path
        self.name = trace.path.stem if trace.path else "training"

    @property
    def seconds(self) -> float:
        return self.records[-1].t if self.records else 0.0

    def cancel(self, agent: str | None = None) -> None:
        """There is nothing to cancel."""


def training_of(what: object) -> Source:
    """A path, a trace, records or a training itself, as a source.

    Raises UsageFault for anything else and for the log of a run, TraceError as `kn.read` does.
    """
    if isinstance(what, str | PathLike):
        source: Source = Recorded(read(cast("str | Path", what)))
    elif hasattr(what, "records") and hasattr(what, "done"):
        source = cast("Source", what)
    elif isinstance(what, Iterable):
        source = Recorded(_trace(cast("Iterable[object]", what)))
    elif callable(what):
        message = "what begins a training is given by its name: kn.playground(trainer=train)"
        raise UsageFault(message)
    else:
        message = f"{type(what).__name__} is no training: type {WAYS}"
        raise UsageFault(message)

    _check(source)
    return source


def _trace(records: Iterable[object]) -> Trace:
    if isinstance(records, Trace):
        return records

    found: list[Record] = []

    for record in records:
        if not isinstance(record, Record):
            message = f"{type(record).__name__} is no record of a training: type {WAYS}"
            raise UsageFault(message)

        found.append(record)

    return Trace(found)


def _check(source: Source) -> None:
    """A training that has only just begun may have written nothing yet; a log has a first fact."""
    first = next(iter(source.records), None)

    if first is None and source.done:
        message = f"there is no training in it: it is empty. Type {WAYS}"
        raise UsageFault(message)

    if first is not None and not isinstance(first.fact, TrainingBegan):
        file = "'FILE'" if source.path is None else repr(str(source.path))
        message = f"this is the log of a run, not of a training: type kn.replay({file})"
        raise UsageFault(message)
