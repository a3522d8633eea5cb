"""The mock platform over HTTP: what is on the wire, and the real client in front of it."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiohttp
import orjson
import pytest
from faults import mishaps
from faults.brains import Thought, small_swarm
from faults.cards import K3, MODELS
from faults.core import Platform
from faults.kimi import KimiServer
from faults.log import Asked
from faults.mishaps import Fault
from faults.quirks import Made, Quirks, Turn
from faults.server import CUT, DONE, DROPPED, STALL, Answer, chunk, event
from faults.tier import TIERS, Tier
from scripted import check_ended
from test_chat import Heard, ask, until
from test_resume import look, respond
from virtual_time import leap

import kimi_nb as kn
from kimi_nb.errors import (
    AccessDenied,
    BadRequest,
    ModelError,
    Overloaded,
    RateLimited,
    ServerFault,
    Unreachable,
)
from kimi_nb.models import limiter
from kimi_nb.models.base import Reply, Request, ToolSpecs
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.secret import Secret

LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
    },
}
TEXT = "Grüße, 世界: a few more words."
CALLS = Turn(
    text=TEXT,
    thinking="hm, 想",
    calls=(Made("", "look", '{"n":1,"why":"世界"}'), Made("", "look", '{"n":2}')),
)


@asynccontextmanager
async def client(
    server: KimiServer, model: str = "kimi-k3", **options: Any
) -> AsyncIterator[ChatModel]:
    chat = ChatModel(model, base_url=server.base_url, key=Secret(server.key), **options)
    yield chat
    await chat.close()


def session(server: KimiServer) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.key}"})


def question(**more: Any) -> dict[str, Any]:
    return {
        "model": "kimi-k3",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 1_000,
        **more,
    }


async def bytes_of(server: KimiServer, **more: Any) -> bytes:
    async with (
        session(server) as http,
        http.post(server.base_url + "/chat/completions", json=question(**more)) as response,
    ):
        return await response.read()


def chunks_of(wire: bytes) -> list[dict[str, Any]]:
    lines = [
        line for line in wire.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"data:")
    ]
    return [orjson.loads(line[5:]) for line in lines if b"[DONE]" not in line]


def deltas_of(wire: bytes) -> list[dict[str, Any]]:
    return [choice["delta"] for each in chunks_of(wire) for choice in each["choices"]]


def calls_of(wire: bytes) -> list[dict[str, Any]]:
    return [call for delta in deltas_of(wire) for call in delta.get("tool_calls", ())]


def says(thought: Thought) -> Any:
    return lambda _messages: thought


async def wire_of(quirks: Quirks, thought: Thought = CALLS, **more: Any) -> bytes:
    async with KimiServer(says(thought), quirks=quirks) as server:
        return await bytes_of(server, **more)


# The answer as it is documented ----------------------------------------------------------------


async def test_a_stream_as_it_is_documented() -> None:
    wire = await wire_of(Quirks())
    assert wire.endswith(b"data: [DONE]\n\n")
    deltas = deltas_of(wire)
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "hm, 想"
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT
    calls = calls_of(wire)
    assert [(c["index"], c["id"]) for c in calls if "id" in c] == [(0, "look:0"), (1, "look:1")]
    first = [call["function"]["arguments"] for call in calls if call["index"] == 0]
    assert "".join(first) == '{"n":1,"why":"世界"}'
    assert max(map(len, first)) == 8
    end, last = chunks_of(wire)[-2:]
    assert end["choices"][0]["finish_reason"] == "tool_calls"
    assert last["choices"] == []
    assert end["choices"][0]["usage"] == last["usage"]
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + CALLS.tokens


async def test_a_plain_answer_says_the_same() -> None:
    whole = orjson.loads(await wire_of(Quirks(), stream=False))
    message = whole["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == (TEXT, "hm, 想")
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == [
        made.arguments for made in CALLS.calls
    ]
    assert whole["usage"]["completion_tokens"] == CALLS.tokens


async def test_usage_comes_last_only_where_it_was_asked_for() -> None:
    wire = await wire_of(Quirks(), stream_options=None)
    assert all(each["choices"] for each in chunks_of(wire))


async def test_an_answer_is_broken_off_where_the_request_ends_it() -> None:
    wire = await wire_of(Quirks(), "x" * 999, max_completion_tokens=20)
    end = chunks_of(wire)[-1]
    assert end["usage"]["completion_tokens"] == 20
    assert chunks_of(wire)[-2]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("cap", range(1, CALLS.tokens + 2))
def test_no_answer_is_longer_than_its_cap(cap: int) -> None:
    turn = CALLS.within(cap)
    most = min(cap, CALLS.tokens)
    assert most - 1 <= turn.tokens <= most  # no letter and no name of a tool is cut
    assert turn.reason == ("tool_calls" if cap >= CALLS.tokens else "length")
    assert all(made.name == "look" for made in turn.calls)


# Quirks ----------------------------------------------------------------------------------------


def _indices(wire: bytes) -> set[Any]:
    return {call.get("index") for call in calls_of(wire)}


def _ids(wire: bytes) -> list[str]:
    return [call["id"] for call in calls_of(wire) if "id" in call]


def _usages(wire: bytes) -> list[bool]:
    """In a choice, in a last chunk."""
    chunks = chunks_of(wire)
    in_choice = any("usage" in choice for each in chunks for choice in each["choices"])
    return [in_choice, any("usage" in each for each in chunks)]


def _reason(wire: bytes) -> str:
    return next(
        c["finish_reason"] for e in chunks_of(wire) for c in e["choices"] if c["finish_reason"]
    )


QUIRKS: dict[str, tuple[Quirks, Any]] = {
    "index 0 for all": (Quirks(index="zero"), lambda wire: _indices(wire) == {0}),
    "no index": (Quirks(index="none"), lambda wire: _indices(wire) == {None}),
    "ids repeated": (Quirks(ids="repeated"), lambda wire: _ids(wire) == ["look:0", "look:1"]),
    "no ids": (Quirks(ids="none"), lambda wire: _ids(wire) == []),
    "arguments first": (
        Quirks(arguments_first=True),
        lambda wire: "name" not in calls_of(wire)[0]["function"],
    ),
    "empty deltas": (Quirks(empty_deltas=True), lambda wire: deltas_of(wire).count({}) > 9),
    "empty calls": (Quirks(empty_calls=True), lambda wire: {"tool_calls": []} in deltas_of(wire)),
    "reasoning": (
        Quirks(thinking_key="reasoning"),
        lambda wire: b'"reasoning":"hm' in wire and b"reasoning_content" not in wire,
    ),
    "stop with calls": (Quirks(finish="stop"), lambda wire: _reason(wire) == "stop"),
    "no done": (Quirks(done=False), lambda wire: b"[DONE]" not in wire),
    "crlf": (Quirks(crlf=True), lambda wire: not re.search(rb"[^\r]\n|data: ", wire)),
    "comments": (Quirks(comments=True), lambda wire: wire.startswith(b": keep-alive\n\n")),
    "tiny pieces": (
        Quirks(piece=1),
        lambda wire: max(len(c["function"]["arguments"]) for c in calls_of(wire)) == 1,
    ),
    "usage in the choice": (Quirks(usage="choice"), lambda wire: _usages(wire) == [True, False]),
    "usage last": (Quirks(usage="last"), lambda wire: _usages(wire) == [False, True]),
    "no usage": (Quirks(usage="none"), lambda wire: _usages(wire) == [False, False]),
    "cached in details": (
        Quirks(cached="details"),
        lambda wire: b'"prompt_tokens_details":{"cached_tokens":' in wire,
    ),
}
ALL_AT_ONCE = Quirks(
    index="zero",
    ids="repeated",
    empty_deltas=True,
    empty_calls=True,
    thinking_key="reasoning",
    finish="stop",
    done=False,
    crlf=True,
    comments=True,
    piece=1,
    usage="choice",
    cached="details",
)
EVERY_QUIRK = [*(quirks for quirks, _ in QUIRKS.values()), ALL_AT_ONCE]


@pytest.mark.parametrize(("quirks", "shows"), QUIRKS.values(), ids=QUIRKS)
async def test_a_quirk_is_on_the_wire_and_nowhere_else(quirks: Quirks, shows: Any) -> None:
    assert shows(await wire_of(quirks))

    if quirks.ids != "repeated":  # in a first turn they are what they always are
        assert not shows(await wire_of(Quirks()))


async def test_repeated_ids_begin_again_with_each_turn() -> None:
    earlier = [
        {"id": "look:0", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    ]
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "reasoning_content": "hm", "tool_calls": earlier},
        {"role": "tool", "tool_call_id": "look:0", "content": "seen"},
    ]
    assert _ids(await wire_of(Quirks(), messages=messages)) == ["look:1", "look:2"]
    repeated = await wire_of(Quirks(ids="repeated"), messages=messages)
    assert _ids(repeated) == ["look:0", "look:1"]


async def test_tool_calls_is_the_reason_of_words_alone() -> None:
    assert _reason(await wire_of(Quirks(finish="tool_calls"), "a")) == "tool_calls"


async def _heard(chat: ChatModel, request: Request | None = None) -> Reply:
    return await chat.reply(request or ask(tools=ToolSpecs([LOOK])), Heard())


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("quirks", EVERY_QUIRK, ids=[*QUIRKS, "all at once"])
async def test_the_client_gets_through_two_turns(quirks: Quirks, *, streaming: bool) -> None:
    def brain(messages: list[dict[str, Any]]) -> Turn | str:
        return "done" if messages[-1]["role"] == "tool" else CALLS

    async with (
        KimiServer(brain, quirks=quirks) as server,
        client(server, streaming=streaming) as chat,
    ):
        request = ask(tools=ToolSpecs([LOOK]))
        reply = await _heard(chat, request)
        assert [(c.name, c.arguments) for c in reply.calls] == [c[1:] for c in CALLS.calls]
        assert (reply.text, reply.thinking, reply.finish) == (TEXT, "hm, 想", "tool_calls")
        assert reply.usage.estimated == (quirks.usage == "none")
        request.conversation.append(reply.message())

        for call in reply.calls:
            request.conversation.append({"role": "tool", "tool_call_id": call.id, "content": "ok"})

        assert (await _heard(chat, request)).text == "done"

    assert [asked.outcome for asked in server.log] == ["completed", "completed"]


async def _in_vain(server: KimiServer, chat: ChatModel, *, words: bool = False) -> Reply:
    """The same where nothing comes, or after some words nothing more: in no time."""
    heard = Heard()
    asking = asyncio.ensure_future(chat.reply(ask(tools=ToolSpecs([LOOK])), heard))
    await until(lambda: server.in_flight == 1 and (not words or heard.text != ""))
    leap(1_000)
    return await asking


async def test_thinking_that_uses_up_the_cap() -> None:
    async with (
        KimiServer(says("never said"), quirks=Quirks(overthinks=True)) as server,
        client(server) as chat,
    ):
        reply = await _heard(chat)

    assert (reply.text, reply.calls, reply.finish) == ("", (), "length")
    assert reply.usage.tokens_out == 99  # all that the request allows


# Faults ----------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[Fault, type[ModelError], int, float | None]] = {
    "500": (mishaps.status(500), ServerFault, 500, None),
    "502": (mishaps.status(502), ServerFault, 502, None),
    "503": (mishaps.status(503), ServerFault, 503, None),
    "529": (mishaps.status(529), ServerFault, 529, None),
    "overloaded": (mishaps.overloaded(), Overloaded, 429, None),
    "overloaded, seconds": (mishaps.overloaded(7), Overloaded, 429, 7.0),
    "limited, seconds": (mishaps.rate_limited(7), RateLimited, 429, 7.0),
    "filtered": (mishaps.filtered(), BadRequest, 400, None),
}


@pytest.mark.parametrize(("fault", "kind", "status", "after"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_by_script(
    fault: Fault, kind: type[ModelError], status: int, after: float | None
) -> None:
    async with KimiServer(faults=[fault]) as server, client(server) as chat:
        with pytest.raises(ModelError) as caught:
            await _heard(chat)

        assert type(caught.value) is kind
        assert caught.value.status == status
        assert after is None or caught.value.retry_after == after
        assert (await _heard(chat)).text == "You said: hi"

    assert [asked.outcome for asked in server.log] == ["refused", "completed"]
    assert [asked.attempt for asked in server.log] == [1, 2]
    assert server.log[0].tokens == 0
    assert server.refused == server.log[:1]


async def test_retry_after_as_a_date_by_script() -> None:
    async with (
        KimiServer(faults=[mishaps.overloaded(30, "date")]) as server,
        client(server) as chat,
    ):
        with pytest.raises(Overloaded) as caught:
            await _heard(chat)

    assert caught.value.retry_after is not None
    assert 20 < caught.value.retry_after <= 31


BREAKS = {
    "stall": mishaps.stall(),
    "stall in the words": mishaps.stall_text(),
    "drop": mishaps.drop(),
    "cut in the words": mishaps.cut_text(),
    "cut in a call": mishaps.cut_call(),
    "end in the words": mishaps.end_text(),
    "malformed": mishaps.malformed(),
    "error": mishaps.error_in_stream("server_error", "gone"),
}


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("fault", BREAKS.values(), ids=BREAKS)
async def test_a_broken_answer_is_none_and_the_next_attempt_is_one(
    fault: Fault, *, streaming: bool
) -> None:
    words = streaming and fault.name == "stall_text"

    async with (
        KimiServer(says(CALLS), faults=[fault]) as server,
        client(server, streaming=streaming) as chat,
    ):
        asking = _in_vain(server, chat, words=words) if "stall" in fault.name else _heard(chat)

        with pytest.raises(ModelError) as caught:
            await asking

        assert type(caught.value) is (
            ServerFault if fault.name == "error_in_stream" and streaming else Unreachable
        )
        assert (await _heard(chat)).text == TEXT

        await until(lambda: server.in_flight == 0)

    broken, whole = server.log
    assert (broken.outcome, broken.fault) == ("broken", fault.name)
    assert broken.tokens_out < whole.tokens_out or not streaming  # plain, it was all made by then
    assert server.paid == [whole]
    assert server.paid_twice == []


async def test_a_cut_in_a_call_is_after_its_name_and_before_its_end() -> None:
    async with (
        KimiServer(says(CALLS), faults=[mishaps.cut_call()]) as server,
        session(server) as http,
        http.post(server.base_url + "/chat/completions", json=question()) as response,
    ):
        wire = b""

        with pytest.raises(aiohttp.ClientPayloadError):  # noqa: PT012
            async for data in response.content.iter_any():
                wire += data

    calls = calls_of(wire)
    assert [call["function"].get("name") for call in calls if "id" in call] == ["look", "look"]
    last = "".join(call["function"]["arguments"] for call in calls if call["index"] == 1)
    assert last != CALLS.calls[1].arguments
    assert CALLS.calls[1].arguments.startswith(last)


async def test_a_fault_that_finds_nothing_to_break_breaks_nothing_and_says_so() -> None:
    async with KimiServer(says("a"), faults=[mishaps.cut_call()]) as server, client(server) as chat:
        assert (await _heard(chat)).text == "a"

    assert (server.log[0].fault, server.log[0].outcome) == ("", "completed")


@pytest.mark.parametrize("fault", [mishaps.split_utf8(), mishaps.delay(0.01)])
async def test_what_is_only_nasty_is_got_through(fault: Fault) -> None:
    async with KimiServer(says(CALLS), faults=[fault]) as server, client(server) as chat:
        reply = await _heard(chat)

    assert (reply.text, reply.calls[0].arguments) == (TEXT, CALLS.calls[0].arguments)
    assert (server.log[0].fault, server.log[0].outcome) == (fault.name, "completed")


def test_letters_are_split_in_the_middle() -> None:
    answer = mishaps.split_utf8().answer(Answer(parts=("世".encode(),)))
    assert answer is not None
    assert [part for part in answer.parts if part] == [b"\xe4", b"\xb8", b"\x96"]


async def test_words_that_are_filtered_end_with_that_reason() -> None:
    async with (
        KimiServer(says(TEXT), faults=[mishaps.filtered_finish()]) as server,
        client(server) as chat,
    ):
        reply = await _heard(chat)

    assert (reply.finish, reply.text) == ("content_filter", TEXT[: len(TEXT) // 2])


async def test_a_huge_answer_is_longer_than_was_allowed() -> None:
    async with KimiServer(faults=[mishaps.huge(1_000_000)]) as server, client(server) as chat:
        reply = await _heard(chat)

    assert server.log[0].due[2] > 250_000  # tokens, of 99
    assert (reply.finish, reply.usage.estimated) == ("length", True)
    assert len(reply.text) < 20 * 99  # the client hears no more than that


async def test_bytes_of_a_brain_go_out_as_they_are() -> None:
    whole = Answer(parts=(event(chunk({"content": "a"})), event(chunk(reason="stop")), CUT))
    script = iter([whole, replace(whole, parts=(STALL,)), replace(whole, status=DROPPED)])

    async with KimiServer(lambda _messages: next(script)) as server, client(server) as chat:
        assert (await _heard(chat)).text == "a"

        for ask_it in (_in_vain(server, chat), _heard(chat)):
            with pytest.raises(Unreachable):
                await ask_it

    assert [asked.outcome for asked in server.log] == ["broken"] * 3


async def test_a_client_that_leaves_is_noted() -> None:
    slow = Answer(parts=(event(chunk({"content": "a"})), 60.0, event(chunk(reason="stop"))))

    async with KimiServer(says(slow)) as server, client(server) as chat:
        task = asyncio.ensure_future(_heard(chat))
        await until(lambda: server.in_flight == 1)
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: server.in_flight == 0)

    assert server.log[0].outcome == "left"
    assert server.log[0].tokens_in > 0


# The server ------------------------------------------------------------------------------------


async def test_a_server_that_goes_down_comes_up_on_the_same_port() -> None:
    async with KimiServer(says("a")) as server, client(server) as chat:
        assert (await _heard(chat)).text == "a"
        url = server.base_url
        server.down()

        for _ in range(2):
            with pytest.raises(Unreachable):
                await _heard(chat)

        assert len(server.log) == 1
        server.up()
        assert (await _heard(chat)).text == "a"
        assert server.base_url == url


async def test_what_is_under_way_when_it_goes_down_is_lost() -> None:
    async with KimiServer(says("a"), latency=30) as server, client(server) as chat:
        task = asyncio.ensure_future(_heard(chat))
        await until(lambda: server.in_flight == 1)
        server.down()

        with pytest.raises(Unreachable):
            await task

        await until(lambda: server.in_flight == 0)

    assert (server.log[0].outcome, server.log[0].fault) == ("broken", "down")


async def test_as_many_at_once_as_the_tier_allows_and_the_next_at_once_after() -> None:
    def faults(_asked: Any) -> Fault | None:
        return mishaps.held(lambda: server.refused) if len(server.log) > 20 else None

    async with (
        KimiServer(says("a"), tier=Tier(concurrency=1), faults=faults) as server,
        client(server) as chat,
    ):
        for _ in range(20):  # a client that has an answer may ask again at once
            await _heard(chat)

        both = await asyncio.gather(_heard(chat), _heard(chat), return_exceptions=True)

    assert sorted(type(each).__name__ for each in both) == ["RateLimited", "Reply"]
    assert server.peak == 1


async def test_the_place_of_an_answer_is_free_with_its_last_bytes() -> None:
    said = Answer(parts=(event(chunk({"content": "a"})), DONE, 60.0))

    async with KimiServer(says(said)) as server, client(server) as chat:
        await _heard(chat)
        assert server.log[0].outcome == "completed"
        assert (server.in_flight, server.peak) == (0, 1)


async def test_headers_of_the_tier_are_on_good_and_bad_answers() -> None:
    tier = Tier(rpm=1, headers="moonshot")

    async with KimiServer(tier=tier) as server, session(server) as http:
        for status in (200, 429):
            url = server.base_url + "/chat/completions"

            async with http.post(url, json=question()) as response:
                assert response.status == status
                assert response.headers["X-RateLimit-Limit"] == "1"
                assert response.headers["X-RateLimit-Remaining"] == "0"


async def test_models_tokens_and_balance() -> None:
    async with KimiServer(balance=49.5) as server, client(server) as chat:
        assert [card.id for card in await chat.models()] == [card.id for card in MODELS]
        assert (await chat.models())[1].context == K3.context
        assert await chat.balance() == 49.5

        async with session(server) as http:
            url = server.base_url + "/tokenizers/estimate-token-count"

            async with http.post(url, json=question()) as response:
                estimate = (await response.json())["data"]["total_tokens"]

        reply = await _heard(chat, ask(tools=ToolSpecs()))
        assert reply.usage.tokens_in == estimate
        assert await chat.balance() == pytest.approx(49.5 - server.spent_usd, abs=1e-5)


@pytest.mark.parametrize("path", ["/models", "/users/me/balance"])
async def test_nothing_is_told_without_a_key(path: str) -> None:
    async with (
        KimiServer() as server,
        aiohttp.ClientSession() as http,
        http.get(server.base_url + path) as response,
    ):
        assert response.status == 401
        assert b"invalid_authentication_error" in await response.read()


async def test_other_addresses_and_what_is_no_json() -> None:
    async with KimiServer() as server, session(server) as http:
        async with http.get(server.base_url + "/nothing") as response:
            assert response.status == 404

        async with http.post(server.base_url + "/chat/completions", data=b"{") as response:
            assert response.status == 400

    assert server.log == []


async def test_a_wrong_key_and_a_brain_that_refuses() -> None:
    refused = AccessDenied("gone")

    async with KimiServer(says(refused)) as server:
        chat = ChatModel("kimi-k3", base_url=server.base_url, key=Secret("sk-wrong"))

        with pytest.raises(AccessDenied, match="Invalid Authentication"):
            await _heard(chat)

        await chat.close()

        async with client(server) as chat:
            with pytest.raises(AccessDenied, match="gone"):
                await _heard(chat)

    assert [(asked.key, asked.why) for asked in server.log] == [
        ("", "Invalid Authentication"),
        ("key 1", "gone"),
    ]


async def test_a_brain_that_fails_fails_the_test() -> None:
    def brain(_messages: Any) -> str:
        raise KeyError("mistake")

    server = KimiServer(brain)

    async def ask_it() -> None:
        async with server, client(server) as chat:
            with pytest.raises(ServerFault):
                await _heard(chat)

    with pytest.raises(KeyError, match="mistake"):
        await ask_it()

    assert server.in_flight == 0

    with pytest.raises(KeyError, match="mistake"):
        Platform(brain).answer(question())


# The default brain -----------------------------------------------------------------------------


def png(rgb: tuple[int, int, int], width: int = 8, height: int = 8) -> bytes:
    def part(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(rgb) * width) * height
    data = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@pytest.mark.parametrize(
    ("rgb", "name"), [((255, 0, 0), "red"), ((0, 0, 255), "blue"), ((0, 200, 0), "green")]
)
def test_it_names_the_colour_of_a_picture(rgb: tuple[int, int, int], name: str) -> None:
    url = "data:image/png;base64," + b64encode(png(rgb)).decode()
    parts = [
        {"type": "text", "text": "Which colour?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    body = question(messages=[{"role": "user", "content": parts}], stream=False)
    answer = orjson.loads(Platform().answer(body).plain)
    assert answer["choices"][0]["message"]["content"] == f"It is {name}."


def test_it_calls_the_tool_that_is_named_and_twice_on_demand() -> None:
    def made(text: str) -> list[Any]:
        body = question(messages=[{"role": "user", "content": text}], tools=[LOOK], stream=False)
        message = orjson.loads(Platform().answer(body).plain)["choices"][0]["message"]
        return [call["function"]["name"] for call in message.get("tool_calls", ())]

    assert made("Call look.") == ["look"]
    assert made("Call look twice, in parallel.") == ["look", "look"]
    assert made("Say something.") == []


# Whole runs ------------------------------------------------------------------------------------


def test_a_swarm_against_it_from_a_test_without_a_loop(tmp_path: Path) -> None:
    def faults(asked: Asked) -> Fault:
        return mishaps.held(lambda: "Do part" not in asked.task or server.peak > 1)

    with KimiServer(small_swarm(tasks=5, calls=2), tier=TIERS[1], faults=faults) as server:
        run = kn.swarm(
            "go",
            base_url=server.base_url,
            model="kimi-k3",
            key=server.key,
            tools=[look],
            trace=tmp_path / "run.jsonl",
        ).result()
        assert server.in_flight == 0

    check_ended(run)
    assert run.status == "finished"
    assert run.answer.count("Done after 2 calls.") == 5
    assert len(server.paid) == len(server.log) == run.metrics.total_steps == 3 + 5 * 3
    assert server.paid_twice == []
    assert 1 < server.peak <= 5
    assert len({asked.agent for asked in server.log}) == 6
    found = run.metrics
    assert server.tokens == found.tokens_in + found.tokens_out
    assert sum(asked.cached for asked in server.log) == found.tokens_cached > 0
    assert server.spent_usd == pytest.approx(found.cost_usd)


async def test_a_swarm_through_every_fault_that_another_attempt_mends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "BACKOFF_S", 0.01)
    nasty = [fault for name, fault in BREAKS.items() if "stall" not in name]
    script = [*nasty, mishaps.status(503), mishaps.overloaded(0), mishaps.rate_limited(0)]

    async with KimiServer(respond, faults=[None, *script], quirks=ALL_AT_ONCE) as server:
        run = await kn.swarm(
            "go",
            base_url=server.base_url,
            model="kimi-k3",
            key=server.key,
            tools=[look],
            trace=tmp_path / "run.jsonl",
        )

    assert run.status == "finished"
    assert run.answer.count("saw 0+saw 1") == 8
    assert run.metrics.retries == sum(asked.outcome != "completed" for asked in server.log) > 5
    assert len(server.paid) == run.metrics.total_steps
    assert server.paid_twice == []


def test_from_a_thread_it_goes_down_and_up_between_two_runs(tmp_path: Path) -> None:
    with KimiServer() as server:
        how: Any = {"base_url": server.base_url, "model": "kimi-k3", "key": server.key}
        first = kn.swarm("one", single=True, trace=tmp_path / "1.jsonl", **how).result()
        server.down()

        with pytest.raises(OSError, match="refused"):
            urlopen(server.base_url)  # noqa: S310 -- of this machine

        server.up()
        second = kn.swarm("two", single=True, trace=tmp_path / "2.jsonl", **how).result()

    assert (first.answer, second.answer) == ("You said: one", "You said: two")
    assert len(server.paid) == 2
