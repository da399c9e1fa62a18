"""By which names a server may be asked: whoever rebinds a name of theirs to our address is not answered."""

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

_AUTHORITY: Final = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._-]{1,253})(?::([0-9]{0,5}))?")
_HIGHEST_PORT: Final = 65535


def name_of(authority: bytes) -> str | None:
    """Give the host of `host:port` in lower case, without brackets and the last dot; None: it is none."""
    found = _AUTHORITY.fullmatch(authority)
    if found is None or int(found[2] or 0) > _HIGHEST_PORT:
        return None
    name = found[1].decode("ascii").lower().strip("[]")
    return name.removesuffix(".") or None


def is_loopback(authority: bytes) -> bool:
    """Say whether it names this machine to itself: `localhost` or a loopback address."""
    name = name_of(authority)
    if name is None:
        return False
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)


class AllowedHosts:
    """`localhost`, this machine's own name, what the settings add, and addresses: nobody can rebind one."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        known = ("localhost", socket.gethostname(), *names)
        self._names = frozenset(name.lower().removesuffix(".") for name in known)

    def allows(self, name: str) -> bool:
        """Say whether a server may be asked by this name, as `name_of` gives it."""
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
