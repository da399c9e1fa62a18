"""A fact: all that was observed of one message. Order and repeats of what is observed do not matter."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from garbo.common.events.decisions import Check

UNDECIDED: Final = -1
"""The sequence of a fact that only results or statuses are known of."""
ASKED: Final = 0
"""The sequence of a fact whose request is known, but no decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One message. Each record of any topic makes a partial fact; `merge` joins them."""

    message_id: UUID

    request_id: UUID | None = None
    client: str | None = None
    contact_id: UUID | None = None
    number: str | None = None
    content_type: str | None = None
    """Known only from the request itself, so it also says that the request was seen."""
    template: str | None = None
    platform_message_ref: str | None = None
    code: int | None = None
    failure: str | None = None
    not_sent_reason: str | None = None
    billed_category: str | None = None
    billing: str | None = None

    requested_at: datetime | None = None
    decided_at: datetime | None = None
    deferred_at: datetime | None = None
    denied_at: datetime | None = None
    granted_at: datetime | None = None
    attempted_at: datetime | None = None
    unknown_at: datetime | None = None
    unsettled_at: datetime | None = None
    not_sent_at: datetime | None = None
    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    replied_at: datetime | None = None
    opted_out_at: datetime | None = None
    reused_at: datetime | None = None
    """When a second, different message with the same id was refused."""

    sequence: int = UNDECIDED
    version: UUID | None = None
    """The current decision's id; before any decision, a hash of what was asked."""
    brand: str | None = None
    purpose: str | None = None
    campaign: str | None = None
    message_class: str | None = None
    category: str | None = None
    lane: str | None = None
    verdict: str | None = None
    final: bool = False
    current_at: datetime | None = None
    """When the current decision was made."""
    reason: str | None = None
    rule: str | None = None
    then_rule: str | None = None
    used_count: int | None = None
    limit_count: int | None = None
    window_span: str | None = None
    next_allowed_at: datetime | None = None
    due_at: datetime | None = None
    """When a waiting message is decided again."""
    expires_at: datetime | None = None
    """The deadline it cannot keep."""
    provisional: bool = False
    demoted: bool = False
    reclassified: bool = False
    overridden: tuple[str, ...] = ()
    """Rules that were passed over."""
    checks: tuple[Check, ...] = ()
    policy_version: str | None = None

    possible_duplicate: bool = False

    @property
    def rank(self) -> tuple[int, UUID]:
        """Order the records that may name the current decision."""
        return self.sequence, self.version or UUID(int=0)

    @property
    def begun_at(self) -> datetime:
        """The instant the message is counted under. Every fact has one."""
        rest = [at for name in EARLIEST if (at := getattr(self, name)) is not None]
        return self.requested_at or self.decided_at or min(rest)

    @property
    def on_platform_at(self) -> datetime | None:
        """The earliest instant known at which the platform had it: its answer, or else a status.

        What no status settled in time counts as accepted.
        """
        seen = [at for at in (self.sent_at, self.delivered_at, self.read_at) if at is not None]
        return (
            self.accepted_at
            or min(seen, default=None)
            or (self.failed_at if self.platform_message_ref else None)
            or (None if self.failed_at else self.unsettled_at)
        )

    @property
    def on_phone_at(self) -> datetime | None:
        """The instant it was delivered; a read proves it too, because statuses get lost."""
        seen = [at for at in (self.delivered_at, self.read_at) if at is not None]
        return min(seen, default=None)

    @property
    def is_unsettled(self) -> bool:
        """Whether it counts as accepted without a word of the platform."""
        return bool(self.unsettled_at) and self.on_platform_at == self.unsettled_at

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows (yet) if the platform has it."""
        return bool(self.unknown_at) and not (self.on_platform_at or self.failed_at)


KNOWN: Final = (
    "request_id",
    "client",
    "contact_id",
    "number",
    "content_type",
    "template",
    "platform_message_ref",
    "code",
    "failure",
    "not_sent_reason",
    "billed_category",
    "billing",
)
"""Fields that are the same wherever they are given; where they differ, the least: order cannot matter."""
EARLIEST: Final = (
    "requested_at",
    "decided_at",
    "deferred_at",
    "denied_at",
    "granted_at",
    "attempted_at",
    "unknown_at",
    "unsettled_at",
    "not_sent_at",
    "accepted_at",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "replied_at",
    "opted_out_at",
    "reused_at",
)
"""Instants: the earliest one seen."""


def merge(one: Fact, other: Fact) -> Fact:
    """Join what two facts of the same message know: commutative, associative, idempotent.

    All fields that are neither in `KNOWN` nor in `EARLIEST` follow the current decision as a whole.
    """
    current = one if one.rank >= other.rank else other
    least: dict[str, Any] = {
        name: _least(getattr(one, name), getattr(other, name)) for name in (*KNOWN, *EARLIEST)
    }
    return replace(current, **least, possible_duplicate=one.possible_duplicate or other.possible_duplicate)


def _least(one: Any, other: Any) -> Any:  # noqa: ANN401 - any type with an order
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
