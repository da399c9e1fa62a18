"""The help desk's cases: opened by a serious question, closed by thanks or after a while."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from garbo.common.events.engagement import CareMessage
from garbo.common.events.ids import request_id_of
from garbo.simulator.business.publisher import Json
from garbo.simulator.population.reactions import CARE_REPLIES

_CASES: Final = "demo.cases"
_SERIOUS: Final = ("damaged", "charged", "not working")
THANKS: Final = frozenset({CARE_REPLIES[0], CARE_REPLIES[1], CARE_REPLIES[3]})


class Cases:
    """Remembers which customers have a case open; what a restart forgets, the router's own limit ends."""

    def __init__(self, *, open_for: timedelta) -> None:
        self._open_for = open_for
        self._open: dict[UUID, tuple[Json, datetime]] = {}

    def changes(self, messages: Iterable[CareMessage], *, now: datetime) -> list[Json]:
        """Say what opens and closes; the same question names the same case."""
        changed: list[Json] = []
        for message in messages:
            text = (message.text or "").lower()
            if any(word in text for word in _SERIOUS) and message.contact_id not in self._open:
                changed.append(self._opened(message, now=now))
            elif message.text in THANKS and message.contact_id in self._open:
                changed.append(self._closed(message.contact_id, now=now))
        old = [contact for contact, (_, since) in self._open.items() if now - since > self._open_for]
        return changed + [self._closed(contact, now=now) for contact in old]

    def _opened(self, message: CareMessage, *, now: datetime) -> Json:
        case = {
            "case_id": f"case-{request_id_of(_CASES, message.wamid)}",
            "brand": message.brand,
            "to": {"contact_id": str(message.contact_id)},
        }
        self._open[message.contact_id] = case, now
        return case | {"action": "opened", "occurred_at": message.occurred_at.isoformat()}

    def _closed(self, contact: UUID, *, now: datetime) -> Json:
        case, _ = self._open.pop(contact)
        return case | {"action": "closed", "occurred_at": now.isoformat()}
