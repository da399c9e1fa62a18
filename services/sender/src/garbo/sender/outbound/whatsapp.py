"""The one HTTP door: the Cloud API, by httpx on aiohttp's connections.

Plain httpx is quadratic in its pool (docs/adr: HTTP transport); aiohttp's is not. No retries, no redirects,
no hedging here: a second POST could be a second message.
"""

import asyncio
import hmac
import re
import ssl
from collections.abc import Mapping
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from garbo.common.errors import Reject
from garbo.common.events.jsontext import parse_json
from garbo.sender.domain.deadlines import CALL_BUDGET
from garbo.sender.domain.endpoints import Endpoint
from garbo.sender.domain.outcomes import Answer, Answered, Broke
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.outbound.whatsapp_body import body_of

CONNECT_S: Final = 5.0
READ_S: Final = 30.0
"""Longer than the platform's own limit, so that an answer is rarely missed."""
KEEP_ALIVE_S: Final = 4.0
"""Below any server's idle limit: a request on a connection that is being closed is ambiguous."""
CONNECTIONS_COUNT: Final = 1000
TIMEOUTS: Final = {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": CONNECT_S}
_MINUTES: Final = re.compile(r'"estimated_time_to_regain_access"\s*:\s*([0-9]{1,6})')
MAX_ANSWER_BYTES: Final = 256 * 1024

FAILURES: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    aiohttp.ClientError,
    aiohttp.http_exceptions.HttpProcessingError,
    OSError,
    ValueError,  # an answer that cannot be decoded, a header that cannot be written
)
"""All that httpx and aiohttp raise: none of it says that the platform has not got the message."""
_NEVER_LEFT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""aiohttp's own words for: no connection was made. httpx-aiohttp 0.2.0 calls a server that hangs up after the
request was written `ConnectTimeout` as well, so its words are not enough to tell "not sent" from "maybe"."""


class WhatsAppApi:
    """`WhatsApp` over HTTP, as a component. `tokens` are by number, as they are at each call.

    Each number has its own connections.
    """

    def __init__(
        self, *, url: str, version: str, tokens: Mapping[str, str], app_secret: str | None = None
    ) -> None:
        self._app_secret = app_secret
        self._base = f"{url.rstrip('/')}/{version}"
        self._tokens = tokens
        self._ways: dict[tuple[str, Endpoint], _Way] = {}
        self._open = False

    async def start(self) -> None:
        """Open; connections are made when needed."""
        self._open = True

    async def stop(self) -> None:
        """Close the connections; calls must be finished by now."""
        self._open = False
        for way in self._ways.values():
            async with asyncio.timeout(CONNECT_S):
                await way.transport.aclose()

    async def post(self, send: QueuedSend, *, attempt_id: str, endpoint: Endpoint = "messages") -> Answer:
        """Send once. Every way it can end is a value."""
        if not self._open:
            return Broke("unreachable")
        way = self._way_of(send.number, endpoint)
        request = way.request(body_of(send.body, attempt_id=attempt_id), token=self._tokens[send.number])
        try:
            async with asyncio.timeout(CALL_BUDGET.total_seconds()):
                response = await way.transport.handle_async_request(request)
                content = await _content_of(response)
        except TimeoutError:
            return Broke("timeout")
        except FAILURES as error:
            return _broke(error)
        return Answered(response.status_code, _object(content), retry_after_s(response.headers))

    def _way_of(self, number: str, endpoint: Endpoint) -> "_Way":
        way = self._ways.get((number, endpoint))
        if way is None:
            way = self._ways[number, endpoint] = _Way(f"{self._base}/{number}/{endpoint}", self._app_secret)
        return way


class _Way:
    """The connections of one number, and what all its requests share: made once.

    httpx's client would send the same request at twice the price: it looks for redirects, cookies, proxies
    and authentication flows, of which there are none (docs/adr: HTTP transport).
    """

    def __init__(self, url: str, app_secret: str | None) -> None:
        self._app_secret = app_secret
        self.transport = transport_of(CONNECTIONS_COUNT)
        self._url = httpx.URL(url)
        self._token: str | None = None
        self._headers = httpx.Headers()

    def request(self, content: bytes, *, token: str) -> httpx.Request:
        """Make a request; what the last one with this token had is not made again."""
        if token != self._token:
            self._token, self._headers = token, self._headers_with(token)
            self._url = self._url.copy_with(params=proof_params(token, self._app_secret))
        return httpx.Request(
            "POST", self._url, headers=self._headers, content=content, extensions={"timeout": TIMEOUTS}
        )

    def _headers_with(self, token: str) -> httpx.Headers:
        return httpx.Headers(
            {
                "host": self._url.netloc.decode("ascii"),
                "authorization": f"Bearer {token}",
                "content-type": "application/json",
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": "garbo",
            }
        )


def proof_params(token: str, app_secret: str | None) -> dict[str, str]:
    """Prove that a token is used by who has the app's secret, where that is given.

    Source: Meta, Graph API "Secure requests" (read 2026-11): HMAC-SHA256 of the token, in hex.
    """
    if app_secret is None:
        return {}
    return {"appsecret_proof": hmac.new(app_secret.encode(), token.encode(), sha256).hexdigest()}


async def _content_of(response: httpx.Response) -> bytes:
    """Read an answer, or as much of it as tells that it is none of the platform's."""
    content = b""
    try:
        async for part in response.aiter_raw():
            content += part
            if len(content) > MAX_ANSWER_BYTES:
                break
    finally:
        await response.aclose()
    return content


def retry_after_s(headers: httpx.Headers) -> float | None:
    """Read how long the platform asks to wait, in seconds: `Retry-After`, or minutes in its own header."""
    said = headers.get("retry-after", "")
    if said.isascii() and said.isdecimal():
        return float(said)
    usage = headers.get("x-business-use-case-usage")
    if not usage:
        return None
    minutes = [float(m) for m in _MINUTES.findall(usage)]
    return max(minutes) * 60 if minutes and max(minutes) > 0 else None


def transport_of(connections_count: int) -> AiohttpTransport:
    """Make a pool that keeps connections for less time than the platform does, and no cookies."""
    return AiohttpTransport(verify=_tls(), client=partial(_session, connections_count))


@cache
def _tls() -> ssl.SSLContext:
    """Make it once: each transport would make one, for 40 ms; aiohttp's connections verify by their own."""
    return ssl.create_default_context()


def _session(connections_count: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=connections_count, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=60, use_dns_cache=True
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _broke(error: Exception) -> Broke:
    cause = error.__cause__ or error
    if isinstance(cause, _NEVER_LEFT):
        return Broke("unreachable")
    return Broke("timeout" if isinstance(cause, TimeoutError) else "broken")


def _object(content: bytes) -> dict[str, Any] | None:
    """Read a JSON object, free of what PostgreSQL refuses; None for anything else, such as a proxy's HTML."""
    if len(content) > MAX_ANSWER_BYTES:
        return None
    try:
        value = parse_json(content)
    except Reject:
        return None
    return value if isinstance(value, dict) else None
