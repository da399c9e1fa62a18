"""Results, published on Kafka."""

from collections.abc import Sequence
from typing import Protocol

from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.common.events.topics import ADDRESS_SHOWN, SEND_RESULT
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.raw_producer import Outgoing


class Publisher(Protocol):
    """What this needs of a producer."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged, else raise `RetryLater`."""
        ...


class KafkaResults:
    """`Results` on `garbo.send.result.v1` and `garbo.address.shown.v1`, keyed by contact."""

    def __init__(self, producer: Publisher) -> None:
        self._producer = producer

    async def publish(
        self, results: Sequence[tuple[SendResult, str | None]], *, shown: Sequence[AddressShown] = ()
    ) -> None:
        """Publish; nothing to do for none."""
        records = [outgoing(SEND_RESULT, r, key=str(r.contact_id), trace=trace) for r, trace in results]
        records += [outgoing(ADDRESS_SHOWN, one, key=str(one.contact_id)) for one in shown]
        if records:
            await self._producer.publish(records)
