"""A grant is a lease: what it permits, until when, and what becomes of it, in whatever order that is told."""

from collections.abc import Iterable
from typing import Final, Literal
from uuid import UUID

from garbo.common.events.decisions import Lane, MessageClass
from garbo.common.events.ids import ContactId, GrantId, MessageId
from garbo.common.events.results import Outcome
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import DAY_US, NEVER_US, SECOND_US
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.state import Send
from garbo.router.domain.values import Value, replace

GrantState = Literal[
    "reserved", "dispatched", "unknown", "accepted", "delivered", "failed", "refunded", "released", "revoked"
]
OPEN: Final = frozenset({"reserved", "dispatched", "unknown"})
"""Not settled: counted at the latest instant at which it can still be accepted."""
REFUNDABLE: Final = OPEN | {"accepted", "failed"}
"""What the platform's own failure ends for good; a `sent` that comes later does not bring it back."""
ARRIVED: Final = frozenset({"delivered", "read", "played"})
ON_ITS_WAY: Final = ARRIVED | {"sent"}

FIRST_EPOCH: Final = 1

_GRANT_BITS: Final = 0x6B1C_BBD0_0000
_DAY_BITS: Final = 0xFFFF
_DAYS_BEGAN_US: Final = 18_262 * DAY_US
"""2020-01-01T00:00Z; 16 bits of days last until 2199."""


def day_of_instant(at_us: int) -> int:
    """Count the days (UTC) from 2020-01-01 to an instant."""
    return (at_us - _DAYS_BEGAN_US) // DAY_US


def day_of_grant(grant_id: UUID) -> int:
    """Read the day a grant was given out of its id (the sender's door does the same: `router.granted_on`)."""
    return grant_id.int & _DAY_BITS


def grant_id_of(message_id: MessageId, day: int) -> GrantId:
    """Name the grant of a message given on a day: the message id with other bits, the last 16 are the day.

    A message has one grant a day, renewed under a higher epoch; only the newest is ever alive.
    """
    return GrantId(UUID(int=(message_id.int ^ _GRANT_BITS) & ~_DAY_BITS | day & _DAY_BITS))


class GrantTerms(Value, frozen=True):
    """What an allow permits: one send, by one number, until an instant."""

    lane: Lane
    number: str
    not_before_us: int
    """The instant of the decision."""
    valid_until_us: int
    """The sender may claim it before this instant."""
    window_until_us: int | None
    """The instant the customer service window closes, where one is open."""
    latest_accept_us: int
    """Until it is settled, the send counts at this instant."""


class Grant(Value, frozen=True):
    """A permission given, and what became of it."""

    grant_id: GrantId
    message_id: MessageId
    contact_id: ContactId
    lane: Lane
    message_class: MessageClass
    brand: str
    number: str
    epoch: int
    state: GrantState
    not_before_us: int
    valid_until_us: int
    window_until_us: int | None = None
    campaign: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    by_fallback: bool = False
    wamid: str | None = None
    policy_version: str = ""
    budget_leases: tuple[int, ...] = ()
    """The budget slices it took one from each of; given back with the slot."""
    request: bytes | None = None
    """The request as it came, while the grant may still be replaced by a later or another one."""
    home_id: ContactId | None = None
    """By which id its address stands: another one than the contact's where a client joined two people."""


class Settled(Value, frozen=True):
    """What one event makes of a grant and of the count."""

    grant: Grant
    change: Literal["none", "count", "uncount", "arrived"] = "none"
    """count: it counts at `at_us` from now on. uncount: the slot is free. arrived: it counts as delivered."""
    at_us: int = 0
    """For `count`: the instant at which the send counts from now on."""
    open: bool = False
    closed_reason: str | None = None
    """Set when the permission is taken back: the decision becomes a deny with this reason."""
    resurrected: bool = False
    """It reached the person although its slot had been given back: an alarm."""

    def send(self) -> Send:
        """Write the send as it counts now."""
        grant = self.grant
        return Send(
            message_id=grant.message_id,
            at_us=self.at_us,
            message_class=grant.message_class,
            brand=grant.brand,
            campaign=grant.campaign,
            category=grant.category,
            tags=grant.tags,
            open=self.open,
            delivered=grant.state == "delivered",
        )


