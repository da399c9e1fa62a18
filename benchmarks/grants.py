"""Grants as the router gives them, without asking it: rows it can be claimed from, and records."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from benchmarks.requests import CONTENT
from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId
from garbo.common.events.topics import SEND_CARE, SEND_PROMO
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from garbo.router.domain.grant import day_of_instant, grant_id_of
from garbo.router.domain.instants import to_us

AT_ONCE = 1000
COLUMNS = (
    *(
        "grant_id",
        "granted_on",
        "message_id",
        "contact_id",
        "lane",
        "message_class",
        "brand",
        "number",
        "epoch",
    ),
    *("not_before", "valid_until"),
)


def grant(lane: Lane, number: str, phone: str, *, contact_id: UUID | None = None) -> SendGranted:
    """Grant one template message for two hours."""
    now, message_id = datetime.now(UTC), MessageId(uuid4())
    return SendGranted(
        grant_id=grant_id_of(message_id, day_of_instant(to_us(now))),
        epoch=1,
        message_id=message_id,
        request_id=uuid4(),
        client="shop",
        brand="acme",
        contact_id=contact_id or uuid4(),
        lane=lane,
        message_class="promo" if lane == "promo" else "utility",
        number=number,
        to=Recipient(phone=phone),
        content=CONTENT,
        not_before=now,
        valid_until=now + timedelta(hours=2),
        decided_at=now,
    )


async def book(dsn: str, grants: Sequence[SendGranted]) -> None:
    """Write the rows the sender claims."""
    rows = [
        (
            *(g.grant_id, g.not_before.date(), g.message_id, g.contact_id, g.lane, g.message_class, g.brand),
            *(g.number, g.epoch, g.not_before, g.valid_until),
        )
        for g in grants
    ]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.copy_records_to_table(
            "send_grant", schema_name="router", columns=COLUMNS, records=rows
        )
    finally:
        await connection.close()


async def publish(producer: Producer, grants: Sequence[SendGranted]) -> None:
    """Write the records, acknowledged."""
    for start in range(0, len(grants), AT_ONCE):
        records = [
            outgoing(SEND_CARE if g.lane == "care" else SEND_PROMO, g, key=str(g.contact_id), source="bench")
            for g in grants[start : start + AT_ONCE]
        ]
        await producer.publish(records)


async def give(dsn: str, kafka: str, grants: Sequence[SendGranted]) -> None:
    """Book and publish."""
    await book(dsn, grants)
    producer = Producer(kafka=KafkaSettings(kafka), service="bench")
    await producer.start()
    try:
        await publish(producer, grants)
    finally:
        await producer.stop()
