"""Limiters, budgets and runs as Prometheus reads them, beside what is true of them."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cluster_parties import at_home
from cluster_processes import cluster
from processes import simulator
from prometheus_client.parser import text_string_to_metric_families
from scripted import Scripted, call, calls, is_orchestrator, results

import kimi_nb as kn
from kimi_nb.errors import RateLimited, UsageFault
from kimi_nb.models.base import Message, Reply, Request, Sink
from kimi_nb.models.limiter import Limiter
from kimi_nb.models.secret import Secret
from kimi_nb.redact import know
from kimi_nb.swarm.cluster.gate import RemoteGate
from kimi_nb.swarm.cluster.post import Post, install
from kimi_nb.swarm.start import runs
from kimi_nb.swarm.telemetry import limiter_collector
from kimi_nb.swarm.telemetry import runs as telling
from kimi_nb.swarm.telemetry.server import MetricsServer, _servers

Scrape = dict[tuple[str, frozenset[tuple[str, str]]], float]
KEY = "sk-" + "tQ7" * 10
"""Nothing in it is part of another test's key: what one has made known stays known."""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    runs().clear()
    yield

    for server in [*_servers().values()]:
        server.close()


@pytest.fixture
def server() -> MetricsServer:
    return kn.metrics_server(0)


def text(url: str) -> str:
    with urlopen(url) as response:  # noqa: S310 -- ours
        assert response.headers["Content-Type"].startswith("text/plain")
        return response.read().decode()


def scrape(url: str) -> Scrape:
    """Every sample by its name and labels; the official parser refuses what is no metric."""
    samples = [s for family in text_string_to_metric_families(text(url)) for s in family.samples]
    found = {(s.name, frozenset(s.labels.items())): s.value for s in samples}
    assert len(found) == len(samples), "a series stands there twice"
    return found


def value(found: Scrape, name: str, **labels: str) -> float | None:
    return found.get((f"kimi_nb_{name}", frozenset(labels.items())))


def until(true: Callable[[], object]) -> None:
    """Return when it is so; the test's own timeout ends a wait for nothing."""
    while not true():
        time.sleep(0.01)


def team(messages: list[Message]) -> Reply | str:
    if not is_orchestrator(messages):
        return "counted"

    if results(messages):
        return "All is well."

    names = [f"w{i}" for i in range(3)]
    made = [call("create_subagent", name=name, system_prompt="SECRET prompt.") for name in names]
    return calls(*made, *(call("assign_task", agent=n, prompt="SECRET task") for n in names))


class Refusing(Scripted):
    """Refuses the first calls of sub-agents with 429, then keeps them until it is let go."""

    def __init__(self) -> None:
        super().__init__(team)
        self.go = asyncio.Event()
        self.refused = 0
        self.held = 0

    async def reply(self, request: Request, sink: Sink) -> Reply:
        if not is_orchestrator(list(request.conversation.messages)):
            if self.refused < 2:
                self.refused += 1
                raise RateLimited("too many", retry_after=0.1)

            self.held += 1

            while not self.go.is_set():  # noqa: ASYNC110 -- set from another thread
                await asyncio.sleep(0.01)

            self.held -= 1

        return await super().reply(request, sink)


