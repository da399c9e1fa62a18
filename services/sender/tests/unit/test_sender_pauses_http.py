"""`/v1/pauses`: keys, brands, and bodies that are refused with the field and the mend."""

from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest

from garbo.sender.domain.pauses import PauseOrder
from garbo.sender.inbound.http import API, http_app
from garbo.sender.inbound.pauses import PausesByHand
from libs.common.tests.support.openapi import faults
from services.sender.tests.support.switches import BUSINESS, NO_FILES, MemorySwitches


@pytest.fixture
def switches() -> MemorySwitches:
    return MemorySwitches()


async def ask(
    switches: MemorySwitches, method: str, path: str, body: object = None, *, key: str | None = "ops"
) -> httpx.Response:
    app = http_app(BUSINESS, PausesByHand(switches, switches), NO_FILES, health=())
    headers = {} if key is None else {"authorization": f"Bearer a-key-of-{key}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sender") as client:
        answer = await client.request(method, path, json=body, headers=headers)
    assert faults(API, answer) == []
    return answer


CALLS: Final = {
    "list": ("GET", "/v1/pauses", None),
    "pause": ("POST", "/v1/pauses", {"scope": "number", "name": "1"}),
    "resume": ("DELETE", "/v1/pauses/number/1", None),
}


@pytest.mark.parametrize(("method", "path", "body"), CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(("key", "status"), [(None, 401), ("stranger", 401), ("shop", 403)])
async def test_every_call_wants_a_key_with_the_scope_admin(
    switches: MemorySwitches, method: str, path: str, body: object, key: str | None, status: int
) -> None:
    assert (await ask(switches, method, path, body, key=key)).status_code == status
    assert switches.in_hand == []


OWN: Final = [
    ("number", "1"),
    ("promo", "1"),
    ("account", "100"),
    ("template", "100:sale:it"),
    ("template", "100:sale:pt_BR"),
    ("template", "100:*:*"),
    ("campaign", "acme:summer.2026"),
]


@pytest.mark.parametrize(("scope", "name"), OWN)
async def test_what_is_paused_is_listed_with_who_and_why_and_is_resumed(
    switches: MemorySwitches, scope: str, name: str
) -> None:
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    asked = {"scope": scope, "name": name, "reason": "complaints", "until": until}
    paused = await ask(switches, "POST", "/v1/pauses", asked)
    assert paused.status_code == 200
    [listed] = (await ask(switches, "GET", "/v1/pauses")).json()["pauses"]
    assert listed == paused.json()
    said = [listed[key] for key in ("scope", "name", "source", "reason", "by")]
    assert said == [scope, name, "operator", "complaints", "ops"]
    resumed = await ask(switches, "DELETE", f"/v1/pauses/{scope}/{name}")
    assert resumed.json()["pauses"] == [listed]
    again = await ask(switches, "DELETE", f"/v1/pauses/{scope}/{name}")
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("number", "2"),
        ("promo", "4"),
        ("account", "200"),
        ("account", "300"),
        ("template", "300:sale:it"),
        ("campaign", "other:summer"),
    ],
)
async def test_what_is_not_all_the_clients_own_is_refused(
    switches: MemorySwitches, scope: str, name: str
) -> None:
    answer = await ask(switches, "POST", "/v1/pauses", {"scope": scope, "name": name})
    assert answer.status_code == 403
    assert (await ask(switches, "DELETE", f"/v1/pauses/{scope}/{name}")).status_code == 403
    assert switches.in_hand == []


async def test_only_what_is_of_the_clients_brands_is_listed(switches: MemorySwitches) -> None:
    for name in ("100", "200", "300"):
        await switches.order([PauseOrder("account", name, "code", "account_locked", "131031")])
    listed = (await ask(switches, "GET", "/v1/pauses")).json()["pauses"]
    assert [one["name"] for one in listed] == ["100", "300"]
    assert "until" not in listed[0]


WRONG: Final = {
    "scope": ({"scope": "city", "name": "1"}, "scope"),
    "no_name": ({"scope": "number"}, "name"),
    "no_such_number": ({"scope": "number", "name": "77"}, "name"),
    "no_such_account": ({"scope": "account", "name": "77"}, "name"),
    "template_without_language": ({"scope": "template", "name": "100:sale"}, "name"),
    "campaign_without_brand": ({"scope": "campaign", "name": "summer"}, "name"),
    "campaign_without_name": ({"scope": "campaign", "name": "acme:"}, "name"),
    "reason_is_a_text": ({"scope": "number", "name": "1", "reason": "They called +39 333"}, "reason"),
    "past": ({"scope": "number", "name": "1", "until": "2020-01-01T00:00:00Z"}, "until"),
    "naive": ({"scope": "number", "name": "1", "until": "2030-01-01T00:00:00"}, "until"),
    "unknown_field": ({"scope": "number", "name": "1", "untill": "2030-01-01T00:00:00Z"}, "untill"),
}


@pytest.mark.parametrize(("body", "at"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_body_is_refused_with_its_field_and_the_mend(
    switches: MemorySwitches, body: object, at: str
) -> None:
    answer = await ask(switches, "POST", "/v1/pauses", body)
    assert (answer.status_code, answer.json()["field"]) == (422, at)
    assert len(answer.json()["detail"]) > 10
    assert "+39" not in answer.text
    assert switches.in_hand == []


async def test_while_the_database_is_away_the_caller_is_told_to_try_again(switches: MemorySwitches) -> None:
    switches.away = True
    answer = await ask(switches, "POST", "/v1/pauses", {"scope": "number", "name": "1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
