"""What differs from model to model: thinking, ids of calls, thinking that must be sent back."""

from __future__ import annotations

from typing import Any

import pytest
from faults.server import DONE, FaultServer, call, chunk, event, raw, refuse, say
from test_chat import Heard

from kimi_nb.errors import Allowed, BadRequest, UsageFault
from kimi_nb.models.base import Conversation, Request, ToolSpecs
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.rules import Rules, fields_of, rules_for

USER = {"role": "user", "content": "go"}
MISSING = "thinking is enabled but reasoning_content is missing in assistant tool call message at 1"


def fields(model: str, thinking: str | None, *own: Rules, moonshot: bool = True) -> Any:
    rules = rules_for(model, own, moonshot=moonshot)
    return fields_of(rules, model, thinking, moonshot=moonshot)


@pytest.mark.parametrize(
    ("model", "thinking", "sent"),
    [
        ("kimi-k3", "low", {"reasoning_effort": "low"}),
        ("kimi-k3.1-pro", "max", {"reasoning_effort": "max"}),
        ("kimi-k2.6", "off", {"thinking": {"type": "disabled"}}),
        ("Kimi-K2.6", "on", {"thinking": {"type": "enabled"}}),
        ("kimi-k2.7-code", None, {}),
        ("kimi-k3", None, {}),
    ],
)
def test_how_thinking_is_asked_for(model: str, thinking: str | None, sent: Any) -> None:
    assert fields(model, thinking) == sent


@pytest.mark.parametrize("model", ["moonshotai/Kimi-K2.5", "kimi-k2.6"])
def test_open_weights_take_it_in_their_template(model: str) -> None:
    sent = {"chat_template_kwargs": {"thinking": False}}
    assert fields(model, "off", moonshot=False) == sent


def test_a_model_that_nobody_knows_takes_the_usual_field() -> None:
    assert fields("some-other", "medium", moonshot=False) == {"reasoning_effort": "medium"}


@pytest.mark.parametrize(
    ("model", "thinking", "hint"),
    [
        ("kimi-k3", "off", "say one of 'low', 'high', 'max'"),
        ("kimi-k2.6", "low", "say one of 'on', 'off'"),
        ("kimi-k2.7-code", "low", "leave it out"),
    ],
)
def test_thinking_that_a_model_does_not_have(model: str, thinking: str, hint: str) -> None:
    with pytest.raises(UsageFault, match=hint):
        fields(model, thinking)


def test_a_row_of_ones_own_goes_first() -> None:
    own = Rules(models="qwen3-*", thinking={"off": {"enable_thinking": False}}, extra={"seed": 1})
    assert fields("Qwen3-32B", "off", own, moonshot=False) == {"enable_thinking": False, "seed": 1}
    assert fields("other", "low", own, moonshot=False) == {"reasoning_effort": "low"}


def test_fields_that_are_not_the_users_to_set() -> None:
    with pytest.raises(UsageFault, match="'messages', which every call sets itself"):
        Rules(models="*", extra={"messages": []})

    with pytest.raises(UsageFault, match="kimi-k3 refuses 'temperature'"):
        fields("kimi-k3", None, Rules(models="*", extra={"temperature": 0.6}))

    assert fields("other", None, Rules(models="*", extra={"temperature": 0.6}), moonshot=False)
    both = Rules(models="*", thinking={"low": {"reasoning_effort": "low"}}, extra={"thinking": {}})

    with pytest.raises(UsageFault, match="not both"):
        fields("kimi-k3", "low", both)


async def ask(server: FaultServer, messages: list[Any], model: str = "m", **options: Any) -> Any:
    chat = ChatModel(model, base_url=server.base_url, key=None, **options)
    request = Request(conversation=Conversation(messages), tools=ToolSpecs(), max_tokens=64)

    try:
        return await chat.reply(request, Heard())
    finally:
        await chat.close()


async def test_ids_in_the_form_that_the_template_reads() -> None:
    first = {"role": "assistant", "tool_calls": [{"id": "functions.look:0"}, {"id": "x"}]}

    async with FaultServer([call(("look", {}), ("find", {}))]) as server:
        reply = await ask(server, [USER, first], model="moonshotai/Kimi-K2-Instruct")

    assert [made.id for made in reply.calls] == ["functions.look:2", "functions.find:3"]


async def test_other_models_keep_their_ids() -> None:
    async with FaultServer([call(("look", {}))]) as server:
        assert [made.id for made in (await ask(server, [USER])).calls] == ["look:0"]


async def test_thinking_that_arrived_empty_goes_back_empty() -> None:
    parts = [event(chunk({"reasoning_content": ""})), event(chunk({"content": "a"}, "stop")), DONE]

    async with FaultServer([raw(*parts)]) as server:
        reply = await ask(server, [USER])

    assert reply.message() == {"role": "assistant", "content": "a", "reasoning_content": ""}


async def test_a_turn_of_another_model_gets_a_stand_in_for_its_thinking() -> None:
    other = {"role": "assistant", "content": "a"}
    own = {"role": "assistant", "content": "b", "reasoning_content": "hm"}
    rules = [Rules(models="*", recalls=True)]

    async with FaultServer([say("ok")]) as server:
        await ask(server, [USER, other, own], rules=rules)

    sent = server.requests[0].body["messages"]
    assert sent == [USER, {**other, "reasoning_content": "."}, own]


async def test_an_endpoint_that_misses_thinking_gets_it_from_then_on() -> None:
    refusal = refuse(400, "invalid_request_error", MISSING)
    history = [USER, {"role": "assistant", "content": "a"}]

    async with FaultServer([refusal, say("one"), say("two")]) as server:
        chat = ChatModel("m", base_url=server.base_url, key=None)
        request = Request(conversation=Conversation(history), tools=ToolSpecs(), max_tokens=64)
        assert (await chat.reply(request, Heard())).text == "one"
        assert (await chat.reply(request, Heard())).text == "two"
        await chat.close()

    keys = [len(seen.body["messages"][1]) for seen in server.requests]
    assert keys == [2, 3, 3]


async def test_it_is_not_asked_twice_where_nothing_is_missing() -> None:
    refusal = refuse(400, "invalid_request_error", MISSING)

    async with FaultServer([refusal, say("one")]) as server:
        with pytest.raises(BadRequest, match="reasoning_content is missing"):
            await ask(server, [USER])

    assert len(server.requests) == 1


async def test_what_the_headers_allow_comes_with_the_reply() -> None:
    answer = say("a")
    answer.headers.update({"x-ratelimit-limit-requests": "60", "X-RateLimit-Limit-Tokens": "9000"})

    async with FaultServer([answer, say("b")]) as server:
        assert (await ask(server, [USER])).allowed == Allowed(rpm=60, tpm=9000)
        assert (await ask(server, [USER])).allowed == Allowed()
