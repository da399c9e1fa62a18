"""The sender's description: current, complete, and true of real answers."""

import httpx

from garbo.common.runtime.health import health_routes
from garbo.sender.inbound.http import API, http_app
from garbo.sender.inbound.pauses import PausesByHand
from libs.common.tests.support.openapi import assert_committed, described, faults, served
from services.sender.tests.support.switches import BUSINESS, NO_FILES, MemorySwitches


def test_the_committed_document_is_current_and_sound() -> None:
    assert_committed(API, "openapi-sender.yaml")


async def test_every_route_is_described_and_answers_as_described() -> None:
    health = health_routes(alive={"lanes": lambda: True}, ready={"kafka": lambda: False})
    switches = MemorySwitches()
    app = http_app(BUSINESS, PausesByHand(switches, switches), NO_FILES, health=health)
    assert served(app.routes) == described(API)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sender") as client:
        open_to_all = [path for _, path in sorted(described(API)) if not path.startswith("/v1/")]
        answers = [await client.get(path) for path in open_to_all]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 503]
    assert [fault for answer in answers for fault in faults(API, answer)] == []