def test_a_run_under_429s_is_told_as_it_is(server: MetricsServer) -> None:
    model = Refusing()
    price = {"scripted": kn.Price(1.0, 1.0, 2.0)}
    budget = kn.Budget(tokens=1_000_000, usd=5, agents=7)
    run = kn.swarm(
        "SECRET goal",
        name="shops",
        model=model,
        budget=budget,
        prices=price,
        limits=kn.Limits(concurrency=2, rpm=500),
    )
    limiter = run.engine.limiter
    until(lambda: model.refused == 2 and model.held == limiter.concurrency)  # nothing moves now
    found = scrape(server.url)
    where = {"endpoint": "model scripted"}
    assert value(found, "limiter_calls_refused_total", **where) == 2
    assert value(found, "limiter_calls_sent_total", **where) == limiter.standing().sent
    assert value(found, "limiter_calls_in_flight", **where) == limiter.in_flight > 0
    assert value(found, "limiter_calls_waiting", **where) == limiter.waiting
    assert value(found, "limiter_calls_waiting", **where) == 3 - limiter.in_flight
    assert value(found, "limiter_concurrency_limit", **where) == limiter.concurrency
    assert value(found, "limiter_rpm_limit", **where) == 500
    assert value(found, "limiter_tpm_limit", **where) is None
    assert value(found, "run_status", run="shops", status="running") == 1
    assert value(found, "run_status", run="shops", status="finished") == 0
    assert value(found, "run_agents", run="shops", state="running") == 4
    assert value(found, "run_retries_total", run="shops") == 2
    assert value(found, "run_calls_total", run="shops") == 1
    held = run.engine.account.held
    assert value(found, "budget_reserved", run="shops", currency="tokens") == held["tokens"] > 0
    assert value(found, "budget_reserved", run="shops", currency="usd") == held["usd"] > 0
    assert value(found, "budget_limit", run="shops", currency="usd") == 5
    assert value(found, "budget_limit", run="shops", currency="steps") is None
    assert value(found, "budget_used", run="shops", currency="agents") == 3

    model.go.set()
    run.result()
    after = scrape(server.url)
    measured = run.metrics
    assert value(after, "run_status", run="shops", status="finished") == 1
    assert value(after, "run_agents", run="shops", state="finished") == 4
    assert value(after, "run_agents", run="shops", state="running") == 0
    assert value(after, "run_calls_total", run="shops") == measured.total_steps == 5
    assert value(after, "run_tool_calls_total", run="shops") == measured.tool_calls == 6
    assert value(after, "run_critical_steps_total", run="shops") == measured.critical_steps == 3
    assert value(after, "run_cost_usd_total", run="shops") == measured.cost_usd > 0
    of = {"run": "shops", "model": "scripted"}
    assert value(after, "run_input_tokens_total", **of) == measured.tokens_in == 500
    assert value(after, "run_output_tokens_total", **of) == measured.tokens_out == 50
    assert value(after, "run_cached_input_tokens_total", **of) == 0
    assert value(after, "budget_used", run="shops", currency="tokens") == 550
    assert value(after, "budget_reserved", run="shops", currency="tokens") == 0
    assert value(after, "limiter_calls_in_flight", **where) == 0
    counters = [(name, labels) for name, labels in found if name.endswith("_total")]
    assert len(counters) > 8
    assert all(after[one] >= found[one] for one in counters)
    assert "SECRET" not in text(server.url)
    assert not re.search(r'"a\d"', text(server.url)), "an id of an agent is a label"


def test_a_key_is_no_part_of_what_is_told(server: MetricsServer) -> None:
    """Two accounts at one endpoint are two series, and neither says which key it is."""
    with simulator("--latency", "0") as url:
        for name, key in (("first", KEY), ("second", f"{KEY}2"), ("third", KEY)):
            kn.swarm("hello", name=name, base_url=url, key=key, model="simulator").result()

    found = scrape(server.url)
    sent = {dict(s)["endpoint"]: n for (name, s), n in found.items() if "sent_total" in name}
    base = url.rstrip("/")
    assert set(sent) == {base, f"{base} #2"}
    assert sent[base] == 2 * sent[f"{base} #2"] > 0
    shown = text(server.url)
    hashes = [str(hash(Secret(key))) for key in (KEY, f"{KEY}2")]
    assert not any(secret in shown for secret in (KEY, *hashes))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("https://api.moonshot.ai/v1 -4711", "https://api.moonshot.ai/v1"),
        ("https://me:hunter2@host:8443/v1/?key=abc#x 5", "https://host:8443/v1"),
        ("http://[::1]:8000/v1 7", "http://[::1]:8000/v1"),
        ("http://host:port/v1 7", "unknown"),
        ("simulator " + "3f2a" * 8, "simulator"),
        ("model gpt", "model gpt"),
        (f"at {KEY}", "at [key]"),
        ("x" * 300, "x" * 100),
    ],
)
def test_what_may_be_shown_of_a_name(name: str, label: str) -> None:
    know(KEY)
    families = limiter_collector({name: Limiter()}).collect()
    assert {s.labels["endpoint"] for family in families for s in family.samples} == {label}


async def test_a_counter_never_falls() -> None:
    """A call that is cancelled in the moment in which it may go is taken back."""
    limiter = Limiter(concurrency=1)
    collector = limiter_collector({"x": limiter})

    def sent() -> float:
        families = {family.name: family for family in collector.collect()}
        return families["kimi_nb_limiter_calls_sent"].samples[0].value

    await limiter.acquire(1)
    waiting = asyncio.create_task(limiter.acquire(1))
    await asyncio.sleep(0)
    limiter.release(1, 1, None)
    assert sent() == limiter.standing().sent == 2
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert limiter.standing().sent == 1
    assert sent() == 2


def test_runs_that_have_ended_are_told_for_a_while_only(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "KEPT", 2)

    def told() -> set[str]:
        return {dict(labels).get("run", "") for _, labels in scrape(server.url)} - {""}

    for number in range(4):
        kn.swarm("count", name=f"r{number}", model=Scripted(lambda _: "done"), single=True).result()
        told()

    assert told() == {"r2", "r3"}
    monkeypatch.setattr(telling, "KEPT_S", 0.0)
    assert told() == set()
    assert set(runs()) == {"r0", "r1", "r2", "r3"}
    model = Refusing()
    run = kn.swarm("count", name="live", model=model)
    assert told() == {"live"}
    run.cancel()
    run.result()


