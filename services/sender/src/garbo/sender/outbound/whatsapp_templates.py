"""The platform's lists of templates, page by page.

Source: Meta, Graph API "Paginated results" and "Message templates" edge (read 2026-11). The next page's whole
address is given, too, and not followed: it may name another host.
"""

from http import HTTPStatus
from typing import Any, Final

from prometheus_client import Counter

from garbo.sender.domain.outcomes import Answered, Broke
from garbo.sender.domain.template_components import FIELDS
from garbo.sender.flow.templates import CannotRead
from garbo.sender.outbound.graph import GraphClient

PAGE: Final = 100
MOST_PAGES: Final = 200
"""An account has 6,000 templates at most."""
PAGE_S: Final = 30.0
MAX_PAGE_BYTES: Final = 8 * 1024 * 1024

READINGS: Final = Counter(
    "garbo_sender_template_readings",
    "Readings of an account's templates: read, or why not",
    ["outcome"],
)


class WhatsAppTemplates:
    """`TemplateLists` over HTTP."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def of_account(self, waba: str, *, number: str) -> list[dict[str, Any]]:
        """Give all of an account's templates; raises `CannotRead` with the platform's code, or a word."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        try:
            for _ in range(MOST_PAGES):
                page = await self._page(waba, number, after)
                found += [one for one in page["data"] if isinstance(one, dict)]
                after = _after(page)
                if after is None:
                    READINGS.labels("read").inc()
                    return found
        except CannotRead as cannot:
            READINGS.labels(cannot.why).inc()
            raise
        READINGS.labels("endless").inc()
        raise CannotRead("endless")

    async def _page(self, waba: str, number: str, after: str | None) -> dict[str, Any]:
        if not self._graph.may_ask(number):
            raise CannotRead("no_token")
        params = {"fields": FIELDS, "limit": str(PAGE)} | ({"after": after} if after else {})
        answer = await self._graph.ask(
            "GET",
            f"{waba}/message_templates",
            number=number,
            within_s=PAGE_S,
            params=params,
            max_bytes=MAX_PAGE_BYTES,
        )
        if isinstance(answer, Broke):
            raise CannotRead("timeout" if answer.how == "timeout" else "unreachable")
        return _read(answer)


def _read(answer: Answered) -> dict[str, Any]:
    body = answer.body
    if body is None:
        raise CannotRead(f"http_{answer.status}")
    if isinstance(body.get("error"), dict):
        code = body["error"].get("code")
        raise CannotRead(f"code_{code}" if isinstance(code, int) else f"http_{answer.status}")
    if not isinstance(body.get("data"), list) or answer.status != HTTPStatus.OK:
        raise CannotRead(f"http_{answer.status}")
    return dict(body)


def _after(page: dict[str, Any]) -> str | None:
    """Give the cursor of the next page; None on the last one."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None
