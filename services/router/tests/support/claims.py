"""The sender's side of a promo on a real database: the door for claims."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from garbo.common.events.grants import SendGranted
from garbo.common.runtime.postgres import Database
from services.router.tests.support.build import consent, requested
from services.router.tests.support.router import Router

CLAIM = """
SELECT grant_id, claimed, reason FROM router.claim_grants($1::uuid[], $2::int[], ARRAY(
    SELECT g.message_id FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
      LEFT JOIN router.send_grant AS g ON g.grant_id = asked.id ORDER BY asked.place))
"""
"""Each for the message it was given for."""
CLAIM_FOR = "SELECT reason FROM router.claim_grants($1::uuid[], $2::int[], $3::uuid[])"
COUNTED = """
SELECT r.contact_id, count(*) AS sends
FROM router.recipient_state r, jsonb_array_elements(convert_from(r.state, 'UTF8')::jsonb -> 'sends')
GROUP BY 1
"""


async def claim(database: Database, *grants: tuple[UUID, int]) -> list[str]:
    async with database.transaction() as connection:
        rows = await connection.fetch(CLAIM, [g for g, _ in grants], [epoch for _, epoch in grants])
    assert [row["grant_id"] for row in rows] == [g for g, _ in grants]
    assert all(row["claimed"] == (row["reason"] == "claimed") for row in rows)
    return [row["reason"] for row in rows]


async def one_grant(stored: Router) -> SendGranted:
    phone = f"+39333{uuid4().int % 10**7:07d}"
    await stored.hear(consent(to={"phone": phone}))
    await stored.ask(requested(to={"phone": phone}))
    return stored.granted[-1]


def a_phone() -> str:
    return f"+39333{uuid4().int % 10**7:07d}"


async def claimed(database: Database, router: Router) -> Sequence[bool]:
    async with database.transaction() as connection:
        grants = [(g.grant_id, g.epoch) for g in router.granted]
        rows = await connection.fetch(CLAIM, [g for g, _ in grants], [epoch for _, epoch in grants])
    return [row["claimed"] for row in rows]
