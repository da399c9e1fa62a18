"""Where on the web something may be fetched from: hosts by name, at public addresses. Pure.

Sources: IANA's registries of special-purpose IPv4 and IPv6 addresses (read 2026-11), RFC 3986, and the URL
standard of the WHATWG on hosts that end in a number.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import quote

MOST_CHARACTERS: Final = 2048
_NOT_PUBLIC_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # between a carrier and its customers; one cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # one cloud's own server for its machines
        "169.254.0.0/16",  # link-local; most clouds' metadata at 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols; one cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # relays to multicast
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_UNICAST_V6: Final = IPv6Network("2000::/3")
"""All else is refused as a whole: loopback, IPv4 within IPv6, NAT64, private, link-local, multicast."""
_NOT_PUBLIC_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in it may be any
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_URL: Final = re.compile(r"(https?)://([^/?#\\@\s]+)(/[^?#\\]*)?(\?[^#\\]*)?(?:#.*)?", re.DOTALL)
_NAME: Final = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{1,63}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_WRITTEN: Final = "!$&'()*+,;=:@/?%-._~"
"""What may stand in a path or query beside letters and digits (RFC 3986); all else is percent-encoded."""


class NotAllowed(ValueError):  # noqa: N818 - it names what is said
    """Not to be fetched; `why` is a short stable word that names no address."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class WebTarget:
    """What is asked for: written anew, so that everybody reads the same host in it."""

    url: str
    host: str
    vouched: bool
    """Its origin is one that the operator wrote down as it is: its address may be any."""


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """From where may be fetched."""

    names: frozenset[str]
    """Names of hosts, each exactly: https, port 443, public addresses only."""
    origins: frozenset[str] = field(default=frozenset())
    """Whole origins, such as `http://simulator:8090`, that the operator vouches for: for trials."""

    def __contains__(self, url: object) -> bool:
        try:
            return isinstance(url, str) and bool(self.target(url))
        except NotAllowed:
            return False

    def target(self, url: str) -> WebTarget:
        """Read an address; raises `NotAllowed`."""
        found = _URL.fullmatch(url) if len(url) <= MOST_CHARACTERS and url.isprintable() else None
        if found is None:
            raise NotAllowed("not_a_web_address")
        scheme, authority = found[1], found[2].lower()
        rest = quote((found[3] or "/") + (found[4] or ""), safe=_WRITTEN)
        if f"{scheme}://{authority}" in self.origins:
            return WebTarget(f"{scheme}://{authority}{rest}", authority, vouched=True)
        host = authority.removesuffix(":443")
        if scheme != "https":
            raise NotAllowed("not_https")
        if ":" in host or host not in self.names or not is_name(host):
            raise NotAllowed("host_not_allowed")
        return WebTarget(f"https://{host}{rest}", host, vouched=False)


def is_name(host: str) -> bool:
    """Say whether this is the full name of a host, in small letters: no address, in whatever notation."""
    return bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host.rpartition(".")[2])


def is_public(address: str) -> bool:
    """Say whether an address is one of the public Internet, and of nobody's special use."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    match ip:
        case IPv4Address():
            return not any(ip in network for network in _NOT_PUBLIC_V4)
        case IPv6Address():
            plain = ip.scope_id is None and ip in _UNICAST_V6
            return plain and not any(ip in network for network in _NOT_PUBLIC_V6)
