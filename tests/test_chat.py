"""One model call over HTTP, against a server that answers well and badly."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

import orjson
import pytest
from faults.server import (
    CUT,
    DONE,
    STALL,
    Answer,
    FaultServer,
    Script,
    call,
    chunk,
    event,
    raw,
    refuse,
    say,
)
from virtual_time import WorkingLoop, clock

from kimi_nb.errors import (
    AccessDenied,
    BadRequest,
    ModelError,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    UnknownModel,
    Unreachable,
)
from kimi_nb.models.base import Conversation, Model, Reply, Request, ToolCall, ToolSpecs, Usage
from kimi_nb.models.chat import ChatModel, Timeouts
from kimi_nb.models.faults import read_retry_after
from kimi_nb.models.openai_client import OpenAIModel
from kimi_nb.models.secret import Secret

KEY = "sk-very-secret-1"
TOOLS = ToolSpecs([{"type": "function", "function": {"name": "read_file", "parameters": {}}}])


class Heard:
    def __init__(self) -> None:
        self.text = self.thinking = ""
        self.calls: list[ToolCall] = []

    def on_text(self, text: str) -> None:
        self.text += text

    def on_thinking(self, text: str) -> None:
        self.thinking += text

    def on_call(self, call: ToolCall) -> None:
        self.calls.append(call)


def ask(text: str = "hi", **fields: Any) -> Request:
    conversation = Conversation([{"role": "user", "content": text}])
    return Request(**{"conversation": conversation, "tools": TOOLS, "max_tokens": 99, **fields})


@asynccontextmanager
async def chat(script: Script, **options: Any) -> AsyncIterator[tuple[ChatModel, FaultServer]]:
    async with FaultServer(script) as server:
        model = ChatModel("m", base_url=server.base_url, key=Secret(KEY), **options)
        yield model, server
        await model.close()


@asynccontextmanager
async def through(way: str, script: Script) -> AsyncIterator[tuple[Model, FaultServer]]:
    """The same server, reached in one of the three ways."""
    from openai import AsyncOpenAI

    async with FaultServer(script) as server:
        if way == "openai":
            client = AsyncOpenAI(api_key=KEY, base_url=server.base_url)
            yield OpenAIModel("m", client), server
            await client.close()
        else:
            streaming = way == "streamed"
            model = ChatModel("m", base_url=server.base_url, key=Secret(KEY), streaming=streaming)
            yield model, server
            await model.close()


async def fails(answer: Answer, **options: Any) -> ModelError:
    async with chat([answer], **options) as (model, _):
        with pytest.raises(ModelError) as caught:
            await model.reply(ask(), Heard())

        return caught.value


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 -- the server has no event for it
        await asyncio.sleep(0.005)


every_way = pytest.mark.parametrize("way", ["streamed", "plain", "openai"])


# Answers -----------------------------------------------------------------------------------


@every_way
async def test_words_thinking_and_usage(way: str) -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 6, "cached_tokens": 16}
    answer = say("Grüße, 世界", thinking="hm, 想", size=3, usage=usage)

    async with through(way, [answer]) as (model, _):
        heard = Heard()
        reply = await model.reply(ask(), heard)

    assert reply == Reply(
        text="Grüße, 世界",
        thinking="hm, 想",
        thinking_key="reasoning_content",
        calls=(),
        finish="stop",
        usage=Usage(tokens_in=20, tokens_out=6, tokens_cached=16),
    )
    assert (heard.text, heard.thinking) == (reply.text, reply.thinking)


@every_way
async def test_tool_calls(way: str) -> None:
    answer = call(("read_file", {"path": "a 中"}), ("read_file", {}), text="let me", size=2)

    async with through(way, [answer]) as (model, _):
        heard = Heard()
        reply = await model.reply(ask(), heard)

    assert [(c.index, c.id, c.name, c.arguments) for c in reply.calls] == [
        (0, "read_file:0", "read_file", '{"path":"a 中"}'),
        (1, "read_file:1", "read_file", "{}"),
    ]
    assert heard.calls == list(reply.calls)
    assert (reply.text, reply.finish) == ("let me", "tool_calls")


@every_way
async def test_what_is_sent(way: str) -> None:
    async with through(way, [say("a"), say("b")]) as (model, server):
        request = ask(cache_key="run-1")
        reply = await model.reply(request, Heard())
        request.conversation.append(reply.message())
        await model.reply(request, Heard())

    second = server.requests[1].body
    assert second.pop("messages") == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "a"},
    ]
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    assert second == {
        "model": "m",
        "max_completion_tokens": 99,
        "tools": list(TOOLS.specs),
        **({} if way == "plain" else streamed),
    }
    assert server.requests[1].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_way_to_think_goes_into_every_request() -> None:
    async with chat([say("a")], thinking="low") as (model, server):
        await model.reply(ask(tools=ToolSpecs()), Heard())

    assert server.requests[0].body["reasoning_effort"] == "low"
    assert "tools" not in server.requests[0].body


def test_a_cache_key_is_for_moonshot_only() -> None:
    request = ask(cache_key='run "1"')
    kimi = ChatModel("kimi-k3", base_url="https://api.moonshot.cn/v1", key=None)
    other = ChatModel("kimi-k3", base_url="https://example.org/v1", key=None)
    assert orjson.loads(kimi._body(request))["prompt_cache_key"] == 'run "1"'
    assert "prompt_cache_key" not in orjson.loads(other._body(request))


async def test_without_a_key_no_header_is_sent() -> None:
    async with FaultServer([say("a")]) as server:
        model = ChatModel("m", base_url=server.base_url + "/", key=None)
        await model.reply(ask(), Heard())
        await model.close()

    assert "Authorization" not in server.requests[0].headers


async def test_a_conversation_of_megabytes() -> None:
    text = "中" * 600_000

    async with chat([say("a")]) as (model, server):
        await model.reply(ask(text), Heard())

    assert server.requests[0].body["messages"][0]["content"] == text


async def test_a_hundred_at_once_and_the_connections_kept() -> None:
    async with chat(lambda body: say(body["messages"][0]["content"])) as (model, server):
        asked = [model.reply(ask(str(number)), Heard()) for number in range(100)]
        replies = await asyncio.gather(*asked)

    assert [reply.text for reply in replies] == [str(number) for number in range(100)]
    assert server.in_flight == 0


async def test_an_endpoint_without_streaming() -> None:
    whole = say("whole").plain

    async with chat([raw(whole, kind="application/json")]) as (model, _):
        assert (await model.reply(ask(), Heard())).text == "whole"


async def test_letters_cut_in_the_middle_and_comments() -> None:
    whole = event(chunk({"content": "é世😀"})) + event(chunk(reason="stop")) + DONE
    whole = whole.replace(b"\n", b"\r\n").replace(b"data: ", b"data:", 1)
    pieces: list[bytes | float] = [b": keep-alive\r\n\r\n"]

    for byte in whole:
        pieces += [bytes([byte]), 0.0]

    async with chat([raw(*pieces)]) as (model, _):
        assert (await model.reply(ask(), Heard())).text == "é世😀"


async def test_no_done_and_no_usage() -> None:
    answer = raw(event(chunk({"content": "a" * 40})), event(chunk(reason="stop")))

    async with chat([answer]) as (model, _):
        reply = await model.reply(ask(), Heard())

    assert reply.text == "a" * 40
    assert reply.usage.estimated
    assert reply.usage.tokens_out == 11


@pytest.mark.parametrize("then", [CUT, STALL])
async def test_what_comes_after_the_end_is_no_matter(then: str) -> None:
    whole = say("all of it")

    async with chat([whole.first(len(whole.parts), then)]) as (model, _):
        assert (await model.reply(ask(), Heard())).text == "all of it"


async def test_an_older_endpoint_gets_max_tokens() -> None:
    no = refuse(400, "invalid_request_error", "Unrecognized argument: max_completion_tokens")

    async with chat([no, say("a"), say("b")]) as (model, server):
        assert (await model.reply(ask(), Heard())).text == "a"
        assert (await model.reply(ask(), Heard())).text == "b"

    limits = [{key for key in seen.body if key.startswith("max")} for seen in server.requests]
    assert limits == [{"max_completion_tokens"}, {"max_tokens"}, {"max_tokens"}]


async def test_a_limit_that_is_too_high_is_not_sent_again() -> None:
    words = "max_completion_tokens is too large: at most 4096"
    error = await fails(refuse(400, "invalid_request_error", words))
    assert type(error) is BadRequest
    assert words in str(error)


# Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (429, "engine_overloaded_error", Overloaded),
        (429, "rate_limit_reached_error", RateLimited),
        (429, "", RateLimited),
        (429, "exceeded_current_quota_error", QuotaExhausted),
        (429, "insufficient_quota", QuotaExhausted),
        (402, "", QuotaExhausted),
        (400, "content_filter", BadRequest),
        (400, "invalid_request_error", BadRequest),
        (422, "", BadRequest),
        (401, "invalid_authentication_error", AccessDenied),
        (403, "permission_denied_error", AccessDenied),
        (404, "resource_not_found_error", UnknownModel),
        (500, "", ServerFault),
        (502, "", ServerFault),
        (503, "", ServerFault),
        (529, "", ServerFault),
    ],
)
@every_way
async def test_the_class_of_a_refusal(
    way: str, status: int, kind: str, expected: type[ModelError]
) -> None:
    async with through(way, [refuse(status, kind, "the\nreason", retry_after="7")]) as (model, _):
        with pytest.raises(ModelError) as caught:
            await model.reply(ask(), Heard())

    assert type(caught.value) is expected
    assert "the reason" in str(caught.value)
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>Bad\n gateway</html>", "Bad gateway"),
        (b'{"error": "words alone"}', "words alone"),
        (b'{"object": "error", "message": "as vLLM has it", "code": 400}', "as vLLM has it"),
        (b'{"detail": "as FastAPI has it"}', "as FastAPI has it"),
        (b"\xff\xfe", "HTTP 400"),
        (b"", "HTTP 400"),
        (b"x" * 100_000, "…"),
    ],
)
async def test_refusals_in_any_shape(body: bytes, words: str) -> None:
    error = await fails(Answer(status=400, plain=body))
    assert words in str(error)
    assert len(str(error)) < 600
    assert "\n" not in str(error)


async def test_a_wrong_key_says_what_to_check() -> None:
    refusal = refuse(401, "invalid_authentication_error", f"no such key: {KEY}")
    error = await fails(refusal)
    assert "refused the key" in str(error)
    assert KEY not in f"{error} {error!r} {error.args}"


def test_a_wrong_moonshot_key_says_that_the_platforms_differ() -> None:
    model = ChatModel("kimi-k3", base_url="https://api.moonshot.cn/v1", key=Secret(KEY))
    about = model._about_keys()
    assert all(word in about for word in ("MOONSHOT_API_KEY", "moonshot.ai", "base_url='cn'"))
    assert KEY not in f"{model!r} {about}"


async def test_an_unknown_model_lists_what_there_is() -> None:
    async with FaultServer([refuse(404)], models=["kimi-k3", "kimi-k2.6"]) as server:
        model = ChatModel("kimi-k9", base_url=server.base_url, key=None)

        with pytest.raises(UnknownModel, match=r"offers kimi-k3, kimi-k2\.6"):
            await model.reply(ask(), Heard())

        assert [card.id for card in await model.models()] == ["kimi-k3", "kimi-k2.6"]
        await model.close()


async def test_a_wrong_base_url_is_named() -> None:
    async with FaultServer() as server:
        model = ChatModel("m", base_url=server.base_url.removesuffix("/v1"), key=None)

        with pytest.raises(UnknownModel, match="is the base URL right"):
            await model.reply(ask(), Heard())

        await model.close()


async def test_a_web_page_is_no_answer() -> None:
    error = await fails(raw(b"<html>log in</html>", kind="text/html"))
    assert type(error) is UnknownModel
    assert "web page" in str(error)


async def test_a_redirect_is_not_followed() -> None:
    answer = Answer(status=307, headers={"Location": "http://127.0.0.1:1/v1"})
    error = await fails(answer)
    assert type(error) is UnknownModel
    assert "http://127.0.0.1:1/v1" in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1", 1.0), ("0.5", 0.5), ("-3", 0.0), ("9999", 60.0), ("soon", None), ("", None)],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert read_retry_after({"Retry-After": value} if value else {}) == seconds


@pytest.mark.parametrize(("ahead", "low", "high"), [(30, 25, 30), (-30, 0, 0), (900, 60, 60)])
def test_retry_after_as_a_date(
    monkeypatch: pytest.MonkeyPatch, ahead: int, low: float, high: float
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    date = formatdate(now + ahead, usegmt=True)
    seconds = read_retry_after({"Retry-After": date})
    assert seconds is not None
    assert low <= seconds <= high


# Faults on the way -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["streamed", "openai"])
@pytest.mark.parametrize(
    "answer",
    [
        say("words that break off", size=2).first(3, CUT),
        call(("read_file", {"path": "x"}), size=3).first(3, CUT),
        say("words that end", size=2).first(3, b""),
        raw(b"data: {]\n\n"),
        raw(event({"choices": [{"delta": {"content": 3}}]})),
        raw(b""),
        raw(DONE),
    ],
    ids=["cut", "cut in a call", "no reason", "no JSON", "no chunk", "nothing", "only done"],
)
async def test_a_broken_stream_is_no_answer(way: str, answer: Answer) -> None:
    async with through(way, [answer]) as (model, _):
        with pytest.raises(Unreachable):
            await model.reply(ask(), heard := Heard())

    assert heard.calls == []


async def test_bytes_that_are_no_text() -> None:
    assert type(await fails(raw(b'data: {"choices": "\xff\xfe"}\n\n'))) is Unreachable


@pytest.mark.parametrize("way", ["streamed", "openai"])
async def test_an_error_in_mid_stream(way: str) -> None:
    error = {"error": {"type": "engine_overloaded_error", "message": f"busy, {KEY}"}}
    answer = say("some words", size=2).first(2, event(error))

    async with through(way, [answer]) as (model, _):
        with pytest.raises(Overloaded, match="busy") as caught:
            await model.reply(ask(), Heard())

    assert KEY not in str(caught.value)


async def test_a_plain_answer_without_choices() -> None:
    async with chat([Answer(plain=b'{"hello": 1}')], streaming=False) as (model, _):
        with pytest.raises(ServerFault, match="no choices"):
            await model.reply(ask(), Heard())


async def test_no_first_byte() -> None:
    error = await fails(say("late").after(30), timeouts=Timeouts(first=0.2))
    assert type(error) is Unreachable
    assert "sent nothing for 0.2 s" in str(error)


async def test_silence_in_mid_stream() -> None:
    error = await fails(say("some words", size=2).first(2, STALL), timeouts=Timeouts(idle=0.1))
    assert type(error) is Unreachable
    assert "stopped in mid-answer for 0.1 s" in str(error)


def test_a_slow_stream_is_no_silent_one() -> None:
    parts: list[bytes | float] = []

    for part in say("abcdefgh", size=1).parts:
        assert isinstance(part, bytes)
        parts += [part, 40.0]

    async def main() -> None:
        async with chat([raw(*parts)], timeouts=Timeouts(first=60, idle=60)) as (model, _):
            assert (await model.reply(ask(), Heard())).text == "abcdefgh"

        assert clock() > 300

    with asyncio.Runner(loop_factory=WorkingLoop) as runner:
        runner.run(main())


async def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # so that nobody else gets the port meanwhile
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        model = ChatModel("m", base_url=url, key=Secret(KEY))

        with pytest.raises(Unreachable, match="cannot be reached"):
            await model.reply(ask(), Heard())

        with pytest.raises(Unreachable, match="cannot be reached"):
            await model.models()

        await model.close()


async def test_a_cancelled_call_ends_on_the_server_too() -> None:
    async with chat(lambda _body: say("a b c d", size=1).first(2, STALL)) as (model, server):
        tasks = [asyncio.ensure_future(model.reply(ask(), Heard())) for _ in range(20)]
        await until(lambda: server.in_flight == 20)

        for task in tasks:
            task.cancel()

        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        await until(lambda: server.in_flight == 0)


async def test_a_model_can_be_used_again_after_it_was_closed() -> None:
    async with chat([say("a"), say("b")]) as (model, _):
        await model.reply(ask(), Heard())
        await model.close()
        assert (await model.reply(ask(), Heard())).text == "b"


def test_one_model_in_two_event_loops() -> None:
    model: list[ChatModel] = []

    async def main(*, last: bool) -> str:
        async with FaultServer([say("a")]) as server:
            model.append(ChatModel("m", base_url=server.base_url, key=None))
            model[0]._url = server.base_url + "/chat/completions"
            text = (await model[0].reply(ask(), Heard())).text

            if last:
                await model[0].close()

            return text

    assert asyncio.run(main(last=False)) == "a"
    assert asyncio.run(main(last=True)) == "a"
    gc.collect()
