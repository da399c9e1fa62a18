"""Secrets that stand in this repository: everybody knows them, so they open nothing that reaches people."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from garbo.common.business import Business, load_business
from garbo.common.errors import StartRefused
from garbo.common.runtime.guessable import WORDS
from garbo.common.runtime.watched_file import WatchedFile

PUBLISHED: Final = frozenset(
    {
        *("demo-only-app-secret", "demo-only-verify-token", "demo-only-hash-key-never-use-it-for-real"),
        *("demo-only-password", "demo-access-token", "demo-shop-key", "demo-helpdesk-key", "demo-ops-key"),
        *("e2e-app-secret", "e2e-token", "bench-token", "bench-key"),
    }
)
"""tests/architecture/test_live.py compares this with the repository."""
PREFIX: Final = "demo-"
"""What begins so is the demo's, also what is made later."""
HASHES: Final = frozenset(sha256(key.encode()).hexdigest() for key in {*PUBLISHED, *WORDS, ""})
"""Of API keys, as the business file holds them."""
_SIMULATE: Final = "or set GARBO_GRAPH_URL to the simulator"


def is_published(secret: str) -> bool:
    """Say whether a secret stands in our repository, by itself or as the password of an address."""
    values = (value.strip().casefold() for value in (secret, *_passwords_in(secret)))
    return any(value in PUBLISHED or value.startswith(PREFIX) for value in values)


def read_business(path: Path, *, live: bool) -> Business:
    """Read the business file; raises `StartRefused` also where a live process would open to published keys.

    Tokens in files of their own are looked at where they are used: `access_tokens`.
    """
    business = load_business(path)
    if not live:
        return business
    for client in business.clients:
        if HASHES.intersection(client.keys_sha256):
            raise StartRefused(
                f"GARBO_CONFIG ({path}): client {client.id} has an API key that everybody knows: make one "
                f"with openssl rand -hex 24 and put its SHA-256 there, {_SIMULATE}."
            )
    for number in business.numbers:
        if number.token:
            _refuse_published(number.id, number.token.get_secret_value())
    return business


@dataclass(frozen=True, slots=True)
class WithTokens:
    """A business file, and the access token of each of its numbers."""

    business: Business
    tokens: Mapping[str, str] = field(repr=False)


def read_with_tokens(path: Path, *, live: bool) -> WithTokens:
    """Read the business file and all tokens it leads to; raises `StartRefused`."""
    business = read_business(path, live=live)
    return WithTokens(business, access_tokens(business, live=live))


def token_files(read: WithTokens) -> list[Path]:
    """Name the files tokens are read from."""
    return [number.token_file for number in read.business.numbers if number.token_file and not number.token]


def watched_business(
    path: Path, *, live: bool, use: Callable[[Business], Awaitable[None]]
) -> WatchedFile[Business]:
    """Read the business file, as `read_business` does, and watch it: `use` gets what it says from then on."""
    return WatchedFile("business", path, lambda: read_business(path, live=live), use=use)


def access_tokens(business: Business, *, live: bool) -> dict[str, str]:
    """Read the access token of each number; raises `StartRefused` where there is none, or a published one."""
    tokens = {number.id: number.access_token() for number in business.numbers}
    if live:
        for number, token in tokens.items():
            _refuse_published(number, token)
    return tokens


def _refuse_published(number: str, token: str) -> None:
    if is_published(token):
        raise StartRefused(
            f"business file: the token of number {number} is the demo's, which everybody knows: give the one "
            f"from Meta's dashboard, {_SIMULATE}."
        )


def _passwords_in(secret: str) -> Iterator[str]:
    if "://" not in secret:
        return
    try:
        parts = urlsplit(secret)
        yield unquote(parts.password or "")
    except ValueError:
        return
    yield from parse_qs(parts.query).get("password", ())
