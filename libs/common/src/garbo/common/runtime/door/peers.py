"""Who a peer is, as far as its address tells."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Final

_ROUTES: Final = Path("/proc/net/route")
_NETWORK_BITS: Final = 64


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """Read a peer's address; an IPv4 address mapped into IPv6 is the IPv4 address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def holder_of(client: Sequence[object] | None) -> str:
    """Name who shares a limit with this peer: its address, of IPv6 the /64 that one customer has."""
    return _holder_at(str(client[0]) if client else "")


@lru_cache(maxsize=4096)
def _holder_at(host: str) -> str:
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _NETWORK_BITS), strict=False))
    return str(address or host)


def default_gateway(routes: Path = _ROUTES) -> IPv4Address | None:
    """Find the machine all of this network goes out through: in a container, its host. None without one."""
    try:
        lines = routes.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    for _, destination, gateway, *_ in (line.split() for line in lines):
        if destination == "00000000" and gateway != "00000000":
            return IPv4Address(bytes.fromhex(gateway)[::-1])
    return None
