"""What a client records of consent: kept as evidence, and what follows from it."""

from garbo.common.events.contacts import ConsentRecorded
from garbo.common.events.ids import ContactId
from garbo.router.domain.consent import (
    ANY,
    CHANNEL,
    MARKETING,
    TAKES_BACK,
    confirmable,
    consent_key,
    with_confirmation,
    with_consent,
    without_overtaken,
)
from garbo.router.domain.instants import to_us
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.revocation import revoke_promos
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import ConsentEvidence


def apply_consent(
    uow: UnitOfWork,
    directory: Directory,
    consent: ConsentRecorded,
    *,
    contact_id: ContactId,
    trace: str | None,
) -> None:
    """Keep a record of consent and what follows from it. The same record again changes nothing.

    A withdrawal of marketing on this channel takes promos back as STOP does, unless a newer consent is there.
    """
    uow.evidence.append(_evidence(uow, consent, contact_id))
    key = consent_key(brand=consent.brand, channel=consent.channel, purpose=consent.purpose)
    at_us = min(to_us(consent.occurred_at), uow.snapshot.now_us)
    before = uow.states[contact_id]
    state = with_consent(before, key=key, action=consent.action, at_us=at_us)
    brands = directory.brands if consent.brand == ANY else (consent.brand,)
    if consent.action == "requested":
        for brand in brands:  # whoever said START before the question arrived here has answered it
            started_us = state.stops[brand].started_at_us if brand in state.stops else None
            if started_us is not None:
                keys = confirmable(state, brand=brand, at_us=started_us)
                state = with_confirmation(state, keys=keys, at_us=started_us)
    if consent.action in TAKES_BACK:
        for brand in brands:
            state = without_overtaken(state, brand=brand, at_us=at_us)
    uow.put(contact_id, state)
    if state != before and consent.action in TAKES_BACK and _reaches_promo(consent):
        known = state.consents[key]
        if known.granted_at_us <= (known.withdrawn_at_us or 0):
            for brand in brands:
                revoke_promos(uow, contact_id, brand=brand, waiting_reason="not_opted_in", trace=trace)


def _reaches_promo(consent: ConsentRecorded) -> bool:
    return consent.purpose == MARKETING and consent.channel in (CHANNEL, ANY)


def _evidence(uow: UnitOfWork, consent: ConsentRecorded, contact_id: ContactId) -> ConsentEvidence:
    return ConsentEvidence(
        consent_id=consent.consent_id,
        contact_id=contact_id,
        brand=consent.brand,
        channel=consent.channel,
        purpose=consent.purpose,
        action=consent.action,
        source=consent.source,
        actor=consent.client,
        occurred_at_us=to_us(consent.occurred_at),
        received_at_us=uow.snapshot.now_us,
        number=consent.number,
        text_version=consent.text_version,
        text_hash=consent.text_hash,
        locale=consent.locale,
        evidence=consent.evidence,
    )
