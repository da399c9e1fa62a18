"""What the background jobs need of the outside."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Store, Transaction
from garbo.router.ports.telemetry import Backlog


@dataclass(frozen=True, slots=True)
class GrantRef:
    """A grant nobody has claimed, as found without a lock: look again under the locks."""

    message_id: MessageId
    contact_id: ContactId


@dataclass(frozen=True, slots=True)
class ExpiredGrants:
    """Reserved grants whose lease has ended."""

    refs: Sequence[GrantRef]
    until_us: int
    """The instant before which leases were looked at."""


@dataclass(frozen=True, slots=True)
class CampaignRef:
    """A campaign that was called off."""

    brand: str
    name: str


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """One record of the outbox."""

    place: int
    """Records about one recipient go out in this order."""
    outgoing: OutgoingRecord


class JobTransaction(Transaction, Protocol):
    """A transaction that finds its own work, and passes over what another router holds."""

    async def claim_due(self, limit: int) -> Sequence[ContactId]:
        """Lock recipients of whom a request is due, those that wait longest first.

        One whose state is gone counts as well; then its requests are locked.
        """
        ...

    async def claim(self, contact_ids: Collection[ContactId]) -> Sequence[ContactId]:
        """Lock those of the recipients whom nobody holds; one whose state is gone counts as well."""
        ...

    async def ended_leases(self, *, grace_us: int, limit: int) -> ExpiredGrants:
        """Find reserved grants whose lease ended at least `grace_us` ago, oldest first."""
        ...

    async def save_watermark(self, until_us: int) -> None:
        """Remember that no reserved grant has a lease that ended before this instant."""
        ...

    async def outdated(self, policy_version: str, limit: int) -> Sequence[GrantRef]:
        """Find reserved grants whose lease goes on and that were permitted by another policy."""
        ...

    async def is_newest_policy(self, policy_version: str) -> bool:
        """Tell whether no other policy was put in force after this one."""
        ...

    async def next_cancelled_campaign(self) -> CampaignRef | None:
        """Find a campaign that was called off and of which something may still be there."""
        ...

    async def remaining_of(self, campaign: CampaignRef, limit: int) -> Sequence[GrantRef]:
        """Find the reserved grants and the waiting requests of a campaign."""
        ...

    async def mark_cancelled(self, campaign: CampaignRef) -> None:
        """Remember that nothing of this campaign is left."""
        ...


class JobStore(Store, Protocol):
    """A store whose transactions find their own work."""

    def transaction(self) -> AbstractAsyncContextManager[JobTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        ...


class Outbox(Protocol):
    """Records that were written with a change, and that nothing in Kafka asks for again."""

    def oldest(self, limit: int) -> AbstractAsyncContextManager[Sequence[OutboxRecord]]:
        """Hold the oldest records while the block runs; deleted when it ends well, else left as they were.

        One router at a time; gives nothing while another one is at it.
        """
        ...


TOLD_KEPT: Final = timedelta(days=8)
"""For so long one knows which inbound messages were told of: the platform delivers one again for 7 days."""


class Retention(Protocol):
    """Housekeeping of the database, by one router at a time."""

    async def tidy(self, *, keep_days: int, ahead_days: int) -> Sequence[str]:
        """Make the tables of days to come, drop those past their keep; returns what was dropped.

        Returns nothing while another router is at it.
        """
        ...

    async def backlog(self) -> Backlog:
        """Count what waits."""
        ...

    async def silent(self) -> int:
        """Count grants of the day before yesterday that were claimed and of which nothing was heard since."""
        ...
