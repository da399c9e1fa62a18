"""Consent: what a client records of it, what a person did; kept as evidence, and what follows from it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal
from uuid import UUID, uuid5

from garbo.common.business import ROUTER_CLIENT
from garbo.common.errors import Reject
from garbo.common.events.contacts import ConsentRecorded
from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_us
from garbo.router.domain.rules.consent import (
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
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets, refuse
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import ConsentEvidence, ConsentKey

_EVENTS: Final = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a05")


@dataclass(frozen=True)
class ConsentHandler:
    """A client recorded that somebody gave or withdrew consent."""

    event: ConsentRecorded
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse a consent that is not this client's to record. A withdrawal may come from anybody."""
        event, directory = self.event, self.context.directory
        if event.brand not in (ANY, *directory.brands):
            refuse("unknown_brand")
        if event.action in TAKES_BACK:
            return
        if event.brand == ANY:
            refuse(directory.client_refusal(event.client))
            refuse(None if directory.viewer(event.client).speaks_for(ANY) else "brand_not_allowed")
        else:
            refuse(directory.brand_refusal(client=event.client, brand=event.brand))
        if event.purpose == MARKETING:
            refuse(directory.purpose_refusal(client=event.client, purpose="promo"))

    @cached_property
    def targets(self) -> EventTargets:
        """Whose consent it is."""
        return EventTargets(
            self.context.identity_of(self.event.to),
            consent=ConsentKey(self.event.client, self.event.consent_id),
        )

    @property
    def may_revoke(self) -> bool:
        """A withdrawal takes promos back as STOP does."""
        return self.event.action in TAKES_BACK

    def apply(self, uow: UnitOfWork, found: FoundTargets) -> None:
        """Keep a record of consent and what follows from it. The same record again changes nothing.

        A withdrawal of marketing on this channel takes promos back, unless a newer consent is there.
        """
        consent, directory = self.event, self.context.directory
        brands = directory.brands if consent.brand == ANY else (consent.brand,)
        contact_id = found.contact_of(uow, consent.to, brands)
        _keep(uow, found, _evidence(uow, consent, contact_id))
        key = consent_key(brand=consent.brand, channel=consent.channel, purpose=consent.purpose)
        at_us = min(to_us(consent.occurred_at), uow.snapshot.now_us)
        before = uow.states[contact_id]
        state = with_consent(before, key=key, action=consent.action, at_us=at_us)
        for brand in brands:
            if consent.action == "requested":
                state = _with_earlier_start(state, brand=brand)
            if consent.action in TAKES_BACK:
                state = without_overtaken(state, brand=brand, at_us=at_us)
        uow.put(contact_id, state)
        known = state.consents[key]
        if state == before or not self.may_revoke or not _reaches_promo(consent):
            return
        if known.granted_at_us <= (known.withdrawn_at_us or 0):
            for brand in brands:
                uow.revoke_promos(contact_id, brand=brand, deferred_reason="not_opted_in", trace=self.trace)


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """Something a person did, or the platform told of them, that says whether they want promos."""

    key: str
    """Names it: the same event has the same key each time it is told."""
    action: Literal["given", "confirmed", "withdrawn", "expired"]
    source: str
    at_us: int
    brand: str
    number: str | None = None
    locale: str | None = None


def record_consent_event(uow: UnitOfWork, contact_id: ContactId, event: ConsentEvent) -> None:
    """Keep an event as evidence; the same event is kept once."""
    key = ConsentKey(ROUTER_CLIENT, uuid5(_EVENTS, f"{event.key}\n{event.brand}\n{event.action}"))
    record = ConsentEvidence(
        consent_id=key.consent_id,
        contact_id=contact_id,
        brand=event.brand,
        channel=CHANNEL,
        purpose=MARKETING,
        action=event.action,
        source=event.source,
        actor=key.actor,
        occurred_at_us=event.at_us,
        received_at_us=uow.snapshot.now_us,
        number=event.number,
        locale=event.locale,
        evidence=event.key,
    )
    uow.evidence.setdefault(key, record)


def _keep(uow: UnitOfWork, found: FoundTargets, record: ConsentEvidence) -> None:
    """Keep a client's record. Raises `Reject` where its id names another one already: neither may vanish."""
    name = ConsentKey(record.actor, record.consent_id)
    kept = found.recorded or uow.evidence.get(name)
    if kept is None:
        uow.evidence[name] = record
    elif replace(record, received_at_us=kept.received_at_us) != kept:
        raise Reject("id_reused")


def _with_earlier_start(state: RecipientState, *, brand: str) -> RecipientState:
    """Take whoever said START before the question arrived here for one who has answered it."""
    started_us = state.stops[brand].started_at_us if brand in state.stops else None
    if started_us is None:
        return state
    keys = confirmable(state, brand=brand, at_us=started_us)
    return with_confirmation(state, keys=keys, at_us=started_us)


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
