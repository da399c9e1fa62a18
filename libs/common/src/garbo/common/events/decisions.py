"""`garbo.decision.made.v1`: what the router decided, and why."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from garbo.common.events.base import NULL_IS_ABSENT, Event, Part
from garbo.common.events.instants import Instant
from garbo.common.events.requests import Purpose

Verdict = Literal["allow", "defer", "deny"]
MessageClass = Literal["auth", "care", "utility", "promo"]
Lane = Literal["care", "promo"]


class Check(Part):
    """One rule's own answer. `by` names the sends (message ids) that fill a cap or set a gap."""

    rule: str
    type: str
    ok: bool
    used: int | None = None
    limit: int | None = None
    window: str | None = None
    free_at: Instant | None = None
    by: Annotated[tuple[str, ...], NULL_IS_ABSENT] = ()


class GrantGiven(Part):
    """The permission an allow carries."""

    id: UUID
    lane: Lane
    number: str
    epoch: int
    not_before: Instant
    valid_until: Instant


class DecisionMade(Event):
    """One decision about one message. The highest `sequence` of a message is the current one."""

    decision_id: UUID
    sequence: Annotated[int, Field(ge=0)]
    """From 1; 0 for answers about a second submission (`id_reused`), which replace nothing."""
    message_id: UUID
    request_id: UUID
    client: str
    brand: str
    contact_id: UUID | None = None
    verdict: Verdict
    final: bool
    message_class: MessageClass | None = None
    purpose: Purpose | None = None
    campaign: str | None = None
    category: str | None = None
    template_unknown: Annotated[bool, NULL_IS_ABSENT] = False
    reclassified: Annotated[bool, NULL_IS_ABSENT] = False
    """The template's category of this instant made it another class than its purpose says."""
    demoted: Annotated[bool, NULL_IS_ABSENT] = False
    """Asked as care without a case or an open window, and treated as something stricter."""
    rule: str | None = None
    """The first hard rule that refused, else the one that moved the instant last; null when none did."""
    then_rule: str | None = None
    """For a defer: the rule that would refuse next before that one, where there are several."""
    reason: str
    """allowed, cap_reached, gap, quiet, case_open, not_opted_in, stopped, erased, window_closed,
    would_expire, expired, not_before, gathering, superseded, campaign_cancelled, revoked, lease_expired,
    id_reused, invalid_request, parameter_count, needs_phone, not_for_groups ..."""
    fault: str | None = None
    """For `invalid_request`, on Kafka alone: the field at fault, such as `content.text.body`."""
    limit: int | None = None
    used: int | None = None
    window: str | None = None
    next_allowed_at: Instant | None = None
    """The least instant every rule permits, if nothing else is sent first; null when time never helps."""
    provisional: Annotated[bool, NULL_IS_ABSENT] = False
    """A grant of the person is open: the instant is an upper bound."""
    due_at: Instant | None = None
    """For a defer: when it is decided again, at `next_allowed_at` or spread after it."""
    expires_at: Instant | None = None
    """For `would_expire` and `expired`: the deadline it cannot keep."""
    overridden: Annotated[tuple[str, ...], NULL_IS_ABSENT] = ()
    """Rules that refused and were passed over, as the client asked and may."""
    checks: Annotated[tuple[Check, ...], NULL_IS_ABSENT] = ()
    grant: GrantGiven | None = None
    policy_version: str
    state_version: int | None = None
    tzdata: str | None = None
    """The release of the time zone rules it was decided with, where a wall clock had a say."""
    requested_at: Instant
    decided_at: Instant

    @property
    def event_id(self) -> str:
        """The decision's id."""
        return str(self.decision_id)

    @property
    def happened_at(self) -> datetime:
        """The instant it was decided for."""
        return self.decided_at
