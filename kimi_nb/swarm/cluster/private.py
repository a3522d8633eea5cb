"""Over which ways a key may go."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_private"]


def is_private(address: str) -> bool:
    """Whether what is sent to and from a Dask address is encrypted, or stays on one machine."""
    url = urlsplit(address)

    if url.scheme in {"tls", "wss", "inproc"}:
        return True

    try:
        return ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return url.hostname == "localhost"
