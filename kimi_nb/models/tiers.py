"""What Moonshot allows an account, by what it has topped up so far.

As published in November 2026 at https://platform.moonshot.ai/docs/pricing/limits. The keys of
an account and its models share it.
"""

from __future__ import annotations

from types import MappingProxyType

from kimi_nb.errors import Allowed, UsageFault

__all__ = ["TIERS", "tier_limits"]

TIERS = MappingProxyType(
    {
        "T0": Allowed(concurrency=1, rpm=3, tpm=500_000),
        "T1": Allowed(concurrency=50, rpm=200, tpm=2_000_000),
        "T2": Allowed(concurrency=100, rpm=500, tpm=3_000_000),
        "T3": Allowed(concurrency=200, rpm=5_000, tpm=3_000_000),
        "T4": Allowed(concurrency=400, rpm=5_000, tpm=4_000_000),
        "T5": Allowed(concurrency=1_000, rpm=10_000, tpm=5_000_000),
    }
)


def tier_limits(name: str | int) -> Allowed:
    """The limits of a tier: "T1", "t1", "1" or 1. Raises UsageFault for one that is none."""
    text = str(name).strip().upper().removeprefix("TIER").strip()
    found = TIERS.get(text if text.startswith("T") else f"T{text}")

    if found is None:
        message = f"there is no tier {str(name)!r}; the console names yours: {', '.join(TIERS)}"
        raise UsageFault(message)

    return found
