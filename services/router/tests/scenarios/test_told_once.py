"""An inbound message is told of once, however often the platform delivers it; a crash may tell it again."""

from contextlib import suppress

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.addresses import Person
from garbo.common.events.inbound import InboundMessage
from garbo.common.runtime.postgres import Database
from garbo.router.flow.events.handler import ReceivedEvent
from garbo.router.outbound.postgres.retention import PostgresRetention
from services.router.tests.support.build import consent, inbound, requested, result
from services.router.tests.support.claims import a_phone
from services.router.tests.support.in_memory import cared, engaged
from services.router.tests.support.router import Router

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "postgres"])
def either(request: pytest.FixtureRequest) -> Router:
    """A router over the fake store, or over PostgreSQL."""
    router: Router = request.getfixturevalue("router" if request.param == "memory" else "stored")
    return router


async def take(router: Router, *records: tuple[InboundMessage, str]) -> None:
    """Let the router read Kafka records, each a message and where it stands."""
    await router.events.take([ReceivedEvent(event, None, record) for event, record in records])


def told(router: Router) -> tuple[int, int]:
    return len(cared(router)), len(engaged(router))


async def test_message_delivered_three_times_is_told_once(either: Router) -> None:
    message = inbound("hello", sender=Person(phone=a_phone()))
    for offset in range(3):
        await take(either, (message, f"inbound/0/{offset}"))
    assert told(either) == (1, 0)


async def test_message_delivered_three_times_in_one_batch_is_told_once(either: Router) -> None:
    message = inbound("hello", sender=Person(phone=a_phone()))
    await take(either, *((message, f"inbound/0/{offset}") for offset in range(3)))
    assert told(either) == (1, 0)


async def test_message_delivered_again_under_another_name_of_the_person_is_told_once(either: Router) -> None:
    phone, message = a_phone(), inbound("hello", sender=Person(phone=a_phone()))
    shown = message.model_copy(update={"sender": Person(phone=phone, user_id="IT.77")})
    only_id = message.model_copy(update={"sender": Person(user_id="IT.77")})
    await take(either, (shown, "inbound/0/1"))
    await take(either, (only_id, "inbound/5/1"))
    assert told(either) == (1, 0)


@pytest.mark.parametrize("word", ["STOP", "START"])
async def test_stop_and_start_delivered_again_are_told_once(either: Router, word: str) -> None:
    message = inbound(word, sender=Person(phone=a_phone()))
    for offset in range(3):
        await take(either, (message, f"inbound/0/{offset}"))
    assert told(either) == (0, 1)


async def test_answer_to_a_promo_delivered_again_is_told_once(either: Router) -> None:
    phone = a_phone()
    await either.hear(consent(to={"phone": phone}))
    await either.ask(requested(to={"phone": phone}))
    wamid = "wamid.answered" + phone[1:]
    await either.hear(result(either.granted[-1], "accepted", wamid=wamid))
    message = inbound("how much?", reply_to=wamid, sender=Person(phone=phone))
    for offset in range(3):
        await take(either, (message, f"inbound/0/{offset}"))
    assert told(either) == (1, 1)


async def test_two_messages_are_two_however_alike(either: Router) -> None:
    phone = a_phone()
    for offset in range(2):
        await take(either, (inbound("hello", sender=Person(phone=phone)), f"inbound/0/{offset}"))
    assert told(either) == (2, 0)


async def test_crash_between_commit_and_publish_loses_nothing(either: Router) -> None:
    message = inbound("hello", sender=Person(phone=a_phone()))
    either.publisher.failures_left = 1
    with suppress(RetryLater):
        await take(either, (message, "inbound/0/7"))
    assert told(either) == (0, 0)
    await take(either, (message, "inbound/0/8"))
    assert told(either) == (0, 0), "the record before it is not done: it comes again"
    await take(either, (message, "inbound/0/7"))
    assert told(either) == (1, 0)


async def test_record_that_is_read_again_is_told_again_with_the_same_id(either: Router) -> None:
    message = inbound("hello", sender=Person(phone=a_phone()))
    for _ in range(2):
        await take(either, (message, "inbound/0/7"))
    first, second = cared(either)
    assert first.event_id == second.event_id


async def test_what_was_told_is_known_for_eight_days(stored: Router, database: Database) -> None:
    old, young = inbound(sender=Person(phone=a_phone())), inbound(sender=Person(phone=a_phone()))
    await take(stored, (old, "inbound/0/1"), (young, "inbound/0/2"))
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE router.told SET told_at = told_at - interval '9 days' WHERE message_ref = $1",
            old.event_id,
        )
    await PostgresRetention(database).tidy(keep_days=90, ahead_days=7)
    async with database.connection() as connection:
        left = await connection.fetch("SELECT message_ref FROM router.told")
    assert [row["message_ref"] for row in left] == [young.event_id]
