"""Every operation of every service wants a key, or stands here by name."""

from typing import Final

import pytest

from garbo.analytics.inbound.http.app import API as ANALYTICS
from garbo.common.runtime.openapi import Api
from garbo.ingest.inbound.api import API as INGEST
from garbo.router.inbound.http.api import API as ROUTER
from garbo.sender.inbound.http import API as SENDER

HEALTH: Final = {"/livez", "/readyz", "/metrics", "/openapi.json"}
"""What schedulers, scrapers and readers of the contract ask; none of it is about a person."""
PLATFORM: Final = {"/webhooks/whatsapp"}
"""Its own proof is a token or a signature."""
APIS: Final = {
    "analytics": (ANALYTICS, HEALTH, 5),
    "ingest": (INGEST, HEALTH | PLATFORM, 6),
    "router": (ROUTER, HEALTH, 9),
    "sender": (SENDER, HEALTH, 5),
}
"""Service -> its API, what is open, and how many operations want a key: each stands in that service's table
of keys (`test_gate.py`, `test_*_keys.py`)."""


@pytest.mark.parametrize("service", APIS)
def test_every_operation_wants_a_key_or_is_known_to_want_none(service: str) -> None:
    api, known, count = APIS[service]
    operations = [one for methods in api.document["paths"].values() for one in methods.values()]
    unkeyed = {
        path
        for path, methods in api.document["paths"].items()
        if any("security" not in one for one in methods.values())
    }
    assert unkeyed == known
    assert sum("security" in one for one in operations) == count


@pytest.mark.parametrize("service", APIS)
def test_an_operation_that_wants_a_key_says_how_it_is_refused(service: str) -> None:
    api: Api = APIS[service][0]
    for methods in api.document["paths"].values():
        for one in methods.values():
            if "security" in one:
                assert {"401", "403"} <= one["responses"].keys(), one["operationId"]
