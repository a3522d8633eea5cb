"""From a request to the bytes of its answer: what the brain says, capped, named and spelled."""

from __future__ import annotations

from dataclasses import dataclass, replace

from faults.brains import Brain, OfBody, read
from faults.log import Asked
from faults.quirks import Quirks, Turn, overthought, spell
from faults.rules import count_tokens
from faults.server import Answer

EVENT_STREAM = "text/event-stream"
THOUGHT = "Let me see."
"""Of a model that always thinks, where its brain says nothing of that."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A brain, and how long it takes to begin."""

    brain: Brain
    latency: float = 0.0
    """Seconds before the first byte."""

    def think(self, asked: Asked, quirks: Quirks) -> Turn | Answer:
        """What the model says, as long as the request allows, each call with its id."""
        body, card = asked.body, asked.card
        assert card is not None
        brain = self.brain
        found = read(brain.think(body) if isinstance(brain, OfBody) else brain(body["messages"]))

        if isinstance(found, Answer):
            return found

        before = sum(len(message.get("tool_calls") or ()) for message in asked.messages)
        calls = tuple(
            made._replace(id=quirks.call_id(made.name, before, position))
            for position, made in enumerate(found.calls)
        )
        thinking = (found.thinking or THOUGHT) if card.thinks(body) else ""
        turn = replace(found, calls=calls, thinking=thinking)
        cap = card.cap(body)
        return overthought(turn, cap) if quirks.overthinks else turn.within(cap)

    def spell(self, asked: Asked, said: Turn | Answer, quirks: Quirks, cached: int) -> Answer:
        """The same as an answer; `asked` learns what is due for it."""
        body = asked.body
        streamed = bool(body.get("stream"))
        made = said.tokens if isinstance(said, Turn) else 0
        asked.due = count_tokens(body), cached, made

        if isinstance(said, Turn):
            usage = dict(zip(("tokens_in", "cached", "tokens_out"), asked.due, strict=True))
            last = bool((body.get("stream_options") or {}).get("include_usage"))
            said = spell(said, usage, quirks, body["model"], last=last)

        if said.status == 200 and not streamed:
            said = replace(said, parts=(said.plain,))

        asked.parts = said.pieces
        kind = {"Content-Type": EVENT_STREAM if streamed else "application/json"}
        said = replace(said, headers={**kind, **said.headers})
        return said if said.delay else said.after(self.latency)