def test_the_limiter_of_a_simulator_goes_with_its_run(server: MetricsServer) -> None:
    run = kn.swarm("hello", name="shops", simulator=kn.Simulator(latency=60.0))
    until(lambda: run.engine.limiter.in_flight)
    assert value(scrape(server.url), "limiter_calls_in_flight", endpoint="simulator of shops") == 1
    run.cancel()
    run.result()
    assert "simulator of shops" not in text(server.url)


UNITS = re.compile(r"_(ms|milliseconds|minutes?|hours|sec|kb|mb|kilobytes|bits|percent)(_|$)")
KINDS = re.compile(r"_(gauge|counter|histogram|summary|info)(_|$)")


def lint(page: str) -> list[str]:
    """What `promtool check metrics` would say, as far as counters and gauges go."""
    faults: list[str] = []
    lines = page.splitlines()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", page, re.MULTILINE))
    names = {re.split(r"[{ ]", line)[0] for line in lines if line and line[0] != "#"}
    faults += [f"{name}: no TYPE and HELP" for name in names if not {*kinds, *helps} >= {name}]
    heads = [line for line in lines if line.startswith(("# HELP", "# TYPE"))]
    faults += [f"{line}: twice" for line in heads if heads.count(line) > 1]

    for name, kind in kinds.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not name.startswith("kimi_nb_"):
            faults.append(f"{name}: no such names")

        if (kind == "counter") is not name.endswith("_total"):
            faults.append(f"{name}: _total is for counters")

        if name.endswith(("_count", "_sum", "_bucket")) or UNITS.search(name) or KINDS.search(name):
            faults.append(f"{name}: a suffix that means something else")

    return faults


def test_the_page_keeps_to_the_conventions(server: MetricsServer) -> None:
    kn.swarm("count", model=Scripted(team), budget=kn.Budget(seconds=60)).result()
    page = text(server.url)
    assert lint(page) == []
    assert len(re.findall("^# TYPE", page, re.MULTILINE)) >= 15
    broken = page.replace("_calls_total", "_calls_ms").replace("# HELP kimi_nb_run_status", "#")
    assert len(lint(broken)) >= 3


def test_a_port_that_is_taken_says_what_to_type() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(UsageFault, match=rf"{port}.*in use.*kn\.metrics_server\(\d+\)"):
            kn.metrics_server(port)

    with pytest.raises(UsageFault, match="is not a port"):
        kn.metrics_server(70_000)


def test_the_same_port_is_the_same_server_until_it_is_closed(server: MetricsServer) -> None:
    assert kn.metrics_server(server.port) is server
    assert repr(server) == f"metrics for Prometheus at http://127.0.0.1:{server.port}/metrics"
    assert server._server.server_address[0] == "127.0.0.1"
    server.close()

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port))

    again = kn.metrics_server(server.port)
    assert again is not server
    assert "kimi_nb" not in text(again.url)


def test_without_the_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[prometheus\]'"):
        kn.metrics_server(0)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[prometheus\]'"):
        limiter_collector({})


async def acquired(client: Any, name: str) -> None:
    post = Post(client.scheduler, client.loop.asyncio_loop, client.id, lambda *_: None)
    await post.open()
    await RemoteGate(post, name).acquire(10)


def test_a_scheduler_tells_its_limiters_beside_what_dask_tells() -> None:
    with cluster(workers=0) as made, made.client() as client:
        port = client.scheduler_info()["services"]["dashboard"]
        url = f"http://127.0.0.1:{port}/metrics"
        assert "kimi_nb" not in text(url)

        async def work() -> None:
            await install(client)
            await acquired(client, f"https://api.moonshot.ai/v1 {KEY}")

        client.sync(work)
        found = scrape(url)
        where = {"endpoint": "https://api.moonshot.ai/v1"}
        assert value(found, "limiter_calls_in_flight", **where) == 1
        assert value(found, "limiter_calls_sent_total", **where) == 1
        assert ("dask_scheduler_clients", frozenset()) in found
        assert KEY not in text(url)


async def test_one_scheduler_after_another_in_a_process_is_told_once() -> None:
    from prometheus_client import REGISTRY

    def limiters() -> int:
        return sum("limiter_calls_sent" in family.name for family in REGISTRY.collect())

    for _ in range(2):
        async with at_home() as (_, board):
            board._limits._limiter("x")
            assert limiters() == 1

        assert limiters() == 0
