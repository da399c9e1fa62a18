"""Files go with the person, or when their time is over, whatever happens meanwhile; nobody else's do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from garbo.common.events.engagement import CareMessage
from garbo.common.events.erasure import ContactErased
from garbo.sender.flow.erasure import Forget
from garbo.sender.outbound.folder_store import FolderStore
from garbo.sender.outbound.postgres_memories import PostgresMemories
from libs.common.tests.support.waiting import until
from services.sender.tests.support.file_platform import FilePlatform, a_file_platform
from services.sender.tests.support.file_stand import (
    AGE,
    HURRY,
    LOSE_CLAIMS,
    FileStand,
    a_message,
)
from services.sender.tests.support.media_stores import MemoryMediaStore, SlowMediaStore, started
from services.sender.tests.support.postgres import SenderDatabase

pytestmark = pytest.mark.integration


@pytest.fixture
async def platform() -> AsyncIterator[FilePlatform]:
    async with a_file_platform() as platform:
        yield platform


@pytest.fixture
def stand(sender_database: SenderDatabase, platform: FilePlatform) -> FileStand:
    return FileStand(sender_database, platform.url)


async def erase(stand: FileStand, *messages: CareMessage) -> None:
    forget = Forget(PostgresMemories(stand.database.database), timedelta(days=90))
    erased = [ContactErased(contact_id=m.contact_id, erased_at=m.occurred_at) for m in messages]
    await forget.obey(erased)


async def settled(stand: FileStand, message: CareMessage, state: str) -> None:
    await until(stand.states, lambda states: states.get(message.event_id) == state, within_s=20)


async def nowhere(stand: FileStand, contact_id: UUID) -> None:
    assert str(contact_id) not in await stand.everything()


async def test_a_stored_file_goes_with_the_person_and_nobody_else_s(stand: FileStand, tmp_path: Path) -> None:
    message, other = a_message("1"), a_message("2")
    async with started(FolderStore(tmp_path)) as stand.store, stand.working():
        await stand.come(message, other)
        told, told_other = await stand.ended(message), await stand.ended(other)
        await erase(stand, message)
        await nowhere(stand, message.contact_id)
        await settled(stand, message, "deleted")
        assert not (tmp_path / str(told.key)).exists()
        assert (tmp_path / str(told_other.key)).exists()
        await erase(stand, message)
        assert (await stand.states())[other.event_id] == "stored"


async def test_files_of_a_former_id_go_too(stand: FileStand) -> None:
    store = stand.store = MemoryMediaStore()
    message = a_message("1")
    forget = Forget(PostgresMemories(stand.database.database), timedelta(days=90))
    async with stand.working():
        await stand.come(message)
        await stand.ended(message)
        now_as = ContactErased(
            contact_id=uuid4(), former_ids=(message.contact_id,), erased_at=message.occurred_at
        )
        await forget.obey([now_as])
        await settled(stand, message, "deleted")
    assert store.files == {}


async def test_what_waits_is_not_fetched_for_who_was_erased(stand: FileStand, platform: FilePlatform) -> None:
    message = a_message("1")
    await stand.come(message)
    await erase(stand, message)
    async with stand.working():
        await settled(stand, message, "deleted")
    assert platform.asked == []
    assert stand.news.told == []
    await nowhere(stand, message.contact_id)


async def test_a_message_from_before_that_is_read_after_is_passed_over(stand: FileStand) -> None:
    message, later = a_message("1"), a_message("2")
    await erase(stand, message)
    await stand.come(message, later)
    assert list(await stand.states()) == [later.event_id]


async def test_a_row_that_was_being_written_at_that_moment_goes_with_the_next_round(stand: FileStand) -> None:
    message = a_message("1")
    await stand.come(message)
    await stand.execute("INSERT INTO sender.erased (contact_id) VALUES ($1)", message.contact_id)
    forget = Forget(PostgresMemories(stand.database.database), timedelta(days=90))
    await forget.tidy()
    await nowhere(stand, message.contact_id)
    assert (await stand.states())[message.event_id] == "doomed"


async def test_a_file_that_arrives_after_the_erasure_is_not_kept(stand: FileStand) -> None:
    store = stand.store = SlowMediaStore()
    message = a_message("1")
    async with stand.working():
        await stand.come(message)
        await store.began.wait()
        await erase(stand, message)
        await until(lambda: stand.figures.counts.get("doomed") == 1)
        store.goes_on.set()
        await until(lambda: ("stored", "") in stand.figures.tries)
        assert store.files == {}
        await stand.execute(LOSE_CLAIMS)
        await settled(stand, message, "deleted")
    assert stand.news.told == []


async def test_what_a_stalled_writer_leaves_after_the_erasure_is_deleted_when_its_claim_ends(
    stand: FileStand,
) -> None:
    store = stand.store = MemoryMediaStore()
    message = a_message("1")
    await stand.come(message)
    await stand.killed_while_it_writes()
    await erase(stand, message)
    async with stand.working():
        await until(lambda: stand.figures.counts.get("doomed") == 1)
        store.files[await stand.key_of(message)] = b"written by the one who was thought dead"
        await stand.execute(LOSE_CLAIMS)
        await settled(stand, message, "deleted")
    assert store.files == {}


async def test_an_erasure_waits_for_a_store_that_is_away(stand: FileStand) -> None:
    store = stand.store = MemoryMediaStore()
    message = a_message("1")
    async with stand.working():
        await stand.come(message)
        await stand.ended(message)
        store.away = True
        await erase(stand, message)
        await nowhere(stand, message.contact_id)
        await until(lambda: stand.figures.counts.get("doomed") == 1)
        store.away = False
        await stand.execute(HURRY)
        await settled(stand, message, "deleted")
    assert store.files == {}


async def test_who_was_erased_is_told_of_no_more(stand: FileStand) -> None:
    message = a_message("1")
    stand.news.away = True
    async with stand.working():
        await stand.come(message)
        await until(lambda: ("stored", "") in stand.figures.tries)
        await erase(stand, message)
        stand.news.away = False
        await settled(stand, message, "deleted")
    assert stand.news.told == []


async def test_a_file_is_deleted_when_its_time_is_over_and_not_fetched_again(
    stand: FileStand, platform: FilePlatform
) -> None:
    store = stand.store = MemoryMediaStore()
    message, young = a_message("1"), a_message("2")
    async with stand.working():
        await stand.come(message)
        await stand.ended(message)
        await stand.execute(AGE, timedelta(days=30))
        await stand.come(young)
        told = await stand.ended(young)
    async with stand.working():
        await settled(stand, message, "deleted")
        await stand.come(message)
        await until(lambda: stand.figures.counts.get("wanted") == 0)
    assert list(store.files) == [told.key]
    assert platform.asked.count("1") == 1
    await nowhere(stand, message.contact_id)
    assert str(young.contact_id) in await stand.everything()


async def test_a_row_is_forgotten_when_its_message_cannot_come_again(stand: FileStand) -> None:
    refused, deleted, stored = a_message("1", mime_type="image/svg+xml"), a_message("2"), a_message("3")
    async with stand.working():
        await stand.come(refused, deleted, stored)
        for message in (refused, deleted, stored):
            await stand.ended(message)
        await erase(stand, deleted)
        await settled(stand, deleted, "deleted")
    await stand.execute(AGE, timedelta(days=8))
    assert not await stand.files.expire(limit=10)
    assert len(await stand.states()) == 3
    await stand.execute(AGE, timedelta(days=2))
    assert await stand.files.expire(limit=1), "there may be more"
    assert not await stand.files.expire(limit=10)
    assert await stand.states() == {stored.event_id: "stored"}


async def test_a_crash_between_file_and_row_is_made_good(stand: FileStand) -> None:
    """The file goes first: a row without a file goes in the next round, a file without a row never."""
    store = stand.store = MemoryMediaStore()
    message = a_message("1")
    async with stand.working():
        await stand.come(message)
        await stand.ended(message)
    await erase(stand, message)
    (doomed,) = await stand.files.take_doomed(limit=10)
    await store.delete([doomed.key])
    assert await stand.files.take_doomed(limit=10) == []
    await stand.execute(HURRY)
    async with stand.working():
        await settled(stand, message, "deleted")
