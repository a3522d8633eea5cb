"""The models of the mock platform, and the keys that it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the platform says of a model, and what it holds it to."""

    id: str
    context: int
    """Tokens of prompt and answer together."""
    thinking: str = "always"
    """"always", "switch" (the field `thinking`) or "never"."""
    effort: bool = False
    """Takes `reasoning_effort`."""
    images: bool = False
    required: bool = False
    """Takes tool_choice "required"."""
    answer: int = 32_768
    """max_completion_tokens where a request sets none."""
    usd: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """For a million tokens in, cached and out."""

    def thinks(self, body: dict[str, Any]) -> bool:
        """Whether it thinks when it answers this request."""
        if self.thinking == "switch":
            given = body.get("thinking")
            return not (isinstance(given, dict) and given.get("type") == "disabled")

        return self.thinking == "always"

    def cap(self, body: dict[str, Any]) -> int:
        """The longest answer that a request allows, in tokens."""
        return body.get("max_completion_tokens") or body.get("max_tokens") or self.answer

    def cost(self, tokens_in: int, cached: int, tokens_out: int) -> float:
        """US dollars; `cached` are part of `tokens_in`."""
        fresh, known, made = self.usd
        return ((tokens_in - cached) * fresh + cached * known + tokens_out * made) / MILLION

    def listed(self) -> dict[str, Any]:
        """As GET /v1/models has it."""
        return {
            "id": self.id,
            "object": "model",
            "owned_by": "moonshot",
            "created": 1_762_000_000,
            "context_length": self.context,
            "supports_image_in": self.images,
            "supports_video_in": False,
            "supports_reasoning": self.thinking != "never",
        }


K31_PRO = Card(
    id="kimi-k3.1-pro",
    context=MILLION,
    effort=True,
    images=True,
    required=True,
    answer=131_072,
    usd=(2.0, 0.20, 10.0),
)
K3 = Card(
    id="kimi-k3",
    context=1_048_576,
    effort=True,
    images=True,
    required=True,
    answer=131_072,
    usd=(3.0, 0.30, 15.0),
)
K27_CODE = Card(id="kimi-k2.7-code", context=262_144, images=True, usd=(0.95, 0.19, 4.0))
K26 = Card(id="kimi-k2.6", context=262_144, thinking="switch", images=True, usd=(0.95, 0.16, 4.0))
MODELS = (K31_PRO, K3, K27_CODE, K26)
RETIRED = ("kimi-k2.5", "kimi-k2-thinking", "kimi-k2-0905-preview")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of an account."""

    secret: str
    label: str
    """Stands for it in the log."""
    platform: str = "ai"
    closed: tuple[str, ...] = ()
    """Ids of models that it may not use."""


def keyring(keys: Sequence[str | Key], platform: str) -> tuple[Key, ...]:
    """All as keys; a bare string is one of this platform, called "key 1" and so on."""
    return tuple(
        key if isinstance(key, Key) else Key(secret=key, label=f"key {number}", platform=platform)
        for number, key in enumerate(keys, 1)
    )
