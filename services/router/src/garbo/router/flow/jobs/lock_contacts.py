"""Opening a unit of work over contacts whom no other router holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from garbo.common.events.ids import ContactId
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.jobs import GrantRef, JobStore, JobTransaction
from garbo.router.ports.store import Scope
from garbo.router.ports.telemetry import JobMeter, Meter


@dataclass(frozen=True, slots=True)
class JobDependencies:
    """What every background job works with that decides grants or takes them back."""

    store: JobStore
    meter: Meter
    job_meter: JobMeter
    policies: PolicyInForce
    directory: Directory


async def lock_contacts(
    transaction: JobTransaction,
    dependencies: JobDependencies,
    refs: Sequence[GrantRef],
    *,
    to_decide: bool = False,
) -> UnitOfWork:
    """Lock whom nobody else holds, and their grants; what was found of the others is left out.

    With `to_decide`, what it takes to decide the grants again is read as well. What was found without locks
    may be otherwise by now: look at the unit of work, not at what was found.
    """
    whose = {ref.message_id: ref.contact_id for ref in refs}
    locked = frozenset(await transaction.claim(set(whose.values()))) if whose else frozenset[ContactId]()
    ours = frozenset(m for m, contact_id in whose.items() if contact_id in locked)
    policy = dependencies.policies.current
    snapshot = await transaction.load(
        Scope(
            contacts=locked,
            reachable=locked if to_decide else frozenset(),
            grants=ours,
            messages=ours,
            campaign_sends=frozenset() if to_decide and policy.counts_for_life else None,
        )
    )
    uow = UnitOfWork(policy, dependencies.directory, dependencies.meter, snapshot)
    uow.grants = {m: grant for m, grant in uow.grants.items() if grant.contact_id in locked}
    uow.deferred = {m: one for m, one in uow.deferred.items() if one.contact_id in locked}
    return uow
