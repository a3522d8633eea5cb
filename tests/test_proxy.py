"""One key for a class: what goes on to the endpoint, what comes back, what is paid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web
from class_proxy import Endpoint, Learner, classroom, served, sheet, until, usage

import kimi_nb as kn
from kimi_nb.errors import AccessDenied, QuotaExhausted, RateLimited
from kimi_nb.models import pace
from kimi_nb.models.base import Conversation, Request, ToolSpecs
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.secret import Secret
from kimi_nb.proxy import server
from kimi_nb.proxy.ledger import entries
from kimi_nb.proxy.report import usage_report
from kimi_nb.proxy.sheet import read_sheet


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def base_url(endpoint: Endpoint) -> AsyncIterator[str]:
    async with served(endpoint) as url:
        yield url


class Ear:
    """Hears nothing."""

    def on_text(self, text: str) -> None: ...
    def on_thinking(self, text: str) -> None: ...
    def on_call(self, call) -> None: ...


async def asked_by_us(url: str, key: str) -> None:
    """One call by our own client."""
    model = ChatModel("kimi-k3", base_url=url, key=Secret(key))
    conversation = Conversation([{"role": "user", "content": "hi"}])

    try:
        await model.reply(
            Request(conversation=conversation, tools=ToolSpecs(), max_tokens=500), Ear()
        )
    finally:
        await model.close()


def written_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.jsonl"))


async def told(learner: Learner, metric: str) -> None:
    """Return when the proxy's metrics have this line."""
    text = ""

    while metric not in text.splitlines():
        url = learner.url.removesuffix("/v1") + "/metrics"

        async with learner.session.get(url) as response:
            text = await response.text()


def busy(after: str = "0") -> web.Response:
    error = {"message": "org-17: concurrency: 1", "type": "engine_overloaded_error"}
    return web.json_response({"error": error}, status=429, headers={"Retry-After": after})


async def test_a_whole_answer_goes_through_and_is_paid(base_url, tmp_path: Path) -> None:
    listed = sheet(tmp_path, base_url, "{a: {each: {usd: 1}}}")

    async with classroom(listed, "ana") as [ana]:
        status, answer = await ana.ask()

    assert (status, answer["choices"][0]["message"]["content"]) == (200, "onetwo")
    [entry] = entries(listed.ledger)
    assert (entry.student, entry.tokens_in, entry.tokens_out, entry.status) == ("ana", 100, 20, 200)
    assert entry.usd == pytest.approx((100 * 3 + 20 * 15) / 1e6)


