"""Grants as the router would publish them, and its door as a stand-in: for the sender under load."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import TemplateContent
from garbo.common.events.grants import SendGranted
from garbo.common.events.template import Language, Template
from garbo.common.events.topics import SEND_CARE, SEND_PROMO
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from services.sender.tests.support.postgres import CLAIMS
from tests.chaos.installation import Installation

NUMBER: Final = "106540352242922"
AT_ONCE: Final = 10
DOOR: Final = "DROP FUNCTION router.claim_grants(uuid[], int[], uuid[])"
BOOK: Final = """
INSERT INTO router.stand_in (grant_id, epoch, message_id, valid_until)
SELECT g, 1, m, clock_timestamp() + interval '1 h' FROM unnest($1::uuid[], $2::uuid[]) AS u (g, m)
"""


async def stand_in_for_the_router(installation: Installation) -> None:
    """Put the stand-in in the place of the router's own door."""
    await installation.rows(DOOR)
    await installation.script(CLAIMS.read_text().replace("CREATE SCHEMA router;", ""))


@dataclass
class Load:
    """Grants of both lanes, booked with the router's stand-in and published."""

    installation: Installation
    rate_per_s: float
    granted: dict[UUID, SendGranted] = field(default_factory=dict)

    async def flow(self, over: asyncio.Event) -> None:
        """Publish until it is over."""
        producer = Producer(kafka=KafkaSettings(self.installation.kafka), service="chaos")
        await producer.start()
        try:
            while not over.is_set():
                await self._publish(producer)
                await asyncio.sleep(AT_ONCE / self.rate_per_s)
        finally:
            await producer.stop()

    async def _publish(self, producer: Producer) -> None:
        grants = [a_grant(len(self.granted) + n) for n in range(AT_ONCE)]
        await self.installation.rows(BOOK, [g.grant_id for g in grants], [g.message_id for g in grants])
        self.granted |= {grant.message_id: grant for grant in grants}
        await producer.publish(
            [
                outgoing(
                    SEND_CARE if g.lane == "care" else SEND_PROMO, g, key=str(g.contact_id), source="chaos"
                )
                for g in grants
            ]
        )


def a_grant(place: int) -> SendGranted:
    """Build a grant: care and promo in turns, each to somebody else, for an hour."""
    now = datetime.now(UTC)
    content = TemplateContent(template=Template(name="summer_sale", language=Language(code="it")))
    return SendGranted(
        grant_id=uuid4(),
        epoch=1,
        message_id=uuid4(),
        request_id=uuid4(),
        client="shop",
        brand="acme",
        contact_id=uuid4(),
        lane="care" if place % 2 else "promo",
        message_class="care" if place % 2 else "promo",
        number=NUMBER,
        to=Recipient(phone=f"+39338{place % 10**7:07d}"),
        content=content,
        not_before=now,
        valid_until=now + timedelta(hours=1),
        decided_at=now,
    )
