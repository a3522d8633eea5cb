"""Images of tools on the wire: where each endpoint takes them, and what one without eyes says."""

from __future__ import annotations

import base64
import contextlib
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from faults.cards import K26, Card
from faults.kimi import KimiServer
from faults.rules import complaints
from faults.server import FaultServer, refuse, say
from openai import AsyncOpenAI
from test_chat import Heard

from kimi_nb.errors import BadRequest
from kimi_nb.models.base import Conversation, Message, Model, Request, ToolSpecs
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.openai_client import OpenAIModel
from kimi_nb.models.rules import Rules, rules_for
from kimi_nb.models.secret import Secret

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 40).decode()
SEES = Rules(models="*", tool_images=True)


def part(letter: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{letter}{PNG}"}}


def asks(*ids: str) -> Message:
    calls = [
        {"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for id in ids
    ]
    return {"role": "assistant", "reasoning_content": "hm", "tool_calls": calls}


def answers(id: str, *parts: Any) -> Message:
    return {"role": "tool", "tool_call_id": id, "content": list(parts)}


TEXT = {"type": "text", "text": "a chart"}
MESSAGES: list[Message] = [
    {"role": "system", "content": "see"},
    {"role": "user", "content": "go"},
    asks("a", "b", "c"),
    answers("a", TEXT, part("AAAA"), part("BBBB")),
    {"role": "tool", "tool_call_id": "b", "content": "no picture"},
    answers("c", part("CCCC")),
    asks("d"),
    answers("d", part("DDDD")),
]


def request() -> Request:
    return Request(conversation=Conversation(MESSAGES), tools=ToolSpecs(), max_tokens=99)


@contextlib.asynccontextmanager
async def model(kind: str, url: str, *rules: Rules) -> AsyncIterator[Model]:
    if kind == "chat":
        made = ChatModel("some-model", base_url=url, key=None, rules=rules)
        yield made
        await made.close()
    else:
        async with AsyncOpenAI(base_url=url, api_key="k") as client:
            yield OpenAIModel("some-model", client, rules=rules)


async def sent(kind: str, *rules: Rules) -> list[Message]:
    """The messages that a server received; the conversation is what it was before."""
    async with FaultServer([say("seen")]) as server:
        asked = request()
        before = copy.deepcopy(asked.conversation.messages), bytes(asked.conversation.wire)

        async with model(kind, server.base_url, *rules) as made:
            await made.reply(asked, Heard())

        assert (asked.conversation.messages, bytes(asked.conversation.wire)) == before
        return server.requests[0].body["messages"]


@pytest.mark.parametrize("kind", ["chat", "client"])
async def test_where_a_tools_message_may_hold_them_nothing_is_moved(kind: str) -> None:
    assert await sent(kind, SEES) == MESSAGES


@pytest.mark.parametrize("kind", ["chat", "client"])
async def test_elsewhere_they_follow_the_answers_of_their_turn(kind: str) -> None:
    got = await sent(kind)
    card = Card(id="m", context=100_000, images=True)
    assert complaints({"messages": got}, card) is None
    assert [m["role"] for m in got] == [
        *("system", "user", "assistant", "tool", "tool", "tool", "user"),
        *("assistant", "tool", "user"),
    ]
    assert all(isinstance(m["content"], str) for m in got if m["role"] == "tool")
    assert got[3]["content"].startswith("a chart\n")
    assert got[4] == MESSAGES[4]
    assert got[6]["content"] == [
        {"type": "text", "text": "From the call a:"},
        part("AAAA"),
        part("BBBB"),
        {"type": "text", "text": "From the call c:"},
        part("CCCC"),
    ]
    assert got[9]["content"] == [{"type": "text", "text": "From the call d:"}, part("DDDD")]


async def test_what_was_sent_is_the_beginning_of_what_is_sent_next() -> None:
    """Else the endpoint's cache of prefixes would be lost at every image."""
    async with FaultServer([say("seen"), say("seen")]) as server:
        asked = request()

        async with model("chat", server.base_url) as made:
            await made.reply(asked, Heard())
            asked.conversation.append({"role": "assistant", "content": "seen"})
            asked.conversation.append({"role": "user", "content": "more"})
            await made.reply(asked, Heard())

        first, second = (seen.body["messages"] for seen in server.requests)
        assert second[: len(first)] == first


async def test_thinking_is_filled_in_as_well() -> None:
    async with FaultServer([say("seen")]) as server:
        asked = request()
        asked.conversation.append({"role": "assistant", "content": "unthought"})
        asked.conversation.append({"role": "user", "content": "go on"})

        async with model("chat", server.base_url, Rules(models="*", recalls=True)) as made:
            await made.reply(asked, Heard())

        got = server.requests[0].body["messages"]
        assert [m["reasoning_content"] for m in got if m["role"] == "assistant"] == [
            "hm",
            "hm",
            ".",
        ]
        assert [m["role"] for m in got].count("user") == 4


def test_kimis_own_platform_takes_them_in_the_tools_message() -> None:
    for name in ("kimi-k3", "kimi-k3.1-pro", "kimi-k2.7-code", "kimi-k2.6"):
        assert rules_for(name, moonshot=True).tool_images
        assert not rules_for(name, moonshot=False).tool_images

    assert not rules_for("gpt-5", moonshot=False).tool_images


@pytest.mark.parametrize("kind", ["chat", "client"])
async def test_a_model_without_eyes_says_what_to_do(kind: str) -> None:
    words = "Invalid request: image input is not supported by blind"

    async with FaultServer([refuse(400, "invalid_request_error", words)]) as server:
        async with model(kind, server.base_url, SEES) as made:
            with pytest.raises(BadRequest, match="leave out the tools that return them") as caught:
                await made.reply(request(), Heard())

        assert words in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize("words", ["Invalid request: max_tokens is too large", "image size"])
async def test_no_other_refusal_says_so(words: str) -> None:
    async with FaultServer([refuse(400, "invalid_request_error", words)]) as server:
        plain = Request(conversation=Conversation(MESSAGES[:2]), tools=ToolSpecs(), max_tokens=99)
        asked = plain if words.startswith("image") else request()

        async with model("chat", server.base_url) as made:
            with pytest.raises(BadRequest) as caught:
                await made.reply(asked, Heard())

        assert "leave out the tools" not in str(caught.value)


async def test_the_strict_platform_takes_both_forms() -> None:
    assert K26.images

    async with KimiServer(lambda _: "seen") as server:
        for rules in ((SEES,), ()):
            made = ChatModel(K26.id, base_url=server.base_url, key=Secret(server.key), rules=rules)
            assert (await made.reply(request(), Heard())).text == "seen"
            await made.close()
