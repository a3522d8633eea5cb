"""What is given as `cluster=`: what is taken, what is refused and how, and who closes it."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import distributed
import pytest
from cluster_processes import Cluster, cluster
from distributed import LocalCluster
from distributed.security import Security

from kimi_nb import cluster_client
from kimi_nb.cluster_client import open_client
from kimi_nb.errors import UsageFault

LOCAL: dict[str, Any] = {
    "n_workers": 1,
    "processes": False,
    "protocol": "tcp",
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
}


@pytest.fixture(scope="module")
def one() -> Iterator[Cluster]:
    with cluster(workers=1) as made:
        yield made


def test_a_client_of_an_address_is_closed_and_the_cluster_goes_on(one: Cluster) -> None:
    for _ in range(2):
        opened = open_client(one.address)
        assert opened.owned
        assert opened.client.submit(sum, [1, 2], pure=False).result() == 3
        opened.close()
        assert opened.client.status == "closed"


def test_a_user_s_client_stays_open_and_one_of_ours_is_nobody_s_default(one: Cluster) -> None:
    with one.client() as client:
        opened = open_client(client)
        assert opened == (client, False)
        opened.close()
        assert client.status == "running"

    ours = open_client(one.address)

    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()

    ours.close()


def test_a_cluster_object_will_do(tmp_path: Path) -> None:

    with LocalCluster(**LOCAL, local_directory=str(tmp_path)) as made:
        opened = open_client(made)
        assert opened.owned
        assert len(opened.client.nthreads()) == 1
        opened.close()
        assert made.status.name == "running"

    with pytest.raises(UsageFault, match="closed"):
        open_client(made)


def test_tls_takes_the_certificates_of_dask_s_configuration(tmp_path: Path) -> None:
    security = Security.temporary()
    files = {name: tmp_path / f"{name}.pem" for name in ("ca-file", "cert", "key")}
    mine = security.get_tls_config_for_role("client")
    files["ca-file"].write_text(mine["ca_file"])
    files["cert"].write_text(mine["cert"])
    files["key"].write_text(mine["key"])
    told = {
        "distributed.comm.tls.ca-file": str(files["ca-file"]),
        "distributed.comm.tls.client.cert": str(files["cert"]),
        "distributed.comm.tls.client.key": str(files["key"]),
    }

    with LocalCluster(
        **LOCAL | {"protocol": "tls"}, security=security, local_directory=str(tmp_path)
    ) as made:
        assert made.scheduler_address.startswith("tls://")

        with pytest.raises(UsageFault, match=r"distributed\.comm\.tls"):
            open_client(made.scheduler_address)

        with dask.config.set(told):
            opened = open_client(made.scheduler_address)
            assert opened.client.submit(sum, [1, 2]).result() == 3
            opened.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tcp://127.0.0.1:1", r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 "),
        ("http://127.0.0.1:8787", "not its dashboard's$"),
        ("tls://127.0.0.1:1", r"certificates in Dask's configuration, distributed\.comm\.tls"),
        ("somewhere", "missing port number"),
        ("", "give the scheduler's address"),
        (7, "cluster=7: give the scheduler's address, as 'tcp://HOST:8786'"),
    ],
)
def test_what_is_no_cluster_says_what_is(
    given: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_client, "TIMEOUT", 0.2)
    before = threading.enumerate()

    with pytest.raises(UsageFault, match=said):
        open_client(given)

    assert [each for each in threading.enumerate() if each not in before] == []


def test_a_client_that_is_closed_is_refused(one: Cluster) -> None:
    client = one.client()
    client.close()

    with pytest.raises(UsageFault, match="is closed; open another"):
        open_client(client)


async def test_a_client_that_has_to_be_awaited_is_refused(one: Cluster) -> None:
    async with one.client(asynchronous=True) as client:
        with pytest.raises(UsageFault, match="not asynchronous"):
            open_client(client)


def test_other_versions_are_refused_and_named(
    one: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with one.client() as client:
        found = client.get_versions(packages=["kimi-nb", "numpy"])
        monkeypatch.setattr(client, "get_versions", lambda packages: found)  # noqa: ARG005
        open_client(client, ["numpy"])
        [worker] = found["workers"].values()
        worker["packages"]["numpy"] = None

        with pytest.raises(UsageFault, match=r"the worker tcp.* has no numpy, here is numpy 2"):
            open_client(client, ["numpy"])

        worker["packages"]["kimi-nb"] = "99.1"
        version = found["client"]["packages"]["kimi-nb"]

        with pytest.raises(UsageFault, match=rf"has kimi-nb 99\.1.*install kimi-nb=={version}$"):
            open_client(client)

        found["scheduler"]["packages"]["python"] = "3.99.0.final.0"

        with pytest.raises(UsageFault, match=r"the scheduler runs Python 3\.99, here is 3\.\d+:"):
            open_client(client)


def test_what_is_no_scheduler_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a dashboard: it takes the connection, and waits to be asked something."""
    monkeypatch.setattr(cluster_client, "TIMEOUT", 0.2)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(UsageFault, match="is no Dask scheduler; give the address"):
            open_client(f"tcp://127.0.0.1:{port}")


def test_without_dask_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(UsageFault, match=r"pip install 'kimi-nb\[dask\]'"):
        open_client("tcp://127.0.0.1:8786")
