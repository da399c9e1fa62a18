"""Between rows and values: grants, templates, decisions and waiting requests as columns."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from garbo.common.events.ids import ContactId, GrantId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.instants import to_us, to_us_or_none
from garbo.router.domain.templates import TemplateCategory
from garbo.router.ports.contacts import ConsentEvidence
from garbo.router.ports.store import Deferred, StoredDecision

FIRST_DAY: Final = date(2020, 1, 1)
"""Days of grants are counted from here (`domain.grant.day_of_instant`)."""


def date_of_day(day: int) -> date:
    """Give the date of a day as grants count them."""
    return FIRST_DAY + timedelta(days=day)


def day_of_date(on: date) -> int:
    """Count the days to a date as grants count them."""
    return (on - FIRST_DAY).days


def read_grant(row: asyncpg.Record) -> Grant:
    """Read a grant from its row."""
    return Grant(
        grant_id=GrantId(row["grant_id"]),
        message_id=MessageId(row["message_id"]),
        contact_id=ContactId(row["contact_id"]),
        lane=row["lane"],
        message_class=row["message_class"],
        brand=row["brand"],
        number=row["number"],
        epoch=row["epoch"],
        state=row["state"],
        not_before_us=to_us(row["not_before"]),
        valid_until_us=to_us(row["valid_until"]),
        window_until_us=to_us_or_none(row["window_until"]),
        campaign=row["campaign"],
        category=row["category"],
        tags=tuple(row["tags"]),
        by_fallback=row["by_fallback"],
        wamid=row["wamid"],
        policy_version=row["policy_version"],
        budget_leases=tuple(row["budget_slices"]),
        request=row["request"],
        home_id=_contact_or_none(row["home_id"]),
    )


def _contact_or_none(value: UUID | None) -> ContactId | None:
    return None if value is None else ContactId(UUID(int=value.int))


def read_decision(row: asyncpg.Record) -> StoredDecision:
    """Read a decision from its row."""
    contact_id = row["contact_id"]
    return StoredDecision(
        message_id=MessageId(row["message_id"]),
        client=row["client"],
        request_id=row["request_id"],
        body_hash=row["body_hash"],
        contact_id=None if contact_id is None else ContactId(contact_id),
        records=tuple(row["records"]),
    )


def read_deferred(row: asyncpg.Record) -> Deferred:
    """Read a waiting request from its row."""
    return Deferred(
        message_id=MessageId(row["message_id"]),
        contact_id=ContactId(row["contact_id"]),
        due_at_us=to_us(row["due_at"]),
        free_at_us=to_us(row["free_at"]),
        first_decided_at_us=to_us(row["first_decided_at"]),
        expires_at_us=to_us_or_none(row["expires_at"]),
        brand=row["brand"],
        campaign=row["campaign"],
        priority=row["priority"],
        reason=row["reason"],
        request=row["request"],
        trace=row["trace"],
        policy_version=row["policy_version"],
        home_id=_contact_or_none(row["home_id"]),
    )


def read_template(row: asyncpg.Record) -> TemplateCategory:
    """Read a template from its row."""
    return TemplateCategory(
        waba=row["waba"],
        name=row["name"],
        language=row["language"],
        category=row["category"],
        changed_at_us=to_us(row["changed_at"]),
        next_category=row["next_category"],
        next_at_us=to_us_or_none(row["next_category_at"]),
        status=row["status"],
        categorised_at_us=to_us_or_none(row["categorised_at"]),
    )


def read_evidence(row: asyncpg.Record) -> ConsentEvidence:
    """Read a consent record from its row."""
    return ConsentEvidence(
        consent_id=row["consent_id"],
        contact_id=ContactId(row["contact_id"]),
        brand=row["brand"],
        channel=row["channel"],
        purpose=row["purpose"],
        action=row["action"],
        source=row["source"],
        actor=row["actor"],
        occurred_at_us=to_us(row["occurred_at"]),
        received_at_us=to_us(row["received_at"]),
        number=row["number"],
        text_version=row["text_version"],
        text_hash=row["text_hash"],
        locale=row["locale"],
        evidence=row["evidence"],
    )
