"""Keys on a cluster: where they go, and where they are never found."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import dask
import pytest
from cluster_processes import Cluster, cluster
from cluster_runs import ANSWER, PATIENCE, TASKS, Onstage, second, until, wait_until_idle
from matrix_trial import ends

from kimi_nb.swarm.cluster import place
from kimi_nb.swarm.cluster.private import is_private

pytestmark = pytest.mark.timeout(3 * PATIENCE)

KEY = "sk-mock-0123456789"
LOUD = {"DASK_LOGGING__DISTRIBUTED": "debug"}


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("tls://10.0.0.1:8786", True),
        ("tcp://127.0.0.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("tcp://localhost:8786", True),
        ("inproc://10.0.0.1/7/1", True),
        ("tcp://10.0.0.1:8786", False),
        ("tcp://127.0.0.1.example.org:8786", False),
        ("tcp://localhost.example.org:8786", False),
        ("ws://10.0.0.1:8786", False),
    ],
)
def test_a_way_is_private_that_is_encrypted_or_stays_here(address: str, private: bool) -> None:  # noqa: FBT001
    assert is_private(address) is private


@pytest.fixture(scope="module")
def loud() -> Iterator[Cluster]:
    """It tells all that it does."""
    with cluster(1, environment=LOUD, more=("--dashboard",)) as made:
        yield made


def test_a_key_is_nowhere_but_in_its_requests(loud: Cluster, tmp_path: Path) -> None:
    with Onstage(loud, tmp_path) as stage, loud.client() as client:
        stage.held = second
        run = stage.run()
        until(lambda: len(stage.out) == len(TASKS))
        pages = _pages(client)
        told = [
            repr(client.run_on_scheduler(_state)),
            repr(client.run(_worker_state)),
            repr(client.run_on_scheduler(_dump)),
            repr(client.get_scheduler_logs(100_000)) + repr(client.get_worker_logs(100_000)),
            *pages,
        ]
        files = _files(loud)  # the workers' copies are gone when the run is over
        stage.held = lambda _: False
        stage.drop()
        stage.check(run.result(PATIENCE))

    assert pages
    assert all(KEY not in text for text in told)
    assert {asked.key for asked in stage.server.log} == {stage.server.keys[0].label}
    logs = [path.read_text("utf-8", "replace") for path in loud.folder.glob("*.log")]
    assert any("DEBUG" in text for text in logs)
    wait_until_idle(loud)
    files += [*_files(loud), stage.path.read_bytes()]
    assert all(KEY.encode() not in data for data in files)


def _files(cluster: Cluster) -> list[bytes]:
    """All that its processes have on the disk."""
    return [path.read_bytes() for path in cluster.folder.rglob("*") if path.is_file()]


async def _dump(dask_scheduler: Any) -> str:
    return repr(await dask_scheduler.get_cluster_state(exclude=[]))


def _state(dask_scheduler: Any) -> str:
    tasks = [(ts.key, ts.run_spec, repr(ts.run_spec)) for ts in dask_scheduler.tasks.values()]
    return repr((tasks, dask_scheduler.plugins, [vars(p) for p in _plugins(dask_scheduler)]))


def _plugins(dask_scheduler: Any) -> list[Any]:
    return [plugin for name, plugin in dask_scheduler.plugins.items() if name == "kimi_nb"]


def _worker_state(dask_worker: Any) -> str:
    return repr([(key, ts.run_spec) for key, ts in dask_worker.state.tasks.items()])


def _pages(client: Any) -> list[str]:
    base = client.dashboard_link.removesuffix("/status")
    found: list[str] = []

    for name in ("info/main/workers.html", "info/main/logs.html", "json/identity.json"):
        with urlopen(f"{base}/{name}") as page:  # noqa: S310 -- of this machine
            found.append(page.read().decode())

    return found


def test_over_an_open_network_none_is_sent_and_the_error_says_what_to_do(
    loud: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "is_private", lambda _: False)

    with Onstage(loud, tmp_path) as stage:
        run = stage.run().result(PATIENCE)
        words = {text for outcome, text in ends(run).values() if outcome == "failed"}

    (text,) = words
    assert "none is sent to it over an open network" in text
    assert f"set MOONSHOT_API_KEY and KIMI_BASE_URL={stage.server.base_url} where" in text
    assert "tls://" in text
    wait_until_idle(loud)


@pytest.mark.filterwarnings("ignore:the cluster has no worker yet")
def test_over_an_open_network_workers_use_a_key_of_their_own(
    loud: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "sk-mock-of-the-worker"
    monkeypatch.setattr(place, "is_private", lambda _: False)

    with Onstage(loud, tmp_path, keys=(KEY, own)) as stage:
        loud.environment |= {"MOONSHOT_API_KEY": own, "KIMI_BASE_URL": stage.server.base_url}
        first = loud.workers.pop()
        first.kill()
        first.wait()
        loud.start_worker()
        run = stage.run().result(PATIENCE)
        labels = {asked.task: asked.key for asked in stage.server.log}

    assert (run.status, run.answer) == ("finished", ANSWER)
    mine, theirs = (key.label for key in stage.server.keys)
    assert labels == {"go": mine} | dict.fromkeys(TASKS, theirs)


def test_over_tls_it_is_sent(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    tls = "distributed.comm.tls"
    mine = {
        f"{tls}.ca-file": certificate,
        f"{tls}.client.cert": certificate,
        f"{tls}.client.key": key,
        "distributed.comm.require-encryption": True,
    }
    environment = {
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": certificate,
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    } | {
        f"DASK_DISTRIBUTED__COMM__TLS__{who}__{what}": path
        for who in ("SCHEDULER", "WORKER")
        for what, path in (("CERT", certificate), ("KEY", key))
    }

    with (
        dask.config.set(mine),
        cluster(1, environment=environment, more=("--protocol", "tls")) as made,
        Onstage(made, tmp_path) as stage,
    ):
        assert made.address.startswith("tls://")
        stage.check(stage.run().result(PATIENCE))


def _certificate(folder: Path) -> tuple[str, str]:
    """One that is its own authority, and its key, as files."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kimi-nb test")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    paths[1].chmod(0o600)
    return str(paths[0]), str(paths[1])