async def test_the_endpoint_sees_the_real_key_only(endpoint, base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        await ana.ask(user="ana")

    [headers] = endpoint.headers
    assert headers["Authorization"] == "Bearer sk-the-real-key-0123456789abcdef"
    assert ana.key not in str(headers) + str(endpoint.bodies)


async def test_neither_keys_nor_prompts_are_written(base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        await ana.ask(messages=[{"role": "user", "content": "my secret"}])

    written = written_in(tmp_path)
    assert b"ana" in written
    assert ana.key.encode() not in written
    assert b"sk-the" not in written
    assert b"secret" not in written


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_usage_of_a_stream_goes_to_who_asked_for_it(
    base_url, tmp_path: Path, *, wanted: bool
) -> None:
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")
    options = {"stream_options": {"include_usage": True}} if wanted else {}

    async with classroom(listed, "ana") as [ana]:
        _, text = await ana.ask(stream=True, **options)

    events = [line[6:] for line in text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    chunks = [orjson.loads(event) for event in events[:-1]]
    assert [c["choices"][0]["delta"]["content"] for c in chunks[:2]] == ["one", "two"]
    assert any(c.get("usage") for c in chunks) is wanted
    assert len(chunks) == 3 + wanted
    assert [entry.tokens_in for entry in entries(listed.ledger)] == [100]


async def test_a_stream_is_not_held_back(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.gate = asyncio.Event()

    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana], ana.post(stream=True) as response:
        first = await response.content.readuntil(b"\n\n")
        assert b"one" in first
        assert endpoint.inside == 1  # it has not ended
        endpoint.gate.set()
        assert (await response.read()).endswith(b"[DONE]\n\n")


async def test_who_hangs_up_ends_the_call_and_pays_what_was_streamed(
    endpoint, base_url, tmp_path: Path
) -> None:
    endpoint.gate = asyncio.Event()
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        async with ana.post(stream=True) as response:
            await response.content.readuntil(b"\n\n")

        await until(lambda: endpoint.cancelled and list(entries(listed.ledger)))

    [entry] = entries(listed.ledger)
    assert entry.status == 499
    assert 2 <= entry.tokens_out < 20  # two events, and not the 500 that were reserved
    assert entry.tokens_in > 10


async def test_who_hangs_up_on_a_whole_answer_pays_what_was_reserved(
    endpoint, base_url, tmp_path: Path
) -> None:
    endpoint.gate = asyncio.Event()
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        call = asyncio.create_task(ana.ask())
        await until(lambda: endpoint.inside)
        call.cancel()
        await until(lambda: endpoint.cancelled and list(entries(listed.ledger)))

    [entry] = entries(listed.ledger)
    assert (entry.status, entry.tokens_out) == (499, 500)


async def test_who_hangs_up_while_waiting_pays_nothing(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.gate = asyncio.Event()
    listed = sheet(tmp_path, base_url, "{a: {concurrency: 1}}")

    async with classroom(listed, "ana", "ben") as [ana, ben]:
        first = asyncio.create_task(ana.ask())
        await until(lambda: endpoint.inside)
        second = asyncio.create_task(ben.ask())
        await told(ben, 'kimi_nb_proxy_waiting{class="a"} 1.0')
        second.cancel()
        await told(ben, 'kimi_nb_proxy_waiting{class="a"} 0.0')
        endpoint.gate.set()
        assert (await first)[0] == 200
        assert (await ana.ask())[0] == 200  # the turn of who left is free

    assert [entry.student for entry in entries(listed.ledger)] == ["ana", "ana"]


async def test_a_used_up_budget_says_whom_to_ask(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.usage = usage(100, 1500)
    listed = sheet(tmp_path, base_url, "{a: {each: {tokens: 1800}}}")

    async with classroom(listed, "ana", "ben") as [ana, ben]:
        assert (await ana.ask())[0] == 200
        status, answer = await ana.ask()
        assert (status, answer["error"]["type"]) == (402, "budget_exceeded")
        assert "1,600 of 1,800 tokens" in answer["error"]["message"]
        assert (await ben.ask())[0] == 200

        with pytest.raises(QuotaExhausted, match=r"ask Ms Li$"):
            await asked_by_us(ana.url, ana.key)

    assert len(endpoint.bodies) == 2


async def test_a_class_has_a_budget_of_its_own(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.usage = usage(100, 1500)
    listed = sheet(tmp_path, base_url, "{a: {tokens: 1800, each: {tokens: 9000}}}")

    async with classroom(listed, "ana", "ben") as [ana, ben]:
        await ana.ask()
        status, answer = await ben.ask()

    assert status == 402
    assert "class a has used" in answer["error"]["message"]


async def test_calls_at_once_cannot_overdraw(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.usage = usage(40, 460)
    listed = sheet(tmp_path, base_url, "{a: {each: {tokens: 2200}}}")

    async with classroom(listed, "ana") as [ana]:
        answers = await asyncio.gather(*(ana.ask(max_tokens=460) for _ in range(20)))

    paid = sum(entry.tokens_in + entry.tokens_out for entry in entries(listed.ledger))
    assert [status for status, _ in answers].count(200) == 4
    assert paid == 2000


async def test_a_learner_has_so_many_calls_at_once(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.gate = asyncio.Event()

    async with classroom(sheet(tmp_path, base_url, "{a: {each: {concurrency: 2}}}"), "ana") as [
        ana
    ]:
        calls = [asyncio.create_task(ana.ask()) for _ in range(5)]
        await told(ana, 'kimi_nb_proxy_waiting{class="a"} 3.0')
        await until(lambda: endpoint.inside == 2)
        endpoint.gate.set()
        await asyncio.gather(*calls)

    assert endpoint.most == 2


async def test_what_is_left_shortens_the_answer(endpoint, base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {each: {tokens: 600}}}"), "ana") as [ana]:
        assert (await ana.ask(max_tokens=30_000))[0] == 200

    assert 256 <= endpoint.bodies[0]["max_tokens"] < 600


async def test_an_answer_without_a_limit_gets_one(endpoint, base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        await ana.ask(max_tokens=None)

    assert endpoint.bodies[0]["max_tokens"] == 32_768


async def test_a_budget_outlives_the_proxy(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.usage = usage(100, 1500)
    listed = sheet(tmp_path, base_url, "{a: {each: {tokens: 1800}}}")

    async with classroom(listed, "ana") as [ana]:
        await ana.ask()

    with listed.ledger.open("ab") as file:
        file.write(b'{"at":17')  # the machine stopped within a line

    async with classroom(listed, "ana", "ben") as [ana, ben]:  # with a new key
        assert (await ana.ask())[0] == 402
        assert (await ben.ask())[0] == 200

    assert [entry.student for entry in entries(listed.ledger)] == ["ana", "ben"]
    assert usage_report(listed).splitlines()[1].split()[:5] == ["a", "ana", "1", "1,600", "0.0228"]


async def test_the_endpoints_refusals_are_waited_out(
    endpoint, base_url, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(pace, "PAUSE_S", 0.01)
    endpoint.refuse = [busy(), busy()]
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        status, _ = await ana.ask()

    assert status == 200
    assert len(endpoint.bodies) == 3
    assert len(list(entries(listed.ledger))) == 1


async def test_who_hangs_up_after_a_refusal_pays_nothing(
    endpoint, base_url, tmp_path: Path
) -> None:
    endpoint.refuse = [busy(after="30")]
    listed = sheet(tmp_path, base_url, "{a: {each: {tokens: 900}}}")

    async with classroom(listed, "ana") as [ana]:
        call = asyncio.create_task(ana.ask())
        await until(lambda: endpoint.bodies and not endpoint.inside)
        call.cancel()
        await told(ana, 'kimi_nb_proxy_in_flight{class="a"} 0.0')

    assert not list(entries(listed.ledger))


async def test_who_gets_no_turn_is_told_when_to_come_back(
    endpoint, base_url, tmp_path: Path, monkeypatch
) -> None:
    endpoint.gate = asyncio.Event()

    async with classroom(sheet(tmp_path, base_url, "{a: {concurrency: 1}}"), "ana") as [ana]:
        first = asyncio.create_task(ana.ask())
        await until(lambda: endpoint.inside)
        monkeypatch.setattr(server, "PATIENCE_S", 0.1)  # of all who come from now on

        async with ana.post() as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "5")

        with pytest.raises(RateLimited):
            await asked_by_us(ana.url, ana.key)

        endpoint.gate.set()
        assert (await first)[0] == 200


@pytest.mark.parametrize(
    ("status", "kind", "answered"),
    [
        (401, "invalid_authentication_error", (503, "refuses the key of this proxy: tell Ms Li")),
        (429, "exceeded_current_quota_error", (402, "has nothing left: tell Ms Li")),
        (400, "invalid_request_error", (400, "org-17")),
        (500, "server_error", (502, "the endpoint failed")),
    ],
)
async def test_what_concerns_the_account_is_not_for_learners(
    endpoint, base_url, tmp_path: Path, status: int, kind: str, answered: tuple[int, str]
) -> None:
    error = {"message": "org-17 says no", "type": kind}
    endpoint.refuse = [web.json_response({"error": error}, status=status)]
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        got, answer = await ana.ask()

    assert got == answered[0]
    assert answered[1] in answer["error"]["message"]
    assert ("org-17" in answer["error"]["message"]) is (status in {400, 500})
    assert [entry.usd for entry in entries(listed.ledger)] == [0.0]


async def test_redirects_are_not_followed(endpoint, base_url, tmp_path: Path) -> None:
    endpoint.refuse = [web.Response(status=307, headers={"Location": base_url + "/elsewhere"})]

    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        assert (await ana.ask())[0] == 502

    assert len(endpoint.bodies) == 1


async def test_a_stream_that_breaks_off_breaks_off(tmp_path: Path) -> None:
    class Breaking(Endpoint):
        async def _stream(self, http):
            out = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await out.prepare(http)
            await out.write(b'data: {"choices":[]}\n\n')
            http.transport.abort()
            return out

    async with served(Breaking()) as url:
        listed = sheet(tmp_path, url, "{a: {seats: 1}}")

        async with classroom(listed, "ana") as [ana]:
            with pytest.raises(aiohttp.ClientPayloadError):
                await ana.ask(stream=True)

    assert [entry.status for entry in entries(listed.ledger)] == [502]


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer sk-class-x", "Basic {}", "{}"])
async def test_nobody_without_a_key_gets_in(
    endpoint, base_url, tmp_path: Path, header: str
) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        ana.headers = {"Authorization": header.format(ana.key)}
        status, answer = await ana.ask()
        assert (status, answer["error"]["type"]) == (401, "invalid_authentication_error")

        for path in ("models", "users/me/balance"):
            async with ana.session.get(f"{ana.url}/{path}", headers=ana.headers) as response:
                assert response.status == 401

        with pytest.raises(AccessDenied, match="ask Ms Li for yours"):
            await asked_by_us(ana.url, "sk-class-wrong")

    assert not endpoint.bodies


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"model": "kimi-k9"}, 404),
        ({"model": ["kimi-k3"]}, 404),
        ({"n": 5}, 400),
        ({"max_tokens": -1}, 400),
        ({"max_tokens": True}, 400),
        ({"max_completion_tokens": "5"}, 400),
        ({"messages": "hi"}, 400),
        ({"messages": 5}, 400),
        ({"messages": [{"content": [{"type": "image_url"}]}]}, 400),
        ({"tools": [{"type": "builtin_function"}]}, 400),
        ({"tools": [5]}, 400),
    ],
)
async def test_what_would_cost_more_than_is_reserved_is_refused(
    endpoint, base_url, tmp_path: Path, more: dict, status: int
) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        assert (await ana.ask(**more))[0] == status

    assert not endpoint.bodies


async def test_only_the_paths_that_are_needed(base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {seats: 1}}"), "ana") as [ana]:
        for path in ("files", "../v1/files", "chat/completions/..%2F..%2Ffiles", "embeddings"):
            async with ana.session.post(f"{ana.url}/{path}", headers=ana.headers) as response:
                assert response.status == 404


async def test_a_body_has_an_end(endpoint, base_url, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(server, "LARGEST", 2000)
    listed = sheet(tmp_path, base_url, "{a: {seats: 1}}")

    async with classroom(listed, "ana") as [ana]:
        assert (await ana.ask(messages=[{"role": "user", "content": "x" * 3000}]))[0] == 413
        monkeypatch.setattr(server, "LARGEST_TOGETHER", 50)
        assert (await ana.ask())[0] == 429

    assert not endpoint.bodies


async def test_a_class_ends(base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {until: 2020-01-31}}"), "ana") as [ana]:
        status, answer = await ana.ask()

    assert status == 402
    assert "2020-01-31: ask Ms Li" in answer["error"]["message"]


async def test_the_doctor_sees_models_and_what_is_left(base_url, tmp_path: Path) -> None:
    async with classroom(sheet(tmp_path, base_url, "{a: {each: {usd: 2}}}"), "ana") as [ana]:
        model = ChatModel("kimi-k3", base_url=ana.url, key=Secret(ana.key))
        assert [card.id for card in await model.models()] == ["kimi-k3"]
        assert await model.balance() == 2.0
        await model.close()


async def test_health_and_metrics_name_no_learner(base_url, tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client")

    async with classroom(sheet(tmp_path, base_url, "{a: {usd: 9}}"), "ana") as [ana]:
        await ana.ask()
        root = ana.url.removesuffix("/v1")

        async with ana.session.get(root + "/healthz") as response:
            assert (await response.json())["status"] == "ok"

        async with ana.session.get(root + "/metrics") as response:
            text = await response.text()

    assert 'kimi_nb_proxy_tokens_total{class="a"} 120.0' in text
    assert "ana" not in text


async def test_a_swarm_runs_through_the_proxy_of_the_simulator(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()

    for number in range(6):
        (data / f"f{number}.csv").write_text("a,b\n" + "1,2\n" * (number + 1))

    path = tmp_path / "class.yml"
    path.write_text("upstream: {base_url: simulator}\nclasses: {a: {seats: 1}}\n")
    listed = read_sheet(path)

    async with classroom(listed, "ana") as [ana]:
        run = await kn.swarm(
            "For each CSV file in data, give the number of rows. Join the results into one table.",
            model="simulator",
            base_url=ana.url,
            key=ana.key,
            folder=tmp_path,
            trace=tmp_path / "run.jsonl",
        )

    assert run.status == "finished"
    found = list(entries(listed.ledger))
    assert len(found) == run.metrics.total_steps
    assert sum(entry.tokens_in for entry in found) == run.metrics.tokens_in
    assert sum(entry.tokens_out for entry in found) == run.metrics.tokens_out
