"""What was said of a person before they were erased comes late, and brings nobody back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.base import Event
from garbo.common.events.ids import ContactId
from garbo.common.events.platform import PlatformChange
from garbo.common.runtime.postgres import Database
from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.outbound.postgres.retention import PostgresRetention
from garbo.router.ports.contacts import Address
from services.router.tests.support.aliases import hash_of
from services.router.tests.support.build import (
    AT,
    EVERYBODY,
    case,
    consent,
    inbound,
    preference,
    requested,
    update,
)
from services.router.tests.support.claims import a_phone
from services.router.tests.support.in_memory import cared
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration

LATER: Final = datetime(2040, 1, 1, tzinfo=UTC)
"""After the erasure by any clock."""


def changed_id(phone: str, at: datetime) -> PlatformChange:
    return PlatformChange(
        change_id="c",
        waba="9001",
        field="user_id_update",
        number="1001",
        person=Person(phone=phone),
        changed_to=Person(phone=phone, user_id="IT.5"),
        value={},
        received_at=at,
    )


def moved(phone: str, at: datetime) -> Event:
    person = {"sender": Person(phone=phone), "changed_to": Person(phone=a_phone())}
    return inbound(None, kind="system", occurred_at=at, **person)


SAID: Final[dict[str, Callable[[str, datetime], Event]]] = {
    "wrote": lambda phone, at: inbound(sender=Person(phone=phone), occurred_at=at),
    "stopped": lambda phone, at: inbound("STOP", sender=Person(phone=phone), occurred_at=at),
    "moved": moved,
    "consented": lambda phone, at: consent(to={"phone": phone}, occurred_at=at, recorded_at=at),
    "case": lambda phone, at: case("opened", at, to={"phone": phone}),
    "preference": lambda phone, at: preference("stop", at=at, phone=phone),
    "user id": changed_id,
}
"""Every kind of event that makes a contact of a stranger."""


@pytest.fixture(params=["memory", "postgres"])
def either(request: pytest.FixtureRequest) -> Router:
    """A router over the fake store, or over PostgreSQL."""
    router: Router = request.getfixturevalue("router" if request.param == "memory" else "stored")
    return router


async def erased_person(router: Router) -> str:
    """Let somebody write and be erased; give their number."""
    phone = a_phone()
    await router.hear(inbound(sender=Person(phone=phone)))
    assert await EraseContact(router.dependencies).erase(ContactId(cared(router)[-1].contact_id), EVERYBODY)
    await router.tell()
    return phone


async def addresses(router: Router, phone: str) -> int:
    """Count who has this number."""
    address = Address(kind="phone", value=phone, hash=hash_of(phone))
    async with router.store.transaction() as transaction:
        return len(await transaction.contacts_at([address]))


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
async def test_what_was_said_before_the_erasure_brings_nobody_back(
    either: Router, said: Callable[[str, datetime], Event]
) -> None:
    phone = await erased_person(either)
    told = len(either.publisher.told)
    await either.hear(said(phone, AT))
    assert await addresses(either, phone) == 0
    assert len(either.publisher.told) == told, "nor is anybody told of it"
    assert either.meter.left_out_count == 1


@pytest.mark.parametrize(
    "said", [SAID[kind] for kind in ("wrote", "stopped", "consented", "case", "preference")]
)
async def test_what_is_said_after_the_erasure_is_of_somebody_new(
    either: Router, said: Callable[[str, datetime], Event]
) -> None:
    phone = await erased_person(either)
    await either.hear(said(phone, LATER))
    assert await addresses(either, phone) == 1


async def test_request_from_before_the_erasure_is_denied_and_brings_nobody_back(either: Router) -> None:
    phone = await erased_person(either)
    (decision,) = await either.ask(requested(to={"phone": phone}))
    assert (decision.verdict, decision.reason, decision.contact_id) == ("deny", "erased", None)
    assert await addresses(either, phone) == 0


async def test_request_after_the_erasure_is_of_somebody_new(either: Router) -> None:
    phone = await erased_person(either)
    (decision,) = await either.ask(requested(to={"phone": phone}, requested_at=LATER))
    assert decision.reason != "erased"
    assert await addresses(either, phone) == 1


async def test_old_words_are_not_told_of_who_came_back(either: Router) -> None:
    phone = await erased_person(either)
    await either.hear(inbound(sender=Person(phone=phone), occurred_at=LATER))
    told = len(cared(either))
    await either.hear(inbound("my old secret", sender=Person(phone=phone)))
    assert len(cared(either)) == told


async def test_client_cannot_link_an_address_from_before_the_erasure(either: Router) -> None:
    phone, other = await erased_person(either), a_phone()
    await either.hear(inbound(sender=Person(phone=other)))
    await either.hear(update(to={"phone": other}, same_as=Recipient(phone=phone), client="crm"))
    assert await addresses(either, phone) == 0


async def test_good_events_of_the_same_batch_are_taken(either: Router) -> None:
    phone, other = await erased_person(either), a_phone()
    late = inbound(sender=Person(phone=phone))
    await either.hear(late, inbound("hello", sender=Person(phone=other)))
    assert await addresses(either, phone) == 0
    assert await addresses(either, other) == 1


async def test_erased_address_is_forgotten_when_nothing_can_come_late(
    stored: Router, database: Database
) -> None:
    phone = await erased_person(stored)
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE router.erased_address SET erased_at = erased_at - interval '34 days'"
        )
    await PostgresRetention(database).tidy(keep_days=90, ahead_days=7)
    (decision,) = await stored.ask(requested(to={"phone": phone}))
    assert decision.reason != "erased"
