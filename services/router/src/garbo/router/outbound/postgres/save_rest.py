"""Saving what stands beside states and grants: deferrals, consents, suppression, campaigns, the outbox."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from garbo.common.business import ROUTER_CLIENT
from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.state import Send
from garbo.router.outbound.postgres.codecs import json_bytes
from garbo.router.ports.contacts import ConsentEvidence, Suppression
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Changes, Deferred

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

Statement: TypeAlias = tuple[str, tuple[Sequence[object], ...]]
"""SQL and its columns."""
DEFER: Final = """
INSERT INTO router.deferred (message_id, contact_id, due_at, free_at, first_decided_at, expires_at, brand,
    campaign, priority, reason, request, trace, policy_version, home_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
    $6::timestamptz[], $7::text[], $8::text[], $9::int[], $10::text[], $11::bytea[], $12::text[],
    $13::text[], $14::uuid[])
ON CONFLICT (message_id) DO UPDATE SET contact_id = excluded.contact_id, due_at = excluded.due_at,
    free_at = excluded.free_at, expires_at = excluded.expires_at, reason = excluded.reason,
    policy_version = excluded.policy_version
"""
NOT_DEFERRED: Final = "DELETE FROM router.deferred WHERE message_id = ANY ($1::uuid[])"
# What has its own time (a date asked for, a gather window) is not hastened by a slot that came back.
RECHECK: Final = """
UPDATE router.deferred SET due_at = statement_timestamp(), free_at = least(free_at, statement_timestamp())
WHERE contact_id = ANY ($1::uuid[]) AND due_at > statement_timestamp()
  AND reason NOT IN ('not_before', 'gathering')
"""
RECORD: Final = """
INSERT INTO router.consent_record (consent_id, contact_id, brand, channel, purpose, action, source, actor,
    occurred_at, received_at, number, text_version, text_hash, locale, evidence, recorded_for)
SELECT *, contact_id FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[],
    $13::text[], $14::text[], $15::text[]) AS n(consent_id, contact_id)
"""
# Its own records follow from what happened: the same event, told again, has the same one.
RECORD_OWN: Final = f"{RECORD}ON CONFLICT DO NOTHING"
SUPPRESS: Final = """
INSERT INTO router.suppression AS s (address_hash, brand, since, source)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[])
    AS n(address_hash, brand, since, source) ORDER BY address_hash, brand
