"""Topics: what a cluster has, what the table in code wants, and how to make them agree."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from garbo.cli.cluster import not_answering
from garbo.common.errors import StartRefused
from garbo.common.events.topics import EVERY_TOPIC, SEGMENT, RawTopic, Topic
from garbo.common.runtime.broker import KafkaSettings

AnyTopic = Topic[Any] | RawTopic
WANTED: tuple[AnyTopic, ...] = EVERY_TOPIC
ADMIN_S = 30.0
GROUPS_S = 15.0
LOOK_AGAIN_S = 1.0
"""Asked again sooner, a new broker warns that the topic it is just making exists."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the cluster and the table."""

    topic: AnyTopic
    kind: Literal["create", "configure", "partitions"]
    detail: str

    @property
    def refused(self) -> bool:
        """Partitions of an existing topic are never changed: keys would move between them."""
        return self.kind == "partitions"


@dataclass(frozen=True, slots=True)
class Present:
    """A topic as the cluster has it."""

    partitions: int
    configs: dict[str, str]


def changes(present: dict[str, Present], wanted: Sequence[AnyTopic] = WANTED) -> list[Change]:
    """Compare; an empty list means the cluster agrees with the table."""
    found: list[Change] = []
    for topic in wanted:
        there = present.get(topic.name)
        if there is None:
            found.append(Change(topic, "create", f"{topic.partitions} partitions, kept: {topic.kept}"))
            continue
        if there.partitions != topic.partitions:
            found.append(
                Change(
                    topic,
                    "partitions",
                    f"has {there.partitions} partitions, the table says {topic.partitions}",
                )
            )
        wrong = {k: v for k, v in configs_of(topic).items() if there.configs.get(k) != v}
        if wrong:
            differences = ", ".join(f"{k}: {there.configs.get(k)} -> {v}" for k, v in wrong.items())
            found.append(Change(topic, "configure", differences))
    return found


def configs_of(topic: AnyTopic) -> dict[str, str]:
    """Return the settings a topic must have."""
    size = {"segment.ms": _ms(SEGMENT), "max.message.bytes": str(topic.max_message_bytes)}
    if isinstance(topic, Topic) and topic.is_compacted:
        return {"cleanup.policy": "compact", **size}
    return {"retention.ms": _ms(topic.retention), **size}


def _ms(span: timedelta) -> str:
    return str(span // timedelta(milliseconds=1))


async def plan_topics(kafka: KafkaSettings) -> list[Change]:
    """Say what `apply_topics` would do, without doing it."""
    async with administering(kafka) as admin:
        return changes(await _present(admin))


async def apply_topics(kafka: KafkaSettings, *, replication: int = -1) -> list[Change]:
    """Create what is missing and set what differs; returns what was done. Safe to repeat.

    On return consumers can join groups, too: a new cluster makes the topic of their offsets only when first
    asked, and everyone who asks meanwhile is turned away. Raises StartRefused, before anything is done, when
    a topic has another number of partitions.
    """
    async with administering(kafka) as admin:
        todo = changes(await _present(admin))
        for change in todo:
            if change.refused:
                raise StartRefused(f"{change.topic.name} {change.detail}: {HOW_TO_REPARTITION}")
        await _create(admin, [c.topic for c in todo if c.kind == "create"], replication)
        await _configure(admin, [c.topic for c in todo if c.kind == "configure"])
        await _await_groups(admin)
        return todo


HOW_TO_REPARTITION = (
    "that is never changed, keys would move: stop its writers, drain it, delete it, then apply"
)


async def _present(admin: AIOKafkaAdminClient) -> dict[str, Present]:
    names = sorted({t.name for t in WANTED} & set(await admin.list_topics()))
    if not names:
        return {}
    described = await admin.describe_topics(names)
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs: dict[str, dict[str, str]] = {}
    responses: list[Any] = await admin.describe_configs(resources)
    for response in responses:
        for code, _, _, name, entries in response.resources:
            if code:
                raise StartRefused(f"Kafka does not show the settings of {name}: {for_code(code).__name__}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return {d["topic"]: Present(len(d["partitions"]), configs.get(d["topic"], {})) for d in described}


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[AnyTopic], replication: int) -> None:
    if not topics:
        return
    # aiokafka takes the broker's default (-1) only beside an assignment, if an empty one.
    assignments: dict[int, list[int]] | None = {} if replication == -1 else None
    new = [NewTopic(t.name, t.partitions, replication, assignments, configs_of(t)) for t in topics]
    response: Any = await admin.create_topics(new)
    for name, code, *_ in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise StartRefused(f"Kafka did not create {name}: {error.__name__}")


async def _configure(admin: AIOKafkaAdminClient, topics: Sequence[AnyTopic]) -> None:
    for topic in topics:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=configs_of(topic))
        await admin.alter_configs([resource])


async def _await_groups(admin: AIOKafkaAdminClient) -> None:
    try:
        async with asyncio.timeout(GROUPS_S):
            while not await _coordinates(admin):  # noqa: ASYNC110 - the broker is asked, it does not tell
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError:
        raise StartRefused(
            f"Kafka coordinates no groups after {GROUPS_S:.0f} s: set offsets.topic.replication.factor to "
            "no more than it has brokers"
        ) from None


async def _coordinates(admin: AIOKafkaAdminClient) -> bool:
    try:
        await admin.find_coordinator("garbo")
    except GroupCoordinatorNotAvailableError:
        return False
    except GroupAuthorizationFailedError:
        return True  # it answers; these groups are for the services to ask about
    return True


@asynccontextmanager
async def administering(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client while the block runs; raises `StartRefused` when Kafka does not answer."""
    admin = AIOKafkaAdminClient(**kafka.connection())
    try:
        async with asyncio.timeout(ADMIN_S):
            await admin.start()
            yield admin
    except (KafkaError, OSError, TimeoutError) as error:
        raise await not_answering(kafka, error) from None
    finally:
        async with asyncio.timeout(ADMIN_S):
            await admin.close()
