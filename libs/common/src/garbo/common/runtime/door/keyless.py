"""Who may ask without a key where that is allowed at all: this machine, speaking for itself."""

from ipaddress import IPv4Address
from typing import Final, Literal

from starlette.types import Scope

from garbo.common.runtime.door.bodies import header_values
from garbo.common.runtime.door.hosts import is_loopback
from garbo.common.runtime.door.peers import address_of, default_gateway

OpenTo = Literal["loopback", "gateway", "nobody"]
_SPEAKS_FOR_OTHERS: Final = (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")
_SAME_SITE: Final[tuple[list[bytes], ...]] = ([], [b"same-origin"], [b"none"])


class Keyless:
    """Admits what comes from a loopback address, under a loopback name, of no proxy and no other site's page.

    `gateway` admits the machine behind the container's default gateway as well: what a port published on
    127.0.0.1 shows as its peer.
    """

    def __init__(self, open_to: OpenTo) -> None:
        self._open_to = open_to
        self._gateway: IPv4Address | None = default_gateway() if open_to == "gateway" else None

    def admits(self, scope: Scope) -> bool:
        """Say whether this request needs no key."""
        headers = scope["headers"]
        hosts = header_values(headers, b"host")
        return (
            self._open_to != "nobody"
            and self._is_near(scope)
            and len(hosts) == 1
            and is_loopback(hosts[0])
            and not any(name in _SPEAKS_FOR_OTHERS for name, _ in headers)
            and header_values(headers, b"sec-fetch-site") in _SAME_SITE
            and header_values(headers, b"origin") in ([], [b"http://" + hosts[0]])
        )

    def _is_near(self, scope: Scope) -> bool:
        client = scope.get("client")
        address = address_of(client[0]) if client else None
        return address is not None and (address.is_loopback or address == self._gateway)
