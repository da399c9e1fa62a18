"""What a STOP does beside being remembered: what is granted is called back, what waits is denied."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID, uuid5

from garbo.common.business import ROUTER_CLIENT
from garbo.common.events.ids import ContactId
from garbo.router.domain.consent import CHANNEL, MARKETING
from garbo.router.domain.grant import revoke
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import ConsentEvidence

GARBO: Final = ROUTER_CLIENT
"""The actor of what a person wrote or the platform told, and the client of the router's own replies."""
_ACTS: Final = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a05")


def revoke_promos(
    uow: UnitOfWork,
    contact_id: ContactId,
    *,
    brand: str | None,
    number: str | None = None,
    waiting_reason: str | None = "stopped",
    trace: str | None,
) -> None:
    """Take back every promo of a brand (or of all, or of one number) that nobody has claimed.

    Promos that wait are denied at once with `waiting_reason`; without one they stay.
    """
    for grant in uow.promos_of(contact_id, brand=brand):
        if number in (None, grant.number):
            uow.settle(revoke(grant), trace=trace)
    if waiting_reason is not None:
        for waiting in uow.waiting_promos_of(contact_id, brand=brand):
            uow.dismiss(waiting.message_id, reason=waiting_reason)


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """Something a person did, or the platform told of them, that says whether they want promos."""

    key: str
    """Names the act: the same act has the same key each time it is told."""
    action: Literal["given", "confirmed", "withdrawn", "expired"]
    source: str
    at_us: int
    brand: str
    number: str | None = None
    locale: str | None = None


def record_consent_event(uow: UnitOfWork, contact_id: ContactId, act: ConsentEvent) -> None:
    """Keep an act as evidence; the same act is kept once."""
    uow.evidence.append(
        ConsentEvidence(
            consent_id=uuid5(_ACTS, f"{act.key}\n{act.brand}\n{act.action}"),
            contact_id=contact_id,
            brand=act.brand,
            channel=CHANNEL,
            purpose=MARKETING,
            action=act.action,
            source=act.source,
            actor=GARBO,
            occurred_at_us=act.at_us,
            received_at_us=uow.snapshot.now_us,
            number=act.number,
            locale=act.locale,
            evidence=act.key,
        )
    )
