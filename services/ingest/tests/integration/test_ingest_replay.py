"""`garbo replay` and `garbo dlq redrive ingest`, on a real broker and a real ingest."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord
from typer.testing import CliRunner

from garbo.cli.main import app
from garbo.common.business import Business
from garbo.common.events.topics import (
    INBOUND_MESSAGE,
    OPERATOR_ACTED,
    WEBHOOK_RECEIVED,
    dead_letters,
    redrive,
)
from garbo.common.events.wire import decode
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deadletter import OFFSET, PARTITION, TOPIC
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing
from garbo.common.runtime.received import RECEIVED_AT, WHATSAPP_DOOR
from libs.common.tests.support.waiting import until
from services.ingest.tests.support.process import Ingest, fresh_webhook, records, running_on
from tests.support.servers import SharedKafka

pytestmark = pytest.mark.integration
DEAD, AGAIN = dead_letters("ingest"), redrive("ingest")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ingest(
    kafka: SharedKafka, ingest_business: Business, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ingest]:
    async with running_on(kafka, tmp_path_factory.mktemp("ingest"), ingest_business) as process:
        yield process


async def typed(ingest: Ingest, *words: str, code: int = 0) -> str:
    env = {"GARBO_KAFKA_BOOTSTRAP_SERVERS": ingest.bootstrap_servers}
    result = await asyncio.to_thread(CliRunner().invoke, app, words, env=env)
    assert result.exit_code == code, result.output
    return result.output or str(result.exception)


async def the_events(ingest: Ingest, wamid: str, count: int) -> list[ConsumerRecord[bytes, bytes]]:
    return await until(
        lambda: records(ingest, INBOUND_MESSAGE, about=wamid), lambda found: len(found) == count
    )


async def the_letters(ingest: Ingest, wamid: str, count: int) -> list[ConsumerRecord[bytes, bytes]]:
    return await until(lambda: records(ingest, DEAD, about=wamid), lambda found: len(found) == count)


async def test_webhooks_of_a_span_are_read_again_and_make_the_same_records(ingest: Ingest) -> None:
    wamid, body = fresh_webhook()
    posted = orjson.dumps(body)
    before = datetime.now(UTC)
    assert await ingest.webhook(posted) == 200
    after = datetime.now(UTC)
    (first,) = await the_events(ingest, wamid, 1)
    (kept,) = await records(ingest, WEBHOOK_RECEIVED, about=wamid)
    assert (kept.key, kept.value) == (None, posted)

    span = ("--from", before.isoformat(), "--to", after.isoformat())
    assert "1 webhooks would be read again" in await typed(ingest, "replay", *span)
    for of_others in (("--from", after.isoformat()), ("--from", "7d", "--to", before.isoformat())):
        assert "0 webhooks were given" in await typed(ingest, "replay", *of_others, "--yes")
    assert await records(ingest, AGAIN, about=wamid) == []

    assert "1 webhooks were given to ingest" in await typed(ingest, "replay", *span, "--yes")
    _, again = await the_events(ingest, wamid, 2)
    assert (again.key, again.value, again.partition) == (first.key, first.value, first.partition)
    assert dict(again.headers)["ce_id"] == dict(first.headers)["ce_id"]
    assert len(await records(ingest, WEBHOOK_RECEIVED, about=wamid)) == 1

    await typed(ingest, "replay", *span, "--yes", "--by", "anna")
    (did,) = await records(ingest, OPERATOR_ACTED, about="anna")
    assert decode(OPERATOR_ACTED, did.value).action == "webhooks_replayed"
    assert len(await the_events(ingest, wamid, 3)) == 3, "a span may be read as often as somebody likes"


async def test_letters_of_webhooks_are_tried_again_each_once(ingest: Ingest) -> None:
    wamid, body = fresh_webhook(timestamp="soon")
    assert await ingest.webhook(orjson.dumps(body)) == 200
    other, body = fresh_webhook(timestamp="later")
    assert await ingest.webhook(orjson.dumps(body)) == 200
    since = ("--reason", "invalid:timestamp", "--since", "1m")

    assert "2 letters to be tried again" in await typed(ingest, "dlq", "redrive", "ingest", *since, "--yes")
    for one in (wamid, other):
        letters = await the_letters(ingest, one, 2)
        first, again = sorted(letters, key=lambda letter: dict(letter.headers)["garbo-attempt"] or b"")
        earlier, later = dict(first.headers), dict(again.headers)
        assert (earlier["garbo-attempt"], later["garbo-attempt"]) == (b"1", b"2")
        assert earlier[RECEIVED_AT] == later[RECEIVED_AT]
        assert again.value == first.value
        assert int(later[OFFSET] or b"") == first.offset
    planned = await typed(ingest, "dlq", "redrive", "ingest", *since)
    assert "2 letters would be tried again; 2 were before, and are passed over" in planned


async def test_a_mended_reader_takes_what_it_refused(ingest: Ingest) -> None:
    """The letter is written here as an older ingest would have, of what this one can read."""
    wamid, body = fresh_webhook()
    headers = {
        TOPIC: WHATSAPP_DOOR,
        PARTITION: "-1",
        OFFSET: "-1",
        "garbo-reason": "invalid:mended",
        "garbo-attempt": "1",
        "garbo-failed-at": datetime.now(UTC).isoformat(),
    }
    await write(ingest, DEAD.name, orjson.dumps(body), headers)
    said = await typed(ingest, "dlq", "redrive", "ingest", "--reason", "invalid:mended", "--yes")
    assert "1 letters were written" in said
    assert len(await the_events(ingest, wamid, 1)) == 1
    said = await typed(ingest, "dlq", "redrive", "ingest", "--reason", "invalid:mended", "--yes")
    assert "0 letters to be tried again; 1 were before" in said


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (datetime.now(UTC) - timedelta(days=9), "too_old"),
        ("yesterday", "invalid:garbo-received-at"),
        ("2026-11-30T10:00:00", "invalid:garbo-received-at"),
    ],
    ids=["old", "words", "no zone"],
)
async def test_what_cannot_be_placed_in_time_is_a_letter(
    ingest: Ingest, received: datetime | str, why: str
) -> None:
    wamid = f"wamid.{uuid.uuid4().hex}"
    _, body = fresh_webhook(id=wamid)
    at = received if isinstance(received, str) else received.isoformat()
    place = {TOPIC: WHATSAPP_DOOR, PARTITION: "0", OFFSET: "7", RECEIVED_AT: at}
    await write(ingest, AGAIN.name, orjson.dumps(body), place)
    (letter,) = await the_letters(ingest, wamid, 1)
    assert dict(letter.headers)["garbo-reason"] == why.encode()
    assert await records(ingest, INBOUND_MESSAGE, about=wamid) == []


async def test_what_is_typed_wrong_is_told(ingest: Ingest) -> None:
    assert "--from must be earlier than --to" in await typed(
        ingest, "replay", "--from", "1h", "--to", "2h", code=1
    )
    assert "give a span such as" in await typed(ingest, "replay", "--from", "now", code=1)


async def write(ingest: Ingest, topic: str, value: bytes, headers: dict[str, str]) -> None:
    producer = Producer(kafka=KafkaSettings(ingest.bootstrap_servers), service="tests")
    await producer.start()
    try:
        told = tuple((name, text.encode()) for name, text in headers.items())
        await producer.publish([Outgoing(topic, None, value, told)])
    finally:
        await producer.stop()
