"""The process itself: real sockets, real Kafka, real signals."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from time import time

import orjson
import pytest
import pytest_asyncio

from garbo.common.business import Business
from garbo.common.events.ids import address_hash
from garbo.common.events.topics import (
    CONSENT_RECORDED,
    INBOUND_MESSAGE,
    SEND_REQUESTED,
    dead_letters,
)
from garbo.common.events.wire import decode
from libs.common.tests.support.waiting import until
from services.ingest.tests.support.http import AnyJson
from services.ingest.tests.support.process import (
    API_KEY,
    HASH_KEY,
    OURS,
    Ingest,
    SharedKafka,
    fresh_webhook,
    message,
    records,
    running,
    running_on,
)
from services.ingest.tests.support.webhooks import signed

pytestmark = pytest.mark.integration
NEW_KEY = "another-key-0123456789abcdef"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ingest(
    kafka: SharedKafka, ingest_business: Business, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ingest]:
    async with running_on(kafka, tmp_path_factory.mktemp("ingest"), ingest_business) as process:
        yield process


async def test_a_webhook_is_on_kafka_when_it_is_answered(ingest: Ingest) -> None:
    wamid, body = fresh_webhook()
    assert await ingest.webhook(orjson.dumps(body)) == 200
    (record,) = await records(ingest, INBOUND_MESSAGE, about=wamid)
    event = decode(INBOUND_MESSAGE, record.value)
    headers = dict(record.headers)
    assert event.wamid == wamid
    assert record.key == address_hash(HASH_KEY.encode(), "phone", event.sender.phone or "").encode()
    assert (headers["ce_id"], headers["ce_type"]) == (event.event_id.encode(), INBOUND_MESSAGE.name.encode())
    assert wamid.encode() not in headers["ce_id"], "a real wamid holds the number"
    assert headers["ce_source"] == b"/garbo/ingest"
    assert headers["traceparent"]


async def test_the_same_body_twice_is_the_same_fact_twice(ingest: Ingest) -> None:
    wamid, body = fresh_webhook()
    raw = orjson.dumps(body)
    assert [await ingest.webhook(raw), await ingest.webhook(raw)] == [200, 200]
    first, second = await records(ingest, INBOUND_MESSAGE, about=wamid)
    assert (first.key, first.partition) == (second.key, second.partition)
    assert dict(first.headers)["ce_id"] == dict(second.headers)["ce_id"]


async def test_a_broken_part_lands_in_the_dead_letter_topic_beside_its_neighbours(ingest: Ingest) -> None:
    wamid, body = fresh_webhook()
    value = body["entry"][0]["changes"][0]["value"]
    good = value["messages"][0]
    value["messages"] = [
        good,
        good | {"id": f"{wamid}.broken", "timestamp": "soon"},
        good | {"id": f"{wamid}.3"},
    ]
    assert await ingest.webhook(orjson.dumps(body)) == 200
    assert len(await records(ingest, INBOUND_MESSAGE, about=wamid)) == 2
    (dead,) = await records(ingest, dead_letters("ingest"), about=wamid)
    kept = orjson.loads(dead.value or b"")["entry"][0]["changes"][0]["value"]["messages"]
    assert [one["id"] for one in kept] == [f"{wamid}.broken"]
    headers = dict(dead.headers)
    assert dead.key is None
    assert headers["garbo-reason"] == b"invalid:timestamp"
    assert headers["garbo-origin-topic"] == b"http:/webhooks/whatsapp"


async def test_a_signed_body_that_is_no_json_is_dead_lettered_whole(ingest: Ingest) -> None:
    mark = uuid.uuid4().hex
    assert await ingest.webhook(b"{not json " + mark.encode()) == 200
    (dead,) = await records(ingest, dead_letters("ingest"), about=mark)
    assert (dead.value, dict(dead.headers)["garbo-reason"]) == (b"{not json " + mark.encode(), b"not_json")


async def test_a_webhook_of_nearly_3_mb_in_one_part_is_kept(ingest: Ingest) -> None:
    wamid, body = fresh_webhook(blob="x" * (3_000_000))
    assert await ingest.webhook(orjson.dumps(body)) == 200
    assert len(await records(ingest, INBOUND_MESSAGE, about=wamid)) == 1


async def test_a_part_that_grows_too_large_for_kafka_is_dead_lettered(ingest: Ingest) -> None:
    wamid, body = fresh_webhook(text={"body": "x" * 3_000_000})
    assert await ingest.webhook(orjson.dumps(body)) == 200
    (dead,) = await records(ingest, dead_letters("ingest"), about=wamid)
    assert dict(dead.headers)["garbo-reason"] == b"record_too_large"


async def test_many_webhooks_at_once_are_all_kept(ingest: Ingest) -> None:
    mark = uuid.uuid4().hex
    bodies = [orjson.dumps(fresh_webhook(id=f"{mark}.{number}")[1]) for number in range(200)]
    assert set(await asyncio.gather(*(ingest.webhook(body) for body in bodies))) == {200}
    found = await records(ingest, INBOUND_MESSAGE, about=mark)
    assert {decode(INBOUND_MESSAGE, record.value).wamid for record in found} == {
        f"{mark}.{number}" for number in range(200)
    }


async def test_refusals_have_their_status(ingest: Ingest) -> None:
    post = ingest.http.post
    assert (await post("/webhooks/whatsapp", content=b"{}")).status_code == 401
    large = b" " * 4_000_000
    assert (await post("/webhooks/whatsapp", content=large, headers=[signed(large, "x")])).status_code == 413
    assert (await post("/v1/messages", content=b"{}")).status_code == 401
    assert (await ingest.submit(message(brand="bella"))).status_code == 403
    assert (await ingest.submit(message(to={"phone": "1"}))).status_code == 422
    hello = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "verify-token"}
    assert (await ingest.http.get("/webhooks/whatsapp", params=hello)).text == "42"
    assert (await ingest.http.get("/webhooks/whatsapp")).status_code == 403


async def test_an_array_is_on_kafka_when_it_is_answered(ingest: Ingest) -> None:
    campaign = f"c{uuid.uuid4().hex}"
    trace = uuid.uuid4().hex
    parent = f"00-{trace}-00f067aa0ba902b7-01"
    answer = await ingest.submit([message(campaign=campaign)] * 1000, traceparent=parent)
    assert answer.status_code == 202
    found = await records(ingest, SEND_REQUESTED, about=campaign)
    ids = {str(decode(SEND_REQUESTED, record.value).request_id) for record in found}
    assert ids == {one["request_id"] for one in answer.json()["messages"]}
    assert len(ids) == 1000
    assert {dict(record.headers)["traceparent"].split(b"-")[1] for record in found} == {trace.encode()}


async def test_nothing_of_an_array_is_on_kafka_when_one_element_is_wrong(ingest: Ingest) -> None:
    campaign = f"c{uuid.uuid4().hex}"
    body = [message(campaign=campaign), message(campaign=campaign, to={"phone": "no"})]
    assert (await ingest.submit(body)).status_code == 422
    assert await records(ingest, SEND_REQUESTED, about=campaign) == []


async def test_a_consent_is_on_kafka_when_it_is_answered(ingest: Ingest) -> None:
    consent: dict[str, AnyJson] = {
        "brand": "acme",
        "to": {"phone": "+393331234567"},
        "action": "given",
        "source": f"s{uuid.uuid4().hex}",
        "occurred_at": "2026-09-01T10:00:00Z",
    }
    assert (await ingest.submit(consent, to="consents")).status_code == 202
    assert len(await records(ingest, CONSENT_RECORDED, about=consent["source"])) == 1


async def test_another_key_is_known_without_a_restart_and_a_bad_file_leaves_the_last_good_one(
    kafka: SharedKafka, ingest_business: Business, tmp_path: Path
) -> None:
    body = {"brand": "acme", "to": {"phone": "+393331234567"}, "action": "given", "source": "form"}
    body |= {"occurred_at": "2026-06-05T10:00:00Z"}

    async with running_on(kafka, tmp_path, ingest_business) as process:

        async def answer(key: str = NEW_KEY) -> int:
            told = await process.submit(body, to="consents", Authorization=f"Bearer {key}")
            return told.status_code

        assert (await answer(), await answer(API_KEY)) == (401, 202)
        clients = [
            one.model_copy(update={"keys_sha256": (sha256(NEW_KEY.encode()).hexdigest(),)})
            if one.id == "shop"
            else one
            for one in ingest_business.clients
        ]
        changed = ingest_business.model_copy(update={"clients": tuple(clients)})
        (tmp_path / "business.yaml").write_text(changed.model_dump_json())
        await until(answer, lambda status: status == 202)
        assert await answer(API_KEY) == 401
        (tmp_path / "business.yaml").write_text("brands: none")
        figures = await until(lambda: metrics(process), lambda text: 'refused{file="business"} 1.0' in text)
        assert "garbo_file_refused" in figures
        assert await answer() == 202
        assert (await process.http.get("/readyz")).status_code == 200


async def test_app_secrets_are_rotated_while_it_runs(
    kafka: SharedKafka, ingest_business: Business, tmp_path: Path
) -> None:
    """A secret that is wrong leaves the last good ones; how often each has signed is told."""
    file, raw = tmp_path / "secrets", orjson.dumps(fresh_webhook()[1])
    await kafka.create_topics(OURS)
    file.write_text("old-secret\n")
    async with running(kafka.bootstrap_servers, tmp_path, ingest_business, secrets_file=file) as process:

        async def answer(secret: str) -> int:
            return await process.webhook(raw, secret=secret)

        assert (await answer("old-secret"), await answer("new-secret")) == (200, 401)
        file.write_text("new-secret, old-secret\n")
        await until(lambda: answer("new-secret"), lambda status: status == 200)
        assert await answer("old-secret") == 200
        file.write_text(" , \n")
        await until(lambda: metrics(process), lambda text: 'refused{file="webhook secrets"} 1.0' in text)
        assert (await answer("old-secret"), await answer("new-secret")) == (200, 200)
        file.write_text("new-secret\n")
        await until(lambda: answer("old-secret"), lambda status: status == 401)
        assert await answer("new-secret") == 200
        second = re.search(r'signature_key_total{place="1"} (\S+)', await metrics(process))
        assert second is not None
        assert float(second[1]) >= 2


async def test_a_number_that_falls_silent_can_be_seen(ingest: Ingest) -> None:
    async def heard_at(number: str) -> float:
        told = re.search(rf'webhook_timestamp_seconds{{number="{number}"}} (\S+)', await metrics(ingest))
        return float(told[1]) if told else 0.0

    began, other = await heard_at("100"), await heard_at("200")
    assert 0 < time() - began < 3600, "until it is heard of, when the process started"
    _, body = fresh_webhook()
    metadata = body["entry"][0]["changes"][0]["value"]["metadata"]
    for number in ("100", "another9"):
        metadata["phone_number_id"] = number
        assert await ingest.webhook(orjson.dumps(body)) == 200
    assert await heard_at("100") > began
    assert await heard_at("200") == other
    assert "another9" not in await metrics(ingest)


async def metrics(ingest: Ingest) -> str:
    return (await ingest.http.get("/metrics")).text
