"""Names of hosts that may be asked, and addresses that are nobody's but other people's."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from kimi_nb.errors import UsageFault

if TYPE_CHECKING:
    from yarl import URL

__all__ = ["PORTS", "Host", "host_of", "is_public"]

PORTS = {"http": 80, "https": 443}
# Public by the registries, or by those of an older Python, but no hosts of others: protocol
# assignments, 6to4 relays, the metadata of Azure's virtual machines, Teredo, 6to4.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16"),
    )
)
_UNICAST = ipaddress.ip_network("2000::/3")
_PATTERN = re.compile(r"(?P<any>\*\.)?(?P<name>[^\s:/@?#\\*\[\]%]+)(?::(?P<port>\d{1,5}))?")


class Host(NamedTuple):
    """What an entry of the list allows."""

    name: str
    below: bool
    """The names below it, and not the name itself."""
    port: int | None
    """None: the usual one of the scheme."""

    def allows(self, name: str, url: URL) -> bool:
        """Whether this URL, whose host has that name, may be asked."""
        fits = name.endswith(f".{self.name}") if self.below else name == self.name
        return fits and url.port == (self.port or PORTS[url.scheme])


def host_of(entry: str) -> Host:
    """What an entry of a list allows. Raises UsageFault for what is no name of a host."""
    found = _PATTERN.fullmatch(entry)
    name = _ascii(found["name"]) if found else ""

    if not found or not name or name.rpartition(".")[2].isdigit():
        raise UsageFault(
            f"{entry!r} is not a host that fetch_tool can allow: write a name such as "
            "'example.org', '*.example.org' for all names below it, or 'example.org:8080'"
        )

    return Host(name, bool(found["any"]), int(found["port"]) if found["port"] else None)


def _ascii(name: str) -> str:
    from yarl import URL

    try:
        return str(URL.build(scheme="https", host=name).raw_host).rstrip(".").lower()
    except ValueError:
        return ""


def is_public(address: str) -> bool:
    """Whether it is somebody else's: not of this machine, its networks or its hoster."""
    ip = ipaddress.ip_address(address)

    if ip.version == 6 and ip not in _UNICAST:  # mapped, translated, local, multicast …
        return False

    odd = ip.is_private or ip.is_multicast or ip.is_reserved or ip.is_unspecified
    return ip.is_global and not odd and all(ip not in network for network in _NOT_PUBLIC)
