"""The mock platform without sockets: who may ask, what is wrong, what is answered, what it costs.

    platform = Platform(brain, tier=TIERS[0], faults=[None, cut_text()])
    asked = platform.begin(body, {"Authorization": "Bearer sk-mock"})
    ... send asked.answer ...
    platform.end(asked, written=len(asked.answer.parts))

`Platform.answer` does both at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from faults.brains import Brain, OfBody, read, small_swarm
from faults.cards import MODELS, RETIRED, Card, Key, keyring
from faults.log import Asked, Cache
from faults.mishaps import Fault, message_of, quota_refusal
from faults.quirks import Quirks, Turn, overthought, spell
from faults.rules import complaints, count_tokens
from faults.server import Answer, refuse
from faults.tier import Gate, Tier

Faults = Sequence[Fault | None] | Mapping[int, Fault] | Callable[[Asked], Fault | None]
"""One for each request that is let in, in order; by the request's number; or by a function.

    faults=lambda asked: cut_text() if asked.attempt == 1 else None
"""
NOT_FOUND = "resource_not_found_error"
EVENT_STREAM = "text/event-stream"
SECRET = "sk-mock-0123456789"  # noqa: S105 -- of a server that exists in tests only


class Platform:
    """An account at the platform. All that it was asked is in `log`."""

    def __init__(
        self,
        brain: Brain | None = None,
        *,
        keys: Sequence[str | Key] = (SECRET,),
        platform: str = "ai",
        models: Sequence[Card] = MODELS,
        retired: Sequence[str] = RETIRED,
        tier: Tier | None = None,
        quirks: Quirks | None = None,
        faults: Faults = (),
        balance: float = 100.0,
        latency: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log: list[Asked] = []
        self.keys = keyring(keys, platform)
        """May be set anew while the server runs, as when a key is replaced."""
        self.models = {card.id: card for card in models}
        self.quirks = quirks or Quirks()
        self.gate = Gate(tier or Tier(), clock)
        self._platform = platform
        self._retired = retired
        self._brain = brain or small_swarm()
        self._faults = faults
        self._balance = balance
        self._latency = latency
        self._cache = Cache()
        self._attempts: Counter[bytes] = Counter()
        self._let_in = 0

    # What came of it ---------------------------------------------------------------------------

    @property
    def paid(self) -> list[Asked]:
        """The requests whose answers were sent to the end."""
        return [asked for asked in self.log if asked.outcome == "completed"]

    @property
    def paid_twice(self) -> list[Asked]:
        """Those of them that had been completed before: the same model, the same messages."""
        seen: Counter[bytes] = Counter()
        again: list[Asked] = []

        for asked in self.paid:
            seen[asked.same] += 1
            again += [asked] if seen[asked.same] > 1 else []

        return again

    @property
    def refused(self) -> list[Asked]:
        """The requests that got an error instead of an answer, scripted ones too."""
        return [asked for asked in self.log if asked.outcome == "refused"]

    @property
    def in_flight(self) -> int:
        return self.gate.in_flight

    @property
    def peak(self) -> int:
        """The most answers that were under way at once."""
        return self.gate.peak

    @property
    def tokens(self) -> int:
        """Charged in all."""
        return sum(asked.tokens for asked in self.log)

    @property
    def spent_usd(self) -> float:
        return sum(asked.usd for asked in self.log)

    @property
    def balance(self) -> float:
        """What is left, in US dollars."""
        return self._balance - self.spent_usd

    # One request -------------------------------------------------------------------------------

    def answer(self, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request, sent to the end at once. Without headers: the first key's."""
        asked = self.begin(body, headers or {"Authorization": f"Bearer {self.keys[0].secret}"})
        self.end(asked, len(asked.answer.parts))
        return asked.answer

    def begin(self, body: Any, headers: Mapping[str, str]) -> Asked:
        """Decide what to send, as `asked.answer`; `end` must follow when it was sent."""
        key = self.known(headers)
        asked = Asked(number=len(self.log) + 1, key=key.label if key else "", body=dict(body))
        self.log.append(asked)
        refusal = self._refusal(asked, key)

        if refusal is None:
            answer = self._broken(asked)
        else:
            answer = refusal
            self._note_refusal(asked, answer)

        asked.answer = replace(answer, headers={**self.gate.headers(), **answer.headers})
        return asked

    def end(self, asked: Asked, written: int) -> None:
        """Note how it went, after so many parts of bytes were written."""
        if asked.outcome != "in flight":
            return

        self.gate.leave()
        answer = asked.answer
        whole = sum(isinstance(part, bytes) for part in answer.parts)

        if answer.status != 200:
            self._note_refusal(asked, answer)
        elif asked.spoiled:
            asked.outcome = "broken"
            asked.charge(written / (len(answer.parts) + whole))
        else:
            asked.outcome = "completed" if written >= whole else "left"
            asked.charge(min(1.0, written / whole) if whole else 1.0)
            self._cache.remember(asked.body)

    def known(self, headers: Mapping[str, str]) -> Key | None:
        """The key of a request; None: there is none, or none of this platform."""
        given = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
        mine = [key for key in self.keys if key.platform == self._platform]
        return next((key for key in mine if given == f"Bearer {key.secret}"), None)

    def _refusal(self, asked: Asked, key: Key | None) -> Answer | None:
        """Why it is not let in; None: it is, and a place in the gate is taken."""
        if key is None:
            return unauthorised()

        model = str(asked.body.get("model"))
        card = asked.card = self.models.get(model)

        if card is None or model in self._retired:
            return refuse(404, NOT_FOUND, f"Not found the model {model} or Permission denied")

        if model in key.closed:
            return refuse(403, "permission_denied_error", "The API you are accessing is not open")

        if wrong := complaints(asked.body, card, self.quirks.thinking_key):
            return refuse(400, "invalid_request_error", wrong)

        if self.balance <= 0:
            return quota_refusal()

        asked.attempt = self._attempts[asked.same] + 1
        refusal = self.gate.enter(count_tokens(asked.body) + card.cap(asked.body))
        self._attempts[asked.same] += refusal is None
        return refusal

    def _broken(self, asked: Asked) -> Answer:
        """The answer, after the fault that the script has for it."""
        try:
            thought = self._think(asked)
            fault = self._fault(asked)
            turn = fault and isinstance(thought, Turn) and fault.turn(thought)
            answer = self._spelled(asked, turn or thought)
            broken = fault and answer.status == 200 and fault.answer(answer)
        except BaseException:
            self.gate.leave()
            asked.outcome = "refused"
            raise

        if fault and broken and (turn or not isinstance(thought, Turn)):
            asked.fault, asked.spoiled = fault.name, fault.spoils
            answer = broken

        asked.status = answer.status
        return answer

    def _think(self, asked: Asked) -> Turn | Answer:
        """What the model says, as long as the request allows."""
        brain, body, card = self._brain, asked.body, asked.card
        assert card is not None
        found = read(brain.think(body) if isinstance(brain, OfBody) else brain(body["messages"]))

        if isinstance(found, Answer):
            return found

        before = sum(len(message.get("tool_calls") or ()) for message in asked.messages)
        calls = tuple(
            made._replace(id=self.quirks.call_id(made.name, before, position))
            for position, made in enumerate(found.calls)
        )
        thinking = (found.thinking or "Let me see.") if card.thinks(body) else ""
        turn = replace(found, calls=calls, thinking=thinking)
        cap = card.cap(body)
        return overthought(turn, cap) if self.quirks.overthinks else turn.within(cap)

    def _spelled(self, asked: Asked, turn: Turn | Answer) -> Answer:
        body = asked.body
        streamed = bool(body.get("stream"))

        if isinstance(turn, Turn):
            asked.due = count_tokens(body), self._cache.known(body), turn.tokens
            usage = dict(zip(("tokens_in", "cached", "tokens_out"), asked.due, strict=True))
            last = bool((body.get("stream_options") or {}).get("include_usage"))
            turn = spell(turn, usage, self.quirks, body["model"], last=last)

        if turn.status == 200 and not streamed:
            turn = replace(turn, parts=(turn.plain,))

        kind = {"Content-Type": EVENT_STREAM if streamed else "application/json"}
        turn = replace(turn, headers={**kind, **turn.headers})
        return turn if turn.delay else turn.after(self._latency)

    def _fault(self, asked: Asked) -> Fault | None:
        number = self._let_in
        self._let_in += 1

        if callable(self._faults):
            return self._faults(asked)

        if isinstance(self._faults, Mapping):
            return self._faults.get(asked.number)

        return self._faults[number] if number < len(self._faults) else None

    def _note_refusal(self, asked: Asked, answer: Answer) -> None:
        asked.status = answer.status
        asked.why = message_of(answer) if answer.status else ""
        asked.outcome = "refused"


def unauthorised() -> Answer:
    return refuse(401, "invalid_authentication_error", "Invalid Authentication")
