"""Files at the platform: asked for by id, then fetched from the address it gives.

Source: Meta, Cloud API "Media" (read 2026-11): `GET /{media}?phone_number_id=`; the address is good for five
minutes, at `lookaside.fbsbx.com`, and wants the token.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from garbo.common.events.received_files import bare_type, hash_of
from garbo.sender.domain.outcomes import Answered, Broke
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.guarded_fetch import GuardedFetch
from garbo.sender.ports.fetches import Fetched, FetchFailed
from garbo.sender.ports.incoming_files import FoundFile, NotFound

ASK_S: Final = 15.0
MOST_URL_CHARS: Final = 2048
NO_SUCH_OBJECT: Final = (100, 33)
"""Code and subcode of an id that is not there, or that the token may not see."""


class WhatsAppMedia:
    """`PlatformFiles` over HTTP."""

    def __init__(self, fetch: GuardedFetch, graph: GraphClient) -> None:
        self._fetch, self._graph = fetch, graph

    async def find(self, number: str, media_id: str) -> FoundFile | NotFound:
        """Ask. Every way it can end is a value."""
        if not self._graph.may_ask(number):
            return NotFound("no_token")
        answer = await self._graph.ask(
            "GET", media_id, number=number, within_s=ASK_S, params={"phone_number_id": number}
        )
        if isinstance(answer, Broke):
            return NotFound("timeout" if answer.how == "timeout" else "unreachable")
        return _read(answer)

    @asynccontextmanager
    async def get(self, number: str, url: str, *, most_bytes: int, within_s: float) -> AsyncIterator[Fetched]:
        """Fetch, through the one guarded way: the token goes to no host that is not allowed."""
        token = self._graph.token_of(number)
        if token is None:
            raise FetchFailed("no_token")
        headers = {"authorization": f"Bearer {token}"}
        async with self._fetch.get(url, most_bytes=most_bytes, within_s=within_s, headers=headers) as fetched:
            yield fetched


def _read(answer: Answered) -> FoundFile | NotFound:
    body, after_s = answer.body, answer.retry_after_s
    if answer.status == HTTPStatus.NOT_FOUND:
        return NotFound("forgotten", after_s)
    if body is None:
        return NotFound(f"http_{answer.status}", after_s)
    error = body.get("error")
    if isinstance(error, dict):
        return NotFound(_word_of(error, answer.status), after_s)
    url, size = body.get("url"), body.get("file_size")
    if answer.status != HTTPStatus.OK or not isinstance(url, str) or len(url) > MOST_URL_CHARS:
        return NotFound(f"http_{answer.status}", after_s)
    known = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    return FoundFile(url, bare_type(body.get("mime_type")), hash_of(body.get("sha256")), known)


def _word_of(error: dict[str, Any], status: int) -> str:
    code, subcode = error.get("code"), error.get("error_subcode")
    if (code, subcode) == NO_SUCH_OBJECT:
        return "forgotten"
    return f"code_{code}" if isinstance(code, int) else f"http_{status}"
