"""What each user may do in a real broker: what the table of topics says, and nothing else."""

from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.structs import TopicPartition

from garbo.cli.connection import kafka_of, user_settings_of
from garbo.cli.rights.command import apply_acls
from garbo.cli.rights.protocol import allow
from garbo.cli.rights.table import MEMBERS, Kind, Member, Operation, Right
from garbo.cli.topics import administering, plan_topics
from garbo.common.errors import StartRefused
from garbo.common.events.topics import RAW_TOPICS, SEND_CARE, TOPICS
from garbo.common.runtime.broker import KafkaSettings
from tests.support.secure_stand import Secure
from tests.support.servers import SharedKafka

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

EVERY_TOPIC: Final = sorted([topic.name for topic in TOPICS] + [topic.name for topic in RAW_TOPICS])


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.who)
async def test_each_writes_its_own_topics_and_no_other(secure: Secure, member: Member) -> None:
    kafka = kafka_of(secure.scram(who=member.who))
    producer = AIOKafkaProducer(**kafka.connection(), enable_idempotence=bool(member.writes))
    await producer.start()
    try:
        written = [topic for topic in EVERY_TOPIC if await _may_write(producer, topic)]
    finally:
        await producer.stop()
    assert written == sorted(member.writes)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.who)
async def test_each_reads_its_own_topics_in_its_own_groups_and_no_other(
    secure: Secure, member: Member
) -> None:
    kafka = kafka_of(secure.scram(who=member.who))
    consumer: Any = AIOKafkaConsumer(**kafka.connection(), enable_auto_commit=False)
    await consumer.start()
    try:
        seen = sorted(await consumer.topics())
        read = [topic for topic in seen if await _may_read(consumer, topic)]
    finally:
        await consumer.stop()
    assert seen == sorted({*member.reads, *member.writes})
    assert read == sorted(member.reads)
    groups = [f"{other.who}.lane" for other in MEMBERS if await _may_join(kafka, f"{other.who}.lane")]
    assert groups == ([f"{member.who}.lane"] if member.groups else [])


async def test_again_nothing_changes_and_what_is_too_much_goes_away(secure: Secure) -> None:
    again = await apply_acls(secure.unnamed, user_settings_of({}))
    assert (again.users, again.allowed, again.forbidden) == ((), (), ())
    extra = Right("garbo-sender", Kind.TOPIC, SEND_CARE.name, Operation.WRITE)
    async with administering(secure.unnamed) as admin:
        await allow(admin, extra)
    assert (await apply_acls(secure.unnamed, user_settings_of({}))).forbidden == (extra,)


async def test_a_service_may_not_change_users_nor_rights(secure: Secure) -> None:
    with pytest.raises(StartRefused, match=r"did not|not allow"):
        await apply_acls(
            kafka_of(secure.scram()), user_settings_of({"GARBO_KAFKA_ROUTER_PASSWORD": "mine-alone"})
        )


async def _may_write(producer: AIOKafkaProducer, topic: str) -> bool:
    try:
        await producer.send_and_wait(topic, b"value", key=b"k", partition=0)
    except TopicAuthorizationFailedError:
        return False
    return True


async def _may_read(consumer: Any, topic: str) -> bool:  # noqa: ANN401 - aiokafka has no types
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        return bool(await consumer.getmany(timeout_ms=10_000))
    except TopicAuthorizationFailedError:
        return False


async def _may_join(kafka: KafkaSettings, group: str) -> bool:
    async with administering(kafka) as admin:
        try:
            await admin.find_coordinator(group)
        except GroupAuthorizationFailedError:
            return False
    return True


async def test_who_may_not_look_hears_that_and_not_that_kafka_is_away(secure: Secure) -> None:
    with pytest.raises(StartRefused, match="Kafka does not show the settings of garbo"):
        await plan_topics(kafka_of(secure.scram()))


async def test_a_broker_that_asks_nobody_says_that_rights_mean_nothing_there(kafka: SharedKafka) -> None:
    with pytest.raises(StartRefused, match="this Kafka has no authorizer"):
        await apply_acls(KafkaSettings(kafka.bootstrap_servers), user_settings_of({}))
