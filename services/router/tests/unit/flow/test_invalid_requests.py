"""A request on Kafka that is wrong, and says who asks, is denied and never left without an answer."""

from typing import Any

import orjson
import pytest

from garbo.common.errors import Reject
from garbo.common.events.ids import message_id_of
from garbo.common.events.submitted import SUBMITTED, InvalidRequest
from garbo.common.events.wire import decode, encode
from garbo.router.inbound.lanes import is_promo
from libs.common.tests.support.contents import GOOD, Path, changed
from libs.common.tests.support.wrong_contents import WRONG
from services.router.tests.support.build import requested
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router

ASKED: dict[str, Any] = orjson.loads(encode(requested()))


def submitted(**more: object) -> Any:  # noqa: ANN401 - either kind
    return decode(SUBMITTED, orjson.dumps(ASKED | more))


FAULTS: list[tuple[dict[str, object], str]] = [
    ({"to": {"phone": "393331234567"}}, "to.phone"),
    ({"to": {}}, "to"),
    ({"to": None}, "to"),
    ({"content": None}, "content"),
    ({"content": {"type": "hologram"}}, "content"),
    ({"content": {"type": "text", "text": {"body": "\u200b"}}}, "content.text.body"),
    ({"priority": 101}, "priority"),
    ({"tags": "promo"}, "tags"),
    ({"expires_at": "tomorrow"}, "expires_at"),
    ({"fallback": {"template": {"name": "X"}}}, "fallback.template.name"),
    ({"override": {"rules": []}}, "override.rules"),
    ({"number": "x", "campaign": "", "case_id": "?"}, "number"),
]


@pytest.mark.parametrize(("more", "field"), FAULTS, ids=[field for _, field in FAULTS])
async def test_wrong_request_is_denied_with_the_field(
    router: Router, memory: InMemoryStore, more: dict[str, object], field: str
) -> None:
    event = submitted(**more)
    (decision,) = await router.ask(event)
    assert (decision.verdict, decision.final, decision.reason) == ("deny", True, "invalid_request")
    assert (decision.fault, decision.client, decision.purpose) == (field, "crm", "promo")
    assert await memory.decision(message_id_of(event.client, event.request_id))
    assert not memory.tables.states, "nobody is made up for a stand-in"


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [pytest.param(*w[:3], id=f"{i}-{w[0]}-{w[1][-1]}") for i, w in enumerate(WRONG)],
)
def test_content_the_platform_would_refuse_is_answered(name: str, path: Path, value: object) -> None:
    event = submitted(content=changed(GOOD[name], path, value))
    assert isinstance(event, InvalidRequest)
    assert event.fault.startswith("content.")


async def test_wrong_request_told_twice_is_one_and_another_under_its_id_is_told(router: Router) -> None:
    first, again = (submitted(content={"type": "hologram"}) for _ in range(2))
    await router.ask(first)
    (same,) = await router.ask(again)
    assert (same.reason, same.sequence) == ("invalid_request", 1)
    (other,) = await router.ask(submitted())
    assert (other.reason, other.sequence) == ("id_reused", 0)


@pytest.mark.parametrize("field", ["request_id", "client", "brand", "purpose", "requested_at"])
@pytest.mark.parametrize("value", [None, "", 7, []])
def test_request_that_does_not_say_who_asks_is_a_dead_letter(field: str, value: object) -> None:
    if field == "requested_at" and value == 7:
        value = "soon"
    with pytest.raises(Reject, match=f"invalid:{field}"):
        submitted(**{field: value})


def test_wrong_promo_stays_in_the_lane_of_promo() -> None:
    assert is_promo(orjson.dumps(ASKED | {"content": {"type": "x", "purpose": "care"}}))
