"""What the mock platform was asked, what came of it, and what it charged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from faults.cards import Card
from faults.server import Answer


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request for an answer, and its fate."""

    number: int
    """From 1, in the order of arrival."""
    key: str
    """The label of the key; "" for a key that the platform does not know."""
    body: dict[str, Any]
    attempt: int = 1
    """How often the same was let in, with this time; a request is the same with the same
    model and messages."""
    status: int = 0
    """The HTTP status; 0: the connection was dropped instead."""
    why: str = ""
    """The words of a refusal."""
    fault: str = ""
    """The name of the fault that was put in; "": none, or it found nothing to break."""
    outcome: str = "in flight"
    """Then "completed", "refused", "broken" (by its fault) or "left" (by the client)."""
    tokens_in: int = 0
    """Charged, as all that follows."""
    cached: int = 0
    """Part of `tokens_in`."""
    tokens_out: int = 0
    usd: float = 0.0
    answer: Answer = field(default_factory=Answer, repr=False)
    """What is sent."""
    inside: bool = False
    """It has a place in the gate."""
    spoiled: bool = False
    """A fault leaves no whole answer."""
    due: tuple[int, int, int] = (0, 0, 0)
    """Tokens in, cached and out of the whole answer."""
    parts: int = 0
    """Pieces of the whole answer."""
    card: Card | None = None
    same: bytes = field(init=False, repr=False)
    """The same for every attempt of one request."""

    def __post_init__(self) -> None:
        asked = orjson.dumps([self.body.get("model"), self.messages])
        self.same = hashlib.sha256(asked).digest()

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body.get("messages") or []

    @property
    def task(self) -> str:
        """The first words of the user."""
        return next((words(m) for m in self.messages if m.get("role") == "user"), "")

    @property
    def agent(self) -> str:
        """The same for all requests of one agent, as long as no two have one task."""
        system = next((words(m) for m in self.messages if m.get("role") == "system"), "")
        return hashlib.sha256(f"{system}\0{self.task}".encode()).hexdigest()[:8]

    @property
    def tokens(self) -> int:
        """Charged in all."""
        return self.tokens_in + self.tokens_out

    def charge(self, written: int) -> None:
        """Charge the prompt, and of the answer as much as was written."""
        self.tokens_in, self.cached, whole = self.due
        self.tokens_out = whole * min(written, self.parts) // max(1, self.parts)

        if self.card is not None:
            self.usd = self.card.cost(self.tokens_in, self.cached, self.tokens_out)


def words(message: dict[str, Any]) -> str:
    """The text of a message, without pictures."""
    content = message.get("content") or ""

    if isinstance(content, str):
        return content

    return "\n".join(part.get("text", "") for part in content if part.get("type") == "text")


class Ledger:
    """All that was asked, and the sums."""

    def __init__(self) -> None:
        self.log: list[Asked] = []

    @property
    def paid(self) -> list[Asked]:
        """The requests whose answers were sent to the end."""
        return [asked for asked in self.log if asked.outcome == "completed"]

    completed = paid

    @property
    def paid_twice(self) -> list[Asked]:
        """Those of them that had been completed before: the same model, the same messages.

        An answer that was sent to the end and never read, because the client was killed, counts
        as completed: the platform charges for it.
        """
        seen: set[bytes] = set()
        again: list[Asked] = []

        for asked in self.paid:
            again += [asked] if asked.same in seen else []
            seen.add(asked.same)

        return again

    @property
    def refused(self) -> list[Asked]:
        """The requests that got an error instead of an answer, scripted ones too."""
        return [asked for asked in self.log if asked.outcome == "refused"]

    @property
    def tokens(self) -> int:
        """Charged in all."""
        return sum(asked.tokens for asked in self.log)

    @property
    def spent_usd(self) -> float:
        return sum(asked.usd for asked in self.log)


class Cache:
    """Which beginnings of prompts are known: a block is, if all before it is known too."""

    BLOCK = 256
    """Bytes."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def known(self, body: dict[str, Any]) -> int:
        """Tokens at the beginning of the prompt that an earlier one had too."""
        count = 0

        for digest in self._blocks(body):
            if digest not in self._known:
                break

            count += 1

        return count * self.BLOCK // 4

    def remember(self, body: dict[str, Any]) -> None:
        self._known.update(self._blocks(body))

    def _blocks(self, body: dict[str, Any]) -> list[bytes]:
        prompt = orjson.dumps([body.get("model"), body.get("tools", []), body.get("messages")])
        seen = hashlib.sha256()
        digests: list[bytes] = []

        for start in range(0, len(prompt) - self.BLOCK + 1, self.BLOCK):
            seen.update(prompt[start : start + self.BLOCK])
            digests.append(seen.digest())

        return digests
