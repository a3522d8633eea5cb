"""The simulator in this process, over HTTP and through the public client: one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import ClientError, ClientSession
from aiohttp.test_utils import TestServer
from simulator_harness import QUIET, SPAWN, assemble

from kimi_nb.errors import Overloaded, RateLimited, ServerFault, Unreachable
from kimi_nb.models.base import Conversation, Request, ToolCall, ToolSpecs
from kimi_nb.models.simulator import Options, Simulator
from kimi_nb.models.simulator.respond import respond
from kimi_nb.models.simulator.script import Dropped, Fault
from kimi_nb.models.simulator.server import application
from kimi_nb.tools import standard_tools

GOAL = "For each CSV file in data/, give the number of rows and the highest price."
SYSTEM = "You may launch at most 3 sub-agents in this run.\nWorking folder: /nowhere"
LISTED = "data/a.csv\t12\ndata/b.csv\t12\ndata/c d.csv\t7"


def _conversations() -> list[list[dict]]:
    """Three turns of an orchestrator, a sub-agent's first, and a goal that is beyond it."""
    start = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": GOAL}]
    call = _call("list_files:0", "list_files", {"folder": "data"})
    listed = [*start, _says(call), _tool("list_files:0", LISTED)]
    create = _call("create_subagent:1", "create_subagent", {"name": "x", "system_prompt": "y"})
    created = [*listed, _says(create), _tool("create_subagent:1", "ok")]
    return [start, listed, created, [{"role": "user", "content": "写一首诗"}]]


def _call(id_: str, name: str, arguments: dict) -> dict:
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    return {"id": id_, "type": "function", "function": function}


def _says(*calls: dict) -> dict:
    return {"role": "assistant", "tool_calls": list(calls)}


def _tool(id_: str, text: str) -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": text}


def _request(messages: list[dict], **more) -> dict:
    specs = [*SPAWN, *standard_tools().specs]
    return {"model": "simulator", "messages": messages, "tools": specs, **more}


class Ear:
    """A sink that keeps what it hears."""

    def __init__(self) -> None:
        self.text = ""
        self.thinking = ""
        self.calls: list[ToolCall] = []

    def on_text(self, text: str) -> None:
        self.text += text

    def on_thinking(self, text: str) -> None:
        self.thinking += text

    def on_call(self, call: ToolCall) -> None:
        self.calls.append(call)


@pytest.fixture
async def endpoint() -> AsyncIterator[TestServer]:
    async with TestServer(application(QUIET)) as server:
        yield server


async def _streamed(server: TestServer, request: dict) -> list[dict]:
    body = {**request, "stream": True, "stream_options": {"include_usage": True}}

    async with ClientSession() as session:
        answer = await session.post(server.make_url("/v1/chat/completions"), json=body)
        lines = (await answer.text()).split("\n\n")

    assert lines[-2:] == ["data: [DONE]", ""]
    return [orjson.loads(line.removeprefix("data: ")) for line in lines[:-2]]


async def test_http_sends_the_very_chunks_of_the_script(endpoint):
    for messages in _conversations():
        request = _request(messages, seed=0)
        expected = [event.what for event in respond(request, QUIET)]
        assert await _streamed(endpoint, request) == expected


async def test_in_process_reply_is_what_the_stream_says(endpoint):
    for messages in _conversations():
        request = _request(messages)
        turn = assemble(respond({**request, "seed": 0}, QUIET))
        ear = Ear()
        asked = Request(
            conversation=Conversation(messages), tools=ToolSpecs(request["tools"]), max_tokens=9999
        )
        reply = await Simulator(QUIET).reply(asked, ear)
        assert (reply.text, reply.thinking, reply.finish) == (turn.text, turn.thinking, turn.finish)
        assert [(c.id, c.name, c.arguments) for c in reply.calls] == [
            (c["id"], c["function"]["name"], c["function"]["arguments"]) for c in turn.calls
        ]
        assert ear.text == reply.text
        assert tuple(ear.calls) == reply.calls
        chunks = await _streamed(endpoint, {**request, "max_completion_tokens": 9999})
        assert chunks[-1]["usage"]["prompt_tokens"] == reply.usage.tokens_in
        assert chunks[-1]["usage"]["completion_tokens"] == reply.usage.tokens_out


