"""`garbo tail`: decisions, sends and statuses as they happen, one line each, nobody's number in it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from garbo.cli.cluster import not_answering
from garbo.common.errors import Reject
from garbo.common.events.base import Event
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.results import SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import DECISION_MADE, MESSAGE_STATUS, SEND_RESULT
from garbo.common.events.wire import decode, topic_named
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings

GREEN, YELLOW, RED, BLUE, DIM = 32, 33, 31, 34, 2
_VERDICTS = {"allow": GREEN, "defer": YELLOW, "deny": RED}
_STATUSES = {"sent": DIM, "delivered": BLUE, "read": GREEN, "failed": RED}
_OUTCOMES = {"accepted": DIM, "failed": RED, "unknown": YELLOW, "not_sent": YELLOW}
ID_LENGTH = 8
STOP_S = 5.0


async def tail(kafka: KafkaSettings, show: Callable[[str], None], *, colour: bool) -> None:
    """Show what happens from now on, until cancelled. Raises StartRefused when Kafka does not answer."""
    consumer = AIOKafkaConsumer(
        DECISION_MADE.name,
        SEND_RESULT.name,
        MESSAGE_STATUS.name,
        auto_offset_reset="latest",
        enable_auto_commit=False,
        **kafka.connection(),
    )
    try:
        async with asyncio.timeout(kafka.request_s):
            await consumer.start()
    except (KafkaError, TimeoutError, OSError) as error:
        await bounded("consumer", consumer.stop(), within_s=STOP_S)
        raise await not_answering(kafka, error, mend="type make run") from None
    try:
        while True:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    show(line_of(record.topic, record.value, colour=colour))
    finally:
        await bounded("consumer", consumer.stop(), within_s=STOP_S)


def line_of(topic: str, value: bytes | None, *, colour: bool) -> str:
    """Put one record into one line."""
    try:
        event: Event = decode(topic_named(topic), value)
    except Reject as reject:
        return _paint(f"a record of {topic} cannot be read: {reject.why}", RED, colour=colour)
    match event:
        case DecisionMade():
            return _decision(event, colour=colour)
        case SendResult():
            why = event.reason or (f"code {event.code}" if event.code else "")
            rest = f"{event.lane:<8}{why}"
            outcome = (event.outcome, _OUTCOMES[event.outcome])
            return _line(event.recorded_at, outcome, event.message_id, rest, colour=colour)
        case MessageStatus():
            message = (event.attempt_id or "").partition(".")[0]
            rest = " ".join(f"code {error.code}" for error in event.errors)
            word = (event.status, _STATUSES.get(event.status, DIM))
            return _line(event.occurred_at, word, message, f"{'':<8}{rest}", colour=colour)
        case _:
            return topic


def _decision(event: DecisionMade, *, colour: bool) -> str:
    reason = event.reason.replace("_", " ")
    if event.rule:
        reason += f" by {event.rule}"
    if event.limit is not None and event.used is not None:
        reason += f", {event.used} of {event.limit}"
        reason += f" in {event.window}" if event.window else ""
    if event.next_allowed_at:
        reason += f", again from {event.next_allowed_at.astimezone():%d %b %H:%M:%S}"
    rest = f"{event.message_class or '?':<8}{reason}"
    word = (event.verdict, _VERDICTS[event.verdict])
    return _line(event.decided_at, word, event.message_id, rest, colour=colour)


def _line(at: datetime, word: tuple[str, int], message: UUID | str, rest: str, *, colour: bool) -> str:
    said = _paint(f"{word[0]:<10}", word[1], colour=colour)
    return f"{at.astimezone():%H:%M:%S}  {said}{str(message)[:ID_LENGTH]:<10}{rest}".rstrip()


def _paint(text: str, code: int, *, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
