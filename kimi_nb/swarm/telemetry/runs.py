"""What the runs of this process have done and what their budgets still hold."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from kimi_nb.events import RunBegan
from kimi_nb.models.limiter import Limiter
from kimi_nb.redact import hide
from kimi_nb.swarm.budget import Budget
from kimi_nb.swarm.handle import Run
from kimi_nb.swarm.start import runs
from kimi_nb.swarm.telemetry.families import Families
from kimi_nb.views.critical import run_cost
from kimi_nb.views.fold import Fold
from kimi_nb.views.state import ENDED

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["RunCollector", "limiters_of_runs"]

KEPT_S = 600.0
"""Seconds for which a run that has ended is still told."""
KEPT = 20
"""Runs that have ended, at most, that are."""
STATUSES = ("running", "finished", "partial", "cancelled", "over_budget", "failed")
STATES = ("running", *sorted(ENDED))


class Seen(NamedTuple):
    """A run as the facts tell it, and its label."""

    label: str
    run: Run
    fold: Fold


class RunCollector:
    """Registered with `registry.register(…)`; `runs()` are those that it tells.

    Of the runs that have ended it tells the latest for some minutes: else every run of a long
    kernel would be a series for ever.
    """

    def __init__(self) -> None:
        self._scraping = threading.Lock()
        self._folds: WeakKeyDictionary[Run, Fold] = WeakKeyDictionary()
        """Its own: those of the runs belong to the thread of who looks at them."""
        self._ended: WeakKeyDictionary[Run, float] = WeakKeyDictionary()
        """When a run was first seen to have ended."""

    def describe(self) -> list[Metric]:
        """Nothing: names are known when they are asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        with self._scraping:
            seen = [Seen(hide(name), run, self._folded(run)) for name, run in self._told()]

            for families in (_statuses(seen), _agents(seen), _counts(seen), _tokens(seen)):
                yield from families

            yield from _budgets(seen)

    def _told(self) -> list[tuple[str, Run]]:
        known = [*runs().items()]
        now = time.monotonic()

        for _, run in known:
            if run.done:
                self._ended.setdefault(run, now)

        over = [run for _, run in known if now - self._ended.get(run, now) > KEPT_S]
        ended = [run for _, run in known if run in self._ended and run not in over]
        ended.sort(key=self._ended.__getitem__)
        left_out = {*over, *ended[:-KEPT]}

        for run in left_out:
            self._folds.pop(run, None)

        return [(name, run) for name, run in known if run not in left_out]

    def _folded(self, run: Run) -> Fold:
        fold = self._folds.setdefault(run, Fold())

        for record in run.records[fold.count :]:
            fold.add(record)

        return fold


def limiters_of_runs() -> Mapping[str, Limiter]:
    """The limiters of this process, each by its endpoint; one of a simulator's by its run.

    Those of endpoints stay for ever, as they do in the process; several for one endpoint, for a
    key each, come in the order in which they were first used.
    """
    places: dict[Limiter, str] = {}
    found: dict[str, Limiter] = {}

    for name, run in [*runs().items()]:
        limiter, place = run.engine.limiter, _place(name, run)

        if isinstance(limiter, Limiter) and place:  # one on a cluster is told by its scheduler
            places.setdefault(limiter, place)

    for number, (limiter, place) in enumerate(places.items()):
        found[f"{place} {number}" if place in found else place] = limiter

    return found


def _place(name: str, run: Run) -> str:
    """What a run's limiter is for; "" where it is of no use any more."""
    began = run.records[0].fact

    if not isinstance(began, RunBegan):
        return ""

    if url := json.loads(began.options).get("base_url"):
        return str(url)

    if began.simulated:
        return "" if run.done else f"simulator of {name}"

    return f"model {began.model}"


def _statuses(seen: list[Seen]) -> Families:
    found = Families("run", "status")

    for label, _, fold in seen:
        for status in STATUSES:
            value = float(fold.status == status)
            found.gauge(
                "run_status", "1 for what the run is, 0 for the rest.", (label, status), value
            )

    return found


def _agents(seen: list[Seen]) -> Families:
    found = Families("run", "state")

    for label, _, fold in seen:
        states = [agent.state for agent in [*fold.agents.values()]]
        number = Counter(state if state in ENDED else "running" for state in states)

        for state in STATES:
            found.gauge("run_agents", "Agents, by how they ended.", (label, state), number[state])

    return found


def _counts(seen: list[Seen]) -> Families:
    found = Families("run")

    for label, run, fold in seen:
        one = (label,)
        found.counter("run_calls", "Model calls that brought a turn.", one, fold.steps)
        found.counter("run_retries", "Attempts that failed and were repeated.", one, fold.retries)
        found.counter("run_tool_calls", "Calls of tools.", one, fold.tool_calls)
        critical = "Sum over the stages of the longest agent's turns."
        found.counter("run_critical_steps", critical, one, fold.critical_steps)
        cost = "What the run cost; missing where a price is unknown."
        found.counter("run_cost_usd", cost, one, run_cost(fold, run.prices))

    return found


def _tokens(seen: list[Seen]) -> Families:
    found = Families("run", "model")

    for label, _, fold in seen:
        for model, tokens in [*fold.by_model.items()]:
            of = (label, hide(model))
            found.counter("run_input_tokens", "Tokens of prompts.", of, tokens.tokens_in)
            found.counter("run_output_tokens", "Tokens of answers.", of, tokens.tokens_out)
            about = "Tokens of prompts that came from the cache; part of the input tokens."
            found.counter("run_cached_input_tokens", about, of, tokens.tokens_cached)

    return found


def _budgets(seen: list[Seen]) -> Families:
    found = Families("run", "currency")

    for label, run, _ in seen:
        account = run.engine.account
        held = account.held

        for currency in (field.name for field in fields(Budget)):
            of = (label, currency)
            used = run.seconds if currency == "seconds" else getattr(account, currency)
            priced = currency != "usd" or account.price is not None
            found.gauge("budget_used", "What the run has used.", of, used if priced else None)
            about = "What calls that are out may cost at most."
            found.gauge("budget_reserved", about, of, held.get(currency) if priced else None)
            about = "What the run may use; missing where nothing limits it."
            found.gauge("budget_limit", about, of, getattr(account.budget, currency))

    return found
