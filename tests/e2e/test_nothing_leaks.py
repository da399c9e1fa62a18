"""After all that, no phone number, name, text or secret stands where it must not."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from garbo.common.events.topics import RAW_TOPICS, TOPICS, RawTopic, Topic
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack, request

pytestmark = pytest.mark.e2e

CANARY = "+393338000001"
WORDS = "Canarino giallo"
SECRETS = ("e2e-app-secret", "e2e-token", "demo-shop-key")


@pytest.fixture(scope="module")
async def walked(stack: Stack) -> Stack:
    """The canary opts in, is sent a promo, and writes."""
    await stack.opt_in([CANARY])
    asked = request(CANARY)
    await stack.publish([asked])
    before = (await stack.counts())["inbound"]
    wrote = await stack.post("simulator", f"/customers/{CANARY}/messages", {"text": WORDS})
    assert wrote.status_code == 202

    async def done() -> bool:
        story = await stack.story(asked["request_id"])
        heard = (await stack.counts())["inbound"] > before
        return heard and story is not None and any(s["what"] == "delivered" for s in story["story"])

    await until(done, bool)
    return stack


async def test_metrics_name_nobody(walked: Stack) -> None:
    async with httpx.AsyncClient() as client:
        pages = [(await client.get(f"{url}/metrics")).text for url in walked.urls.values()]
    assert all(page.count("garbo_") for page in pages)
    assert not [page for page in pages if re.search(CANARY[3:], page) or WORDS in page]


async def test_logs_name_nobody(walked: Stack) -> None:
    if walked.data is None:
        pytest.skip("the installation's lines are not on this machine")
    lines = (walked.data.parent / f"{walked.data.name}.log").read_text(errors="replace").splitlines()
    assert len(lines) > 20
    ours = [line for line in lines if re.match(r"(ingest|router|sender|analytics) ", line)]
    assert ours
    assert not [line for line in ours if re.search(r"393[0-9]{9}", line) or WORDS in line]
    assert not [line for line in lines for secret in SECRETS if secret in line]


async def test_kafka_keys_and_headers_name_nobody(walked: Stack) -> None:
    consumer = AIOKafkaConsumer(**walked.kafka.connection(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        every: list[Topic[Any] | RawTopic] = [*TOPICS, *RAW_TOPICS]
        partitions = [TopicPartition(topic.name, p) for topic in every for p in range(topic.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        seen, shown = 0, False
        async with asyncio.timeout(60):
            while seen < sum(ends.values()):
                for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                    seen += len(records)
                    for record in records:
                        told = b" ".join(
                            [record.key or b"", *(name.encode() + value for name, value in record.headers)]
                        )
                        assert CANARY[3:].encode() not in told, record.topic
                        shown |= CANARY[3:].encode() in (record.value or b"")
    finally:
        await consumer.stop()
    assert seen > 5
    assert shown, "a value must hold the number, or this looked at the wrong records"
