"""Batches no client library builds: what a broker takes of them, every consumer gets."""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any, Final

import cramjam
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import TopicPartition

from garbo.common.runtime.batches import HEADER
from libs.common.tests.support.built_batches import CODECS, built, checked, packed

MIB: Final = 1024 * 1024
PACK: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda plain: bytes(cramjam.gzip.compress(plain)),
    "snappy": lambda plain: bytes(cramjam.snappy.compress_raw(plain)),
    "lz4": lambda plain: bytes(cramjam.lz4.compress(plain)),
    "zstd": lambda plain: bytes(cramjam.zstd.compress(plain)),
}
TIMEOUT_MS: Final = 10_000
LIES: Final = (
    (57, ">i", 2),  # fewer records than there are
    (57, ">i", -1),
    (23, ">i", 2**31 - 1),  # the last offset
    (21, ">h", 0x30),  # the end of a transaction
    (21, ">h", 0x10),  # in a transaction
    (21, ">h", 0x07),  # a codec nobody knows
    (27, ">q", -(2**63)),  # the first timestamp
    (35, ">q", 2**63 - 1),  # the largest
)
"""Where in the header, how it is written, and what it says."""


def broken_batches(dice: Random) -> Iterator[bytes]:
    """Give a batch of each kind: bombs, odd names, wrong lengths, counts, offsets, markers, old formats."""
    codec = dice.choice(list(PACK))
    yield from bombs(codec)
    plain = built([b"{}", b"{}", b"{}"], headers=[("not-utf-8", b"x")])
    odd = bytearray(plain.replace(b"not-utf-8", b"\xff" * 9))
    yield bytes(checked(odd))
    yield bytes(packed(odd, CODECS[codec], PACK[codec]))
    yield bytes(checked(_changed(dice, plain, begin=HEADER.size)))
    yield bytes(packed(_changed(dice, plain, begin=HEADER.size), CODECS[codec], PACK[codec]))
    yield bytes(checked(_changed(dice, plain, begin=21)))
    yield bytes(_changed(dice, plain, begin=0))
    for place, kind, value in LIES:
        forged = bytearray(plain)
        struct.pack_into(kind, forged, place, value)
        yield bytes(checked(forged))
    old = bytearray(plain)
    old[16] = dice.randrange(2)
    yield bytes(old)


@cache
def bombs(codec: str) -> tuple[bytes, ...]:
    """Give what is small and inflates: to 100 MiB, to many records, to just what is read, to headers."""
    headers = b"\0\0\0\1\2v" + _varint(MIB) + b"\0\1" * MIB
    plain = (
        built([b" " * 100 * MIB]),
        built([b" " * 1024] * 20_000),
        built([b" " * 15 * MIB]),
        built([b""])[: HEADER.size] + _varint(len(headers)) + headers,
    )
    return tuple(bytes(packed(one, CODECS[codec], PACK[codec])) for one in plain)


async def write_raw(producer: AIOKafkaProducer, topic: str, partition: int, batch: bytes) -> bool:
    """Send the bytes of a batch as they are; tell whether the broker took them."""
    client: Any = producer.client
    await client._wait_on_metadata(topic)
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    request = ProduceRequest(
        transactional_id=None,
        required_acks=-1,
        timeout=TIMEOUT_MS,
        topics=[(topic, [(partition, batch)])],
    )
    try:
        answer = await client.send(leader, request)
    except KafkaError:
        return False
    ((_, ((_, code, *_),)),) = answer.topics
    return bool(code == 0)


def _changed(dice: Random, batch: bytearray, *, begin: int) -> bytearray:
    changed = bytearray(batch)
    for _ in range(dice.randrange(1, 4)):
        changed[dice.randrange(begin, len(changed))] = dice.randrange(256)
    return changed


def _varint(number: int) -> bytes:
    raw, out = number << 1, bytearray()
    while raw > 0x7F:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    return bytes([*out, raw])
