"""Calls of the Graph API beside messages, on connections of their own: messages never wait for one."""

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx

from garbo.common.errors import Reject
from garbo.common.events.jsontext import parse_json
from garbo.sender.domain.outcomes import Answer, Answered, Broke
from garbo.sender.outbound.whatsapp import (
    CONNECT_S,
    FAILURES,
    MAX_ANSWER_BYTES,
    proof_params,
    retry_after_s,
    transport_of,
)

Content = bytes | AsyncIterable[bytes]
CALLS_COUNT: Final = 200
"""At once, one a connection: more than all who call have under way together, so that nobody waits for a
connection, however slow the others' uploads are. A test adds them up."""
NO_COOKIES: Final = CookieJar(DefaultCookiePolicy(allowed_domains=()))
"""What one number's answer sets is nothing to another's call."""


class GraphClient:
    """These calls, as a component. `token_of` gives a number's token, as it is at each call."""

    def __init__(
        self,
        *,
        url: str,
        version: str,
        token_of: Callable[[str], str | None],
        app_secret: str | None = None,
    ) -> None:
        self._base = f"{url.rstrip('/')}/{version}"
        self.token_of, self._app_secret = token_of, app_secret
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Make the client; it connects when needed."""
        self._client = httpx.AsyncClient(
            transport=transport_of(CALLS_COUNT), cookies=NO_COOKIES, follow_redirects=False
        )

    async def stop(self) -> None:
        """Close the connections."""
        if self._client:
            async with asyncio.timeout(CONNECT_S):
                await self._client.aclose()

    def may_ask(self, number: str) -> bool:
        """Whether it is open and the number has a token."""
        return self._client is not None and bool(self.token_of(number))

    async def ask(  # noqa: PLR0913 - a call has so much
        self,
        method: str,
        path: str,
        *,
        number: str,
        within_s: float,
        params: Mapping[str, str] | None = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """Call once, with a number's token. Every way it can end is a value.

        It ends within so many seconds; of an answer above so many bytes the body is None.
        """
        token = self.token_of(number)
        if self._client is None or token is None:
            return Broke("unreachable")
        try:
            async with asyncio.timeout(within_s):
                answer = await self._client.request(
                    method,
                    f"{self._base}/{path}",
                    params={**(params or {}), **proof_params(token, self._app_secret)},
                    content=content,
                    headers={"authorization": f"Bearer {token}", **(headers or {})},
                    timeout=httpx.Timeout(within_s, connect=CONNECT_S),
                )
        except TimeoutError:
            return Broke("timeout")
        except FAILURES:
            return Broke("broken")
        body = _object(answer.content) if len(answer.content) <= max_bytes else None
        return Answered(answer.status_code, body, retry_after_s(answer.headers))


def _object(content: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None for anything else, such as a proxy's HTML."""
    try:
        value = parse_json(content)
    except Reject:
        return None
    return value if isinstance(value, dict) else None
