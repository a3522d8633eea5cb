"""Learners are curious, and an endpoint may be wrong: neither gets at what is not theirs."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from class_proxy import ASKED, Endpoint, classroom, served, sheet, until
from virtual_time import leap

from kimi_nb.models.transport import Timeouts
from kimi_nb.proxy import asked, serve, server, upstream
from kimi_nb.proxy.ledger import entries


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def base_url(endpoint: Endpoint) -> AsyncIterator[str]:
    async with served(endpoint) as url:
        yield url


@pytest.mark.parametrize(
    "lie",
    [
        {"prompt_tokens": -1_000_000, "completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": -1_000_000},
        {"prompt_tokens": 1e40, "completion_tokens": 5},
        {"prompt_tokens": "5", "completion_tokens": None},
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_usage_that_cannot_be_is_paid_as_reserved(
    endpoint, base_url, tmp_path: Path, lie: dict, *, streamed: bool
) -> None:
    endpoint.usage = lie
    listed = sheet(tmp_path, base_url, "{a: {each: {usd: 1}}}")

    async with classroom(listed, "ana") as [ana]:
        assert (await ana.ask(stream=streamed))[0] == 200

    [entry] = entries(listed.ledger)
    assert entry.tokens_in > 10
    assert 2 <= entry.tokens_out <= 500
    assert entry.usd > 0


@pytest.mark.parametrize("cached", [-1_000_000, 1_000_000])
async def test_no_more_is_cached_than_was_sent(
    endpoint, base_url, tmp_path: Path, cached: int
) -> None:
    endpoint.usage = {"prompt_tokens": 100, "completion_tokens": 20, "cached_tokens": cached}
    listed = sheet(tmp_path, base_url, "{a: {each: {usd: 1}}}")

    async with classroom(listed, "ana") as [ana]:
        await ana.ask()

    assert [entry.tokens_cached for entry in entries(listed.ledger)] == [100 if cached > 0 else 0]


async def test_who_hangs_up_before_a_stream_begins_pays_the_prompt(
    endpoint, base_url, tmp_path: Path
) -> None:
    endpoint.texts, endpoint.gate = [], asyncio.Event()
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        call = asyncio.create_task(ana.ask(stream=True))
        await until(lambda: endpoint.inside)
        call.cancel()
        await until(lambda: endpoint.cancelled and list(entries(listed.ledger)))

    [entry] = entries(listed.ledger)
    assert entry.tokens_in > 10
    assert entry.tokens_out == 0


@pytest.mark.parametrize("field", ["models", "fallbacks", "api_base", "service_tier", "best_of"])
async def test_no_field_buys_something_else(endpoint, base_url, tmp_path: Path, field: str) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        status, answer = await ana.ask(**{field: 5})

    assert (status, endpoint.bodies) == (400, [])
    assert f"'{field}' is not let through here: leave it out" in answer["error"]["message"]


@pytest.mark.parametrize(
    "more",
    [
        {"stream": "true"},
        {"stream": 1},
        {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
    ],
)
async def test_what_an_endpoint_may_understand_differently_is_refused(
    endpoint, base_url, tmp_path: Path, more: dict
) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        assert (await ana.ask(**more))[0] == 400

    assert not endpoint.bodies


async def test_of_two_fields_with_one_name_the_endpoint_gets_the_one_that_was_checked(
    endpoint, base_url, tmp_path: Path
) -> None:
    end = orjson.dumps({**ASKED, "max_tokens": 7, "temperature": 0.5})[1:]
    body = b'{"model":"dear-model","max_tokens":900000,' + end

    async with (
        classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana],
        ana.session.post(f"{ana.url}/chat/completions", data=body, headers=ana.headers) as answer,
    ):
        assert answer.status == 200

    assert endpoint.bodies == [{**ASKED, "max_tokens": 7, "temperature": 0.5}]


async def test_nobody_reserves_the_whole_minute(endpoint, base_url, tmp_path: Path) -> None:
    listed = sheet(tmp_path, base_url, "{a: {tpm: 300000}}")

    async with classroom(listed, "ana", "ben") as [ana, ben]:
        assert (await ana.ask(max_tokens=10**9))[0] == 200
        assert (await ben.ask())[0] == 200

    assert [body["max_tokens"] for body in endpoint.bodies] == [131_072, 500]


async def test_a_body_that_unfolds_counts_as_the_largest(
    base_url, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(server, "LARGEST_TOGETHER", server.LARGEST - 1)
    body: dict[str, Any] = {"data": gzip.compress(orjson.dumps(ASKED))}

    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        url, headers = f"{ana.url}/chat/completions", {**ana.headers, "Content-Encoding": "gzip"}

        async with ana.session.post(url, headers=headers, **body) as answer:
            assert answer.status == 429

        assert (await ana.ask())[0] == 200


async def test_small_calls_of_one_learner_have_a_number(
    endpoint, base_url, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(server, "LARGEST_TOGETHER", 2 * server.SMALLEST)
    endpoint.gate = asyncio.Event()

    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 2}}"), "ana", "ben") as [ana, ben]:
        calls = [asyncio.create_task(ana.ask()) for _ in range(2)]
        await until(lambda: endpoint.inside == 2)
        assert (await ana.ask())[0] == 429
        endpoint.gate.set()
        assert [status for status, _ in await asyncio.gather(*calls)] == [200, 200]
        assert (await ben.ask())[0] == 200


async def test_a_body_has_only_so_many_objects(base_url, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(asked, "NESTED", 10)

    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        status, answer = await ana.ask(messages=[{}] * 20)

    assert status == 400
    assert "more than 10 objects" in answer["error"]["message"]


async def test_who_connects_and_asks_nothing_is_cut(base_url, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(serve, "SILENT_S", 0.02)

    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        host, _, port = ana.url.removeprefix("http://").removesuffix("/v1").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Slow")
        assert await reader.read() == b""
        writer.close()
        monkeypatch.setattr(serve, "SILENT_S", 60.0)  # who asks now may be slow
        assert (await ana.ask())[0] == 200


async def test_who_asked_once_is_not_cut(endpoint, base_url, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(serve, "SILENT_S", 0.01)
    shed = serve._shed

    async def as_soon_as_it_has_asked(*of: Any) -> None:
        await until(lambda: endpoint.inside)
        await shed(*of)

    monkeypatch.setattr(serve, "_shed", as_soon_as_it_has_asked)
    endpoint.gate = asyncio.Event()

    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        call = asyncio.create_task(ana.ask())
        await until(lambda: endpoint.inside)
        await asyncio.sleep(0.05)  # several looks at the connections
        endpoint.gate.set()
        assert (await call)[0] == 200


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_endpoint_that_says_nothing_is_given_up(
    endpoint, base_url, tmp_path: Path, monkeypatch, *, streamed: bool
) -> None:
    monkeypatch.setattr(upstream, "Timeouts", lambda: Timeouts(first=100, whole=100))
    endpoint.gate = asyncio.Event()
    endpoint.texts = []
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        if streamed:
            async with ana.post(stream=True) as answer:
                leap(100)

                with pytest.raises(aiohttp.ClientError):
                    await answer.read()
        else:
            asking = asyncio.create_task(ana.ask())
            await until(lambda: endpoint.inside)
            leap(100)
            assert (await asking)[0] == 502

    assert [entry.tokens_out for entry in entries(listed.ledger)] == [0]


async def test_an_endpoints_words_do_not_bring_the_key(endpoint, base_url, tmp_path: Path) -> None:
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")
    key = (tmp_path / "real.key").read_text().strip()

    async with classroom(listed, "ana") as [ana]:
        for status in (400, 401, 404, 500):
            error = {"error": {"message": f"your key {key} is no good"}}
            endpoint.refuse = [web.json_response(error, status=status)]
            assert key not in str(await ana.ask())

    assert key.encode() not in listed.ledger.read_bytes()
