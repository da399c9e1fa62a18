"""`WhatsApp` over both endpoints: marketing templates where the number has one for them."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.runtime.throttled_log import ThrottledLog
from garbo.sender.domain.deadlines import CALL_BUDGET
from garbo.sender.domain.endpoints import Endpoint, is_marketed, other_endpoint
from garbo.sender.domain.outcomes import Answer, Broke
from garbo.sender.domain.queued_send import QueuedSend


class OneEndpoint(Protocol):
    """The platform, by the endpoint that is named."""

    async def post(self, send: QueuedSend, *, attempt_id: str, endpoint: Endpoint = "messages") -> Answer:
        """Send once."""
        ...


class BothEndpoints:
    """Chooses by the template's latest category; on "not here" tries the other one once.

    Both calls are one attempt, within one call's budget: the first sent nothing, by its own word.
    """

    def __init__(
        self, platform: OneEndpoint, *, business: Callable[[], Business], templates: TemplateRegistry
    ) -> None:
        self._platform, self._business, self._templates = platform, business, templates
        self._log = ThrottledLog()

    async def post(self, send: QueuedSend, *, attempt_id: str) -> Answer:
        """Send once. Every way it can end is a value."""
        ends_at = monotonic() + CALL_BUDGET.total_seconds()
        endpoint = self._first(send)
        answer = await self._platform.post(send, attempt_id=attempt_id, endpoint=endpoint)
        other = other_endpoint(endpoint, answer) if send.template else None
        if other is None or send.is_to_group:
            return answer
        self._log.warning("tried at the other endpoint", kind=other, number=send.number, endpoint=other)
        try:
            async with asyncio.timeout(ends_at - monotonic()):
                return await self._platform.post(send, attempt_id=attempt_id, endpoint=other)
        except TimeoutError:
            return Broke("timeout")

    def _first(self, send: QueuedSend) -> Endpoint:
        number = next((one for one in self._business().numbers if one.id == send.number), None)
        if number is None or not number.marketing_messages or send.template is None:
            return "messages"
        name, _, language = send.template.partition("/")
        latest = self._templates.category_of(number.waba, name, language) or send.category
        return "marketing_messages" if is_marketed(send, category=latest) else "messages"
