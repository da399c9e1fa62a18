"""`garbo.send.result.v1`: what the sender did with a grant."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from garbo.common.events.base import NULL_IS_ABSENT, Event
from garbo.common.events.decisions import Lane
from garbo.common.events.instants import Instant

Outcome = Literal["accepted", "failed", "unknown", "not_sent"]
"""accepted: the platform has it. failed: it said no, for good. unknown: it may have it.
not_sent: we never asked (lease_expired, revoked, window_closing, pair_limited; media_unknown, media_refused,
media_unreachable: a file it shows cannot be had, or not be shown)."""


UNSETTLED: Final = "unsettled"
"""The reason of an `unknown` of which nothing more will be heard."""


class SendResult(Event):
    """One outcome of one message. `accepted` and `failed` replace `unknown`; nothing replaces `accepted`."""

    message_id: UUID
    grant_id: UUID
    epoch: int | None = None
    """The grant's: a message can be granted again, and this says nothing of a later grant."""
    contact_id: UUID
    lane: Lane
    number: str
    attempt_id: str | None = None
    outcome: Outcome
    platform_message_ref: str | None = None
    """A hash of the wamid (`ids.platform_message_ref`): a wamid holds the person's number."""
    code: int | None = None
    """The platform's error code."""
    reason: str | None = None
    """A stable word for people: timeout, unreachable, lease_expired, template_unknown ..."""
    possible_duplicate: Annotated[bool, NULL_IS_ABSENT] = False
    started_at: Instant | None = None
    """The instant just before the first byte (database's clock)."""
    recorded_at: Instant
    """The instant it was recorded (database's clock); for accepted, never before the platform's own."""

    @property
    def event_id(self) -> str:
        """Attempt (or grant) and outcome."""
        ended = ":unsettled" if self.is_unsettled else ""
        return f"{self.attempt_id or self.grant_id}:{self.outcome}{ended}"

    @property
    def is_unsettled(self) -> bool:
        """Whether no status came in time for an unknown outcome: it counts as accepted from now on."""
        return self.outcome == "unknown" and self.reason == UNSETTLED

    @property
    def happened_at(self) -> datetime:
        """The instant it was recorded."""
        return self.recorded_at
