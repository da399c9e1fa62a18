"""Promo requests for invented people, published straight to Kafka."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from benchmarks.servers import NUMBERS
from garbo.common.events.addresses import Recipient
from garbo.common.events.content import TemplateContent
from garbo.common.events.ids import address_hash
from garbo.common.events.requests import SendRequested
from garbo.common.events.template import Language, Template
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer

CONTENT = TemplateContent(template=Template(name="summer_sale", language=Language(code="it")))
PUBLISH_AT_ONCE = 2_000


def promo(person: int) -> SendRequested:
    """One promo for one invented person, from one of the fast numbers."""
    return SendRequested(
        request_id=uuid4(),
        client="shop",
        brand="acme",
        to=Recipient(phone=f"+39333{person:07d}"),
        number=NUMBERS[person % len(NUMBERS)],
        purpose="promo",
        content=CONTENT,
        requested_at=datetime.now(UTC),
    )


def key_of(request: SendRequested) -> str:
    """Give all requests for one person one key, as ingest does: two routers seldom lock the same rows."""
    return address_hash(b"bench", "phone", request.to.phone or "")


async def publish(bootstrap: str, requests: Sequence[SendRequested]) -> None:
    """Write them to the topic, acknowledged."""
    producer = Producer(kafka=KafkaSettings(bootstrap), service="bench")
    await producer.start()
    try:
        for start in range(0, len(requests), PUBLISH_AT_ONCE):
            some = requests[start : start + PUBLISH_AT_ONCE]
            records = [outgoing(SEND_REQUESTED, r, key=key_of(r), source="bench") for r in some]
            await producer.publish(records)
    finally:
        await producer.stop()
