"""The demo cannot go live: what is published, or could be guessed, starts no process that reaches people.

A process reaches people unless `GARBO_GRAPH_URL` is this machine or the simulator (ADR 0019).
"""

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from garbo.common.errors import StartRefused
from garbo.common.runtime.guessable import weakness
from garbo.common.runtime.published import is_published
from garbo.common.runtime.settings import ServiceSettings, variable_of

SIMULATOR: Final = "simulator"
"""The simulator's host in compose."""
APP_SECRET: Final = re.compile(r"[0-9a-f]{32,}")
_FROM_META: Final = "copy them from Meta's dashboard"
_MAKE_ONE: Final = "make one with: openssl rand -hex 32"
LEAST_LENGTHS: Final = {
    "GARBO_WHATSAPP_APP_SECRETS": (32, _FROM_META),
    "GARBO_HASH_KEY": (16, _MAKE_ONE),
    "GARBO_WHATSAPP_VERIFY_TOKEN": (12, _MAKE_ONE),
}
"""Secrets that are ours to choose, and what to do. Passwords of servers are their administrators' matter."""


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    bare = parts.path in ("", "/") and not re.search(r"[?#@\s\\]", url)
    if not host or parts.scheme not in ("http", "https") or not bare:
        raise ValueError("should be https://host or https://host:port, without path, query or user")
    return url


class WithPlatform(ServiceSettings):
    """A process that works for people, or for the simulator's."""

    graph_url: Annotated[str, AfterValidator(_address)] = "https://graph.facebook.com"
    """Where the Cloud API is (`GARBO_GRAPH_URL`): the sender calls it, and all services see by it whether
    they reach people."""

    @property
    def live(self) -> bool:
        """Whether this process reaches people."""
        return reaches_people(self.graph_url)

    def refuse_unsafe(self) -> None:
        """Raise `StartRefused` for the first setting that must not be where people are reached."""
        if not self.live:
            return
        if not self.graph_url.lower().startswith("https:"):
            raise StartRefused(
                "GARBO_GRAPH_URL is not https: access tokens and texts would be readable on their way; write "
                "https://, only this machine and the simulator may go without."
            )
        for name, secret in _secrets_of(self):
            if why := _fault(name, secret):
                reaches = f"for GARBO_GRAPH_URL ({self.graph_url}) reaches people"
                raise StartRefused(f"{name} {why}, {reaches}; or set that to the simulator.")


def reaches_people(graph_url: str) -> bool:
    """Say whether a platform at this address may pass messages on to people: any but ours may."""
    host = (urlsplit(graph_url).hostname or "").rstrip(".")
    return host != SIMULATOR and not is_this_machine(host)


def is_this_machine(host: str) -> bool:
    """Say whether a host's name, or its address, is the loopback's."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _secrets_of(settings: ServiceSettings) -> Iterator[tuple[str, str]]:
    """Give each secret a process was told, with the name of its variable."""
    for field, value in settings:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, SecretStr):
                yield variable_of(type(settings), field), one.get_secret_value()


def _fault(name: str, secret: str) -> str | None:
    """Say what is wrong with a secret, and what to do; None when nothing is."""
    length, mend = LEAST_LENGTHS.get(name, (0, "choose another"))
    if is_published(secret):
        return f"is the demo's, which everybody knows: {mend}"
    if length == 0:
        return None
    if mend == _FROM_META and not APP_SECRET.fullmatch(secret):
        return f"holds one that is not 32 or more of 0-9 and a-f: {mend}"
    why = weakness(secret, least_length=length)
    return why and f"{why}: {mend}"
