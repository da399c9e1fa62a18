"""The one door into the router's schema: claiming grants. The only statements are the constants below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from garbo.sender.outbound.rows import columns
from garbo.sender.ports import PlannedAttempt, RefusedGrant

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

CLAIM: Final = """
SELECT grant_id, claimed, reason, clock_timestamp() AS instant
  FROM router.claim_grants($1::uuid[], $2::int[], $3::uuid[])
"""
CLAIMED_BEFORE: Final = "already_dispatched"
ATTEMPTED: Final = "SELECT DISTINCT message_id FROM sender.attempt WHERE message_id = ANY ($1::uuid[])"


async def claim(
    connection: "Connection", mine: Sequence[PlannedAttempt]
) -> tuple[list[PlannedAttempt], list[RefusedGrant]]:
    """Claim, and part what may leave from what may not; what another process holds is in neither list.

    Whoever claims writes an attempt in the same transaction: what is claimed without one is nobody's.
    """
    asked = [(p.grant.grant_id, p.grant.epoch, p.grant.message_id) for p in mine]
    claims = await connection.fetch(CLAIM, *columns(asked)) if asked else []
    taken = [p for p, claim in zip(mine, claims, strict=True) if claim["reason"] == CLAIMED_BEFORE]
    rows = await connection.fetch(ATTEMPTED, [p.grant.message_id for p in taken]) if taken else []
    attempted = {row["message_id"] for row in rows}
    may: list[PlannedAttempt] = []
    refused: list[RefusedGrant] = []
    for plan, claim in zip(mine, claims, strict=True):
        before = claim["reason"] == CLAIMED_BEFORE
        ours = plan.again and before
        if claim["claimed"] or (ours and claim["instant"] < plan.grant.valid_until):
            may.append(plan)
        elif ours:
            refused.append(RefusedGrant(plan.grant, "lease_expired"))
        elif not before:
            refused.append(RefusedGrant(plan.grant, claim["reason"]))
        elif plan.grant.message_id not in attempted:
            refused.append(RefusedGrant(plan.grant, "unknown_grant"))
    return may, refused
