"""Use case: end leases nobody claimed in time, and give their slots back."""

from dataclasses import dataclass
from typing import Final

from garbo.router.domain.grant import Grant, Settled
from garbo.router.domain.values import replace
from garbo.router.flow.jobs.claimed import claimed_unit_of_work
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.jobs import JobStore
from garbo.router.ports.telemetry import JobMeter, Meter

AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class ExpireGrants:
    """Releases reserved grants a clock skew after their lease's end: each once, whoever else is at it.

    The door for claims refuses a lease that has ended, by the same clock and under the same row's lock, so a
    grant is either claimed or released. The message's next record is a deny, `lease_expired`.
    """

    store: JobStore
    meter: Meter
    work: JobMeter
    policies: PolicyInForce

    async def once(self) -> bool:
        """Release some; tells whether there may be more. Raises `RetryLater`."""
        grace_us = self.policies.current.clock_skew_us
        async with self.store.batch() as batch:
            ended = await batch.ended_leases(grace_us=grace_us, limit=AT_ONCE)
            whose = {held.message_id: held.contact_id for held in ended.held}
            uow = await claimed_unit_of_work(batch, self.policies, self.meter, ended.held)
            released = [g for g in uow.grants.values() if _has_ended(g, uow, grace_us=grace_us)]
            for grant in released:
                gone = replace(grant, state="released")
                uow.settle(Settled(gone, "uncount", closed_reason="lease_expired"), trace=None)
            if released:
                await batch.write(uow.changes())
            if len(whose) < AT_ONCE and uow.grants.keys() == whose.keys():
                await batch.save_watermark(ended.until_us)
        for _ in released:
            self.work.released("lease_expired")
        return len(whose) == AT_ONCE and bool(released)


def _has_ended(grant: Grant, uow: UnitOfWork, *, grace_us: int) -> bool:
    return grant.state == "reserved" and grant.valid_until_us + grace_us <= uow.snapshot.now_us
