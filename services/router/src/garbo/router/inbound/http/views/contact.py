"""What the router shows of a person: state, proof, and what every cap says now."""

from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from garbo.router.domain.cap_usage import CapUsage
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.rules.cap import CountedSend
from garbo.router.flow.commands.erase_contact import ErasedContact
from garbo.router.flow.queries.contact import ContactOverview
from garbo.router.flow.visibility import Viewer
from garbo.router.inbound.http.views import contact_state as parts
from garbo.router.inbound.http.views.view import View, instant
from garbo.router.ports.store import Deferred


class AddressView(View):
    """One address of the person; only to those with scope admin who ask."""

    kind: Literal["phone", "user_id", "group_id"]
    value: str


class ZoneView(View):
    """The wall clocks the person's time is read from, and who told."""

    source: Literal["contact", "country", "default"]
    zones: tuple[str, ...]


class CapSend(View):
    """One send that stands in a cap's window. Of other brands than the key's only the instants are shown."""

    message_id: UUID | None = None
    brand: str | None = None
    campaign: str | None = None
    message_class: str
    counts_at: AwareDatetime
    """While it is open: the latest instant at which it still can be accepted."""
    open: bool
    frees_at: AwareDatetime | None = None
    """The first instant whose window no longer holds it; null: never."""


class CapView(View):
    """One cap or gap in one of its scopes, as `decide` reads it now, for a message of priority 50."""

    rule: str
    type: Literal["cap", "gap"]
    brand: str | None = None
    campaign: str | None = None
    window: str
    limit: int
    used: int
    full: bool
    free_at: AwareDatetime | None = None
    """The least instant this rule alone permits; null when it permits now, or never."""
    by: tuple[CapSend, ...] = ()


class PromoView(View):
    """What a promo of this brand would be answered now: a marketing template, without a campaign."""

    brand: str
    verdict: Literal["allow", "defer", "deny"]
    reason: str
    rule: str | None = None
    next_allowed_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None


class DeferredView(View):
    """A request that waits."""

    message_id: UUID
    brand: str
    campaign: str | None = None
    priority: int
    reason: str
    free_at: AwareDatetime
    due_at: AwareDatetime
    first_decided_at: AwareDatetime
    expires_at: AwareDatetime | None = None


class MergeView(View):
    """A contact that leads on to this one because a client says so; `:split` of its id parts them."""

    contact_id: UUID
    said_by: str
    merged_at: AwareDatetime


class ContactView(View):
    """One person or group, as the router knows them at `now`."""

    contact_id: UUID
    kind: Literal["person", "group"]
    now: AwareDatetime
    policy_version: str
    state_version: int
    erased: bool
    language: str | None = None
    zone: ZoneView
    addresses: tuple[AddressView, ...] | None = None
    """Null unless asked for with scope admin."""
    merges: tuple[MergeView, ...]
    promo: tuple[PromoView, ...]
    caps: tuple[CapView, ...]
    waiting: tuple[DeferredView, ...]
    windows: tuple[parts.WindowView, ...]
    stops: tuple[parts.StopView, ...]
    preferences: tuple[parts.PreferenceView, ...]
    suppressions: tuple[parts.SuppressionView, ...]
    cooldowns: tuple[parts.CooldownView, ...]
    questions: tuple[parts.QuestionView, ...]
    cases: tuple[parts.CaseView, ...]
    consents: tuple[parts.ConsentView, ...]
    consent_history: tuple[parts.ConsentEvidenceView, ...]


class ContactFound(View):
    """Whose address it is."""

    contact_id: UUID


class ContactSplit(View):
    """Who is a contact of their own again."""

    contact_id: UUID
    parted_from: UUID
    said_by: str
    """The client that had joined them."""


class RemainderView(View):
    """One place where something of an erased person is left."""

    where: str
    what: str
    until: AwareDatetime | None = None
    """It is gone by then; absent: it stays, and leads to nobody."""


