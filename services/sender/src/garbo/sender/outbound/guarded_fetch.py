"""GET of a file from hosts that are allowed by name, at public addresses, whatever a link or the DNS says.

    link -- by name? --> resolved once -- all public? --> connected to just these --> bounded in size and time

The connection is made to the addresses that were looked at: a name is never resolved a second time for it.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from garbo.sender.domain.web_addresses import AllowedHosts, NotAllowed, is_public
from garbo.sender.ports.fetches import Fetched, FetchFailed, FetchRefused

CONNECT_S: Final = 5.0
SILENT_S: Final = 15.0
"""So long may nothing come."""
CONNECTIONS_COUNT: Final = 32
CONNECTIONS_OF_ONE_COUNT: Final = 8
KEEP_ALIVE_S: Final = 15.0
MOST_WAIT_S: Final = 3600.0
_PASSING: Final = frozenset({408, 425, 429})
_FIRST_SERVER_ERROR: Final = 500
_PART_BYTES: Final = 64 * 1024


class GuardedFetch:
    """Fetches over HTTPS, as a component. `allowed` gives the hosts as they are at each call."""

    def __init__(
        self,
        allowed: Callable[[], AllowedHosts],
        *,
        resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
        permits: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self._allowed, self._resolver, self._permits, self._tls = allowed, resolver, permits, tls
        self._guarded: aiohttp.ClientSession | None = None
        self._vouched: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open; connections are made when needed."""
        self._guarded = _session(_Checked(self._resolver(), self._permits), tls=self._tls)
        self._vouched = _session(self._resolver(), tls=self._tls)

    async def stop(self) -> None:
        """Close the connections."""
        for session in (self._guarded, self._vouched):
            if session:
                async with asyncio.timeout(CONNECT_S):
                    await session.close()
        self._guarded = self._vouched = None

    def takes(self, url: str) -> bool:
        """Whether this is a link to a host that is allowed now."""
        return url in self._allowed()

    @asynccontextmanager
    async def get(
        self, url: str, *, most_bytes: int, within_s: float, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Fetched]:
        """Ask once. No redirect is followed, nothing is unpacked, and no proxy stands between."""
        try:
            target = self._allowed().target(url)
        except NotAllowed as not_allowed:
            raise FetchRefused(not_allowed.why) from None
        session = self._vouched if target.vouched else self._guarded
        if session is None:
            raise FetchFailed("stopping")
        asked = {"accept-encoding": "identity", "user-agent": "garbo"} | dict(headers or {})
        limit = asyncio.timeout(within_s)
        try:
            async with limit:
                with _as_ours():
                    response = await session.get(
                        URL(target.url, encoded=True), headers=asked, allow_redirects=False
                    )
                try:
                    _look_at(response, most_bytes)
                    yield _Answer(response, most_bytes)
                finally:
                    response.close()
        except TimeoutError:
            if limit.expired():
                raise FetchFailed("timeout") from None
            raise  # the reader's own


@dataclass(frozen=True, slots=True)
class _Answer:
    """`Fetched` over one answer."""

    response: aiohttp.ClientResponse
    most_bytes: int

    @property
    def mime_type(self) -> str | None:
        """Read `Content-Type`."""
        said = self.response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return said or None

    async def parts(self) -> AsyncIterator[bytes]:
        """Read as it comes."""
        read = 0
        while True:
            with _as_ours():
                part = await self.response.content.read(_PART_BYTES)
            if not part:
                return
            read += len(part)
            if read > self.most_bytes:
                raise FetchRefused("too_large")
            yield part


class _NotPublicError(OSError):
    """A name leads to an address that is not public."""


class _Checked(AbstractResolver):
    """Gives the addresses of a name only when every one of them is permitted."""

    def __init__(self, inner: AbstractResolver, permits: Callable[[str], bool]) -> None:
        self._inner, self._permits = inner, permits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve once."""
        found = await self._inner.resolve(host, port, family)
        if not all(self._permits(one["host"]) for one in found):
            raise _NotPublicError("not public")
        return found

    async def close(self) -> None:
        """Close what is asked."""
        await self._inner.close()


def _session(resolver: AbstractResolver, *, tls: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        ssl=tls,
        limit=CONNECTIONS_COUNT,
        limit_per_host=CONNECTIONS_OF_ONE_COUNT,
        keepalive_timeout=KEEP_ALIVE_S,
    )
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        requote_redirect_url=False,
    )


def _look_at(response: aiohttp.ClientResponse, most_bytes: int) -> None:
    status = response.status
    if status in _PASSING or status >= _FIRST_SERVER_ERROR:
        said = response.headers.get("retry-after", "")
        after_s = min(float(said), MOST_WAIT_S) if said.isascii() and said.isdecimal() else None
        raise FetchFailed(f"http_{status}", after_s=after_s)
    if status in range(300, 400):
        raise FetchRefused("redirected")
    if status != 200:  # noqa: PLR2004 - all of it, and not a part
        raise FetchRefused(f"http_{status}")
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise FetchRefused("packed")
    if response.content_length is not None and response.content_length > most_bytes:
        raise FetchRefused("too_large")


@contextmanager
def _as_ours() -> Iterator[None]:
    """Turn what aiohttp raises into our two words; what the reader of a body raises is the reader's."""
    try:
        yield
    except aiohttp.ClientSSLError:
        raise FetchFailed("certificate") from None
    except aiohttp.ServerTimeoutError:
        raise FetchFailed("timeout") from None
    except (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, OSError) as error:
        if _is_not_public(error):
            raise FetchRefused("address_not_public") from None
        if isinstance(error, TimeoutError):
            raise
        raise FetchFailed("unreachable") from None


def _is_not_public(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, _NotPublicError):
        error = error.__cause__ or error.__context__
    return error is not None
