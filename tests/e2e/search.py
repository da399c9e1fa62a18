"""Looking for a person everywhere: in each table of each schema, in each topic, in what services say."""

import asyncio
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from functools import cache
from typing import Any, Final, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from garbo.common.events.base import Event
from garbo.common.events.topics import RAW_TOPICS, TOPICS, RawTopic, Topic
from garbo.common.runtime.broker import KafkaSettings

E = TypeVar("E", bound=Event)

SCHEMAS: Final = ("router", "sender", "analytics")
TABLES: Final = """
SELECT c.relname AS name, n.nspname AS schema, coalesce(p.relname, c.relname) AS said FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_class p ON p.oid = i.inhparent WHERE c.relkind = 'r' AND n.nspname = ANY ($1)
"""
SHORTEST: Final = 6
"""What is shorter may stand anywhere by chance."""


@cache
def forms_of(canary: str) -> frozenset[bytes]:
    """Give the forms in which a word can be read: plain, hex, base64 from any place in a group of 3."""
    plain = canary.encode()
    found = {plain, plain.hex().encode(), plain.hex().upper().encode()}
    for before in range(3):
        coded = b64encode(bytes(before) + plain).rstrip(b"=")
        first = (before * 8 + 5) // 6
        found.add(coded[first : len(coded) - 1])
        found.add(coded[first : len(coded) - 1].replace(b"+", b"-").replace(b"/", b"_"))
    found |= {form.hex().encode() for form in list(found)}
    return frozenset(form for form in found if len(form) >= SHORTEST)


def named_in(text: bytes, canaries: Iterable[str]) -> Set[str]:
    """Name the canaries that can be read in a text."""
    return {canary for canary in canaries if any(form in text for form in forms_of(canary))}


async def tables_naming(dsn: str, canaries: Iterable[str]) -> Mapping[str, Set[str]]:
    """Tell which tables name whom; days of a table count as the table."""
    canaries, found = list(canaries), defaultdict[str, set[str]](set)
    connection = await asyncpg.connect(dsn)
    try:
        for table in await connection.fetch(TABLES, list(SCHEMAS)):
            name = f'"{table["schema"]}"."{table["name"]}"'
            for row in await connection.fetch(f"SELECT t::text AS row FROM {name} t"):
                found[f"{table['schema']}.{table['said']}"] |= named_in(row["row"].encode(), canaries)
    finally:
        await connection.close()
    return {table: names for table, names in found.items() if names}


async def topics_naming(kafka: KafkaSettings, canaries: Iterable[str]) -> Mapping[str, Set[str]]:
    """Tell which topics name whom, in keys, headers and values."""
    canaries, found = list(canaries), defaultdict[str, set[str]](set)
    async for record in _records(kafka, [*TOPICS, *RAW_TOPICS]):
        headers = b" ".join(name.encode() + b"=" + value for name, value in record.headers)
        told = b" ".join([record.key or b"", headers, record.value or b""])
        found[record.topic] |= named_in(told, canaries)
    return {topic: names for topic, names in found.items() if names}


async def told_on(kafka: KafkaSettings, topic: Topic[E]) -> list[E]:
    """Read all events of a topic."""
    return [topic.event.model_validate_json(one.value or b"") async for one in _records(kafka, [topic])]


async def _records(
    kafka: KafkaSettings, topics: Sequence[Topic[Any] | RawTopic]
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    partitions = [TopicPartition(topic.name, p) for topic in topics for p in range(topic.partitions)]
    consumer = AIOKafkaConsumer(**kafka.connection(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        async with asyncio.timeout(60):
            while any([await consumer.position(p) < end for p, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                    for record in records:
                        yield record
    finally:
        await consumer.stop()
