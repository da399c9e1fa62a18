"""Use case: look at a person: what is known of them, what every cap says now, what they would be answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from garbo.common.events.addresses import Recipient
from garbo.common.events.ids import ContactId, MessageId, address_hash
from garbo.router.domain.cap_usage import CapUsage, cap_usages
from garbo.router.domain.decide import decide
from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.request import UNLIMITED, Body, Request
from garbo.router.domain.zones import zones_of
from garbo.router.flow.directory import Directory
from garbo.router.flow.phone_region import UNKNOWN_REGION, PhoneRegion, phone_region
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.queries.export import Tables, seen_tables
from garbo.router.flow.visibility import Viewer
from garbo.router.ports.queries import ContactReader, HeldContact

NOBODY: Final = UUID(int=0)
PROMO: Final = Body(form="template", category="marketing")
ZoneSource = Literal["contact", "country", "default"]


@dataclass(frozen=True, slots=True)
class ContactOverview:
    """One person as they are held, and what the policy in force says of them at that instant."""

    held: HeldContact
    policy_version: str
    zone_source: ZoneSource
    """Who told the zones."""
    zones: tuple[str, ...]
    promos: Sequence[tuple[str, Decision]]
    """What a promo of each brand asked about would be answered."""
    caps: Sequence[CapUsage]


class GetContact:
    """Reads; nothing is written and nothing is locked."""

    def __init__(
        self, *, reader: ContactReader, policies: PolicyInForce, directory: Directory, hash_key: bytes
    ) -> None:
        self._reader, self._policies = reader, policies
        self._directory, self._hash_key = directory, hash_key

    async def find(self, who: Recipient, viewer: Viewer) -> ContactId | None:
        """Find a person by an address, or see whether a contact exists; None where this viewer sees none."""
        contact_id = ContactId(who.contact_id) if who.contact_id else None
        if who.address is not None:
            contact_id = await self._reader.contact_at(address_hash(self._hash_key, *who.address))
        held = await self._held(contact_id, viewer) if contact_id else None
        return held.contact_id if held else None

    async def get(self, contact_id: ContactId, viewer: Viewer) -> ContactOverview | None:
        """Look at a person; None when nobody has this id for this viewer."""
        held = await self._held(contact_id, viewer)
        return self._overview(held, viewer) if held else None

    async def export(self, contact_id: ContactId, viewer: Viewer) -> Tables | None:
        """Give everything the router holds about a person; None when nobody has this id for this viewer."""
        if await self._held(contact_id, viewer) is None:
            return None
        tables = await self._reader.export(contact_id)
        return None if tables is None else seen_tables(tables, viewer)

    async def _held(self, contact_id: ContactId, viewer: Viewer) -> HeldContact | None:
        held = await self._reader.contact(contact_id)
        return held if held and viewer.sees(held.state) else None

    def _overview(self, held: HeldContact, viewer: Viewer) -> ContactOverview:
        policy = self._policies.current
        probes = [self._probe(held, brand) for brand in viewer.brands]
        source, zones = _zones(policy, held, probes)
        return ContactOverview(
            held=held,
            policy_version=policy.version,
            zone_source=source,
            zones=zones,
            promos=[(probe.brand, decide(policy, held.state, probe, held.now_us)) for probe in probes],
            caps=_caps(policy, held, probes),
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
            region=_region(held).region,
            country_zones=_region(held).zones,
            gathered=True,
            budget_left=UNLIMITED,
        )


def _region(held: HeldContact) -> PhoneRegion:
    return next((phone_region(a.value) for a in held.addresses if a.kind == "phone"), UNKNOWN_REGION)


def _zones(
    policy: Policy, held: HeldContact, probes: Sequence[Request]
) -> tuple[ZoneSource, tuple[str, ...]]:
    """Give the zones the person's time is read from, by the first brand that was told any, and who told."""
    country = probes[0].country_zones if probes else ()
    told = next((zone for probe in probes if (zone := held.state.zone_for(probe.brand))), None)
    named = {"contact": (told, ()), "country": (None, country)}
    zones = zones_of(policy.zones, contact=told, country=country)
    for source in policy.zones.sources:
        contact, of_country = named[source]
        if (contact or of_country) and zones == zones_of(policy.zones, contact=contact, country=of_country):
            return source, zones
    return "default", zones


def _caps(policy: Policy, held: HeldContact, probes: Sequence[Request]) -> Sequence[CapUsage]:
    if not probes:
        return ()
    subject = prepare(policy, held.state, probes[0], held.now_us).first.subject
    brands = [probe.brand for probe in probes]
    return tuple(cap_usages(policy, held.state, subject, brands=brands, now_us=held.now_us))
