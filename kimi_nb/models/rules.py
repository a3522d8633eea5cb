"""What differs from model to model: one small table, which a run's own rows go before."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kimi_nb.errors import UsageFault

__all__ = ["RULES", "Manner", "Rules", "fields_of", "rules_for"]

Fields = Mapping[str, Any]
"""Fields of a request's JSON."""

_EFFORT: Mapping[str, Fields] = {
    level: {"reasoning_effort": level} for level in ("low", "high", "max")
}
_SWITCH: Mapping[str, Fields] = {
    "on": {"thinking": {"type": "enabled"}},
    "off": {"thinking": {"type": "disabled"}},
}
_TEMPLATE: Mapping[str, Fields] = {
    "on": {"chat_template_kwargs": {"thinking": True}},
    "off": {"chat_template_kwargs": {"thinking": False}},
}
_USUAL: Mapping[str, Fields] = {
    level: {"reasoning_effort": level} for level in ("low", "medium", "high")
}
_FIXED = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
_OURS = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "stream",
        "stream_options",
        "tools",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to speak to the models whose ids match `models`, at `place`.

    Raises UsageFault for `extra` fields that are not the user's to set.
    """

    models: str
    """A pattern for ids, as in a shell: "kimi-k3*". Case does not matter."""
    place: str = ""
    """"moonshot": on Moonshot's own platform; "elsewhere": not there; "": anywhere."""
    thinking: Mapping[str, Fields] = field(default_factory=dict[str, Fields])
    """What to send for each way to think that a user can ask for; empty: it cannot be set."""
    extra: Fields = field(default_factory=dict[str, Any])
    """What goes into every request beside that."""
    recalls: bool = False
    """Every assistant message that is sent back must hold the model's thinking."""
    tool_images: bool = False
    """Images may stand in a tool's message; otherwise they go in one of the user's behind it."""
    call_id: str = ""
    """How ids of tool calls must read, with {name} and {number}; "": as they came."""

    def __post_init__(self) -> None:
        if ours := sorted(_OURS & self.extra.keys()):
            message = f"extra sets {', '.join(map(repr, ours))}, which every call sets itself"
            raise UsageFault(message)

    def fits(self, model: str, *, moonshot: bool) -> bool:
        """Whether these are the rules for this model id."""
        here = {"": True, "moonshot": moonshot, "elsewhere": not moonshot}
        return here[self.place] and fnmatch.fnmatchcase(model.lower(), self.models.lower())


RULES: tuple[Rules, ...] = (
    Rules(models="kimi-k3*", place="moonshot", thinking=_EFFORT, recalls=True, tool_images=True),
    Rules(models="kimi-k2.7-code*", place="moonshot", recalls=True, tool_images=True),
    Rules(models="kimi-k2.6*", place="moonshot", thinking=_SWITCH, recalls=True, tool_images=True),
    # Their chat template reads the function's name out of the id.
    Rules(
        models="*kimi-k2*",
        place="elsewhere",
        thinking=_TEMPLATE,
        call_id="functions.{name}:{number}",
    ),
    Rules(models="*", thinking=_USUAL),
)
"""As documented in November 2026; the first row that fits counts."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run speaks to its model."""

    thinking: str | None = None
    """One of the ways that the model's rules know; None: as it does by itself."""
    rules: tuple[Rules, ...] = ()
    """The user's own rows."""


def rules_for(model: str, own: Iterable[Rules] = (), *, moonshot: bool) -> Rules:
    """The first of the user's `own` rows that fits, otherwise the first of the table."""
    return next(row for row in (*own, *RULES) if row.fits(model, moonshot=moonshot))


def fields_of(rules: Rules, model: str, thinking: str | None, *, moonshot: bool) -> dict[str, Any]:
    """What goes into every request to `model` for this way to `thinking`; None: the model's own.

    Raises UsageFault for a way that it does not have, and for fields that it refuses.
    """
    fields = dict(rules.extra)

    if thinking is not None:
        fields |= _thinking_fields(rules, model, thinking)

    if moonshot and (refused := sorted(_FIXED & fields.keys())):
        message = f"{model} refuses {', '.join(map(repr, refused))}, which are fixed; leave it out"
        raise UsageFault(message)

    if {"thinking", "reasoning_effort"} <= fields.keys():
        message = f"{model} takes either 'thinking' or 'reasoning_effort', not both"
        raise UsageFault(message)

    return fields


def _thinking_fields(rules: Rules, model: str, thinking: str) -> Fields:
    found = rules.thinking.get(thinking)

    if found is None:
        known = ", ".join(map(repr, rules.thinking))
        hint = f"say one of {known}" if known else "leave it out: it thinks as it does"
        message = f"{model} knows no thinking {thinking!r}; {hint}"
        raise UsageFault(message)

    return found
