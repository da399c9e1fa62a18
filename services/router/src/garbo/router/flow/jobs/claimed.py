"""Opening the books of recipients whom no other router holds."""

from collections.abc import Sequence

from garbo.common.events.ids import ContactId
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.jobs import GrantRef, JobTransaction
from garbo.router.ports.telemetry import Meter


async def claimed_unit_of_work(
    batch: JobTransaction, policies: PolicyInForce, meter: Meter, held: Sequence[GrantRef]
) -> UnitOfWork:
    """Lock whom nobody else holds, and their grants; what was found of the others is left out.

    What was found without locks may be otherwise by now: look at the ledger, not at what was found.
    """
    whose = {one.message_id: one.contact_id for one in held}
    claimed = set(await batch.claim(set(whose.values()))) if whose else set[ContactId]()
    ours = [message_id for message_id, contact_id in whose.items() if contact_id in claimed]
    states = await batch.lock(claimed) if claimed else {}
    found = await batch.lock_grants(ours) if ours else {}
    snapshot = await batch.load_snapshot(ours)
    return UnitOfWork(
        policies.current,
        meter,
        snapshot,
        dict(states),
        {message_id: grant for message_id, grant in found.items() if grant.contact_id in claimed},
        waiting={m: one for m, one in snapshot.deferred.items() if one.contact_id in claimed},
    )
