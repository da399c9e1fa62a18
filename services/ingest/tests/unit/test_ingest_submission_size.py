"""What would be too large a record is refused before Kafka sees any of it."""

import pytest

from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.topics import MAX_REQUEST_BYTES
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.producer import Producer
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.outbound.kafka import KafkaEventLog
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.http import PHONE, AnyJson, post

LONG = "x" * MAX_REQUEST_BYTES
MESSAGE = {
    "brand": "acme",
    "to": {"phone": PHONE},
    "purpose": "promo",
    "content": {"type": "text", "text": {"body": "ciao"}},
}
GROWS = {
    "type": "template",
    "template": {
        "name": "t",
        "language": {"code": "it"},
        "components": [{"type": "x", "a": [1e15] * 1900, "b": "x" * (MAX_REQUEST_BYTES - 20_000)}],
    },
}


@pytest.mark.parametrize(
    "body",
    [
        MESSAGE | {"content": {"type": "interactive", "interactive": {"type": "x", "a": LONG}}},
        [
            MESSAGE,
            MESSAGE
            | {"content": {"type": "location", "location": {"latitude": 1, "longitude": 1, "a": LONG}}},
        ],
        MESSAGE | {"content": GROWS},
    ],
    ids=["one", "one of two", "only as it is written again"],
)
async def test_an_element_that_is_too_large_is_413_and_nothing_is_published(
    ingest_settings: IngestSettings, ingest_business: Business, ingest_clock: FixedClock, body: AnyJson
) -> None:
    unreachable = Producer(kafka=KafkaSettings("localhost:1", publish_s=0.1), service="ingest")
    log = KafkaEventLog(unreachable, ingest_clock)
    app = http_app(
        ingest_settings,
        flows_of(
            ingest_settings,
            publishers=BusinessPublishers(ingest_business),
            log=log,
            templates=TemplateRegistry(),
            clock=ingest_clock,
        ),
        freshness=Freshness(ingest_business),
        health=health_routes(alive={}, ready={"kafka": bool}),
    )
    try:
        answer = await post(app, body)
        assert answer.status == 413
        assert answer.json()["detail"] == "One element is larger than 256 KiB: make it smaller."
        assert (await post(app, MESSAGE)).status == 503, "what fits is handed to Kafka"
    finally:
        await unreachable.stop()
