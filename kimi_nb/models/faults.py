"""What a server's refusal means: from its status and its error object to a class of `errors`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from math import isfinite
from typing import Any, cast

from kimi_nb.errors import (
    AccessDenied,
    Allowed,
    BadRequest,
    ModelError,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    UnknownModel,
    Unreachable,
)
from kimi_nb.models.allowed import about_a_day, said_allowed, said_wait

__all__ = ["MESSAGE_LIMIT", "classify", "fault", "one_line", "read_error", "read_retry_after"]

MESSAGE_LIMIT = 400
"""Characters of a server's own words that go into a message."""
RETRY_AFTER_MAX_S = 60.0

BUDGET = "budget_exceeded"
"""Of a proxy's key (ours, LiteLLM's): the account may have plenty."""
_BY_TYPE: dict[str, type[ModelError]] = {
    "engine_overloaded_error": Overloaded,
    "rate_limit_reached_error": RateLimited,
    "rate_limit_error": RateLimited,
    "rate_limit_exceeded": RateLimited,
    "exceeded_current_quota_error": QuotaExhausted,
    "insufficient_quota": QuotaExhausted,
    BUDGET: QuotaExhausted,
    "content_filter": BadRequest,
    "invalid_request_error": BadRequest,
    "invalid_authentication_error": AccessDenied,
    "permission_denied_error": AccessDenied,
    "resource_not_found_error": UnknownModel,
}
_BY_STATUS: dict[int, type[ModelError]] = {
    401: AccessDenied,
    402: QuotaExhausted,
    403: AccessDenied,
    404: UnknownModel,
    408: Unreachable,
    409: Unreachable,
    425: RateLimited,
    429: RateLimited,
}
_LIMITS = (Overloaded, RateLimited, QuotaExhausted)
_NO_MONEY = "the account has nothing left: top it up, then resume the run"
_NO_DAY = "the day's limit is used up: wait until tomorrow, then resume the run"


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """`text` with every run of blanks as one space, cut to `limit` characters."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def read_error(body: object) -> tuple[str, str, int | None]:
    """(type, message, status) of an error object, in any of the shapes in use; "" is unknown.

    `body` is the JSON of an error response, the value of "error" in a stream, or plain text.
    """
    if isinstance(body, dict):
        error = cast("dict[str, Any]", body)
        inner: object = error.get("error")

        if isinstance(inner, dict | str):
            return read_error(cast("object", inner))

        code = error.get("code")
        kind = error.get("type") or (code if isinstance(code, str) else "")
        message = error.get("message") or error.get("detail") or error.get("msg") or ""
        return str(kind), one_line(str(message)), code if isinstance(code, int) else None

    return "", one_line(str(body)) if body else "", None


def classify(status: int | None, kind: str) -> type[ModelError]:
    """The class for an HTTP status and an error type; without a status the type decides."""
    named = _BY_TYPE.get(kind)

    if status is None or status < HTTPStatus.BAD_REQUEST:
        return named or ServerFault

    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return named if named in _LIMITS else RateLimited

    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Overloaded if named is Overloaded else ServerFault

    return QuotaExhausted if named is QuotaExhausted else _BY_STATUS.get(status, BadRequest)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, at most a minute; None if it says nothing clear.

    `headers` must not care about case.
    """
    seconds = _number(headers.get("retry-after-ms"))

    if seconds is not None:
        return _wait(seconds / 1000)

    value = headers.get("Retry-After", "").strip()
    seconds = _number(value)
    return _wait(_seconds_until(value, headers.get("Date", "")) if seconds is None else seconds)


def fault(
    status: int | None,
    body: object,
    *,
    retry_after: float | None = None,
    allowed: Allowed = Allowed(),  # noqa: B008 -- a tuple
) -> ModelError:
    """The exception for an error response, or for an error object inside a stream.

    `retry_after` and `allowed` are what its headers say. A header names the time to wait more
    exactly than words, and the words of a refusal name the limit that was reached.
    """
    kind, words, code = read_error(body)
    status = status or code
    label = f"HTTP {status}" if status else "an error in the stream"
    message = f"{label} {kind}".rstrip() + (f": {words}" if words else "")
    found = classify(status, kind)

    if found is RateLimited and about_a_day(words):
        found = QuotaExhausted

    if found is QuotaExhausted and kind != BUDGET:
        message += f"; {_NO_DAY if about_a_day(words) else _NO_MONEY}"

    error = found(message, status=status, retry_after=retry_after)

    if found in _LIMITS:
        error.retry_after = _wait(said_wait(words)) if retry_after is None else retry_after
        said = said_allowed(words)
        error.allowed = said if any(said) else allowed

    return error


def _number(value: str | None) -> float | None:
    try:
        return float(value or "")
    except ValueError:
        return None


def _seconds_until(date: str, sent: str) -> float | None:
    """From when it was `sent`: the clock of this machine may be wrong, or be set meanwhile."""
    from email.utils import parsedate_to_datetime

    try:
        begun = parsedate_to_datetime(sent).timestamp() if sent else time.time()
        return parsedate_to_datetime(date).timestamp() - begun
    except ValueError:
        return None


def _wait(seconds: float | None) -> float | None:
    """`seconds`, at least none and at most a minute; None for what is no time."""
    if seconds is None or not isfinite(seconds):
        return None

    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)