def terms_of(context: EvaluationContext, rules: Iterable[Rule], *, deadline_us: int | None) -> GrantTerms:
    """Write the lease: it ends with its time to live, the deadline, the window, or a rule that closes.

    At the very instant of its deadline a request is in time: it has the clocks' difference to leave.
    """
    policy, now_us = context.policy, context.now_us
    window_us = _window_until_us(context)
    if deadline_us == now_us:
        deadline_us = now_us + policy.clock_skew_us
    closing_us = window_us if context.subject.form == "free" else None
    until_us = min(now_us + policy.lease_us, deadline_us or NEVER_US, closing_us or NEVER_US)
    for rule in rules:
        closes_us = rule.closes_at_us(context, after_us=now_us, until_us=until_us + policy.clock_skew_us)
        if closes_us is not None:
            ends_us = closes_us if rule.closes_to_the_instant else _before(closes_us, context)
            until_us = min(until_us, ends_us)
    return GrantTerms(
        lane=context.subject.lane,
        number=context.subject.number,
        not_before_us=now_us,
        valid_until_us=until_us,
        window_until_us=window_us,
        latest_accept_us=until_us + policy.send_budget_us,
    )


def settle_by_result(
    grant: Grant, *, outcome: Outcome, wamid: str | None, reason: str | None, at_us: int, refund: bool = True
) -> Settled:
    """Apply the sender's word. `at_us` is when it was recorded; for `unknown`, the latest it can arrive.

    accepted   counts at the recorded instant, the exact one; never after the platform said it failed
    failed     the slot is given back, where the policy refunds what the platform rejects
    unknown    counts on, at the attempt's start and the send budget
    not_sent   the slot is given back and the decision becomes a deny
    """
    noted = replace(grant, wamid=wamid or grant.wamid)
    match outcome:
        case "accepted" if grant.state != "refunded":
            state: GrantState = "delivered" if grant.state == "delivered" else "accepted"
            revived = grant.state in ("failed", "released", "revoked")
            return Settled(replace(noted, state=state), "count", at_us, resurrected=revived)
        case "failed" if grant.state in OPEN:
            failed = replace(noted, state="failed")
            return Settled(failed, "uncount") if refund else Settled(failed, "count", at_us)
        case "unknown" if grant.state in ("reserved", "dispatched"):
            return Settled(replace(noted, state="unknown"), "count", at_us, open=True)
        case "not_sent" if grant.state in OPEN:
            return Settled(
                replace(noted, state="released"), "uncount", closed_reason=reason or "lease_expired"
            )
    return Settled(noted)


def settle_by_status(
    grant: Grant, *, status: str, refundable: bool, wamid: str, at_us: int, send_budget_us: int
) -> Settled:
    """Apply the platform's word. Duplicates and disorder change nothing more.

    A status carries whole seconds: the send was accepted before the end of that second, and before its
    lease and the send budget ran out. Delivered beats everything: the customer's phone is the truth.
    """
    noted = replace(grant, wamid=grant.wamid or wamid)
    bound_us = min(at_us + SECOND_US, grant.valid_until_us + send_budget_us)
    if status in ON_ITS_WAY:
        arrived = status in ARRIVED
        state: GrantState = "delivered" if arrived else "accepted"
        if grant.state in OPEN:
            return Settled(replace(noted, state=state), "count", bound_us)
        if grant.state in ("failed", "released", "revoked") or (arrived and grant.state == "refunded"):
            return Settled(replace(noted, state=state), "count", bound_us, resurrected=True)
        if arrived and grant.state == "accepted":
            return Settled(replace(noted, state="delivered"), "arrived")
    if status == "failed" and refundable and grant.state in REFUNDABLE:
        return Settled(replace(noted, state="refunded"), "uncount")
    return Settled(noted)


def revoke(grant: Grant, *, reason: str | None = "revoked") -> Settled:
    """Take back a grant nobody has claimed; a claimed one is on the wire and stands.

    Without a reason the decision is not closed: it is about to be decided again.
    """
    if grant.state != "reserved":
        return Settled(grant)
    return Settled(replace(grant, state="revoked"), "uncount", closed_reason=reason)


def _window_until_us(context: EvaluationContext) -> int | None:
    """Tell when the platform closes its window to free-form; None where there is none that is open."""
    if context.subject.channel == "sms":
        return None
    until_us = context.state.window_until_us(context.subject.number)
    return until_us if until_us is not None and until_us > context.now_us else None


def _before(closing_us: int, context: EvaluationContext) -> int:
    """Leave the clocks' difference before a rule closes, where there is so much time; else end with it."""
    early_us = closing_us - context.policy.clock_skew_us
    return early_us if early_us > context.now_us else closing_us
