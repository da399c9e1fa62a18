"""Taking back what has not left: what is granted is called back, what waits is denied."""

from garbo.common.events.ids import ContactId
from garbo.router.domain.grant import revoke
from garbo.router.flow.unit_of_work import UnitOfWork


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