async def test_the_public_client_understands_it_plain_and_streamed(endpoint):
    from openai import AsyncOpenAI

    url = str(endpoint.make_url("/v1"))

    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        assert [model.id for model in (await client.models.list()).data] == ["simulator"]

        for messages in _conversations():
            request = _request(messages, seed=0)
            turn = assemble(respond(request, QUIET))
            plain = await client.chat.completions.create(**request)
            message = plain.choices[0].message
            assert message.content == turn.text
            assert [c.model_dump() for c in message.tool_calls or ()] == turn.calls
            assert plain.choices[0].finish_reason == turn.finish
            stream = await client.chat.completions.create(**request, stream=True)
            text = ""

            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""

            assert text == turn.text


async def test_a_bad_request_gets_an_error_in_openai_form(endpoint):
    async with ClientSession() as session:
        for path, body, status in (
            ("/v1/chat/completions", b"{", 400),
            ("/v1/chat/completions", b'{"messages": []}', 400),
            ("/v1/chat/completions", b"[1]", 400),
            ("/v1/nonsense", b"{}", 404),
        ):
            answer = await session.post(endpoint.make_url(path), data=body)
            assert answer.status == status
            assert set((await answer.json())["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("rate", "error", "status"),
    [
        ("failure_rate", ServerFault, 500),
        ("rate_limit_rate", RateLimited, 429),
        ("overload_rate", Overloaded, 429),
        ("drop_rate", Unreachable, None),
    ],
)
async def test_faults_are_the_same_in_both_skins(rate, error, status):
    options = Options(latency=0.0, spread=0.0, retry_after=2.5, **{rate: 1.0})
    messages = _conversations()[0]
    asked = Request(conversation=Conversation(messages), tools=ToolSpecs(), max_tokens=999)

    with pytest.raises(error) as caught:
        await Simulator(options).reply(asked, Ear())

    assert caught.value.status == status
    assert caught.value.retryable
    assert caught.value.retry_after == (2.5 if status == 429 else None)

    async with TestServer(application(options)) as server, ClientSession() as session:
        url = server.make_url("/v1/chat/completions")
        body = {"messages": messages, "stream": True}

        if status is None:
            with pytest.raises(ClientError):
                await (await session.post(url, json=body)).read()
        else:
            answer = await session.post(url, json=body)
            assert answer.status == status
            assert answer.headers.get("Retry-After") == ("2.5" if status == 429 else None)


def test_the_same_request_gets_the_same_script_and_an_attempt_may_differ():
    options = Options(failure_rate=0.5)
    messages = _conversations()[0]
    scripts = [respond(_request(messages, seed=seed), options) for seed in range(40)]
    assert scripts == [respond(_request(messages, seed=seed), options) for seed in range(40)]
    failed = [isinstance(script[0].what, Fault) for script in scripts]
    assert 8 <= sum(failed) <= 32


def test_rates_are_met_on_average():
    options = Options(
        failure_rate=0.1, rate_limit_rate=0.1, overload_rate=0.1, drop_rate=0.2, latency=1.0
    )
    scripts = [respond(_request(_conversations()[3], seed=seed), options) for seed in range(1000)]
    faults = [s[0].what.type for s in scripts if isinstance(s[0].what, Fault)]
    assert 70 < faults.count("server_error") < 130
    assert 70 < faults.count("rate_limit_reached_error") < 130
    assert 70 < faults.count("engine_overloaded_error") < 130
    assert 150 < sum(isinstance(s[-1].what, Dropped) for s in scripts) < 250
    delays = sorted(script[0].delay for script in scripts)
    assert 0.9 < delays[500] < 1.1
    assert delays[-1] > 2


def test_a_pace_streams_token_by_token():
    options = Options(latency=0.0, spread=0.0, tokens_per_second=50)
    script = respond(_request(_conversations()[3]), options)
    text = assemble(script).text
    assert len(script) > len(text) / 4
    assert sum(event.delay for event in script) == pytest.approx(len(text) / 4 / 50, rel=0.1)


def test_too_few_tokens_end_the_turn_with_length():
    turn = assemble(respond(_request(_conversations()[3], max_completion_tokens=30), QUIET))
    assert turn.finish in {"length", "stop"}
    full = assemble(respond(_request(_conversations()[3]), QUIET))
    options = Options(latency=0.0, tokens_per_second=1000)
    cut = assemble(respond(_request(_conversations()[3], max_completion_tokens=30), options))
    assert cut.finish == "length"
    assert full.text.startswith(cut.text)
    assert 0 < len(cut.text) <= 120


@pytest.mark.parametrize("bad", [{"failure_rate": 1.5}, {"latency": -1.0}])
def test_impossible_options_are_refused(bad):
    with pytest.raises(ValueError, match="simulator's"):
        Options(**bad)
