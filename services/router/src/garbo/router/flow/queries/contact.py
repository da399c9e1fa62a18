"""Use case: show what is known of a person, what every cap says now, and what they would be answered."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import ContactId, MessageId, address_hash
from garbo.router.domain.cap_usage import CapUsage, cap_usages
from garbo.router.domain.classify import classify
from garbo.router.domain.decide import decide
from garbo.router.domain.evaluation import subject_of
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body, Request, Subject
from garbo.router.domain.rules.cap import CountedSend
from garbo.router.domain.zones import zones_of
from garbo.router.flow import contact_parts as parts
from garbo.router.flow.contact_view import (
    AddressShown,
    CapShown,
    ContactShown,
    Filling,
    PromoShown,
    ZoneShown,
)
from garbo.router.flow.directory import Directory
from garbo.router.flow.phone_region import UNKNOWN_REGION, PhoneRegion, phone_region
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.ports.queries import ContactReader, HeldContact

NOBODY: Final = UUID(int=0)
PROMO: Final = Body(form="template", category="marketing")
BUDGETS_UNASKED: Final = 1


class GetContact:
    """Reads; nothing is written and nothing is locked."""

    def __init__(
        self, *, reader: ContactReader, policies: PolicyInForce, directory: Directory, hash_key: bytes
    ) -> None:
        self._reader, self._policies = reader, policies
        self._directory, self._hash_key = directory, hash_key

    async def find(self, who: Recipient) -> ContactId | None:
        """Find a person by an address, or see whether a contact exists."""
        if who.address is None:
            held = await self._reader.contact(ContactId(who.contact_id)) if who.contact_id else None
            return held.contact_id if held else None
        kind, value = who.address
        return await self._reader.contact_at(address_hash(self._hash_key, kind, value))

    async def show(
        self, contact_id: ContactId, *, brands: Sequence[str], addresses: bool
    ) -> ContactShown | None:
        """Show a person to somebody of these brands; None when nobody has this id."""
        held = await self._reader.contact(contact_id)
        return None if held is None else self._shown(held, brands=brands, addresses=addresses)

    async def export(self, contact_id: ContactId) -> Mapping[str, Sequence[Mapping[str, Any]]] | None:
        """Give everything the router holds about a person."""
        return await self._reader.export(contact_id)

    def _shown(self, held: HeldContact, *, brands: Sequence[str], addresses: bool) -> ContactShown:
        policy, state = self._policies.current, held.state
        probes = [self._probe(held, brand) for brand in brands]
        return ContactShown(
            contact_id=held.contact_id,
            kind=held.kind,
            now=to_datetime(held.now_us),
            policy_version=policy.version,
            state_version=state.version,
            erased=state.erased,
            language=state.language,
            zone=_zone(policy, held, probes),
            addresses=tuple(AddressShown(kind=a.kind, value=a.value) for a in held.addresses)
            if addresses
            else None,
            promo=tuple(_promo(policy, held, probe) for probe in probes),
            caps=_caps(policy, held, probes),
            waiting=parts.waiting(held.waiting, brands=brands),
            windows=parts.windows(state, now_us=held.now_us),
            stops=parts.stops(state, brands=brands),
            preferences=parts.preferences(state, brands=brands),
            suppressions=parts.suppressions(state, brands=brands),
            cooldowns=parts.cooldowns(state, brands=brands),
            questions=parts.questions(state, brands=brands),
            cases=parts.cases(state),
            consents=parts.consents(state, brands=brands),
            consent_history=parts.evidence(held.evidence, brands=brands),
        )

    def _probe(self, held: HeldContact, brand: str) -> Request:
        """Ask as a promo of the brand would: a marketing template, without campaign, of usual priority."""
        return Request(
            message_id=MessageId(NOBODY),
            request_id=NOBODY,
            client="",
            brand=brand,
            purpose="promo",
            body=PROMO,
            fallback=None,
            numbers=self._directory.numbers(brand, None),
            requested_at_us=held.now_us,
            recipient_kind=held.kind,
            contact=str(held.contact_id),
            region=_place(held).region,
            country_zones=_place(held).zones,
            gathered=True,
            budget_left=dict.fromkeys(self._policies.current.budgets, BUDGETS_UNASKED),
        )


def _place(held: HeldContact) -> PhoneRegion:
    return next((phone_region(a.value) for a in held.addresses if a.kind == "phone"), UNKNOWN_REGION)


def _zone(policy: Policy, held: HeldContact, probes: Sequence[Request]) -> ZoneShown:
    country = probes[0].country_zones if probes else ()
    named = {"contact": (held.state.zone, ()), "country": (None, country)}
    zones = zones_of(policy.zones, contact=held.state.zone, country=country)
    for source in policy.zones.sources:
        contact, of_country = named[source]
        if (contact or of_country) and zones == zones_of(policy.zones, contact=contact, country=of_country):
            return ZoneShown(source=source, zones=zones)
    return ZoneShown(source="default", zones=zones)


def _promo(policy: Policy, held: HeldContact, probe: Request) -> PromoShown:
    decision = decide(policy, held.state, probe, held.now_us)
    free_us, due_us = decision.next_allowed_at_us, decision.due_at_us
    return PromoShown(
        brand=probe.brand,
        verdict=decision.verdict,
        reason=decision.reason,
        rule=decision.deciding.id if decision.deciding else None,
        next_allowed_at=None if free_us is None else to_datetime(free_us),
        due_at=None if due_us is None else to_datetime(due_us),
    )


def _caps(policy: Policy, held: HeldContact, probes: Sequence[Request]) -> tuple[CapShown, ...]:
    if not probes:
        return ()
    brands = [probe.brand for probe in probes]
    subject = _subject(policy, held, probes[0])
    found = cap_usages(policy, held.state, subject, brands=brands, now_us=held.now_us)
    return tuple(_cap(usage, brands=brands) for usage in found)


def _subject(policy: Policy, held: HeldContact, probe: Request) -> Subject:
    kind = classify(policy, held.state, probe, body=PROMO, now_us=held.now_us)
    return subject_of(policy, held.state, probe, kind=kind, body=PROMO)


def _cap(usage: CapUsage, *, brands: Sequence[str]) -> CapShown:
    allowed_us = usage.allowed_from_us
    return CapShown(
        rule=usage.rule,
        type=usage.kind,
        brand=usage.brand,
        campaign=usage.campaign,
        window=usage.window,
        limit=usage.limit,
        used=usage.used,
        full=usage.full,
        free_at=None if allowed_us is None else to_datetime(allowed_us),
        by=tuple(_filling(counted, brands=brands) for counted in usage.sends),
    )


def _filling(counted: CountedSend, *, brands: Sequence[str]) -> Filling:
    send, leaves_us = counted.send, counted.leaves_at_us
    own = send.brand in brands
    return Filling(
        message_id=send.message_id if own else None,
        brand=send.brand if own else None,
        campaign=send.campaign if own else None,
        message_class=send.message_class,
        counts_at=to_datetime(send.at_us),
        open=send.open,
        frees_at=None if leaves_us is None else to_datetime(leaves_us),
    )