ON CONFLICT (address_hash, brand) DO UPDATE SET since = excluded.since, source = excluded.source
WHERE excluded.since > s.since
"""
CANCEL: Final = """
INSERT INTO router.campaign (brand, campaign, cancelled_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(brand, campaign, at) ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
FORGET_COUNTED: Final = """
DELETE FROM router.campaign_send s USING unnest($1::uuid[], $2::text[]) AS asked(contact_id, campaign)
WHERE s.contact_id = asked.contact_id AND s.campaign = asked.campaign AND s.message_id <> ALL ($3::uuid[])
"""
COUNT: Final = """
INSERT INTO router.campaign_send (contact_id, campaign, message_id, send)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[])
ON CONFLICT (contact_id, campaign, message_id) DO UPDATE SET send = excluded.send
"""
UNCOUNT: Final = """
DELETE FROM router.campaign_send s
USING unnest($1::uuid[], $2::text[], $3::uuid[]) AS gone(contact_id, campaign, message_id)
WHERE (s.contact_id, s.campaign, s.message_id) = (gone.contact_id, gone.campaign, gone.message_id)
"""
TELL: Final = """
INSERT INTO router.told (message_ref, record) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT DO NOTHING
"""
OUTBOX: Final = """
INSERT INTO router.outbox (topic, key, value, trace)
SELECT topic, key, value, trace FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])
    WITH ORDINALITY AS n(topic, key, value, trace, place) ORDER BY place
"""


async def save_rest(connection: "Connection", changes: Changes) -> None:
    """Write what of it changed, each kind in one statement."""
    for sql, columns in (*_of_requests(changes), *_of_people(changes)):
        await connection.execute(sql, *columns)
    if changes.outbox:
        await connection.execute(OUTBOX, *_outbox_columns(changes.outbox))


def _of_requests(changes: Changes) -> list[Statement]:
    statements: list[Statement] = []
    if changes.no_longer_deferred:
        statements.append((NOT_DEFERRED, (list(changes.no_longer_deferred),)))
    if changes.deferred:
        statements.append((DEFER, _deferred_columns(changes.deferred)))
    if changes.campaign_sends:
        statements.extend(_counted_statements(changes.campaign_sends))
    if changes.campaign_send_updates:
        statements.extend(_recounted_statements(changes.campaign_send_updates))
    return statements


def _of_people(changes: Changes) -> list[Statement]:
    statements: list[Statement] = []
    if changes.evidence:
        statements.extend(_evidence_statements(changes.evidence))
    if changes.suppressions:
        statements.append((SUPPRESS, _suppression_columns(changes.suppressions)))
    if changes.cancelled:
        brands, campaigns, instants = zip(*changes.cancelled, strict=True)
        statements.append((CANCEL, (brands, campaigns, [to_datetime(at_us) for at_us in instants])))
    if changes.told:
        statements.append((TELL, (list(changes.told), list(changes.told.values()))))
    return statements


def _deferred_columns(deferred: Sequence[Deferred]) -> tuple[list[object], ...]:
    return (
        [d.message_id for d in deferred],
        [d.contact_id for d in deferred],
        [to_datetime(d.due_at_us) for d in deferred],
        [to_datetime(d.free_at_us) for d in deferred],
        [to_datetime(d.first_decided_at_us) for d in deferred],
        [None if d.expires_at_us is None else to_datetime(d.expires_at_us) for d in deferred],
        [d.brand for d in deferred],
        [d.campaign for d in deferred],
        [d.priority for d in deferred],
        [d.reason for d in deferred],
        [d.request for d in deferred],
        [d.trace for d in deferred],
        [d.policy_version for d in deferred],
        [d.home_id for d in deferred],
    )


def _evidence_statements(evidence: Sequence[ConsentEvidence]) -> list[Statement]:
    own = [record for record in evidence if record.actor == ROUTER_CLIENT]
    told = [record for record in evidence if record.actor != ROUTER_CLIENT]
    return [(sql, _evidence_columns(some)) for sql, some in ((RECORD_OWN, own), (RECORD, told)) if some]


def _evidence_columns(evidence: Sequence[ConsentEvidence]) -> tuple[list[object], ...]:
    return (
        [e.consent_id for e in evidence],
        [e.contact_id for e in evidence],
        [e.brand for e in evidence],
        [e.channel for e in evidence],
        [e.purpose for e in evidence],
        [e.action for e in evidence],
        [e.source for e in evidence],
        [e.actor for e in evidence],
        [to_datetime(e.occurred_at_us) for e in evidence],
        [to_datetime(e.received_at_us) for e in evidence],
        [e.number for e in evidence],
        [e.text_version for e in evidence],
        [e.text_hash for e in evidence],
        [e.locale for e in evidence],
        [e.evidence for e in evidence],
    )


def _suppression_columns(suppressions: Sequence[Suppression]) -> tuple[list[object], ...]:
    newest: dict[tuple[str, str], Suppression] = {}
    for told in suppressions:  # one statement may touch a row once
        known = newest.get((told.address_hash, told.brand))
        if known is None or told.since_us > known.since_us:
            newest[told.address_hash, told.brand] = told
    return (
        [s.address_hash for s in newest.values()],
        [s.brand for s in newest.values()],
        [to_datetime(s.since_us) for s in newest.values()],
        [s.source for s in newest.values()],
    )


def _counted_statements(
    counted: Mapping[tuple[ContactId, str], Sequence[Send]],
) -> list[Statement]:
    rows = [
        (contact_id, campaign, send) for (contact_id, campaign), sends in counted.items() for send in sends
    ]
    keys = [contact_id for contact_id, _ in counted], [campaign for _, campaign in counted]
    return [(FORGET_COUNTED, (*keys, [send.message_id for _, _, send in rows])), (COUNT, _send_columns(rows))]


def _recounted_statements(
    recounted: Mapping[tuple[ContactId, MessageId], tuple[str, Send | None]],
) -> list[Statement]:
    gone = [
        (contact, name, message) for (contact, message), (name, send) in recounted.items() if send is None
    ]
    kept = [(contact, name, send) for (contact, _), (name, send) in recounted.items() if send is not None]
    columns = tuple(zip(*gone, strict=True)) or ((), (), ())
    return [(UNCOUNT, columns), (COUNT, _send_columns(kept))]


def _send_columns(rows: Sequence[tuple[ContactId, str, Send]]) -> tuple[list[object], ...]:
    return (
        [contact_id for contact_id, _, _ in rows],
        [campaign for _, campaign, _ in rows],
        [send.message_id for _, _, send in rows],
        [json_bytes(send) for _, _, send in rows],
    )


def _outbox_columns(outbox: Sequence[OutgoingRecord]) -> tuple[list[object], ...]:
    return (
        [told.topic.name for told in outbox],
        [told.key for told in outbox],
        [told.content for told in outbox],
        [told.trace for told in outbox],
    )
