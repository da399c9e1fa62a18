"""Every operation with every kind of key: without key, scope or dealings with a person nothing is learned."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import httpx
import pytest

from garbo.router.domain.policy import Policy
from garbo.router.inbound.http.api import API
from services.router.tests.support.build import CARE_NUMBER, OTHER_NUMBER, PHONE, inbound, requested, template
from services.router.tests.support.in_memory import contact_of
from services.router.tests.support.keys import CALLS, LIST, SCOPES, acquainted, http_of, key_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import OPT_IN
from services.router.tests.support.router import Router

BOTH: Final = ("acme", "bolt")
GUARDED: Final = {operation.id: operation for operation in API.operations if operation.scope is not None}
NO_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "none": [],
    "empty": [""],
    "unknown": ["Bearer unknown-key"],
    "basic": ["Basic " + key_of(BOTH, SCOPES)],
    "bare": [key_of(BOTH, SCOPES)],
    "two": ["Bearer " + key_of(BOTH, SCOPES)] * 2,
    "two, one unknown": ["Bearer " + key_of(BOTH, SCOPES), "Bearer unknown-key"],
}
OF_THE_CLIENT_ALONE: Final = {"showDecision": 404, "splitContact": 404}
"""What another client of the same brand does not see; and nobody joined the person: nothing to split."""
CELLS: Final = len(CALLS) * (len(NO_KEYS) + len(SCOPES) + 2)
"""No key, each scope missing, another brand's, another client's."""


@pytest.fixture
async def guarded(memory: InMemoryStore, make_policy: Callable[..., Policy]) -> Router:
    return await acquainted(memory, make_policy(OPT_IN))


def test_every_operation_that_wants_a_key_stands_in_the_table() -> None:
    assert CALLS.keys() == GUARDED.keys()
    assert all(GUARDED[name].scope == scope for name, (scope, _, _) in CALLS.items())
    assert CELLS == 126


@pytest.mark.parametrize("how", NO_KEYS)
@pytest.mark.parametrize("name", CALLS)
async def test_nobody_without_a_key_is_heard(
    guarded: Router, memory: InMemoryStore, name: str, how: str
) -> None:
    http = http_of(guarded, memory, None)
    http.headers = httpx.Headers([("Authorization", value) for value in NO_KEYS[how]])
    answer = await CALLS[name][1](http, str(contact_of(memory)))
    assert answer.status_code == 401


@pytest.mark.parametrize("missing", SCOPES)
@pytest.mark.parametrize("name", CALLS)
async def test_the_scope_of_an_operation_is_what_counts(
    guarded: Router, memory: InMemoryStore, name: str, missing: str
) -> None:
    scope, call, _ = CALLS[name]
    key = key_of(BOTH, tuple(s for s in SCOPES if s != missing))
    answer = await call(http_of(guarded, memory, key), str(contact_of(memory)))
    assert (answer.status_code == 403) == (missing == scope)
    assert answer.status_code in (403, OF_THE_CLIENT_ALONE.get(name, 200))


@pytest.mark.parametrize("name", CALLS)
async def test_another_client_of_the_brand_sees_the_brands_part(
    guarded: Router, memory: InMemoryStore, name: str
) -> None:
    http = http_of(guarded, memory, key_of(BOTH, SCOPES))
    answer = await CALLS[name][1](http, str(contact_of(memory)))
    assert answer.status_code == OF_THE_CLIENT_ALONE.get(name, 200)


@pytest.mark.parametrize("name", CALLS)
async def test_a_key_of_another_brand_learns_and_changes_nothing(
    guarded: Router, memory: InMemoryStore, name: str
) -> None:
    _, call, expected = CALLS[name]
    before = memory.tables.copied()
    answer = await call(http_of(guarded, memory, key_of(("bolt",), SCOPES)), str(contact_of(memory)))
    assert answer.status_code == expected
    if expected == 200:
        assert answer.json()["reason"] == "unknown_contact"
    assert memory.tables.copied() == before
    assert not [word for word in ("acme", PHONE, CARE_NUMBER, "case-7", "desk") if word in answer.text]


async def test_list_for_every_brand_takes_a_key_with_every_brand(
    guarded: Router, memory: InMemoryStore
) -> None:
    everybody = {**LIST, "brand": "*"}
    one, all_of_them = (key_of(brands, SCOPES) for brands in (("acme",), ("acme", "bolt")))
    assert (await http_of(guarded, memory, one).post("/v1/suppressions", json=everybody)).status_code == 403
    answer = await http_of(guarded, memory, all_of_them).post("/v1/suppressions", json=everybody)
    assert answer.status_code == 200


async def test_brand_that_has_dealt_with_the_person_sees_its_own_part_and_erases_nobody_alone(
    guarded: Router, memory: InMemoryStore
) -> None:
    await guarded.hear(inbound("ciao", number=OTHER_NUMBER))
    who, http = str(contact_of(memory)), http_of(guarded, memory, key_of(("bolt",), SCOPES))
    shown = await http.get(f"/v1/contacts/{who}")
    export = await http.get(f"/v1/contacts/{who}:export")
    assert [window["number"] for window in shown.json()["windows"]] == [OTHER_NUMBER]
    for answer in (shown, export):
        assert answer.status_code == 200
        assert not [word for word in ("acme", CARE_NUMBER, "case-7") if word in answer.text]
    assert (await http.delete(f"/v1/contacts/{who}")).status_code == 403
    both = http_of(guarded, memory, key_of(("acme", "bolt"), SCOPES))
    assert (await both.delete(f"/v1/contacts/{who}")).status_code == 200
    assert (await both.delete(f"/v1/contacts/{who}")).status_code == 200, "a second time answers the same way"


async def test_an_id_is_no_key_to_somebody_whom_a_brand_never_dealt_with(
    guarded: Router, memory: InMemoryStore
) -> None:
    who = {"contact_id": contact_of(memory)}
    refused, own = await guarded.ask(
        requested(to=who, brand="bolt", purpose="utility", content=template("shipped")),
        requested(to=who, purpose="utility", content=template("shipped")),
    )
    assert (refused.verdict, refused.reason) == ("deny", "unknown_contact")
    assert own.verdict == "allow"
