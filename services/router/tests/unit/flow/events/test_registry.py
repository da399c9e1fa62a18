"""What holds for every kind of event: it stands in one place, and each one is read once."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

import garbo.router
from garbo.common.errors import Reject
from garbo.common.events.addresses import Person
from garbo.common.events.base import Event
from garbo.common.events.contacts import CaseChanged, ContactUpdated
from garbo.common.events.ids import address_hash
from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import SEND_REQUESTED, TOPICS
from garbo.router.domain.keywords import keyword_of
from garbo.router.domain.policy import Policy
from garbo.router.flow.events.preference import preference_of
from garbo.router.flow.events.registry import EVENT_KINDS, EVENT_TOPICS
from services.router.tests.support.build import AT, PHONE, consent, inbound, preference
from services.router.tests.support.calls import Calls
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import STOPPED
from services.router.tests.support.router import Router

SOURCES: Final = Path(next(iter(garbo.router.__path__)))
MOST_FILES: Final = 3
"""One kind of event is named in no more of the router's files than these."""
USER_ID, NEW_USER_ID = "IT.13491208655302741918", "IT.99999999999999999999"
BOTH = Person(phone=PHONE, user_id=USER_ID)


def case() -> CaseChanged:
    plain = {"case_id": "C-1", "client": "crm", "brand": "acme", "action": "opened", "recorded_at": AT}
    return CaseChanged.model_validate({**plain, "to": {"phone": PHONE}, "occurred_at": AT})


def same_person() -> ContactUpdated:
    plain = {"update_id": uuid4(), "client": "crm", "occurred_at": AT}
    return ContactUpdated.model_validate({**plain, "to": {"phone": PHONE}, "same_as": {"user_id": USER_ID}})


def another_user_id() -> PlatformChange:
    return PlatformChange(
        change_id="c",
        waba="9001",
        field="user_id_update",
        person=BOTH,
        changed_to=Person(phone=PHONE, user_id=NEW_USER_ID),
        value={},
        received_at=AT,
    )


@pytest.mark.parametrize("kind", EVENT_KINDS, ids=lambda kind: kind.topic.event.__name__)
def test_kind_of_event_is_named_in_few_files(kind: Any) -> None:  # noqa: ANN401 - a kind of any event
    name = re.compile(rf"\b{kind.topic.event.__name__}\b")
    files = [p.name for p in SOURCES.rglob("*.py") if name.search(p.read_text(encoding="utf-8"))]
    assert 1 <= len(files) <= MOST_FILES, files


def test_everything_the_router_reads_has_a_handler() -> None:
    read = {topic.name for topic in TOPICS if "router" in topic.readers}
    assert read == {topic.name for topic in (*EVENT_TOPICS, SEND_REQUESTED)}


@pytest.mark.parametrize(
    ("event", "hashed", "keywords", "preferences"),
    [
        pytest.param(inbound("STOP"), 1, 1, 0, id="stop"),
        pytest.param(inbound("annulla", sender=BOTH), 2, 1, 0, id="may mean stop, two addresses"),
        pytest.param(inbound("hello", group_id="g"), 1, 1, 0, id="in a group"),
        pytest.param(inbound(None, kind="system", changed_to=BOTH), 2, 0, 0, id="notice"),
        pytest.param(consent("withdrawn"), 1, 0, 0, id="withdrawal"),
        pytest.param(case(), 1, 0, 0, id="case"),
        pytest.param(same_person(), 2, 0, 0, id="two names"),
        pytest.param(preference("stop"), 1, 0, 1, id="preference"),
        pytest.param(another_user_id(), 3, 0, 1, id="another user id"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["known", "stranger"])
async def test_event_is_read_once(
    make_policy: Callable[..., Policy],
    event: Event,
    hashed: int,
    keywords: int,
    preferences: int,
    *,
    known: bool,
) -> None:
    router = Router(InMemoryStore(), make_policy(STOPPED))
    if known:
        await router.hear(consent())
    with Calls(address_hash, keyword_of, preference_of) as calls, suppress(Reject):  # who links strangers
        await router.hear(event)
    read = {"address_hash": hashed, "keyword_of": keywords, "preference_of": preferences}
    assert calls.counts == Counter(read)
