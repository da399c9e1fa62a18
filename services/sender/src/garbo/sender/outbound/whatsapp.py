"""The one HTTP door: the Cloud API, by httpx on aiohttp's connections.

Plain httpx is quadratic in its pool (docs/adr: HTTP transport); aiohttp's is not. No retries, no redirects,
no hedging here: a second POST could be a second message.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from garbo.common.errors import Reject
from garbo.common.events.grants import SendGranted
from garbo.common.events.jsontext import parse_json
from garbo.sender.domain.deadlines import CALL_BUDGET
from garbo.sender.domain.outcomes import Answer, Answered, Broke
from garbo.sender.outbound.whatsapp_body import body_of

CONNECT_S: Final = 5.0
READ_S: Final = 30.0
"""Longer than the platform's own limit, so that an answer is rarely missed."""
KEEP_ALIVE_S: Final = 4.0
"""Below any server's idle limit: a request on a connection that is being closed is ambiguous."""
CONNECTIONS_COUNT: Final = 1000
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
    """`WhatsApp` over HTTP, as a component. `tokens` are by number."""

    def __init__(self, *, url: str, version: str, tokens: Mapping[str, str]) -> None:
        self._base = f"{url.rstrip('/')}/{version}"
        self._headers = {
            number: {"authorization": f"Bearer {token}", "content-type": "application/json"}
            for number, token in tokens.items()
        }
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Make the client; it connects when needed."""
        transport = AiohttpTransport(client=_session)
        timeout = httpx.Timeout(READ_S, connect=CONNECT_S, pool=CONNECT_S)
        self._client = httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)

    async def stop(self) -> None:
        """Close the connections; calls must be finished by now."""
        if self._client:
            async with asyncio.timeout(CONNECT_S):
                await self._client.aclose()

    async def post(self, grant: SendGranted, *, attempt_id: str) -> Answer:
        """Send once. Every way it can end is a value."""
        if self._client is None:
            return Broke("unreachable")
        url = f"{self._base}/{grant.number}/messages"
        content = body_of(grant, attempt_id=attempt_id)
        try:
            async with asyncio.timeout(CALL_BUDGET.total_seconds()):
                response = await self._client.post(url, content=content, headers=self._headers[grant.number])
        except TimeoutError:
            return Broke("timeout")
        except FAILURES as error:
            return _broke(error)
        return Answered(response.status_code, _object(response.content))


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS_COUNT, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=60, use_dns_cache=True
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
