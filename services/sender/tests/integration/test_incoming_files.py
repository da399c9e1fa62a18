"""Customers' files come from the simulated platform over real sockets, and are kept, refused or gone."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from garbo.common.business import KeptFiles
from garbo.sender.outbound.folder_store import INCOMING, FolderStore
from garbo.simulator.assets.media import Media
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, Running, running_world
from services.sender.tests.support.file_stand import LOSE_CLAIMS, PNG, FileStand, a_message
from services.sender.tests.support.media_stores import MemoryMediaStore, SlowMediaStore, started
from services.sender.tests.support.postgres import SenderDatabase

pytestmark = pytest.mark.integration


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_world(tmp_path) as running:
        yield running


@pytest.fixture
def stand(sender_database: SenderDatabase, running: Running) -> FileStand:
    return FileStand(sender_database, running.url)


def kept(
    running: Running, content: bytes = PNG, mime_type: str = "image/png", *, lives_s: float = 3600
) -> str:
    """Let the platform have a file a customer sent; give its id."""
    media = Media("", NUMBER.waba, NUMBER.id, mime_type, b"", 0, 0, time.time() + lives_s)
    return running.world.accounts.media.keep(content, media).id


async def test_a_picture_is_stored_and_told(stand: FileStand, running: Running, tmp_path: Path) -> None:
    message = a_message(kept(running), content=PNG)
    async with started(FolderStore(tmp_path / "media")) as stand.store, stand.working():
        await stand.come(message, message)
        await stand.come(message)
        told = await stand.ended(message, hurry=False)
        assert (told.outcome, told.reason, told.mime_type, told.size_bytes) == (
            "stored",
            None,
            "image/png",
            len(PNG),
        )
        assert (told.contact_id, told.brand, told.number, told.kind) == (
            message.contact_id,
            "acme",
            "1001",
            "image",
        )
        assert told.key is not None
        assert (tmp_path / "media" / told.key).read_bytes() == PNG
        assert message.media is not None
        assert told.sha256 == message.media.sha256
        assert told.kept_until is not None
        assert 29 < (told.kept_until - told.ended_at).days <= 30
        await stand.come(message)
        await until(lambda: stand.figures.counts.get("wanted") == 0)
    assert stand.figures.tries == [("stored", "")], "what comes again is not fetched again"
    assert stand.news.told == [told]


@pytest.mark.parametrize(
    ("content", "mime_type", "declared", "why"),
    [
        pytest.param(PNG, "image/png", "image/svg+xml", "type_not_kept", id="unknown type"),
        pytest.param(PNG, "image/png", "image/jpeg", "not_its_type", id="another type"),
        pytest.param(b"MZ\x90\0" * 300, "image/png", "image/png", "not_its_type", id="a program"),
        pytest.param(PNG + bytes(64 * 1024), "image/png", "image/png", "too_large", id="too large"),
    ],
)
async def test_what_may_not_be_kept_is_refused_with_the_reason(
    stand: FileStand, running: Running, content: bytes, mime_type: str, declared: str, why: str
) -> None:
    store = stand.store = MemoryMediaStore()
    message = a_message(kept(running, content, mime_type), mime_type=declared)
    async with stand.working():
        await stand.come(message)
        told = await stand.ended(message)
    assert (told.outcome, told.reason, told.key, told.kept_until) == ("refused", why, None, None)
    assert store.files == {}


async def test_what_differs_from_its_hash_is_refused_and_leaves_nothing(
    stand: FileStand, running: Running, tmp_path: Path
) -> None:
    message = a_message(kept(running), content=b"something else")
    async with started(FolderStore(tmp_path / "media")) as stand.store, stand.working():
        await stand.come(message)
        told = await stand.ended(message)
    assert (told.outcome, told.reason) == ("refused", "wrong_hash")
    assert stand.figures.tries.count(("later", "wrong_hash")) == 2, "it may have been broken on its way"
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


async def test_what_a_brand_does_not_keep_is_not_even_noted(stand: FileStand, running: Running) -> None:
    stand.rules = KeptFiles()
    await stand.come(a_message(kept(running)))
    stand.rules = KeptFiles(keep_incoming=True)
    await stand.come(a_message(kept(running), brand="other"))
    words = a_message("77").model_copy(update={"media": None, "kind": "text", "text": "hello"})
    await stand.come(words)
    assert await stand.states() == {}


async def test_a_brand_that_keeps_no_more_refuses_what_waits(stand: FileStand, running: Running) -> None:
    message = a_message(kept(running))
    await stand.come(message)
    stand.rules = KeptFiles()
    async with stand.working():
        told = await stand.ended(message)
    assert (told.outcome, told.reason) == ("refused", "not_kept")


async def test_an_id_that_was_forgotten_is_gone(stand: FileStand, running: Running) -> None:
    message = a_message(kept(running))
    running.world.accounts.media.forget_all()
    async with stand.working():
        await stand.come(message)
        told = await stand.ended(message)
    assert (told.outcome, told.reason) == ("gone", "forgotten")
    assert stand.figures.tries.count(("later", "forgotten")) == 2, "an id may be forgotten by mistake"


async def test_an_address_that_is_too_old_is_asked_for_again(
    stand: FileStand, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = a_message(kept(running))
    monkeypatch.setattr("garbo.simulator.graph.nodes.media.URL_FOR_S", -1)
    async with stand.working():
        await stand.come(message)
        await until(lambda: ("later", "http_404") in stand.figures.tries)
        monkeypatch.undo()
        assert (await stand.ended(message)).outcome == "stored"


async def test_a_token_that_expired_is_waited_for(stand: FileStand, running: Running) -> None:
    message = a_message(kept(running))
    stand.tokens["1001"] = "expired"
    async with stand.working():
        await stand.come(message)
        await until(lambda: ("later", "code_190") in stand.figures.tries)
        stand.tokens["1001"] = NUMBER.token
        assert (await stand.ended(message)).outcome == "stored"


async def test_a_store_that_was_away_gets_it_when_it_is_back(stand: FileStand, running: Running) -> None:
    store = stand.store = MemoryMediaStore()
    store.away = True
    message = a_message(kept(running))
    async with stand.working():
        await stand.come(message)
        await until(lambda: ("later", "store_away") in stand.figures.tries)
        store.away = False
        told = await stand.ended(message)
    assert told.key is not None
    assert store.files == {told.key: PNG}


async def test_what_nobody_could_be_told_is_told_later_as_the_same(
    stand: FileStand, running: Running
) -> None:
    message = a_message(kept(running))
    stand.news.away = True
    async with stand.working():
        await stand.come(message)
        await until(lambda: stand.figures.tries == [("stored", "")])
        stand.news.away = False
        await stand.execute("UPDATE sender.incoming_file SET tell_at = clock_timestamp()")
        told = await stand.ended(message)
    assert told.event_id == f"{message.event_id}:stored"


async def test_replicas_share_the_files(stand: FileStand, running: Running) -> None:
    messages = [a_message(kept(running, PNG + bytes([n]))) for n in range(40)]
    await stand.come(*messages)
    async with stand.working(3):
        for message in messages:
            assert (await stand.ended(message, hurry=False)).outcome == "stored"
        await until(lambda: stand.figures.counts.get("wanted") == 0)
    assert stand.figures.tries == [("stored", "")] * 40, "each was fetched once"
    assert sorted(one.message_ref for one in stand.news.told) == sorted(m.event_id for m in messages)


async def test_what_a_killed_replica_was_fetching_is_taken_up(
    stand: FileStand, running: Running, tmp_path: Path
) -> None:
    message = a_message(kept(running))
    await stand.come(message)
    await stand.killed_while_it_writes()
    async with started(FolderStore(tmp_path / "media")) as stand.store, stand.working():
        await until(lambda: stand.figures.counts.get("wanted") == 1)
        assert stand.figures.tries == [], "its claim holds"
        await stand.execute(LOSE_CLAIMS)
        assert (await stand.ended(message)).outcome == "stored"
        assert list((tmp_path / "media" / INCOMING).iterdir()) == []


async def test_what_a_replica_gives_up_when_it_is_told_to_stop_is_taken_up_at_once(
    stand: FileStand, running: Running
) -> None:
    message, slow = a_message(kept(running)), SlowMediaStore()
    stand.store = slow
    await stand.come(message)
    async with stand.working():
        await slow.began.wait()
    stand.store = MemoryMediaStore()
    async with stand.working():
        assert (await stand.ended(message, hurry=False)).outcome == "stored"
    assert stand.figures.tries == [("stored", "")]
