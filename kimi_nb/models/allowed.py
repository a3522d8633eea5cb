"""What an endpoint says that it allows: in the headers of any answer, in the words of a refusal."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from kimi_nb.errors import Allowed

__all__ = ["about_a_day", "read_allowed", "said_allowed", "said_wait"]

NOTHING = Allowed()
ABSURD = 1e9
"""A limit from here on limits nothing: some gateways write so for "unlimited"."""
EPOCH = 1e9
"""A reset time above it is a date in seconds since 1970, below it a number of seconds."""

_NUMBER = r"\s*(\d[\d,_]*)"
_CONCURRENCY = re.compile(r"\bconcurren(?:cy|t requests)\b(?: limit)?:?" + _NUMBER, re.IGNORECASE)
_REQUESTS = r"(?:\bRPM\b|\brequests? per min\w*|\bmax request\b)"
_TOKENS = r"(?:\bTPM\b|\btokens? per min\w*)"
_DAY = re.compile(r"\b(?:TPD|RPD)\b|\b(?:tokens?|requests?) per day\b", re.IGNORECASE)
_WAIT = re.compile(r"\btry again (?:in|after) ((?:[\d.]+ ?[a-z]+ ?)+)", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?) ?([a-z]+)", re.IGNORECASE)
_UNITS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def _after(what: str) -> re.Pattern[str]:
    """`what`, then its limit: "RPM: 3", "(TPM): Limit 30000", "TPM …, current: 9, limit: 5"."""
    return re.compile(
        what + r"\)?(?:.{0,40}?\blimit:?" + _NUMBER + r"|:" + _NUMBER + ")", re.IGNORECASE
    )


_RPM = _after(_REQUESTS)
_TPM = _after(_TOKENS)


def read_allowed(headers: Mapping[str, str]) -> Allowed:
    """What the headers of an answer say, good or bad. `headers` must not care about case."""
    requests = headers.get("x-ratelimit-limit-requests")
    tokens = headers.get("x-ratelimit-limit-tokens")

    if requests is None and (plain := headers.get("x-ratelimit-limit")) is not None:
        requests = plain if _counts_minutes(headers.get("x-ratelimit-reset", "")) else None

    if requests is None and tokens is None:
        return NOTHING

    return Allowed(rpm=_limit(requests), tpm=_limit(tokens))


def said_allowed(words: str) -> Allowed:
    """What the words of a refusal say; nothing where they name no number that is understood."""
    concurrency = _limit(_found(_CONCURRENCY, words))

    if concurrency is not None:
        return Allowed(concurrency=int(concurrency))

    return Allowed(rpm=_limit(_found(_RPM, words)), tpm=_limit(_found(_TPM, words)))


def said_wait(words: str) -> float | None:
    """Seconds after which a refusal's words invite another try, as in "try again in 644ms"."""
    found = _WAIT.search(words)

    if found is None:
        return None

    parts = [(float(n), _seconds(unit)) for n, unit in _PART.findall(found[1])]
    known = [number * unit for number, unit in parts if unit is not None]
    return sum(known) if known else None


def about_a_day(words: str) -> bool:
    """Whether it is a day's limit that is used up."""
    return _DAY.search(words) is not None


def _counts_minutes(reset: str) -> bool:
    """Whether a limit that names no unit may be a minute's.

    Some gateways count seconds. With them the reset is never more than a second away; where
    the minute's is for once, the next answer says the same limit again.
    """
    try:
        seconds = float(reset)
    except ValueError:
        return True

    return (seconds - time.time() if seconds > EPOCH else seconds) > 1


def _found(pattern: re.Pattern[str], words: str) -> str | None:
    found = pattern.search(words)
    return next((group for group in found.groups() if group), None) if found else None


def _limit(value: str | None) -> float | None:
    """A limit that can be kept; None for "unlimited", 0, what is negative, or no number."""
    if value is None:
        return None

    try:
        number = float(value.replace(",", "").replace("_", ""))
    except ValueError:
        return None

    return number if 1 <= number < ABSURD else None


def _seconds(unit: str) -> float | None:
    """A unit's seconds, by its longest known beginning."""
    unit = unit.lower()
    return next((_UNITS[unit[:n]] for n in range(len(unit), 0, -1) if unit[:n] in _UNITS), None)