class ContactErased(View):
    """What was erased."""

    contact_id: UUID
    addresses: int
    suppressed: bool
    """An entry stays that keeps promos away from their addresses: they had opted out."""
    remains: list[RemainderView]
    """What is left, the soonest gone first."""


def contact_erased(erased: ErasedContact) -> ContactErased:
    """Show what was erased, and what is left."""
    return ContactErased(
        contact_id=erased.contact_id,
        addresses=erased.addresses,
        suppressed=erased.suppressed,
        remains=[RemainderView(where=r.where, what=r.what, until=r.until) for r in erased.remains],
    )


def contact_view(overview: ContactOverview, viewer: Viewer, *, addresses: bool) -> ContactView:
    """Show a person to somebody, as far as their brands go."""
    held, state, brands = overview.held, overview.held.state, viewer.brands
    return ContactView(
        contact_id=held.contact_id,
        kind=held.kind,
        now=to_datetime(held.now_us),
        policy_version=overview.policy_version,
        state_version=state.version,
        erased=state.erased,
        language=next((told for brand in brands if (told := state.language_for(brand))), None),
        zone=ZoneView(source=overview.zone_source, zones=overview.zones),
        addresses=tuple(AddressView(kind=a.kind, value=a.value) for a in held.addresses)
        if addresses
        else None,
        merges=tuple(
            MergeView(contact_id=m.contact_id, said_by=m.said_by, merged_at=to_datetime(m.merged_at_us))
            for m in held.merges
        ),
        promo=tuple(_promo(brand, decision) for brand, decision in overview.promos),
        caps=tuple(_cap(usage, brands=brands) for usage in overview.caps),
        waiting=_waiting(held.waiting, brands=brands),
        windows=parts.windows(state, numbers=viewer.numbers, now_us=held.now_us),
        stops=parts.stops(state, brands=brands),
        preferences=parts.preferences(state, brands=brands),
        suppressions=parts.suppressions(state, brands=brands),
        cooldowns=parts.cooldowns(state, brands=brands),
        questions=parts.questions(state, brands=brands),
        cases=parts.cases(state, brands=brands),
        consents=parts.consents(state, brands=brands),
        consent_history=parts.evidence(held.evidence, brands=brands),
    )


def _promo(brand: str, decision: Decision) -> PromoView:
    return PromoView(
        brand=brand,
        verdict=decision.verdict,
        reason=decision.reason,
        rule=decision.deciding.id if decision.deciding else None,
        next_allowed_at=instant(decision.next_allowed_at_us),
        due_at=instant(decision.due_at_us),
    )


def _cap(usage: CapUsage, *, brands: Sequence[str]) -> CapView:
    return CapView(
        rule=usage.rule,
        type=usage.kind,
        brand=usage.brand,
        campaign=usage.campaign,
        window=usage.window,
        limit=usage.limit,
        used=usage.used,
        full=usage.full,
        free_at=instant(usage.allowed_from_us),
        by=tuple(_cap_send(counted, brands=brands) for counted in usage.sends),
    )


def _cap_send(counted: CountedSend, *, brands: Sequence[str]) -> CapSend:
    send = counted.send
    own = send.brand in brands
    return CapSend(
        message_id=send.message_id if own else None,
        brand=send.brand if own else None,
        campaign=send.campaign if own else None,
        message_class=send.message_class,
        counts_at=to_datetime(send.at_us),
        open=send.open,
        frees_at=instant(counted.leaves_at_us),
    )


def _waiting(deferred: Iterable[Deferred], *, brands: Sequence[str]) -> tuple[DeferredView, ...]:
    """Show what waits, the next first."""
    return tuple(
        DeferredView(
            message_id=d.message_id,
            brand=d.brand,
            campaign=d.campaign,
            priority=d.priority,
            reason=d.reason,
            free_at=to_datetime(d.free_at_us),
            due_at=to_datetime(d.due_at_us),
            first_decided_at=to_datetime(d.first_decided_at_us),
            expires_at=instant(d.expires_at_us),
        )
        for d in sorted(deferred, key=lambda d: d.due_at_us)
        if d.brand in brands
    )
