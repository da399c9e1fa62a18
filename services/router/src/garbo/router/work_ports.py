"""What the work the router does by itself needs of the outside, in the flow's words."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.ports import Announcement, Batch, Store


@dataclass(frozen=True, slots=True)
class Held:
    """A grant nobody has claimed, as found without a lock: look again under the locks."""

    message_id: MessageId
    contact_id: ContactId


@dataclass(frozen=True, slots=True)
class Ended:
    """Reserved grants whose lease has ended."""

    held: Sequence[Held]
    until_us: int
    """The instant before which leases were looked at."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that was called off."""

    brand: str
    name: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record of the outbox."""

    place: int
    """Records about one recipient go out in this order."""
    announcement: Announcement


class WorkBatch(Batch, Protocol):
    """A transaction that finds its own work, and passes over what another router holds."""

    async def claim_due(self, limit: int) -> Sequence[ContactId]:
        """Lock recipients of whom a request is due, those that wait longest first.

        One whose state is gone counts as well; then its requests are locked.
        """
        ...

    async def claim(self, contact_ids: Collection[ContactId]) -> Sequence[ContactId]:
        """Lock those of the recipients whom nobody holds; one whose state is gone counts as well."""
        ...

    async def ended_leases(self, *, grace_us: int, limit: int) -> Ended:
        """Find reserved grants whose lease ended at least `grace_us` ago, oldest first."""
        ...

    async def note_reaped(self, until_us: int) -> None:
        """Remember that no reserved grant has a lease that ended before this instant."""
        ...

    async def outdated(self, policy_version: str, limit: int) -> Sequence[Held]:
        """Find reserved grants whose lease goes on and that were permitted by another policy."""
        ...

    async def is_newest_policy(self, policy_version: str) -> bool:
        """Tell whether no other policy was put in force after this one."""
        ...

    async def unswept(self) -> Campaign | None:
        """Find a campaign that was called off and of which something may still be there."""
        ...

    async def left_of(self, campaign: Campaign, limit: int) -> Sequence[Held]:
        """Find the reserved grants and the waiting requests of a campaign."""
        ...

    async def note_swept(self, campaign: Campaign) -> None:
        """Remember that nothing of this campaign is left."""
        ...


class WorkStore(Store, Protocol):
    """A store whose transactions find their own work."""

    def batch(self) -> AbstractAsyncContextManager[WorkBatch]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        ...


class Outbox(Protocol):
    """Records that were written with a change, and that nothing in Kafka asks for again."""

    def oldest(self, limit: int) -> AbstractAsyncContextManager[Sequence[Parcel]]:
        """Hold the oldest records while the block runs; deleted when it ends well, else left as they were.

        One router at a time; gives nothing while another one is at it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Want:
    """How many of a budget a batch may come to need."""

    rule: str
    scope: str
    period: int
    """First day of the rule's window, in days since 1970; 0 for a lifetime."""
    limit: int
    count: int


class Stock(Protocol):
    """Budgets over all people, leased in slices: each is one process's own until it rests for a while."""

    async def fill(self, wants: Sequence[Want]) -> Sequence[int]:
        """See to it that this process holds what is wanted, as far as the limits go; returns its slices.

        A transaction of its own, before the batch. All slices together never hold more than the limit.
        """
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, for dashboards."""

    waiting: int
    oldest_due_s: float
    """How long the oldest request that is due is due already; 0 when none is."""
    outbox: int
    oldest_outbox_s: float
    unreaped_s: float
    """How long ago the oldest lease ended that may not have been looked at yet."""


class Upkeep(Protocol):
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


class WorkMeter(Protocol):
    """Counts what the router does by itself, for dashboards."""

    def woke(self, *, verdict: str) -> None:
        """Count a waiting request that was decided again."""
        ...

    def released(self, reason: str) -> None:
        """Count a grant that was taken back: lease_expired, policy_changed, campaign_cancelled."""
        ...

    def published(self, count: int) -> None:
        """Count records of the outbox that were published."""
        ...

    def show(self, backlog: Backlog) -> None:
        """Show what waits."""
        ...

    def silent(self, count: int) -> None:
        """Show how many claimed grants nothing was heard of."""
        ...

    def stumbled(self, work: str, why: str) -> None:
        """Count a round of work that is to be tried again."""
        ...
