"""The sender's description: current, complete, and true of real answers."""

import httpx

from garbo.common.runtime.health import health_routes
from garbo.sender.inbound.http import API, http_app
from libs.common.tests.support.openapi import assert_committed, described, faults, served


def test_the_committed_document_is_current_and_sound() -> None:
    assert_committed(API, "openapi-sender.yaml")


async def test_every_route_is_described_and_answers_as_described() -> None:
    health = health_routes(alive={"lanes": lambda: True}, ready={"kafka": lambda: False})
    app = http_app(health)
    assert served(app.routes) == described(API)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sender") as client:
        answers = [await client.get(path) for _, path in sorted(described(API))]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 503]
    assert [fault for answer in answers for fault in faults(API, answer)] == []
