"""What a span is of and what it counts, in whichever dialect.

The dialects are the GenAI conventions in their present and older names, OpenInference, OpenLLMetry
and pydantic-ai's additions.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from kimi_nb.views.otel.spans import Span, text_of

__all__ = [
    "Kind",
    "finish_of",
    "first_of",
    "handed_over_by",
    "kind_of",
    "model_of",
    "name_of",
    "own",
    "tokens_of",
]

Kind = Literal["call", "tool", "agent", "node"]
"""A model call, a tool call, an agent, or anything that only holds others."""

_SAID: dict[str, dict[str, Kind]] = {
    "gen_ai.operation.name": {
        "chat": "call",
        "generate_content": "call",
        "text_completion": "call",
        "execute_tool": "tool",
        "invoke_agent": "agent",
    },
    "openinference.span.kind": {"LLM": "call", "TOOL": "tool", "AGENT": "agent"},
    "traceloop.span.kind": {"agent": "agent", "tool": "tool"},
    "llm.request.type": {"chat": "call", "completion": "call"},
}
"""Attributes that say what a span is of, the surest first.

OpenInference has AGENT for whatever has "agent" in its name, tools too.
"""
_FINISHES = {
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "end_turn": "stop",
    "max_tokens": "length",
}
_KNOWN = {"stop", "tool_calls", "length", "content_filter"}
_AGENT_NAMES = ("gen_ai.agent.name", "agent.name", "agent_name", "gen_ai.workflow.name")
_TOOL_NAMES = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
_MODELS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "model_name")
_IN = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUT = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
)
_CACHED = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
)
_MOST_TOKENS = 10**12
_HANDOFFS = ("gen_ai.handoff.parent_agent", "graph.node.parent_id")


def kind_of(span: Span) -> Kind:
    """What it is a span of."""
    about = span.attributes

    for name, kinds in _SAID.items():
        if said := text_of(about.get(name)):
            kind: Kind = kinds.get(said, "node")
            return "tool" if kind == "agent" and "tool.name" in about else kind

    # Before there were names of operations, only model calls had a model and its usage.
    asked = "gen_ai.request.model" in about and tokens_of(span) is not None
    marks: tuple[tuple[bool, Kind], ...] = (
        ("gen_ai.tool.name" in about, "tool"),
        ("agent_name" in about, "agent"),
        (asked, "call"),
    )
    found: list[Kind] = [kind for there, kind in marks if there]
    return found[0] if found else "node"


def name_of(span: Span) -> str:
    """The name of an agent, a tool or a node."""
    tool = kind_of(span) == "tool"
    return first_of(span, _TOOL_NAMES if tool else _AGENT_NAMES)[:200] or span.name[:200]


def model_of(span: Span) -> str:
    """Which model was asked; "" if the span does not say."""
    return first_of(span, _MODELS)[:200]


def tokens_of(span: Span) -> tuple[int, int, int] | None:
    """Tokens in, out, and cached of those that went in; None if the span does not say."""
    found = [_count(span, names) for names in (_IN, _OUT, _CACHED)]

    if found[0] is None and found[1] is None:
        return None

    went_in, came_out, cached = (number or 0 for number in found)
    return went_in, came_out, min(cached, went_in)


def finish_of(span: Span, *, calls: bool) -> str:
    """Why the answer ended, in the words of a trace; `calls`: tools were called after it."""
    found: Any = span.attributes.get("gen_ai.response.finish_reasons")
    listed = cast("list[Any]", found) if isinstance(found, list) else [found]
    said = text_of(listed[0] if listed else "") or first_of(
        span, ("llm.finish_reason", "gen_ai.response.finish_reason")
    )
    said = _FINISHES.get(said.lower(), said.lower())
    return said if said in _KNOWN else "tool_calls" if calls else "stop"


def handed_over_by(span: Span) -> str:
    """Name of the agent that handed over to this one; "" if none is said to have."""
    return first_of(span, _HANDOFFS)


def own(span: Span | None, what: str) -> str:
    """What our own spans say under a name of ours; "" for a span that does not."""
    return "" if span is None else text_of(span.attributes.get(f"kimi_nb.{what}"))


def first_of(span: Span, names: tuple[str, ...]) -> str:
    """The first of those attributes that is a text, or ""."""
    return next((said for name in names if (said := text_of(span.attributes.get(name)))), "")


def _count(span: Span, names: tuple[str, ...]) -> int | None:
    for name in names:
        found = span.attributes.get(name)

        if isinstance(found, int | float) and not isinstance(found, bool) and found >= 0:
            return int(min(found, _MOST_TOKENS))

    return None
