from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.runtime.health import health_routes
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import CARE, DESK, READER, SHOP, AnyJson


def _client(name: str, key: str, **more: AnyJson) -> dict[str, Any]:
    return {"id": name, "keys_sha256": [sha256(key.encode()).hexdigest()], **more}


@pytest.fixture(scope="session")
def ingest_business() -> Business:
    numbers = [
        {"id": number, "display": "+39 02 000000", "waba": "1", "brand": brand, "token": "t"}
        for number, brand in (("100", "acme"), ("200", "bella"))
    ]
    return Business.model_validate(
        {
            "brands": [
                {"id": "acme", "care_number": "100", "promo_number": "100"},
                {"id": "bella", "care_number": "200", "promo_number": "200"},
            ],
            "numbers": numbers,
            "templates": [
                {"name": "shipped", "language": "en_US", "category": "UTILITY", "parameters": 2},
                {"name": "unsaid", "language": "it", "category": "UTILITY"},
            ],
            "clients": [
                _client(
                    "shop",
                    SHOP,
                    brands=["acme"],
                    purposes=["promo", "utility"],
                    scopes=["publish", "link"],
                ),
                _client("desk", DESK, brands=["acme", "bella"], purposes=["care", "promo"]),
                _client("agent", CARE, brands=["acme", "bella"], purposes=["care"]),
                _client("reader", READER, brands=["acme"], purposes=["promo"], scopes=["read"]),
            ],
        }
    )


@pytest.fixture
def ingest_settings(tmp_path: Path) -> IngestSettings:
    return IngestSettings.model_validate(
        {
            "config": tmp_path / "business.yaml",
            "whatsapp_app_secrets": "new-secret,old-secret",
            "whatsapp_verify_token": "verify-token",
            "hash_key": "hash-key-of-the-tests",
            "body_timeout_s": 0.2,
            "max_in_flight": 2,
        }
    )


@pytest.fixture
def ingest_clock() -> FixedClock:
    return FixedClock(datetime(2026, 9, 22, 12, tzinfo=UTC))


@pytest.fixture
def event_log() -> MemoryEventLog:
    return MemoryEventLog()


@pytest.fixture
def observed_templates() -> TemplateRegistry:
    return TemplateRegistry()


@pytest.fixture
def ingest_app(
    ingest_settings: IngestSettings,
    ingest_business: Business,
    event_log: MemoryEventLog,
    ingest_clock: FixedClock,
    observed_templates: TemplateRegistry,
) -> ASGIApp:
    return http_app(
        ingest_settings,
        flows_of(
            ingest_settings,
            publishers=BusinessPublishers(ingest_business),
            log=event_log,
            templates=observed_templates,
            clock=ingest_clock,
        ),
        freshness=Freshness(ingest_business),
        health=health_routes(alive={}, ready={"kafka": bool}),
    )
