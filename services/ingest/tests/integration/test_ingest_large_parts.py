"""A part of a webhook that grows beyond what Kafka takes: its neighbours land, it is kept with the body."""

import uuid
from collections.abc import Sequence
from typing import Protocol

import orjson
import pytest

from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import INBOUND_MESSAGE, TOPICS, RawTopic, Topic, dead_letters
from garbo.common.events.wire import decode
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.producer import Producer
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.outbound.kafka import KafkaEventLog
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.http import AnyJson, ask
from services.ingest.tests.support.process import records
from services.ingest.tests.support.webhooks import signed

pytestmark = pytest.mark.integration

DEAD = dead_letters("ingest")
PATIENCE_S = 30
FIGURES = 600_000
"""`1E9` is written 1000000000.0 again: 2.4 MB become 7.8."""


class SharedKafka(Protocol):
    bootstrap_servers: str

    async def create_topics(self, topics: Sequence[Topic[AnyJson] | RawTopic]) -> None: ...


def message(wamid: str, **more: AnyJson) -> AnyJson:
    stop = {"type": "text", "text": {"body": "STOP"}}
    return {"id": wamid, "from": "393331234567", "timestamp": "1790000000", **stop, **more}


def webhook(value: AnyJson, *others: AnyJson) -> bytes:
    about = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "100"}}
    changes = [{"field": "messages", "value": about | value}, *others]
    whole = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
    return orjson.dumps(whole).replace(b'"GROWS"', b"[" + b",".join([b"1E9"] * FIGURES) + b"]")


def grown(name: str, wamid: str) -> bytes:
    """Give a body of two messages, and something that grows beside them or within one of them."""
    two = [message(f"{wamid}.1"), message(f"{wamid}.2")]
    match name:
        case "message":
            return webhook({"messages": [two[0], message(f"{wamid}.3", order="GROWS"), two[1]]})
        case "status":
            status = {"id": "wamid.x", "status": "sent", "timestamp": "1790000000", "recipient_id": "1"}
            return webhook({"messages": two, "statuses": [status | {"pricing": "GROWS"}]})
        case "field beside":
            return webhook({"messages": two, "errors": "GROWS"})
        case _:
            return webhook({"messages": two}, {"field": "history", "value": {"history": "GROWS"}})


@pytest.mark.parametrize("name", ["message", "status", "field beside", "change beside"])
async def test_a_part_too_large_for_kafka_takes_no_neighbour_with_it(
    kafka: SharedKafka,
    ingest_settings: IngestSettings,
    ingest_business: Business,
    ingest_clock: FixedClock,
    name: str,
) -> None:
    await kafka.create_topics([*TOPICS, DEAD])
    wamid = f"wamid.{uuid.uuid4().hex}"
    body = grown(name, wamid)
    producer = Producer(kafka=KafkaSettings(kafka.bootstrap_servers), service="ingest")
    await producer.start()
    try:
        log = KafkaEventLog(producer, ingest_clock)
        patient = ingest_settings.model_copy(update={"body_timeout_s": PATIENCE_S})
        app = http_app(
            patient,
            flows_of(
                patient,
                publishers=BusinessPublishers(ingest_business),
                log=log,
                templates=TemplateRegistry(),
                clock=ingest_clock,
            ),
            freshness=Freshness(ingest_business),
            health=health_routes(alive={}, ready={"kafka": bool}),
        )
        answer = await ask(app, "POST /webhooks/whatsapp", body=body, headers=[signed(body, "new-secret")])
    finally:
        await producer.stop()
    assert answer is not None
    assert answer.status == 200
    told = [decode(INBOUND_MESSAGE, r.value) for r in await records(kafka, INBOUND_MESSAGE, about=wamid)]
    assert [event.wamid for event in told] == [f"{wamid}.1", f"{wamid}.2"]
    assert {event.text for event in told} == {"STOP"}
    (dead,) = await records(kafka, DEAD, about=wamid)
    assert dead.value == body, "whoever mends it has all of it"
    assert dict(dead.headers)["garbo-reason"] == b"record_too_large"
