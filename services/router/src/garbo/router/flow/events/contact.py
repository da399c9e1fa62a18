"""What is told of a person themselves: their zone and language, another address, another number."""

from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import ContactId
from garbo.common.events.inbound import InboundMessage
from garbo.router.domain.consent import MARKETING
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.revocation import ConsentEvent, record_consent_event, revoke_promos
from garbo.router.flow.promo_reevaluation import reconsider
from garbo.router.flow.unit_of_work import UnitOfWork


def update_contact(
    uow: UnitOfWork, directory: Directory, event: ContactUpdated, *, contact_id: ContactId, trace: str | None
) -> None:
    """Take in zone and language; the newest word of each stands. In another zone promo is decided again."""
    before = state = uow.states[contact_id]
    at_us = min(
        to_us(event.occurred_at), uow.snapshot.now_us
    )  # a clock that runs ahead has not the last word
    # of two words of one instant always the same one stands, whichever comes last
    if event.timezone is not None and (at_us, event.timezone) > (state.zone_at_us, state.zone or ""):
        state = replace(state, zone=event.timezone, zone_at_us=at_us)
    if event.language is not None and (at_us, event.language) > (state.language_at_us, state.language or ""):
        state = replace(state, language=event.language, language_at_us=at_us)
    uow.put(contact_id, state)
    if state.zone != before.zone:
        reconsider(uow, directory, contact_id, trace=trace)
        uow.freed.add(contact_id)


def leave_number(
    uow: UnitOfWork, message: InboundMessage, *, contact_id: ContactId, trace: str | None
) -> None:
    """Note that a person has left their number: whoever has it next has consented to nothing.

    Their promos are called back, what they consented to expires, and what they stopped stays stopped. They
    go on as a contact of their own, under the new number, who has consented to nothing yet.
    """
    at_us = min(to_us(message.occurred_at), uow.snapshot.now_us)
    state = uow.states[contact_id]
    left = _without_consents(state, at_us=at_us)
    uow.put(contact_id, left)
    if left == state:
        return
    for key in state.consents:
        brand, _, rest = key.partition("/")
        if rest.endswith(f"/{MARKETING}"):
            act = ConsentEvent(f"{message.event_id}:{key}", "expired", "number_changed", at_us, brand)
            record_consent_event(uow, contact_id, act)
    revoke_promos(uow, contact_id, brand=None, waiting_reason="not_opted_in", trace=trace)


def _without_consents(state: RecipientState, *, at_us: int) -> RecipientState:
    consents = {
        key: replace(consent, withdrawn_at_us=max(at_us, consent.withdrawn_at_us or 0))
        for key, consent in state.consents.items()
    }
    return replace(state, consents=consents)
