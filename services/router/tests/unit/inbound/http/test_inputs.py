"""What a call may bring: bodies in time, fields that are known, ids and flags in one form."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import orjson
import pytest

from garbo.common.runtime.auth import MOST_READ_AT_ONCE
from garbo.router.domain.policy import Policy
from garbo.router.inbound.http.api import http_app
from libs.common.tests.support.waiting import until
from services.router.tests.support.build import PHONE, template
from services.router.tests.support.in_memory import contact_of
from services.router.tests.support.keys import LIST, PREVIEW, REQUEST, SCOPES, acquainted, http_of, key_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import OPT_IN
from services.router.tests.support.resources import resources_of
from services.router.tests.support.router import Router


@pytest.fixture
async def guarded(memory: InMemoryStore, make_policy: Callable[..., Policy]) -> Router:
    return await acquainted(memory, make_policy(OPT_IN))


class SlowBody:
    """A body that comes when the test says."""

    def __init__(self) -> None:
        self.go_on, self.is_awaited = asyncio.Event(), False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_awaited = True
        await self.go_on.wait()
        yield orjson.dumps({"phone": PHONE})


async def test_slow_bodies_of_one_client_leave_room_for_the_others(
    guarded: Router, memory: InMemoryStore
) -> None:
    app = http_app(guarded.business, resources_of(guarded, memory), health=[])
    one, other = (http_of(guarded, memory, key_of((brand,), SCOPES), app) for brand in ("acme", "bolt"))
    bodies = [SlowBody() for _ in range(MOST_READ_AT_ONCE // 4)]
    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(one.post("/v1/contacts:find", content=body)) for body in bodies]
        await until(lambda: all(body.is_awaited for body in bodies))
        own = await one.post("/v1/contacts:find", json={"phone": PHONE})
        others = await other.post("/v1/contacts:find", json={"phone": PHONE})
        for body in bodies:
            body.go_on.set()
    assert (own.status_code, own.headers["retry-after"]) == (503, "1")
    assert others.status_code == 404
    answered = [task.result().status_code for task in slow]
    assert set(answered) <= {200, 503}
    assert 200 in answered


async def test_without_a_key_nothing_is_read(guarded: Router, memory: InMemoryStore) -> None:
    body = SlowBody()
    answer = await http_of(guarded, memory, "unknown").post("/v1/contacts:find", content=body)
    assert (answer.status_code, body.is_awaited) == (401, False)


ODD_IDS: Final = ("12345", "{%s}", "urn:uuid:%s", "\u0663" * 32, "-" * 36)


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_odd_ids_are_nobodys(guarded: Router, memory: InMemoryStore, odd: str) -> None:
    http = http_of(guarded, memory, key_of(("acme",), SCOPES))
    who, request_id = str(contact_of(memory)), str(REQUEST.request_id)
    for path, known in (("/v1/contacts/", who), ("/v1/decisions/", request_id)):
        assert (await http.get(path + odd.replace("%s", known))).status_code == 404
    assert (await http.get(f"/v1/contacts/{who.replace('-', '')}")).status_code == 404


@pytest.mark.parametrize("flag", ["", "yes", "1", "TRUE ", "\u0661", "9" * 5000])
async def test_flags_are_true_or_false(guarded: Router, memory: InMemoryStore, flag: str) -> None:
    http = http_of(guarded, memory, key_of(("acme",), SCOPES))
    paths = {"addresses": f"contacts/{contact_of(memory)}", "history": f"decisions/{REQUEST.request_id}"}
    for name, path in paths.items():
        assert (await http.get(f"/v1/{path}", params={name: flag})).status_code == 422
        assert (await http.get(f"/v1/{path}", params={name: "True"})).status_code != 422


MISSPELT: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "find": ("/v1/contacts:find", {"phone": PHONE, "colour": "red"}),
    "preview": ("/v1/decisions:preview", {**PREVIEW, "to": {"phone": PHONE}, "colour": "red"}),
    "preview, person": ("/v1/decisions:preview", {**PREVIEW, "to": {"phone": PHONE, "colour": "red"}}),
    "preview, people": ("/v1/decisions:preview", {**PREVIEW, "to": [{"phone": PHONE, "colour": "red"}]}),
    "preview, content": (
        "/v1/decisions:preview",
        {**PREVIEW, "to": {"phone": PHONE}, "content": {**template(), "colour": "red"}},
    ),
    "list": ("/v1/suppressions", {**LIST, "brand": "bolt", "colour": "red"}),
    "list, person": (
        "/v1/suppressions",
        {**LIST, "brand": "bolt", "addresses": [{"phone": PHONE, "colour": "red"}]},
    ),
    "simulation": ("/v1/policies:simulate", {"policy": "policy: x", "colour": "red"}),
}


@pytest.mark.parametrize("what", MISSPELT)
async def test_field_that_is_not_known_is_refused_in_every_body(
    guarded: Router, memory: InMemoryStore, what: str
) -> None:
    path, body = MISSPELT[what]
    answer = await http_of(guarded, memory, key_of(("bolt",), SCOPES)).post(path, json=body)
    assert answer.status_code == 422
    assert "colour" in answer.text
