"""What can be set about the simulator."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the simulator behaves. Every draw follows from `seed` and the request."""

    seed: int = 0
    latency: float = 0.3
    """Median seconds until the first chunk; 0 answers at once."""
    spread: float = 0.4
    """Standard deviation of the logarithm of the latency; 0 makes all calls alike."""
    tokens_per_second: float = 0.0
    """Pace of the stream after the first chunk, one token a chunk; 0 sends it all at once."""
    failure_rate: float = 0.0
    """Share of calls that are answered with a 500."""
    rate_limit_rate: float = 0.0
    """Share of calls that are answered with a 429 (rate_limit_reached_error)."""
    overload_rate: float = 0.0
    """Share of calls that are answered with a 429 (engine_overloaded_error)."""
    drop_rate: float = 0.0
    """Share of calls whose stream breaks off midway."""
    retry_after: float = 1.0
    """Seconds that a 429 asks to wait."""
    memory_chars: int = 16_000
    """Working memory of one agent: only the last so many characters of what its tools returned
    can be used. Lists of items, the answers of sub-agents and what the agent itself said do not
    count: they are kept."""
    use_map: bool = False
    """The orchestrator fans out by one `map_task` instead of many `assign_task`."""
    calls_per_turn: int = 1
    """How many searches and documents an agent asks for at once, where none needs another and all
    are of one item."""
    notes: bool = True
    """An agent that searches says what it has found as it goes. False: only at the end, as far
    as it remembers it then."""

    def __post_init__(self) -> None:
        rates = (self.failure_rate, self.rate_limit_rate, self.overload_rate, self.drop_rate)

        if any(rate < 0 for rate in rates) or sum(rates) > 1:
            message = "the simulator's rates must each be in [0, 1] and sum to at most 1"
            raise ValueError(message)

        if min(self.latency, self.spread, self.tokens_per_second, self.retry_after) < 0:
            message = "the simulator's times and pace cannot be negative"
            raise ValueError(message)

        if self.calls_per_turn < 1:
            message = "the simulator makes at least one call in a turn that makes any"
            raise ValueError(message)
