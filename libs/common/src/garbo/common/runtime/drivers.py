"""The typed doors to FastStream and to aiokafka's consumer."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol, cast

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.structs import TopicPartition
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.middlewares import AckPolicy

from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.careful_consumer import CarefulConsumer, PollObserver

REBALANCE_MS: Final = 60_000
"""Every member must have finished its batch and joined again within this: the drain budget's ceiling."""
MAX_POLL_MS: Final = 300_000
POLL_MS: Final = 25
"""One poll of an idle lane. FastStream sleeps as long again after an empty one, so it is half the latency."""
PARTITION_BYTES: Final = 1024 * 1024
FETCH_BYTES: Final = 8 * 1024 * 1024
"""One answer of a broker, however many partitions are full."""


class Record(Protocol):
    """What is read of one aiokafka record."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970, from the producer; -1 where there is none."""
        ...

    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...  # noqa: D102


class Consumer(Protocol):
    """What is used of an aiokafka consumer."""

    def assignment(self) -> set[TopicPartition]: ...  # noqa: D102
    def pause(self, *partitions: TopicPartition) -> None: ...  # noqa: D102
    def resume(self, *partitions: TopicPartition) -> None: ...  # noqa: D102
    def seek(self, partition: TopicPartition, offset: int) -> None: ...  # noqa: D102
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...  # noqa: D102
    async def position(self, partition: TopicPartition) -> int: ...  # noqa: D102
    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]: ...  # noqa: D102


class Inbox(PollObserver, Protocol):
    """Who takes what a subscription brings."""

    async def take(self, records: Sequence[Record]) -> None:
        """Finish one batch; never raises but `CancelledError`."""
        ...

    async def revoked(self) -> None:
        """Let go: when this returns, others may be given the partitions."""
        ...


class Subscription:
    """One FastStream batch subscriber over raw bytes, manual acknowledgement, one consumer group member."""

    def __init__(
        self, kafka: KafkaSettings, *, group: str, topics: Sequence[str], max_records: int, inbox: Inbox
    ) -> None:
        self._broker = _Broker(kafka, client_id=group, inbox=inbox)
        self._subscriber = self._broker.subscriber(
            *topics,
            batch=True,
            group_id=group,
            group_instance_id=kafka.instance,
            max_records=max_records,
            batch_timeout_ms=POLL_MS,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            session_timeout_ms=int(kafka.session_s * 1000),
            heartbeat_interval_ms=int(kafka.session_s * 100),
            rebalance_timeout_ms=REBALANCE_MS,
            max_poll_interval_ms=MAX_POLL_MS,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            listener=_Listener(inbox),
            parser=_as_it_is,
            decoder=_nothing_decoded,
            no_reply=True,
        )

        @self._subscriber
        async def take(records: Any) -> None:  # noqa: ANN401 - FastStream builds a model of what it reads here
            await inbox.take(records)

    @property
    def consumer(self) -> Consumer | None:
        """The consumer, from the moment it begins to connect until it has stopped."""
        return cast("Consumer | None", self._subscriber.consumer)

    async def look_ahead(self, partition: TopicPartition, offset: int) -> Sequence[Record]:
        """Give some records from an offset on, and take none. Only while a batch is in hand: nobody polls."""
        consumer = cast("CarefulConsumer | None", self._subscriber.consumer)
        return await consumer.look_ahead(partition, offset) if consumer else []

    async def start(self) -> None:
        """Connect, join the group and wait for the first assignment; raises what aiokafka raises."""
        await self._broker.start()

    async def stop(self) -> None:
        """Leave the group and close. Does not wait for the batch in hand: that is the caller's."""
        await self._broker.stop()


class _Broker(KafkaBroker):
    """FastStream's broker without its own producer, admin client and log, its consumer observed."""

    def __init__(self, kafka: KafkaSettings, *, client_id: str, inbox: Inbox) -> None:
        super().__init__(
            kafka.servers(),
            client_id=client_id,
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            serializer=None,
            graceful_timeout=1.0,  # our own drain has ended before FastStream is told to stop
            logger=None,  # what it would say of each batch, we count; its errors come through `poll_failed`
        )
        # Joining a group waits until the group has settled, which a member that died delays by a session.
        patience_ms = int((kafka.session_s + kafka.request_s) * 1000)
        self._connection_of_ours = kafka.connection() | {"request_timeout_ms": patience_ms}
        self._inbox = inbox

    async def _connect(self) -> Callable[..., AIOKafkaConsumer]:
        builder = cast("partial[AIOKafkaConsumer]", await super()._connect())
        observed = partial(
            CarefulConsumer, **{**builder.keywords, **self._connection_of_ours}, inbox=self._inbox
        )
        self.config.broker_config.builder = observed
        return observed


class _Listener(ConsumerRebalanceListener):
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Drain. The assignment is eager: all partitions go."""
        if revoked:
            await self._inbox.revoked()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing: positions start at what is committed."""


async def _as_it_is(batch: tuple[Record, ...]) -> KafkaMessage:
    """Touch nothing. FastStream's own parser decodes headers as UTF-8 and loses the batch when one is not."""
    return KafkaMessage(
        body=b"",
        headers={},
        message_id="",
        correlation_id="",
        raw_message=cast("Any", batch),
        consumer=FAKE_CONSUMER,
    )


async def _nothing_decoded(message: KafkaMessage) -> Any:  # noqa: ANN401 - FastStream's own
    return message.raw_message
