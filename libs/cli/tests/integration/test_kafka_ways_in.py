"""A real broker that asks who comes: who is let in, and who is not hears why, and soon."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from garbo.cli.connection import kafka_of
from garbo.cli.topics import administering, plan_topics
from garbo.common.errors import StartRefused
from garbo.common.events.topics import DECISION_MADE
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing
from tests.support.secure_kafka import Authority, token_of
from tests.support.secure_stand import Secure, without

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SOON_S: Final = 12.0
"""Nobody waits for the 45 s that a broker has to come up when it is there and says no."""

WAYS_IN: Final[Mapping[str, Callable[[Secure], dict[str, str]]]] = {
    "SCRAM in TLS": lambda s: s.scram(),
    "SCRAM without": lambda s: s.open(),
    "PLAIN in TLS": lambda s: s.scram(SASL_MECHANISM="PLAIN", SASL_PASSWORD="plain-password"),
    "PLAIN on this machine": lambda s: s.open(SASL_MECHANISM="PLAIN", SASL_PASSWORD="plain-password"),
    "a token": lambda s: s.token(f"{token_of('garbo-router')}\n", "good"),
    "a certificate": lambda s: s.certificate(),
    "a certificate with a locked key": lambda s: s.certificate(password="four words or more"),
}


@pytest.mark.parametrize("way", WAYS_IN)
async def test_let_in_it_publishes_reads_and_administers(secure: Secure, way: str) -> None:
    kafka = kafka_of(WAYS_IN[way](secure))
    async with _producer(kafka) as producer:
        await producer.publish([Outgoing(DECISION_MADE.name, b"key", way.encode())])
    assert way.encode() in await _read(kafka_of(secure.scram(who="analytics")), DECISION_MADE.name)
    async with administering(kafka) as admin:
        assert DECISION_MADE.name in await admin.list_topics()


REFUSED: Final[Mapping[str, tuple[Callable[[Secure], dict[str, str]], str]]] = {
    "a wrong password": (lambda s: s.scram(SASL_PASSWORD="no"), "no user garbo-router with this password"),
    "nobody it knows": (lambda s: s.scram(SASL_USERNAME="nobody"), "no user nobody with this password"),
    "a mechanism the user has not": (
        lambda s: s.scram(SASL_MECHANISM="SCRAM-SHA-256"),
        "under SCRAM-SHA-256",
    ),
    "a wrong PLAIN password": (lambda s: s.scram(SASL_MECHANISM="PLAIN"), "with this password under PLAIN"),
    "a CA unheard of": (
        lambda s: without(s.scram(), "SSL_CA_FILE"),
        "give the certificate .* GARBO_KAFKA_SSL_CA_FILE",
    ),
    "another CA": (
        lambda s: s.scram(SSL_CA_FILE=_other(s).cert),
        "give the certificate .* GARBO_KAFKA_SSL_CA_FILE",
    ),
    "an expired certificate": (lambda s: s.tls("EXPIRED"), "certificate has expired.*renewed"),
    "another host's certificate": (lambda s: s.tls("ELSEWHERE"), "mismatch.*GARBO_KAFKA_BOOTSTRAP_SERVERS"),
    "no certificate of ours": (lambda s: s.tls("MUTUAL"), "GARBO_KAFKA_SSL_CERT_FILE"),
    "a certificate of a stranger": (
        lambda s: s.certificate(authority=_other(s)),
        "GARBO_KAFKA_SSL_CERT_FILE",
    ),
    "TLS where there is none": (lambda s: s.scram("OPEN"), r"SASL_SSL\) may not be what it speaks"),
    "no TLS where there is": (
        lambda s: s.told("MUTUAL"),
        r"GARBO_KAFKA_SECURITY_PROTOCOL \(PLAINTEXT\) may not be",
    ),
    "no user where one is wanted": (
        lambda s: s.told("OPEN"),
        r"GARBO_KAFKA_SECURITY_PROTOCOL \(PLAINTEXT\) may not be",
    ),
    "an expired token": (lambda s: s.token(token_of("garbo-router", lives_s=-60), "old"), "SASL_TOKEN_FILE"),
    "no token at all": (lambda s: s.token("nonsense", "nonsense"), "SASL_TOKEN_FILE"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_it_hears_why_and_soon(secure: Secure, case: str) -> None:
    told, why = REFUSED[case]
    kafka = kafka_of(told(secure))
    began = time.monotonic()
    with pytest.raises(StartRefused, match=why) as refused:
        async with _producer(kafka):
            pass
    assert time.monotonic() - began < SOON_S
    assert "\n" not in str(refused.value)
    assert "password no" not in str(refused.value)
    with pytest.raises(StartRefused, match=why):
        await plan_topics(kafka)


async def test_a_token_that_was_renewed_is_taken_for_the_next_connection(secure: Secure) -> None:
    kafka = kafka_of(secure.token(token_of("garbo-router", lives_s=-60), "renewed"))
    (secure.folder / "renewed").write_text(token_of("garbo-router"))
    async with _producer(kafka) as producer:
        await producer.publish([Outgoing(DECISION_MADE.name, b"key", b"value")])


@pytest.mark.parametrize(
    ("told", "why"),
    [
        pytest.param(
            lambda s: s.certificate(password="right") | _locked("wrong"), "no certificate with", id="wrong"
        ),
        pytest.param(
            lambda s: without(s.certificate(password="right"), "PASSWORD"), "no certificate with", id="none"
        ),
        pytest.param(
            lambda s: s.certificate() | _key(s.certificate("garbo-sender")),
            "no certificate with",
            id="another pair",
        ),
    ],
)
def test_a_key_that_does_not_open_the_certificate_is_refused_without_asking_a_terminal(
    secure: Secure, told: Callable[[Secure], dict[str, str]], why: str
) -> None:
    with pytest.raises(StartRefused, match=why):
        kafka_of(told(secure))


def _locked(password: str) -> dict[str, str]:
    return {"GARBO_KAFKA_SSL_KEY_PASSWORD": password}


def _key(told: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name.endswith("KEY_FILE")}


def _other(secure: Secure) -> Authority:
    return Authority(secure.folder / "other")


class _producer:  # noqa: N801 - reads as a word
    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = Producer(kafka=kafka, service="test")

    async def __aenter__(self) -> Producer:
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self._producer

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()


async def _read(kafka: KafkaSettings, topic: str) -> list[bytes]:
    consumer: Any = AIOKafkaConsumer(
        **kafka.connection(), group_id="analytics.test", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        parts = [TopicPartition(topic, part) for part in range(DECISION_MADE.partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found: list[bytes] = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [record.value for record in records]
        return found
    finally:
        await consumer.stop()
