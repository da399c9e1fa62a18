"""Where refused records go. Nothing that is in a record keeps it from its grave."""

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from garbo.common.clock import Clock
from garbo.common.errors import Reject
from garbo.common.runtime.deadletter import (
    OFFSET,
    PARTITION,
    REASON,
    TOPIC,
    Failure,
    count_dead_letters,
    cut,
    dead_letter_of,
    is_cut,
)
from garbo.common.runtime.deliver.decoder import Refused
from garbo.common.runtime.kafka_metrics import DEAD_LETTERS_CUT
from garbo.common.runtime.raw_producer import Outgoing

ORIGIN: Final = frozenset({TOPIC, PARTITION, OFFSET, REASON})

log = structlog.get_logger()


class Publisher(Protocol):
    """Where dead letters go."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged; raise `RetryLater` otherwise, `Reject` when one never can be."""
        ...


class DeadLetters:
    """Publishes the dead letters of one lane to the topic of its service."""

    def __init__(self, *, group: str, to: str, redrive: str, publisher: Publisher, clock: Clock) -> None:
        self._group = group
        self._to = to
        self._redrive = redrive
        self._publisher = publisher
        self._clock = clock

    async def bury(self, refused: Sequence[Refused]) -> None:
        """Return when all are acknowledged. Raises `RetryLater` alone, when Kafka does not take them now."""
        letters = [self._letter_of(item) for item in refused]
        if not await self._took(letters):
            for letter in letters:
                await self._bury_one(letter)

    async def _bury_one(self, letter: Outgoing) -> None:
        """Bury what the broker may find too large, though by the table of topics it is not."""
        for smaller in (letter, cut(letter), cut(letter, keep_bytes=0)):
            if await self._took([smaller]):
                return
        origin = {name: value.decode("utf-8", "replace") for name, value in letter.headers if name in ORIGIN}
        log.error("record passed over", group=self._group, **origin)  # it stands in its topic still

    async def _took(self, letters: Sequence[Outgoing]) -> bool:
        try:
            await self._publisher.publish(letters)
        except Reject:
            return False
        DEAD_LETTERS_CUT.labels(self._group).inc(sum(map(is_cut, letters)))
        count_dead_letters(letters)
        return True

    def _letter_of(self, item: Refused) -> Outgoing:
        failure = Failure(
            reason=item.reason,
            error=f"refused while {item.where} in {self._group}",
            failed_at=self._clock.now(),
        )
        redriven = item.record.topic == self._redrive
        return dead_letter_of(item.record, to=self._to, failure=failure, redriven=redriven)
