"""Contacts that turned out to be one, and those that are two again, in PostgreSQL."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import asyncpg

from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_datetime, to_us
from garbo.router.outbound.postgres.codecs import read_state, state_bytes
from garbo.router.ports.contacts import ClaimedMerge
from garbo.router.ports.store import Changes

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

# Who turned out to be somebody else: addresses, waiting requests and proofs go over; the old id leads on.
MERGED: Final = """
WITH merged AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS n(contact_id, into_id)
), aliases AS (
    UPDATE router.alias a SET contact_id = m.into_id FROM merged m WHERE a.contact_id = m.contact_id
), waiting AS (
    UPDATE router.deferred d SET contact_id = m.into_id, home_id = coalesce(d.home_id, d.contact_id)
    FROM merged m WHERE d.contact_id = m.contact_id
), proofs AS (
    UPDATE router.consent_record c SET contact_id = m.into_id FROM merged m WHERE c.contact_id = m.contact_id
), counted AS (
    UPDATE router.campaign_send s SET contact_id = m.into_id FROM merged m WHERE s.contact_id = m.contact_id
)
UPDATE router.contact c SET merged_into = m.into_id FROM merged m
WHERE c.contact_id = m.contact_id OR c.merged_into = m.contact_id
"""
CLAIMED_MERGE: Final = """
SELECT m.contact_id, c.merged_into AS into_id, m.said_by, m.merged_at, m.state, m.into_state
FROM router.contact_merge m JOIN router.contact c USING (contact_id)
WHERE m.contact_id = $1 AND c.merged_into IS NOT NULL
"""
CLAIMED_MERGES: Final = """
SELECT m.contact_id, c.merged_into AS into_id, m.said_by, m.merged_at, m.state, m.into_state
FROM router.contact_merge m JOIN router.contact c USING (contact_id)
WHERE c.merged_into = $1 ORDER BY m.merged_at
"""
CLAIM_MERGE: Final = """
INSERT INTO router.contact_merge (contact_id, into_id, said_by, merged_at, state, into_state)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (contact_id) DO UPDATE SET into_id = excluded.into_id, said_by = excluded.said_by,
    merged_at = excluded.merged_at, state = excluded.state, into_state = excluded.into_state
"""
UNITE_HOME: Final = """
WITH addresses AS (UPDATE router.alias SET home_id = $2 WHERE home_id = $1)
UPDATE router.contact SET home_id = $2 WHERE home_id = $1
"""
SHOWN: Final = """
UPDATE router.alias a SET home_id = n.home_id, claimed_by = NULL
FROM unnest($1::text[], $2::uuid[]) AS n(address_hash, home_id)
WHERE a.address_hash = n.address_hash AND a.home_id IS NULL
"""
# Once-in-a-lifetime sends of both stay with both: nobody is sent one twice because two were one for a while.
SPLIT: Final = """
WITH led AS (
    SELECT contact_id, merged_into FROM router.contact WHERE contact_id = $1
), addresses AS (
    UPDATE router.alias a SET contact_id = led.contact_id FROM led WHERE a.home_id = led.contact_id
), proofs AS (
    UPDATE router.consent_record r SET contact_id = led.contact_id FROM led
    WHERE r.contact_id = led.merged_into AND r.recorded_for = led.contact_id
), counted AS (
    INSERT INTO router.campaign_send (contact_id, campaign, message_id, send)
    SELECT led.contact_id, s.campaign, s.message_id, s.send
    FROM router.campaign_send s JOIN led ON s.contact_id = led.merged_into
), pointers AS (
    UPDATE router.contact c SET merged_into = led.contact_id FROM led
    WHERE c.merged_into = led.merged_into AND c.home_id = led.contact_id AND c.contact_id <> led.contact_id
), gone AS (
    DELETE FROM router.contact_merge WHERE contact_id = $1
)
UPDATE router.contact SET merged_into = NULL WHERE contact_id = $1
"""


async def save_merges(connection: "Connection", changes: Changes) -> None:
    """Write who turned out to be somebody else, on whose word, and what the platform showed to be one."""
    merged = {c: state.merged_into for c, state in changes.states.items() if state.merged_into is not None}
    if merged:
        await connection.execute(MERGED, list(merged), list(merged.values()))
    if changes.claimed_merges:
        await connection.executemany(CLAIM_MERGE, [_row(merge) for merge in changes.claimed_merges])
    for home_id, into_id in changes.homes.items():
        await connection.execute(UNITE_HOME, home_id, into_id)
    if changes.shown_addresses:
        await connection.execute(SHOWN, list(changes.shown_addresses), list(changes.shown_addresses.values()))


async def split_contacts(connection: "Connection", contact_ids: Iterable[ContactId]) -> None:
    """Make contacts their own again: addresses of their home, and proofs recorded for them, come back."""
    for contact_id in contact_ids:
        await connection.execute(SPLIT, contact_id)


async def claimed_merge(connection: "Connection", contact_id: ContactId) -> ClaimedMerge | None:
    """Find how a client made a contact lead on to another one; `into_id` is who that is now."""
    row = await connection.fetchrow(CLAIMED_MERGE, contact_id)
    return read_claimed_merge(row) if row else None


def read_claimed_merge(row: asyncpg.Record) -> ClaimedMerge:
    """Read a merge that a client claimed from its row."""
    return ClaimedMerge(
        contact_id=ContactId(row["contact_id"]),
        into_id=ContactId(row["into_id"]),
        said_by=row["said_by"],
        merged_at_us=to_us(row["merged_at"]),
        state=read_state(0, row["state"]),
        into_state=read_state(0, row["into_state"]),
    )


def _row(merge: ClaimedMerge) -> tuple[object, ...]:
    states = state_bytes(merge.state), state_bytes(merge.into_state)
    return merge.contact_id, merge.into_id, merge.said_by, to_datetime(merge.merged_at_us), *states
