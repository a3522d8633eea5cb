"""What the mock platform refuses: each rule broken alone, beside the request that keeps it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from faults.cards import K3, K26, K27_CODE, K31_PRO, Card
from faults.core import Platform
from faults.examples import example
from faults.mishaps import message_of
from faults.rules import complaints, count_tokens
from faults.schema_rules import schema_complaint
from hypothesis import given
from hypothesis import strategies as st

from kimi_nb.swarm.prompts import ORCHESTRATOR_TOOLS
from kimi_nb.tools import standard_tools

USER = {"role": "user", "content": "hi"}
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
BLIND = Card(id="blind", context=8_192, answer=1_024)


def made(*ids: str, **more: Any) -> dict[str, Any]:
    calls = [
        {"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for id in ids
    ]
    return {"role": "assistant", "reasoning_content": "hm", "tool_calls": calls, **more}


def answer(id: str, content: Any = "seen") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def talk(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [USER, *messages], **more}


def without(message: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != key}


def tool(name: str = "look", **more: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"n": {"type": "integer"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}, **more}


def offers(*tools: dict[str, Any], **more: Any) -> dict[str, Any]:
    return talk(tools=list(tools), **more)


def image(url: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": "m", "messages": [{"role": "user", "content": parts}]}


def text_parts(text: str) -> dict[str, Any]:
    return {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
    }


OFF = {"thinking": {"type": "disabled"}}
ON = {"thinking": {"type": "enabled"}}
UNTHOUGHT = talk(without(made("a"), "reasoning_content"), answer("a"))
MISSING = "reasoning_content is missing in assistant tool call message at index 1"
UNANSWERED = "must be followed by tool messages"

# (model, request that is in order, request that breaks one rule, words of the refusal)
RULES: dict[str, tuple[Card, Any, Any, str]] = {
    "thinking lost": (K3, talk(made("a"), answer("a")), UNTHOUGHT, MISSING),
    "thinking lost, pro": (K31_PRO, talk(made("a"), answer("a")), UNTHOUGHT, MISSING),
    "thinking lost, code": (K27_CODE, talk(made("a"), answer("a")), UNTHOUGHT, MISSING),
    "thinking lost, by default": (K26, {**UNTHOUGHT, **OFF}, UNTHOUGHT, MISSING),
    "thinking lost, on": (K26, {**UNTHOUGHT, **OFF}, {**UNTHOUGHT, **ON}, MISSING),
    "thinking emptied": (
        K3,
        talk(made("a"), answer("a")),
        talk(made("a", reasoning_content=""), answer("a")),
        MISSING,
    ),
    "unanswered at the end": (K3, talk(made("a"), answer("a")), talk(made("a")), UNANSWERED),
    "one of two unanswered": (
        K3,
        talk(made("a", "b"), answer("b"), answer("a")),
        talk(made("a", "b"), answer("b")),
        "response messages: a",
    ),
    "unanswered before words": (
        K3,
        talk(made("a"), answer("a"), USER),
        talk(made("a"), USER, answer("a")),
        UNANSWERED,
    ),
    "answered twice": (
        K3,
        talk(made("a"), answer("a")),
        talk(made("a"), answer("a"), answer("a")),
        "tool_call_id a is not found",
    ),
    "answer to nothing": (K3, talk(), talk(answer("a")), "tool_call_id a is not found"),
    "answer to an earlier turn": (
        K3,
        talk(made("a"), answer("a"), made("b"), answer("b")),
        talk(made("a"), answer("a"), made("b"), answer("a")),
        "tool_call_id a is not found",
    ),
    "two calls of one id": (
        K3,
        talk(made("a"), answer("a"), made("a"), answer("a")),
        talk(made("a", "a"), answer("a"), answer("a")),
        "duplicated",
    ),
    "call without id": (K3, talk(made("a"), answer("a")), talk(made(""), answer("")), "malformed"),
    "empty text": (K3, talk(USER), talk({"role": "user", "content": " \n"}), "must not be empty"),
    "empty part": (K3, text_parts("a"), text_parts(""), "text content is empty"),
    "empty text beside calls": (
        K3,
        talk(made("a"), answer("a")),
        talk(made("a", content=""), answer("a")),
        "text content is empty",
    ),
    "empty tool result": (
        K3,
        talk(made("a"), answer("a")),
        talk(made("a"), answer("a", "")),
        "must not be empty",
    ),
    "nothing said": (
        K3,
        talk({"role": "assistant", "content": "x"}),
        talk({"role": "assistant"}),
        "must not be empty",
    ),
    "calls of a user": (
        K3,
        talk(made("a"), answer("a")),
        talk({**made("a"), "role": "user", "content": "x"}, answer("a")),
        "role 'user' has tool calls",
    ),
    "no messages": (K3, talk(), {"messages": []}, "messages must not be empty"),
    "no role": (K3, talk(), {"messages": [{"content": "a"}]}, "no valid role"),
    "temperature": (
        K3,
        talk(temperature=1.0),
        talk(temperature=0.6),
        "invalid temperature: only 1",
    ),
    "top_p": (K3, talk(top_p=0.95), talk(top_p=1), "invalid top_p"),
    "n": (K3, talk(n=1), talk(n=2), "invalid n"),
    "presence": (K3, talk(presence_penalty=0), talk(presence_penalty=0.1), "presence_penalty"),
    "frequency": (K3, talk(frequency_penalty=0), talk(frequency_penalty=1), "frequency_penalty"),
    "both": (K26, talk(**ON), talk(**ON, reasoning_effort="low"), "at the same time"),
    "thinking on K3": (K3, talk(reasoning_effort="low"), talk(**ON), "thinking is not supported"),
    "effort on K2.6": (K26, talk(**OFF), talk(reasoning_effort="low"), "is not supported by"),
    "effort on code": (K27_CODE, talk(), talk(reasoning_effort="low"), "is not supported by"),
    "thinking on code": (K27_CODE, talk(), talk(**ON), "is not supported by"),
    "unknown effort": (K3, talk(reasoning_effort="max"), talk(reasoning_effort="medium"), "one of"),
    "unknown switch": (K26, talk(**ON), talk(thinking={"type": "auto"}), "one of enabled"),
    "no cap": (K3, talk(max_completion_tokens=1), talk(max_completion_tokens=0), "positive"),
    "schema": (
        K3,
        offers(tool()),
        offers(tool(function={"name": "look", "parameters": {"type": "string"}})),
        "moonshot flavored",
    ),
    "short name": (K3, offers(tool("lok")), offers(tool("lo")), "function name 'lo' is invalid"),
    "dotted name": (K3, offers(tool("a_b-c")), offers(tool("a.bc")), "is invalid"),
    "name from a digit": (K3, offers(tool("_1a")), offers(tool("1ab")), "is invalid"),
    "long name": (K3, offers(tool("a" * 64)), offers(tool("a" * 65)), "is invalid"),
    "same name": (K3, offers(tool(), tool("see")), offers(tool(), tool()), "duplicated"),
    "other type": (K3, offers(tool()), offers(tool(type="code")), "tool type"),
    "129 tools": (
        K3,
        offers(*(tool(f"tool{n}") for n in range(128))),
        offers(*(tool(f"tool{n}") for n in range(129))),
        "at most 128",
    ),
    "required on K2.6": (
        K26,
        offers(tool(), tool_choice="auto"),
        offers(tool(), tool_choice="required"),
        "'required' is not supported by kimi-k2.6",
    ),
    "named choice": (
        K3,
        offers(tool(), tool_choice="required"),
        offers(tool(), tool_choice={"type": "function", "function": {"name": "look"}}),
        "named function",
    ),
    "unknown choice": (K3, offers(tool_choice="none"), offers(tool_choice="any"), "'any'"),
    "image for the blind": (
        BLIND,
        text_parts("what?"),
        image(PNG),
        "image input is not supported by blind",
    ),
    "image from the web": (K3, image(PNG), image("https://example.org/a.png"), "base64 data urls"),
    "image of nothing": (K3, image(PNG), image(PNG + "%"), "base64 data urls"),
    "unknown part": (
        K3,
        text_parts("a"),
        {"messages": [{"role": "user", "content": [{"type": "audio"}]}]},
        "'audio' is not supported",
    ),
    "too long": (
        BLIND,
        talk(max_completion_tokens=8_182),
        talk(max_completion_tokens=8_183),
        "exceeded model token limit: 8192 (requested: 8193)",
    ),
    "too long by default": (
        BLIND,
        talk({"role": "user", "content": "x" * 4 * 7_100}),
        talk({"role": "user", "content": "x" * 4 * 7_200}),
        "exceeded model token limit",
    ),
}


@pytest.mark.parametrize(("card", "good", "bad", "said"), RULES.values(), ids=RULES)
def test_a_rule_broken_alone_is_told(card: Card, good: Any, bad: Any, said: str) -> None:
    assert complaints(good, card) is None
    assert said in (complaints(bad, card) or "")


def test_thinking_goes_back_under_the_name_under_which_it_came() -> None:
    named = talk({**without(made("a"), "reasoning_content"), "reasoning": "hm"}, answer("a"))
    assert complaints(named, K3, "reasoning") is None
    assert "reasoning is missing" in (
        complaints(talk(made("a"), answer("a")), K3, "reasoning") or ""
    )
    assert MISSING in (complaints(named, K3) or "")


def test_a_refusal_has_the_platforms_type() -> None:
    platform = Platform()
    refused = platform.answer({"model": "kimi-k3", "messages": [USER], "temperature": 0})
    assert refused.status == 400
    assert b'"type":"invalid_request_error"' in refused.plain
    assert "temperature" in message_of(refused)


def test_pictures_count_the_same_whatever_their_size() -> None:
    small, large = image(PNG), image(PNG + base64.b64encode(b"x" * 30_000).decode())
    assert count_tokens(small) == count_tokens(large) > 1_024


# Schemas -------------------------------------------------------------------------------------


def holds(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT = {"type": "string"}
POINT = {"$defs": {"P": holds(x=TEXT)}}
SCHEMAS: dict[str, tuple[Any, Any, str]] = {
    "no type": (holds(a=TEXT), holds(a={"description": "x"}), "'properties.a': type is not"),
    "no type inside": (holds(a=holds(b=TEXT)), holds(a=holds(b={})), "properties.a.properties.b"),
    "no type in items": (
        holds(a={"type": "array", "items": holds(b=TEXT)}),
        holds(a={"type": "array", "items": holds(b={})}),
        "items.properties.b",
    ),
    "type beside anyOf": (
        holds(a={"anyOf": [TEXT, {"type": "null"}]}),
        holds(a={"type": "string", "anyOf": [TEXT]}),
        "when using anyOf",
    ),
    "type beside $ref": (
        {**holds(a={"$ref": "#/$defs/P"}), **POINT},
        {**holds(a={"$ref": "#/$defs/P", "type": "object"}), **POINT},
        "when using $ref",
    ),
    "$defs below the root": (
        {**holds(a=holds(b=TEXT)), **POINT},
        holds(a={**holds(b=TEXT), **POINT}),
        "only allowed at the root",
    ),
    "$ref to nothing": (
        {**holds(a={"$ref": "#/$defs/P"}), **POINT},
        holds(a={"$ref": "#/$defs/P"}),
        "points to nothing",
    ),
    "anyOf without types": (
        holds(a={"anyOf": [TEXT]}),
        holds(a={"anyOf": [{"enum": ["x"]}]}),
        "anyOf.0",
    ),
    "two types": (holds(a=TEXT), holds(a={"type": ["string", "null"]}), "is not one of"),
    "root": ({}, {"properties": {}}, "at the root"),
    "no object": (holds(), ["a"], "must be an object"),
    "a property called pattern": (
        holds(pattern=TEXT),
        holds(a={**TEXT, "pattern": "x"}),
        "pattern",
    ),
    **{
        word: (holds(a=TEXT), holds(a={**TEXT, word: [TEXT]}), f"keyword '{word}'")
        for word in ("allOf", "oneOf", "not", "pattern")
    },
}


@pytest.mark.parametrize(("good", "bad", "said"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_in_another_flavour(good: Any, bad: Any, said: str) -> None:
    assert schema_complaint(good, "look") is None
    assert said in (schema_complaint(bad, "look") or "")


def test_our_own_tools_are_in_order() -> None:
    for spec in (*ORCHESTRATOR_TOOLS, *standard_tools().specs):
        assert complaints(offers(spec), K3) is None


# Robust ----------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(JSON, st.sampled_from(["messages", "tools", "tool_choice", "thinking", "temperature"]))
def test_whatever_a_field_holds_the_answer_is_words_or_none(value: Any, name: str) -> None:
    found = complaints({**talk(), name: value}, K26)
    assert found is None or found.startswith(("Invalid", "invalid"))


@given(st.integers(0, 5))
def test_examples_are_what_the_schema_allows(number: int) -> None:
    schema = {
        **holds(
            n={"type": "integer", "minimum": 3, "maximum": 5},
            s={"type": "string", "minLength": 9, "maxLength": 10},
            e={"type": "string", "enum": ["a", "b"]},
            a={"type": "array", "items": {"$ref": "#/$defs/P"}, "minItems": 2},
            o={"anyOf": [{"type": "null"}, TEXT]},
        ),
        "required": ["n", "s", "e", "a", "o"],
        "$defs": {"P": {**holds(x={"type": "boolean"}), "required": ["x"]}},
    }
    found = example(schema, number)
    assert 3 <= found["n"] <= 5
    assert 9 <= len(found["s"]) <= 10
    assert found["e"] in {"a", "b"}
    assert found["a"] == [{"x": True}] * 2
    assert found["o"] is None
