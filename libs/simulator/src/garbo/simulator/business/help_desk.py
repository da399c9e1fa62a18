"""The help desk: reads the care conversation from Kafka and answers in free text.

It is another service in the eyes of Garbo: it knows the topic's contract and the publish API, nothing else.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer

from garbo.common.errors import Reject
from garbo.common.events.engagement import CareMessage
from garbo.common.events.ids import request_id_of
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.common.events.wire import decode
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings
from garbo.simulator.business.cases import THANKS, Cases
from garbo.simulator.business.publisher import Json, Publisher
from garbo.simulator.business.requests import care_answer
from garbo.simulator.population.reactions import (
    CARE_REPLIES,
    PROMO_REPLIES,
    STARTS,
    STOPS,
    UNCLEAR_STOPS,
)

GROUP: Final = "subscriber.help_desk"
MARGIN: Final = timedelta(minutes=2)
"""A window that closes so soon is left alone."""
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 5.0
SESSION_S: Final = 24 * 3600.0
PAUSE_S: Final = 3.0
NEEDS_NO_ANSWER: Final = frozenset((*STOPS, *STARTS, *UNCLEAR_STOPS)) | THANKS
_STILL_OPEN: Final = CARE_REPLIES[2]
_ANSWERS: Final = (
    ("damaged", "I am sorry! A new parcel leaves today; please keep the old one for the courier."),
    ("order", "Your order left our warehouse this morning and arrives tomorrow before noon."),
    ("arrive", "It arrives tomorrow between 9 and 12."),
    ("address", "Of course: write the new address here and I change it for you."),
    ("discount", "The code works again. Thank you for telling us!"),
    ("return", "Put the shoes in their box; a courier collects them, free of charge. Which day suits you?"),
    ("charged", "I see the second charge and have refunded it; it takes two days to show."),
    ("domenica", "Buongiorno! La domenica siamo aperti dalle 10 alle 13."),
)
_OTHERWISE: Final = "Thank you for your message. I am looking into it and write back here in a minute."

log = structlog.get_logger()


class HelpDesk:
    """Answers every care question once, while the customer's window is open."""

    def __init__(self, publisher: Publisher, *, kafka: KafkaSettings, think_s: float, case_s: float) -> None:
        self._publisher = publisher
        self._kafka = kafka
        self._think_s = think_s
        self._cases = Cases(open_for=timedelta(seconds=case_s))

    async def run(self) -> None:
        """Work for ever; when Kafka goes away, come back."""
        while True:
            await bounded("help desk session", self._session(), within_s=SESSION_S)
            await asyncio.sleep(PAUSE_S)

    async def _session(self) -> None:
        consumer = AIOKafkaConsumer(
            CONVERSATION_CARE.name,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **self._kafka.connection(),
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await consumer.start()
            while True:
                await self._answer_next(consumer)
        finally:
            await bounded("help desk consumer", consumer.stop(), within_s=STOP_TIMEOUT_S)

    async def _answer_next(self, consumer: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        batches = await consumer.getmany(timeout_ms=1000, max_records=200)
        values = [record.value for records in batches.values() for record in records]
        messages, now = read_messages(values), datetime.now(UTC)
        if changes := self._cases.changes(messages, now=now):
            await self._publisher.publish("/v1/cases", changes, key=f"{changes[0]['case_id']}-{now:%H%M%S}")
        if not values:
            return
        await asyncio.sleep(self._think_s)
        asked = answers(messages, now=datetime.now(UTC))
        for answer in asked:
            await self._publisher.publish("/v1/messages", [answer], key=answer["request_id"])
        async with asyncio.timeout(START_TIMEOUT_S):
            await consumer.commit()
        log.info("care answered", read=len(values), answered=len(asked))


def read_messages(values: Iterable[bytes | None]) -> list[CareMessage]:
    """Read records; those that are none are left out, as a reader of a public topic should."""
    messages = []
    for value in values:
        try:
            messages.append(decode(CONVERSATION_CARE, value))
        except Reject as rejected:
            log.warning("a care record was not readable", reason=rejected.why)
    return messages


def answers(messages: Iterable[CareMessage], *, now: datetime) -> list[Json]:
    """Write what the help desk asks Garbo to send; the same request id for the same question."""
    return [
        care_answer(
            message.model_dump(mode="json"),
            answer_to(message.text or ""),
            request_id=request_id_of(GROUP, message.wamid),
        )
        for message in messages
        if message.text not in NEEDS_NO_ANSWER and message.window_until - now > MARGIN
    ]


def answer_to(question: str) -> str:
    """Find words for a question."""
    if question == _STILL_OPEN:
        return "I am sorry. A colleague calls you within the hour."
    if question in PROMO_REPLIES:
        return "Nice that you like it! The offer runs until Sunday, in three colours."
    lower = question.lower()
    return next((answer for word, answer in _ANSWERS if word in lower), _OTHERWISE)
