"""Background job: end leases nobody claimed in time, and give their slots back."""

from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.router.domain.grant import Grant, Settled
from garbo.router.domain.values import replace
from garbo.router.flow.jobs.lock_contacts import JobDependencies, lock_contacts
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.flow.unit_of_work import UnitOfWork

AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class ExpireGrants:
    """Releases reserved grants a clock skew after their lease's end: each once, whoever else is at it.

    The door for claims refuses a lease that has ended, by the same clock and under the same row's lock, so a
    grant is either claimed or released. The message's next record is a deny, `lease_expired`.
    """

    dependencies: JobDependencies
    name: ClassVar[str] = "expire_grants"
    schedule: ClassVar[Schedule] = Schedule(interval_s=1.0)

    async def once(self) -> bool:
        """Release some; tells whether there may be more. Raises `RetryLater`."""
        grace_us = self.dependencies.policies.current.clock_skew_us
        async with self.dependencies.store.transaction() as transaction:
            expired = await transaction.ended_leases(grace_us=grace_us, limit=AT_ONCE)
            found = {ref.message_id for ref in expired.refs}
            uow = await lock_contacts(transaction, self.dependencies, expired.refs)
            released = [g for g in uow.grants.values() if _has_ended(g, uow, grace_us=grace_us)]
            for grant in released:
                gone = replace(grant, state="released")
                uow.settle(Settled(gone, "uncount", closed_reason="lease_expired"), trace=None)
            if released:
                await transaction.save(uow.changes())
            if len(found) < AT_ONCE and uow.grants.keys() == found:
                await transaction.save_watermark(expired.until_us)
        for _ in released:
            self.dependencies.job_meter.released("lease_expired")
        return len(found) == AT_ONCE and bool(released)


def _has_ended(grant: Grant, uow: UnitOfWork, *, grace_us: int) -> bool:
    return grant.state == "reserved" and grant.valid_until_us + grace_us <= uow.snapshot.now_us
