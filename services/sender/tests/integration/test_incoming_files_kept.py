"""One suite for the files in memory and in PostgreSQL: who holds a claim, what is told, what is deleted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from garbo.common.events.erasure import ContactErased
from garbo.sender.domain.incoming_files import (
    ClaimedFile,
    GoneFile,
    KeptFile,
    LaterFile,
    RefusedFile,
    WantedFile,
)
from garbo.sender.flow.erasure import Forget
from garbo.sender.outbound.postgres_incoming import PostgresIncomingFiles
from garbo.sender.outbound.postgres_memories import PostgresMemories
from garbo.sender.ports.incoming_files import IncomingFiles
from services.sender.tests.support.incoming_files import MemoryIncomingFiles
from services.sender.tests.support.postgres import SenderDatabase

LEASE, KEEP, NO_TIME = timedelta(minutes=1), timedelta(days=30), timedelta(0)
STORED = KeptFile(81, "ab" * 32)
PASS = """
UPDATE sender.incoming_file
   SET next_at = next_at - $1::interval, claimed_until = claimed_until - $1::interval,
       ended_at = ended_at - $1::interval, keep_until = keep_until - $1::interval,
       tell_at = tell_at - $1::interval
"""


class Kept(IncomingFiles, Protocol):
    """What both have beside the port."""

    async def erase(self, contact_id: UUID) -> None: ...
    async def pass_time(self, span: timedelta) -> None: ...


class Stored(PostgresIncomingFiles):
    """The real one, and what happens around it."""

    def __init__(self, database: SenderDatabase) -> None:
        super().__init__(database.database)
        self.database = database

    async def erase(self, contact_id: UUID) -> None:
        forget = Forget(PostgresMemories(self.database.database), KEEP)
        await forget.obey([ContactErased(contact_id=contact_id, erased_at=datetime.now(UTC))])

    async def pass_time(self, span: timedelta) -> None:
        async with self.database.database.connection() as connection:
            await connection.execute(PASS, span)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def files(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        return MemoryIncomingFiles()
    return Stored(request.getfixturevalue("sender_database"))


def a_file(media_id: str = "77", *, contact_id: UUID | None = None) -> WantedFile:
    return WantedFile(
        message_ref=uuid4().hex,
        contact_id=contact_id or uuid4(),
        brand="acme",
        number="1001",
        media_id=media_id,
        kind="image",
        mime_type="image/png",
        sha256="cd" * 32,
        occurred_at=datetime.now(UTC),
    )


async def claimed(files: Kept, file: WantedFile, *, lease: timedelta = LEASE) -> ClaimedFile:
    await files.want([file])
    (one,) = await files.claim(limit=10, lease=lease)
    assert one.file == file
    return one


async def test_a_file_is_wanted_once_for_ever(files: Kept) -> None:
    file = a_file()
    await files.want([file, file])
    await files.want([])
    await files.told([])
    (first,) = await files.claim(limit=10, lease=LEASE)
    assert (first.file, first.tries) == (file, 1)
    assert first.gives_up_at == file.occurred_at + timedelta(days=7)
    await files.want([file])
    assert await files.claim(limit=10, lease=LEASE) == []
    await files.end(first, STORED, keep=KEEP)
    await files.want([file])
    assert await files.claim(limit=10, lease=LEASE) == []
    assert await files.counts() == {"wanted": 0, "doomed": 0}


async def test_the_longest_waiting_are_claimed_first_and_each_by_one(files: Kept) -> None:
    wanted = [a_file(str(n)) for n in range(7)]
    for file in wanted:
        await files.want([file])
    first = await files.claim(limit=3, lease=LEASE)
    assert {one.file.media_id for one in first} == {"0", "1", "2"}
    rest = await asyncio.gather(*(files.claim(limit=3, lease=LEASE) for _ in range(3)))
    ids = [one.file.media_id for some in rest for one in some]
    assert sorted(ids) == ["3", "4", "5", "6"]
    assert await files.counts() == {"wanted": 7, "doomed": 0}


async def test_a_claim_that_ends_is_somebody_else_s(files: Kept) -> None:
    lost = await claimed(files, a_file(), lease=NO_TIME)
    (again,) = await files.claim(limit=1, lease=LEASE)
    assert (again.tries, again.file) == (2, lost.file)
    assert not await files.extend(lost, LEASE)
    await files.postpone(lost, LaterFile("unreachable", 0.0))
    assert not await files.end(lost, STORED, keep=KEEP)
    assert not await files.is_unwanted(lost.file.message_ref), "another one may store it"
    assert await files.claim(limit=1, lease=LEASE) == []
    assert await files.extend(again, LEASE)
    assert await files.end(again, STORED, keep=KEEP)
    assert not await files.end(again, STORED, keep=KEEP), "once"


async def test_a_claim_is_held_for_as_long_as_it_is_extended(files: Kept) -> None:
    held = await claimed(files, a_file(), lease=LEASE)
    assert await files.extend(held, timedelta(hours=1))
    await files.pass_time(timedelta(minutes=30))
    assert await files.claim(limit=1, lease=LEASE) == []
    await files.pass_time(timedelta(minutes=31))
    assert len(await files.claim(limit=1, lease=LEASE)) == 1


async def test_what_is_postponed_waits_and_a_try_that_was_none_does_not_count(files: Kept) -> None:
    first = await claimed(files, a_file())
    await files.postpone(first, LaterFile("unreachable", 60.0))
    assert await files.claim(limit=1, lease=LEASE) == []
    await files.pass_time(timedelta(seconds=61))
    (second,) = await files.claim(limit=1, lease=LEASE)
    assert second.tries == 2
    await files.postpone(second, LaterFile("busy", 0.0), counts=False)
    (third,) = await files.claim(limit=1, lease=LEASE)
    assert third.tries == 2


async def test_what_ended_is_told_until_it_is_told(files: Kept) -> None:
    ends = {
        (await claimed(files, a_file())): end
        for end in (STORED, RefusedFile("too_large"), GoneFile("forgotten"))
    }
    for one, end in ends.items():
        assert await files.end(one, end, keep=KEEP)
    untold = await files.take_untold()
    told = {ref: news for ref, _, news in untold}
    for one, end in ends.items():
        news, file = told[one.file.message_ref], one.file
        assert (news.contact_id, news.brand, news.number) == (file.contact_id, "acme", "1001")
        assert (news.kind, news.occurred_at) == ("image", file.occurred_at)
        if isinstance(end, KeptFile):
            assert (news.outcome, news.reason, news.key) == ("stored", None, file.key)
            assert (news.mime_type, news.size_bytes, news.sha256) == ("image/png", 81, end.sha256)
            assert news.kept_until is not None
            assert timedelta(0) <= news.kept_until - news.ended_at - KEEP < timedelta(seconds=1)
        else:
            assert news.outcome == ("refused" if isinstance(end, RefusedFile) else "gone")
            assert (news.reason, news.key, news.kept_until) == (end.reason, None, None)
    assert await files.take_untold() == [], "somebody is telling it"
    await files.told([(ref, tell_at) for ref, tell_at, _ in untold[:2]])
    await files.pass_time(timedelta(seconds=31))
    (again,) = await files.take_untold()
    moved = {"ended_at", "kept_until"}  # by the passing of time above
    assert again[2].model_dump(exclude=moved) == told[again[0]].model_dump(exclude=moved)
    await files.told([(again[0], again[1] - timedelta(seconds=1))])
    await files.pass_time(timedelta(seconds=31))
    assert len(await files.take_untold()) == 1, "another claim's word does not count"


async def test_who_is_erased_takes_all_files_with_them_and_nobody_else_s(files: Kept) -> None:
    person, other = uuid4(), a_file()
    stored, waits = a_file("1", contact_id=person), a_file("2", contact_id=person)
    assert await files.end(await claimed(files, stored), STORED, keep=KEEP)
    assert await files.end(await claimed(files, other), STORED, keep=KEEP)
    await files.want([waits])
    await files.erase(person)
    await files.erase(person)
    assert await files.claim(limit=10, lease=LEASE) == []
    assert [news.contact_id for _, _, news in await files.take_untold()] == [other.contact_id]
    doomed = await files.take_doomed(limit=10)
    assert {(one.message_ref, one.key, one.is_last) for one in doomed} == {
        (file.message_ref, file.key, True) for file in (stored, waits)
    }
    assert await files.take_doomed(limit=10) == [], "somebody is deleting them"
    assert await files.is_unwanted(stored.message_ref)
    assert not await files.is_unwanted(other.message_ref)
    await files.want([a_file("3", contact_id=person)])
    assert await files.claim(limit=10, lease=LEASE) == []


async def test_what_is_being_written_is_deleted_once_more_when_nobody_can_write_it(files: Kept) -> None:
    file = a_file()
    held = await claimed(files, file, lease=timedelta(minutes=10))
    await files.erase(file.contact_id)
    assert not await files.end(held, STORED, keep=KEEP)
    assert await files.is_unwanted(file.message_ref)
    (first,) = await files.take_doomed(limit=10)
    assert not first.is_last
    await files.pass_time(timedelta(minutes=9))
    assert await files.take_doomed(limit=10) == []
    await files.pass_time(timedelta(minutes=2))
    (second,) = await files.take_doomed(limit=10)
    assert second.is_last
    await files.shredded([second.message_ref])
    await files.pass_time(timedelta(hours=1))
    assert await files.take_doomed(limit=10) == []
    assert await files.counts() == {"wanted": 0, "doomed": 0}


async def test_time_ends_what_is_stored_and_then_its_row(files: Kept) -> None:
    file = a_file()
    assert await files.end(await claimed(files, file), STORED, keep=KEEP)
    await files.told([(ref, at) for ref, at, _ in await files.take_untold()])
    await files.pass_time(timedelta(days=29))
    assert not await files.expire(limit=10)
    assert await files.counts() == {"wanted": 0, "doomed": 0}
    await files.pass_time(timedelta(days=2))
    assert await files.expire(limit=1), "there may be more"
    (doomed,) = await files.take_doomed(limit=10)
    assert (doomed.key, doomed.is_last) == (file.key, True)
    await files.shredded([doomed.message_ref])
    assert await files.is_unwanted(file.message_ref)
    assert await files.expire(limit=1), "its row, which is old enough"
    await files.want([file])
    assert len(await files.claim(limit=1, lease=LEASE)) == 1, "nothing is known of it any more"
