"""An erased person is forgotten by the sender, and what is past its keep is deleted, in bounded rounds."""

from datetime import timedelta

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.erasure import ContactErased
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import ERASED_CONTACT
from garbo.sender.domain.outcomes import Accepted, NotYet
from garbo.sender.flow.erasure import Forget
from garbo.sender.outbound.postgres_memories import PostgresMemories
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.graph import FakeGraph
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import a_sender
from services.sender.tests.support.stand import Stand

pytestmark = pytest.mark.integration

EVERYTHING = """
SELECT string_agg(row, '\n') FROM (
    SELECT m::text AS row FROM sender.message m UNION ALL SELECT a::text FROM sender.former_attempt a
    UNION ALL SELECT w::text FROM sender.waiting w UNION ALL SELECT p::text FROM sender.pair_rate p) AS rows
"""
AGE = "UPDATE sender.message SET created_at = created_at - interval '91 days' WHERE message_id = ANY($1)"
AGE_PAIRS = "UPDATE sender.pair_rate SET tat_us = tat_us - 2 * 86400000000::bigint"
LEFT = """
SELECT (SELECT count(*) FROM sender.message), (SELECT count(*) FROM sender.former_attempt),
       (SELECT count(*) FROM sender.pair_rate)
"""


@pytest.fixture
def forget(sender_database: SenderDatabase) -> Forget:
    return Forget(PostgresMemories(sender_database.database), timedelta(days=90))


def erased(grant: SendGranted, *others: SendGranted) -> ContactErased:
    former = tuple(other.contact_id for other in others)
    return ContactErased(contact_id=grant.contact_id, former_ids=former, erased_at=grant.decided_at)


async def everything(database: SenderDatabase) -> str:
    async with database.database.connection() as connection:
        return str(await connection.fetchval(EVERYTHING))


async def test_nothing_names_the_person_any_more_and_their_messages_are_known_still(
    sender_database: SenderDatabase, stand: Stand, forget: Forget
) -> None:
    sent, open_, before_merge, other = [await stand.begun() for _ in range(4)]
    await stand.ended(sent, Accepted("ref.sent"))
    await stand.ended(other, Accepted("ref.other"))
    for _ in range(2):
        await forget.obey([erased(sent, before_merge), erased(open_)])
    told = await everything(sender_database)
    for grant in (sent, open_, before_merge):
        assert str(grant.contact_id) not in told
    assert "ref.sent" not in told
    assert told.count(str(other.contact_id)) == 3, "a message, a pair and a grant of somebody else"
    assert await stand.come(sent) == "told"
    again = await stand.result(sent)
    assert again is not None
    assert (again.outcome, again.contact_id) == ("accepted", ERASED_CONTACT), "never sent twice"
    (settled,) = await stand.status(open_, "delivered")
    assert (settled.outcome, settled.contact_id) == ("accepted", ERASED_CONTACT), "a status still settles"


async def test_what_was_being_written_at_that_moment_is_forgotten_by_the_next_round(
    sender_database: SenderDatabase, stand: Stand, forget: Forget
) -> None:
    late = a_grant()
    await forget.obey([erased(late)])
    await stand.door.book(late)
    await stand.begun(late)
    assert str(late.contact_id) in await everything(sender_database)
    assert not await forget.tidy()
    assert str(late.contact_id) not in await everything(sender_database)


@pytest.mark.parametrize("tried", [False, True], ids=["never_tried", "tried"])
async def test_what_waits_for_an_erased_person_is_emptied_and_told_unsent(
    sender_database: SenderDatabase, stand: Stand, forget: Forget, graph: FakeGraph, tried: bool
) -> None:
    waits = a_grant(to=Recipient(phone="+16505550177"))
    await sender_database.book(waits)
    if tried:
        await stand.begun(waits)
        await stand.ended(waits, NotYet(None, "unreachable"))
    await stand.come(waits)
    await forget.obey([erased(waits)])
    told = await everything(sender_database)
    assert str(waits.contact_id) not in told
    assert "6505550177" not in told
    assert b"hello".hex() not in told
    async with a_sender(sender_database, graph.url) as sender:
        [result, *_] = await until(lambda: sender.published(waits))
        await until(sender_database.waiting, lambda waiting: waiting == {})
    assert (result.outcome, result.reason, result.contact_id) == ("not_sent", "lease_expired", ERASED_CONTACT)
    assert graph.posts == []


async def test_old_messages_are_deleted_so_many_at_once_and_new_ones_stay(
    sender_database: SenderDatabase, stand: Stand
) -> None:
    old, new = [await stand.begun() for _ in range(5)], await stand.begun()
    memories = PostgresMemories(sender_database.database)
    async with sender_database.database.connection() as connection:
        await connection.execute(AGE, [grant.message_id for grant in old])
    keep, rounds = timedelta(days=90), 0
    while await memories.drop_old(keep=keep, limit=2):
        rounds += 1
    assert rounds == 2
    async with sender_database.database.connection() as connection:
        assert tuple((await connection.fetch(LEFT))[0]) == (1, 0, 6)
        await connection.execute(AGE_PAIRS)
    assert not await memories.drop_old(keep=keep, limit=10)
    async with sender_database.database.connection() as connection:
        assert tuple((await connection.fetch(LEFT))[0]) == (1, 0, 0)
    assert list(await stand.door.attempts()) == [f"{new.message_id}.1"]
