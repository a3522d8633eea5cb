"""Every exception that kimi_nb raises, one class per boundary that was crossed.

KimiNbError
├── UsageFault            what the user typed cannot be done; the message says what to type
├── TraceError            a log on disk
│   ├── CorruptTrace      a damaged line (not the torn last one)
│   ├── TraceLocked       another process is writing this log
│   └── TraceMismatch     resume was asked with another goal, tools or version
├── BudgetExceeded        the next call would exceed a hard limit
├── ToolError             a tool could not do what was asked; its text goes to the model
└── ModelError            one attempt at a model call failed
    ├── Unreachable       no connection, a time-out, a dropped or malformed stream
    ├── ServerFault       5xx
    ├── Overloaded        429 engine_overloaded_error: fewer at once
    ├── RateLimited       429 rate_limit_reached_error, or one without a type: slower
    ├── QuotaExhausted    no money left, a day's limit, or refusals without end: try later
    ├── BadRequest        400: repeating it is pointless
    ├── AccessDenied      401, 403: a wrong key
    └── UnknownModel      404: a retired or misspelt model, or a wrong base URL

A failure inside a run is data: one place turns an agent's exception into an `AgentEnded`
fact. Only `UsageFault` and `TraceError` reach the person who called.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

from kimi_nb.redact import hide

__all__ = [
    "AccessDenied",
    "Allowed",
    "BadRequest",
    "BudgetExceeded",
    "ClusterLost",
    "CorruptTrace",
    "KimiNbError",
    "ModelError",
    "Overloaded",
    "QuotaExhausted",
    "RateLimited",
    "ServerFault",
    "ToolError",
    "TraceError",
    "TraceLocked",
    "TraceMismatch",
    "UnknownModel",
    "Unreachable",
    "UsageFault",
]


class KimiNbError(Exception):
    """Base of all, without keys in its message.

    In a notebook it shows as one line: its readers run swarms, not our code.
    """

    def __init__(self, *words: object) -> None:
        super().__init__(*(hide(str(word)) for word in words))

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class UsageFault(KimiNbError):
    """What was asked cannot be done as typed."""


class TraceError(KimiNbError):
    """A log on disk cannot be read or written."""


class CorruptTrace(TraceError):
    """A line of the log is damaged; the message has its number."""


class TraceLocked(TraceError):
    """Another process is writing this log."""


class TraceMismatch(TraceError):
    """The log belongs to a run with another goal, other tools or another version."""


class BudgetExceeded(KimiNbError):
    """The next call would exceed the limit on `what`."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


class ClusterLost(KimiNbError):
    """The way to the cluster of a run is gone, or nothing can live there."""


class ToolError(KimiNbError):
    """Raised by a tool; its text is the tool's answer to the model."""


class Allowed(NamedTuple):
    """What an endpoint says that it allows; None where it says nothing."""

    concurrency: int | None = None
    """Calls at once."""
    rpm: float | None = None
    """Requests a minute."""
    tpm: float | None = None
    """Tokens a minute."""


class ModelError(KimiNbError):
    """One attempt at a model call failed."""

    retryable: ClassVar[bool] = False
    """Another attempt may succeed."""
    ends_run: ClassVar[bool] = False
    """No further call of this run can succeed."""

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        """Seconds that the server asked to wait; None if it said nothing."""
        self.allowed = Allowed()
        """What the refusal says of the endpoint's limits."""
        self.partial = ""
        """The text that had arrived before it broke off."""
        self.tokens_in = 0
        """What the attempt is believed to have cost all the same; 0 where nothing was answered."""
        self.tokens_out = 0

    def reworded(self, message: str) -> Self:
        """The same fault in other words."""
        other = type(self)(message)
        other.__dict__.update(self.__dict__)
        return other


class Unreachable(ModelError):
    """No connection, a time-out, or a stream that broke."""

    retryable = True


class ServerFault(ModelError):
    """A 5xx answer."""

    retryable = True


class Overloaded(ModelError):
    """429: too many requests at once."""

    retryable = True


class RateLimited(ModelError):
    """429: too many requests or tokens a minute."""

    retryable = True


class QuotaExhausted(ModelError):
    """No money left, a day's limit used up, or nothing but refusals for a long time."""

    ends_run = True


class BadRequest(ModelError):
    """400: the request itself is refused."""


class AccessDenied(ModelError):
    """401 or 403."""

    ends_run = True


class UnknownModel(ModelError):
    """404."""

    ends_run = True
