"""Messages that show files: a sender or two, their uploads, a store, and the simulated platform."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from garbo.common.events.content import Content
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import Answer
from garbo.sender.domain.web_addresses import AllowedHosts
from garbo.sender.flow.media_library import MediaLibrary
from garbo.sender.flow.media_uploads import MediaUploads
from garbo.sender.flow.send_queue import Shards
from garbo.sender.flow.take_grants import DeliveredGrant, TakeGrants
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.guarded_fetch import GuardedFetch
from garbo.sender.outbound.postgres_media import PostgresMediaFiles
from garbo.sender.outbound.postgres_media_needs import PostgresMediaNeeds
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.outbound.whatsapp_body import draft_of
from garbo.sender.outbound.whatsapp_uploads import WhatsAppUploads
from garbo.sender.ports.media import MediaFile, MediaUploading
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, SLOW, Running, running_world
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.media_stores import MemoryMediaStore, parts_of
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender, a_sender_over, all_shards

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)
TOKENS = {NUMBER.id: str(NUMBER.token), SLOW.id: str(SLOW.token)}
KEEP = timedelta(days=30)
CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


@dataclass
class Platform:
    """`MediaUploading` that goes through, once it may, and remembers."""

    inner: MediaUploading
    uploads: list[tuple[str, str]] = field(default_factory=list)
    may: Callable[[MediaFile], Awaitable[object]] | None = None

    async def upload(
        self, number: str, file: MediaFile, content: Callable[[], AsyncIterator[bytes]]
    ) -> Answer:
        self.uploads.append((number, file.name))
        if self.may:
            await self.may(file)
        return await self.inner.upload(number, file, content)


@dataclass
class MediaStand:
    sender: Sender
    running: Running
    library: MediaLibrary
    platform: Platform
    fetch: GuardedFetch
    noted: list[tuple[str, str]]
    database: SenderDatabase

    async def file(self, content: bytes = PNG, mime_type: str = "image/png", *, brand: str = "acme") -> str:
        """Give a file; give its name."""
        return (await self.library.take(brand, mime_type, parts_of(content), keep=KEEP)).name

    async def take(self, *grants: SendGranted, shard: int = 0) -> None:
        """Let grants come, of which links to allowed hosts are fetched."""
        await self.database.book(*grants)
        take = TakeGrants(
            self.sender.sending.queue, draft_of=lambda one: draft_of(one, self.fetch.takes), now=lambda: 0.0
        )
        await take.take([DeliveredGrant(grant, shard, None) for grant in grants])

    async def ended(self, *grants: SendGranted, within_s: float = 20) -> list[tuple[str, str | None]]:
        """Wait until each has a result; give outcome and reason of each."""
        await until(lambda: all(self.sender.published(one) for one in grants), within_s=within_s)
        results = [self.sender.published(one)[-1] for one in grants]
        return [(one.outcome, one.reason) for one in results]

    async def send(self, *grants: SendGranted) -> list[tuple[str, str | None]]:
        await self.take(*grants)
        return await self.ended(*grants)

    def ledger(self) -> list[dict[str, Any]]:
        """What the platform accepted, in order."""
        entries: list[dict[str, Any]] = orjson.loads(self.running.world.ledger.entries(after=0, limit=1000))
        return entries

    def ids(self) -> list[str]:
        """The platform's ids of all it keeps."""
        return [one.id for one in self.running.world.accounts.media]


def showing(content: Mapping[str, Any], **more: Any) -> SendGranted:  # noqa: ANN401 - see `a_grant`
    """Make a grant of a content."""
    more = {"number": NUMBER.id} | more
    return a_grant(**more).model_copy(update={"content": CONTENT.validate_python(dict(content))})


def an_image(file: str, **more: Any) -> SendGranted:  # noqa: ANN401 - see `a_grant`
    return showing({"type": "image", "image": {"file": file, "caption": "look"}}, **more)


@asynccontextmanager
async def a_media_stand(
    database: SenderDatabase,
    running: Running,
    *,
    store: MemoryMediaStore | None = None,
    origins: frozenset[str] = frozenset(),
    shards: Shards = all_shards,
) -> AsyncIterator[MediaStand]:
    """Run one sender with its uploads."""
    api = WhatsAppApi(url=running.url, version="v25.0", tokens=TOKENS)
    graph = GraphClient(url=running.url, version="v25.0", token_of=TOKENS.get)
    fetch = GuardedFetch(lambda: AllowedHosts(frozenset(), origins))
    library = MediaLibrary(PostgresMediaFiles(database.database), store or MemoryMediaStore())
    platform, noted = Platform(WhatsAppUploads(graph)), list[tuple[str, str]]()
    async with AsyncExitStack() as stack:
        for part in (api, graph, fetch):
            await part.start()
            stack.push_async_callback(part.stop)
        sender = await stack.enter_async_context(
            a_sender_over(database, api, rates=dict.fromkeys(TOKENS, 400.0), shards=shards)
        )
        work = MediaUploads(
            PostgresMediaNeeds(database.database),
            library=library,
            fetches=fetch,
            platform=platform,
            refuse=sender.sending.queue.refuse,
            held=sender.pauses.held,
            note=lambda kind, outcome: noted.append((kind, outcome)),
        )
        task = asyncio.create_task(work.run())
        try:
            yield MediaStand(sender, running, library, platform, fetch, noted, database)
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def a_simulated_stand(
    database: SenderDatabase, folder: Path, *, origins: frozenset[str] = frozenset()
) -> AsyncIterator[MediaStand]:
    async with running_world(folder) as running, a_media_stand(database, running, origins=origins) as stand:
        yield stand
