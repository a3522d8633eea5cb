"""The mock platform without sockets: who may ask, what is wrong, what is answered, what it costs.

    platform = Platform(brain, tier=TIERS[0], faults=[None, cut_text()])
    asked = platform.begin(body, {"Authorization": "Bearer sk-mock"})
    ... send asked.answer ...
    platform.end(asked, written=asked.answer.pieces)

`Platform.answer` does both at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from faults.brains import Brain, small_swarm
from faults.cards import MODELS, RETIRED, Card, Key, keyring
from faults.log import Asked, Cache, Ledger
from faults.mishaps import Fault, message_of, quota_refusal
from faults.quirks import Quirks, Turn
from faults.rules import complaints, count_tokens
from faults.server import CUT, DROPPED, STALL, Answer, refuse
from faults.tier import Gate, Tier
from faults.voice import Voice

Faults = Sequence[Fault | None] | Mapping[int, Fault] | Callable[[Asked], Fault | None]
"""One for each request that is let in, in order; by the request's number; or by a function.

    faults=lambda asked: cut_text() if asked.attempt == 1 else None
"""
NOT_FOUND = "resource_not_found_error"
SECRET = "sk-mock-0123456789"  # noqa: S105 -- of a server that exists in tests only


class Platform(Ledger):
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
        super().__init__()
        self.reachable = True
        """Connections are taken; where they are not, see `down`."""
        self.keys = keyring(keys, platform)
        """May be set anew while the server runs, as when a key is replaced."""
        self.models = {card.id: card for card in models}
        self.quirks = quirks or Quirks()
        self.gate = Gate(tier or Tier(), clock)
        self._platform = platform
        self._retired = retired
        self._voice = Voice(brain or small_swarm(), latency)
        self._faults = faults
        self._balance = balance
        self._cache = Cache()
        self._attempts: Counter[bytes] = Counter()
        self._let_in = 0

    @property
    def in_flight(self) -> int:
        return self.gate.in_flight

    @property
    def peak(self) -> int:
        """The most answers that were under way at once."""
        return self.gate.peak

    @property
    def balance(self) -> float:
        """What is left, in US dollars."""
        return self._balance - self.spent_usd

    def down(self) -> None:
        """Refuse connections and drop those that are open, until `up`."""
        self.reachable = False

        for asked in self.log:
            if asked.outcome == "in flight":
                asked.fault, asked.spoiled = "down", True

    def up(self) -> None:
        """Take connections again."""
        self.reachable = True

    # One request -------------------------------------------------------------------------------

    def answer(self, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request, sent to the end at once. Without headers: the first key's."""
        asked = self.begin(body, headers or {"Authorization": f"Bearer {self.keys[0].secret}"})
        self.end(asked, asked.answer.pieces)
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

    def leave(self, asked: Asked) -> None:
        """Give its place in the gate back."""
        if asked.inside:
            asked.inside = False
            self.gate.leave()

    def end(self, asked: Asked, written: int) -> None:
        """Note how it went, after so many parts of bytes were written; the first time counts.

        Of a whole answer that is before its last bytes go out: a client that has them may ask
        again at once.
        """
        self.leave(asked)

        if asked.outcome != "in flight":
            return

        if asked.answer.status not in {200, DROPPED}:
            self._note_refusal(asked, asked.answer)
            return

        whole = asked.answer.pieces
        asked.outcome = "broken" if asked.spoiled else "completed" if written >= whole else "left"

        if asked.answer.status == 200:
            asked.charge(asked.parts if asked.outcome == "completed" else written)
            self._cache.remember(asked.body)

    def look(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        """The answer at the other addresses: models, tokens, balance."""
        if self.known(headers) is None:
            return unauthorised()

        if path == "/models":
            live = [card for name, card in self.models.items() if name not in self._retired]
            found: Any = {"object": "list", "data": [card.listed() for card in live]}
        elif path == "/tokenizers/estimate-token-count":
            found = {"data": {"total_tokens": count_tokens(body)}}
        elif path == "/users/me/balance":
            left = round(self.balance, 5)
            data = {"available_balance": left, "voucher_balance": 0.0, "cash_balance": left}
            found = {"code": 0, "data": data, "scode": "0x0", "status": True}
        else:
            return refuse(404, NOT_FOUND, f"The requested resource {path} was not found")

        return Answer(plain=orjson.dumps(found))

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
        asked.inside = refusal is None
        self._attempts[asked.same] += asked.inside
        return refusal

    def _broken(self, asked: Asked) -> Answer:
        """The answer, after the fault that the script has for it."""
        try:
            said = self._voice.think(asked, self.quirks)
            fault = self._fault(asked)

            if fault and isinstance(said, Turn):
                said = fault.turn(said)

            answer = self._voice.spell(asked, said, self.quirks, self._cache.known(asked.body))
            broken = fault and fault.answer(answer)
        except BaseException:
            self.leave(asked)
            asked.outcome = "refused"
            raise

        if fault and broken:
            asked.fault, asked.spoiled = fault.name, fault.spoils
            answer = broken

        asked.spoiled |= CUT in answer.parts or STALL in answer.parts
        asked.status = answer.status
        return answer

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
