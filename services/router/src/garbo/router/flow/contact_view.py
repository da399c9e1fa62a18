"""What the router shows of a person: state, proof, and what every cap says now."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from garbo.router.flow.shown import Shown


class AddressShown(Shown):
    """One address of the person; only to those with scope admin who ask."""

    kind: Literal["phone", "user_id", "group_id"]
    value: str


class ZoneShown(Shown):
    """The wall clocks the person's time is read from, and who told."""

    source: Literal["contact", "country", "default"]
    zones: tuple[str, ...]


class WindowShown(Shown):
    """The customer service window to one business number."""

    number: str
    open: bool
    opened_at: AwareDatetime
    until: AwareDatetime


class StopShown(Shown):
    """What the person last said to a brand: STOP or START."""

    brand: str
    stopped: bool
    stopped_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None


class PreferenceShown(Shown):
    """The platform's own switch for marketing of one business number."""

    number: str
    brand: str
    stopped: bool
    stopped_at: AwareDatetime | None = None
    resumed_at: AwareDatetime | None = None


class SuppressionShown(Shown):
    """A list that forbids promo; a later opt-in outweighs it."""

    brand: str
    since: AwareDatetime


class CooldownShown(Shown):
    """The platform held a promo back; none of the brand until then."""

    brand: str
    until: AwareDatetime
    strikes: int
    by: UUID


class QuestionShown(Shown):
    """The person was asked whether they meant STOP; promo waits."""

    brand: str
    asked_at: AwareDatetime
    until: AwareDatetime


class CaseShown(Shown):
    """A conversation somebody works on."""

    case_id: str
    client: str
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None


class ConsentShown(Shown):
    """What follows from the consent records: the newest instant of each action."""

    brand: str
    channel: str
    purpose: str
    given_at: AwareDatetime | None = None
    confirmed_at: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None


class EvidenceShown(Shown):
    """One consent record, as it was told."""

    consent_id: UUID
    brand: str
    number: str | None = None
    channel: str
    purpose: str
    action: str
    source: str
    actor: str
    text_version: str | None = None
    text_hash: str | None = None
    locale: str | None = None
    evidence: str | None = None
    occurred_at: AwareDatetime
    received_at: AwareDatetime


class Filling(Shown):
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


class CapShown(Shown):
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
    by: tuple[Filling, ...] = ()


class PromoShown(Shown):
    """What a promo of this brand would be answered now: a marketing template, without a campaign."""

    brand: str
    verdict: Literal["allow", "defer", "deny"]
    reason: str
    rule: str | None = None
    next_allowed_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None


class WaitingShown(Shown):
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


class ContactShown(Shown):
    """One person or group, as the router knows them at `now`."""

    contact_id: UUID
    kind: Literal["person", "group"]
    now: AwareDatetime
    policy_version: str
    state_version: int
    erased: bool
    language: str | None = None
    zone: ZoneShown
    addresses: tuple[AddressShown, ...] | None = None
    """Null unless asked for with scope admin."""
    promo: tuple[PromoShown, ...]
    caps: tuple[CapShown, ...]
    waiting: tuple[WaitingShown, ...]
    windows: tuple[WindowShown, ...]
    stops: tuple[StopShown, ...]
    preferences: tuple[PreferenceShown, ...]
    suppressions: tuple[SuppressionShown, ...]
    cooldowns: tuple[CooldownShown, ...]
    questions: tuple[QuestionShown, ...]
    cases: tuple[CaseShown, ...]
    consents: tuple[ConsentShown, ...]
    consent_history: tuple[EvidenceShown, ...]


class ContactFound(Shown):
    """Whose address it is."""

    contact_id: UUID


class ContactErased(Shown):
    """What was erased."""

    contact_id: UUID
    addresses: int
    suppressed: bool
    """An entry stays that keeps promos away from their addresses: they had opted out."""
