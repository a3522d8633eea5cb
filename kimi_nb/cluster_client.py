"""The way to a Dask cluster: what is given as `cluster=`, and the client that is used of it."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from kimi_nb.errors import UsageFault

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Opened", "open_client"]

TIMEOUT = 10.0
"""Seconds for a scheduler to answer."""

OURS = "kimi-nb"


class Opened(NamedTuple):
    """A client of a cluster."""

    client: Any
    """A `distributed.Client`; Any, for half of its types are unknown."""
    owned: bool
    """It was opened here; otherwise it is the user's, who goes on with it."""

    def close(self) -> None:
        """Close a client that was opened here. The cluster goes on."""
        if self.owned:
            self.client.close()


def open_client(cluster: object, packages: Iterable[str] = ()) -> Opened:
    """The client of a cluster. It waits, at most some seconds, for the scheduler's answer.

    `cluster` is the scheduler's address (`tcp://HOST:PORT`, or `tls://…` with the certificates
    that Dask's own configuration names), a `distributed.Client`, or a cluster object such as
    `LocalCluster`, `GatewayCluster`, `KubeCluster`. Python, kimi-nb and the `packages`
    (distributions) have to be the same there as here.

    Raises UsageFault for another `cluster`, without Dask, where nothing answers, and where the
    workers have other versions.
    """
    if importlib.util.find_spec("distributed") is None:
        raise UsageFault("a cluster needs Dask; type: pip install 'kimi-nb[dask]'")

    opened = _opened(cluster)

    try:
        _refuse_others(opened.client, (OURS, *packages))
    except BaseException:
        opened.close()
        raise

    return opened


def _opened(cluster: object) -> Opened:
    from distributed import Client

    if isinstance(cluster, Client):
        _refuse_unusable(cluster)
        return Opened(cluster, owned=False)

    address = getattr(cluster, "scheduler_address", cluster)

    if not address or not isinstance(address, str):
        raise UsageFault(
            f"cluster={cluster!r}: give the scheduler's address, as 'tcp://HOST:8786', a "
            "distributed.Client, or a cluster that has started"
        )

    if isinstance(cluster, str):
        _refuse_silent(cluster)

    try:
        client = _connected(cluster)
    except FileNotFoundError as error:
        raise UsageFault(
            f"{address} needs certificates, and {error.filename} is not there: correct "
            "distributed.comm.tls in Dask's configuration"
        ) from error
    except (OSError, ImportError, RuntimeError, AssertionError) as error:
        raise UsageFault(
            f"no Dask scheduler answers at {address} ({error or 'it has no such host'}); give the "
            "address that `dask scheduler` prints, as tcp://HOST:8786"
        ) from error
    except (ValueError, TypeError) as error:
        tls = ", and its certificates in Dask's configuration, distributed.comm.tls"
        raise UsageFault(
            f"{address} cannot be used ({error}); give the address that `dask scheduler` prints, "
            f"as tcp://HOST:8786, not its dashboard's{tls if address.startswith('tls:') else ''}"
        ) from error

    return Opened(client, owned=True)


def _refuse_silent(address: str) -> None:
    """Raises UsageFault where something takes connections that is no scheduler of Dask.

    That greets who connects; a client of Dask would wait for it for ever. At tls:// nothing is
    said before the certificates, and nothing looked at here.
    """
    url = urlsplit(address)

    if url.scheme != "tcp" or not url.hostname or not url.port:
        return

    with suppress(OSError):  # the client says why, after some tries
        with socket.create_connection((url.hostname, url.port), TIMEOUT) as probe:
            probe.settimeout(TIMEOUT / 2)
            greeted = False

            with suppress(OSError):
                greeted = bool(probe.recv(1))

        if not greeted:
            raise UsageFault(
                f"what answers at {address} is no Dask scheduler; give the address that "
                "`dask scheduler` prints, as tcp://HOST:8786, not its dashboard's"
            )


def _connected(cluster: object) -> Any:
    from distributed import Client

    client: Any = Client.__new__(Client)  # at hand before it connects, to be closed if it cannot

    try:
        # not as default: what else of Dask the user's code computes stays where it is
        client.__init__(cluster, timeout=TIMEOUT, set_as_default=False, asynchronous=False)
    except BaseException:
        _discard(client)
        raise

    return client


def _discard(client: Any) -> None:
    """Close a client that could not connect.

    Otherwise its loop's thread stays. And the collector closes it at any time, for example while
    the next client starts, which holds the lock that this needs: nothing would go on.
    """
    with suppress(AttributeError, AssertionError, OSError, RuntimeError):  # as far as it came
        client.close()

    with suppress(AttributeError):
        client._loop_runner.stop()  # noqa: SLF001 -- which close() leaves where it never connected


def _refuse_unusable(client: Client) -> None:
    if client.asynchronous:
        raise UsageFault("cluster= takes a distributed.Client that is not asynchronous")

    if client.status != "running":
        raise UsageFault(f"this distributed.Client is {client.status}; open another")


def _refuse_others(client: Client, packages: Iterable[str]) -> None:
    found = cast("Mapping[str, Any]", client.get_versions(packages=list(packages)))
    here = found["client"]["packages"]
    others = {"the scheduler": found["scheduler"]} | {
        f"the worker {address}": each for address, each in found["workers"].items()
    }

    for where, each in others.items():
        there = each["packages"]
        pythons = _python(there["python"]), _python(here["python"])

        if pythons[0] != pythons[1]:
            raise UsageFault(
                f"{where} runs Python {pythons[0]}, here is {pythons[1]}: functions cannot be "
                f"carried between them; start it with Python {pythons[1]}"
            )

        for name in packages:
            if there[name] != here[name]:
                raise UsageFault(
                    f"{where} has {_version(name, there[name])}, here is "
                    f"{_version(name, here[name])}; there, type: pip install {name}=={here[name]}"
                )


def _python(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _version(name: str, version: str | None) -> str:
    return f"{name} {version}" if version else f"no {name}"
