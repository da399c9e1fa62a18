"""What is told of a contact itself: zone and language, another address, another number."""

from dataclasses import dataclass
from functools import cached_property

from garbo.common.events.addresses import Person
from garbo.common.events.contacts import ContactUpdated
from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_us
from garbo.router.domain.rules.consent import MARKETING
from garbo.router.domain.state import RecipientState, with_claims
from garbo.router.domain.values import replace
from garbo.router.flow.events.consent import ConsentEvent, record_consent_event
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets, refuse
from garbo.router.flow.identity import Identity
from garbo.router.flow.merge_contacts import refuse_link
from garbo.router.flow.reevaluation import reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class ContactHandler:
    """A client told what it knows of somebody; with another address, two contacts may be merged."""

    event: ContactUpdated
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse what nobody known tells, or tells for a brand that is not theirs."""
        event, directory = self.event, self.context.directory
        if event.brand is None:
            refuse(directory.client_refusal(event.client))
        else:
            refuse(directory.brand_refusal(client=event.client, brand=event.brand))
        if event.same_as is not None:
            refuse(directory.link_refusal(event.client))

    @cached_property
    def targets(self) -> EventTargets:
        """Who it is about, by both names it gives."""
        event, identity_of = self.event, self.context.identity_of
        if event.same_as is None:
            return EventTargets(identity_of(event.to))
        same = identity_of(event.same_as, create=False)
        return EventTargets(replace(identity_of(event.to, create=False), same_as=same, said_by=event.client))

    @property
    def may_revoke(self) -> bool:
        """In another zone, or merged, promo is decided again."""
        return self.event.timezone is not None or self.event.same_as is not None

    def apply(self, uow: UnitOfWork, found: FoundTargets) -> None:
        """Take in zone and language for the client's brands; the newest word of each stands."""
        event = self.event
        brands = (event.brand,) if event.brand else self.context.directory.brands_of(event.client)
        contact_id = found.contact_of(uow, event.to, brands)
        before = uow.states[contact_id]
        if event.same_as is not None:
            refuse_link(uow, contact_id, brands)
        at_us = min(to_us(event.occurred_at), uow.snapshot.now_us)  # a clock ahead has not the last word
        after = with_claims(before, brands, zone=event.timezone, language=event.language, at_us=at_us)
        uow.put(contact_id, after)
        if any(after.zone_for(brand) != before.zone_for(brand) for brand in brands):
            reevaluate_promos(uow, contact_id, trace=self.trace)
            uow.contacts_to_recheck.add(contact_id)


def changed_identity(context: EventContext, before: Person, now: Person | None) -> Identity | None:
    """Name who has another user id now. Another number is another contact: see `left_number`."""
    if now is None:
        return None
    if left_number(before, now):
        return context.identity_of(Person(phone=before.phone), create=False)
    if now.phone is not None and before.phone is None:
        return context.identity_of(now, create=False)
    return context.identity_of(before, now, create=False)


def left_number(before: Person, now: Person | None) -> bool:
    """Say whether the person has left a number for another one."""
    return bool(now and before.phone and now.phone and before.phone != now.phone)


def leave_number(uow: UnitOfWork, contact_id: ContactId, *, key: str, at_us: int, trace: str | None) -> None:
    """Note that a person has left their number: whoever has it next has consented to nothing.

    Their promos are called back, what they consented to expires, and what they stopped stays stopped. They
    go on as a contact of their own, under the new number, who has consented to nothing yet. `key` names the
    event that says so.
    """
    at_us = min(at_us, uow.snapshot.now_us)
    state = uow.states[contact_id]
    left = _without_consents(state, at_us=at_us)
    uow.put(contact_id, left)
    if left == state:
        return
    for consent in state.consents:
        brand, _, rest = consent.partition("/")
        if rest.endswith(f"/{MARKETING}"):
            event = ConsentEvent(f"{key}:{consent}", "expired", "number_changed", at_us, brand)
            record_consent_event(uow, contact_id, event)
    uow.revoke_promos(contact_id, brand=None, deferred_reason="not_opted_in", trace=trace)


def _without_consents(state: RecipientState, *, at_us: int) -> RecipientState:
    consents = {
        key: replace(consent, withdrawn_at_us=max(at_us, consent.withdrawn_at_us or 0))
        for key, consent in state.consents.items()
    }
    return replace(state, consents=consents)
