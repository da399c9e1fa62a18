"""Writing a batch: one statement for new decisions, one for what became of old ones."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.state import RecipientState
from garbo.router.outbound.rows import state_text
from garbo.router.ports import Changes, StoredDecision

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

STATES: Final = """
UPDATE router.recipient_state r SET state = n.state::jsonb, version = r.version + 1
FROM unnest($1::uuid[], $2::text[]) AS n(contact_id, state) WHERE r.contact_id = n.contact_id
"""
DECIDED: Final = f"""
WITH decisions AS (
    INSERT INTO router.decision (message_id, client, request_id, body_hash, contact_id, records, decided_at)
    SELECT message_id, client, request_id, body_hash, contact_id, ARRAY[record], clock_timestamp()
    FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::bytea[], $7::uuid[], $8::bytea[])
         AS n(message_id, client, request_id, body_hash, contact_id, record)
), grants AS (
    INSERT INTO router.send_grant (grant_id, message_id, contact_id, lane, message_class, brand, number,
        epoch, state, not_before, valid_until, window_until, campaign, category, tags, by_fallback)
    SELECT grant_id, message_id, contact_id, lane, message_class, brand, number, epoch, state, not_before,
           valid_until, window_until, campaign, category, string_to_array(tags, ','), by_fallback
    FROM unnest($9::uuid[], $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[],
                $16::int[], $17::text[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[],
                $21::text[], $22::text[], $23::text[], $24::boolean[])
         AS n(grant_id, message_id, contact_id, lane, message_class, brand, number, epoch, state, not_before,
              valid_until, window_until, campaign, category, tags, by_fallback)
)
{STATES}
"""  # noqa: S608 - joined from constants
SETTLED: Final = f"""
WITH settled AS (
    UPDATE router.send_grant g SET state = n.state, wamid = n.wamid
    FROM unnest($3::uuid[], $4::text[], $5::text[]) AS n(grant_id, state, wamid) WHERE g.grant_id = n.grant_id
), further AS (
    UPDATE router.decision d SET records = d.records || n.record
    FROM unnest($6::uuid[], $7::bytea[]) AS n(message_id, record) WHERE d.message_id = n.message_id
)
{STATES}
"""  # noqa: S608 - as above


async def write_changes(connection: "Connection", changes: Changes) -> None:
    """Write what changed, in one statement for each of the two kinds of change."""
    states = _state_columns(changes.states)
    if changes.decisions or changes.grants:
        columns = (*states, *_decision_columns(changes.decisions), *_grant_columns(changes.grants))
        await connection.execute(DECIDED, *columns)
        states = ([], [])
    if changes.settled or changes.further or states[0]:
        columns = (*states, *_settled_columns(changes.settled), *_further_columns(changes.further))
        await connection.execute(SETTLED, *columns)


def _state_columns(states: Mapping[ContactId, RecipientState]) -> tuple[list[ContactId], list[str]]:
    return list(states), [state_text(state) for state in states.values()]


def _decision_columns(decisions: Sequence[StoredDecision]) -> tuple[list[object], ...]:
    return (
        [d.message_id for d in decisions],
        [d.client for d in decisions],
        [d.request_id for d in decisions],
        [d.body_hash for d in decisions],
        [d.contact_id for d in decisions],
        [d.records[0] for d in decisions],
    )


def _grant_columns(grants: Sequence[Grant]) -> tuple[list[object], ...]:
    return (
        [g.grant_id for g in grants],
        [g.message_id for g in grants],
        [g.contact_id for g in grants],
        [g.lane for g in grants],
        [g.message_class for g in grants],
        [g.brand for g in grants],
        [g.number for g in grants],
        [g.epoch for g in grants],
        [g.state for g in grants],
        [to_datetime(g.not_before_us) for g in grants],
        [to_datetime(g.valid_until_us) for g in grants],
        [None if g.window_until_us is None else to_datetime(g.window_until_us) for g in grants],
        [g.campaign for g in grants],
        [g.category for g in grants],
        [",".join(g.tags) for g in grants],
        [g.by_fallback for g in grants],
    )


def _settled_columns(settled: Sequence[Grant]) -> tuple[list[object], ...]:
    return [g.grant_id for g in settled], [g.state for g in settled], [g.wamid for g in settled]


def _further_columns(further: Mapping[MessageId, bytes]) -> tuple[list[object], ...]:
    return list(further.keys()), list(further.values())
