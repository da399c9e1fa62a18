"""Customers' files on a real PostgreSQL: wanted, fetched by a worker or two, told, and deleted."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from garbo.common.business import KeptFiles
from garbo.common.clock import SystemClock
from garbo.common.errors import RetryLater
from garbo.common.events.engagement import CareMessage
from garbo.common.events.received_files import InboundMedia, ReceivedFile
from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.domain.web_addresses import AllowedHosts
from garbo.sender.flow.file_fetch import FetchFile
from garbo.sender.flow.file_work import WorkOnFiles
from garbo.sender.flow.incoming_files import WantFiles
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.guarded_fetch import GuardedFetch
from garbo.sender.outbound.postgres_incoming import PostgresIncomingFiles
from garbo.sender.outbound.whatsapp_media import WhatsAppMedia
from garbo.sender.ports.media_store import MediaStore
from libs.common.tests.support.waiting import until
from services.sender.tests.support.media_stores import MemoryMediaStore, SlowMediaStore
from services.sender.tests.support.postgres import SenderDatabase

BRAND, NUMBER = "acme", "1001"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 300
KEEP, LEASE = timedelta(days=30), timedelta(seconds=60)
KEPT = KeptFiles(keep_incoming=True, most_bytes=64 * 1024)
STATES = "SELECT message_ref, state FROM sender.incoming_file"
KEY_OF = "SELECT key FROM sender.incoming_file WHERE message_ref = $1"
ROWS = "SELECT f::text FROM sender.incoming_file AS f"
HURRY = """
UPDATE sender.incoming_file SET next_at = clock_timestamp()
 WHERE next_at IS NOT NULL AND claimed_until IS NULL
"""
LOSE_CLAIMS = """
UPDATE sender.incoming_file SET next_at = clock_timestamp(), claimed_until = clock_timestamp()
 WHERE claimed_until IS NOT NULL
"""
AGE = """
UPDATE sender.incoming_file
   SET keep_until = keep_until - $1::interval, ended_at = ended_at - $1::interval,
       occurred_at = occurred_at - $1::interval
"""


@dataclass(slots=True)
class ListedFileNews:
    """`FileNews` in a list; `away` while nobody listens."""

    told: list[InboundMedia] = field(default_factory=list)
    away: bool = False

    async def publish(self, news: Sequence[InboundMedia]) -> None:
        if self.away:
            raise RetryLater("kafka")
        self.told += news

    def of(self, message: CareMessage) -> list[InboundMedia]:
        return [one for one in self.told if one.message_ref == message.event_id]


@dataclass(slots=True)
class ListedFileFigures:
    """`FileFigures` in a list."""

    tries: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def tried(self, outcome: str, reason: str, *, seconds: float, size_bytes: int) -> None:
        assert seconds >= 0
        assert (size_bytes > 0) <= (outcome == "stored")
        self.tries.append((outcome, reason))

    def waiting(self, counts: Mapping[str, int]) -> None:
        self.counts.update(counts)


def a_message(
    media_id: str,
    *,
    mime_type: str = "image/png",
    content: bytes | None = None,
    contact_id: UUID | None = None,
    brand: str = BRAND,
) -> CareMessage:
    """Let somebody have sent a file; `content` is what its hash is told of."""
    at = datetime.now(UTC)
    sha256 = hashlib.sha256(content).hexdigest() if content is not None else None
    return CareMessage(
        wamid=f"wamid.{uuid4().hex}",
        contact_id=contact_id or uuid4(),
        brand=brand,
        number=NUMBER,
        kind="image",
        media=ReceivedFile(media_id=media_id, kind="image", mime_type=mime_type, sha256=sha256),
        window_until=at + timedelta(hours=24),
        occurred_at=at,
    )


@dataclass
class FileStand:
    """What a sender's work on files is made of; each `worker()` is one replica's."""

    database: SenderDatabase
    url: str
    origins: frozenset[str] = frozenset()
    store: MediaStore = field(default_factory=MemoryMediaStore)
    tokens: dict[str, str] = field(default_factory=lambda: {NUMBER: "token-1"})
    rules: KeptFiles = KEPT
    news: ListedFileNews = field(default_factory=ListedFileNews)
    figures: ListedFileFigures = field(default_factory=ListedFileFigures)

    @property
    def files(self) -> PostgresIncomingFiles:
        return PostgresIncomingFiles(self.database.database)

    async def come(self, *messages: CareMessage) -> None:
        """Let messages be read."""
        want = WantFiles(self.files, lambda brand: self.rules if brand == BRAND else None)
        await want.take([(message, None) for message in messages])

    @asynccontextmanager
    async def fetching(self) -> AsyncIterator[FetchFile]:
        """Give one replica's way to fetch."""
        allowed = AllowedHosts(frozenset(), self.origins or frozenset({self.url}))
        fetch = GuardedFetch(lambda: allowed)
        graph = GraphClient(url=self.url, version="v25.0", token_of=self.tokens.get)
        platform = WhatsAppMedia(fetch, graph)
        async with AsyncExitStack() as stack:
            for part in (fetch, graph):
                stack.push_async_callback(part.stop)
                await part.start()
            yield FetchFile(self.files, platform, self.store, lambda _: self.rules, SystemClock())

    @asynccontextmanager
    async def working(self, count: int = 1) -> AsyncIterator[list["asyncio.Task[None]"]]:
        """Run replicas; one that fails by a bug fails the test."""
        async with AsyncExitStack() as stack:
            tasks = []
            for _ in range(count):
                fetch = await stack.enter_async_context(self.fetching())
                tasks.append(asyncio.create_task(self.work(fetch).run()))
            try:
                yield tasks
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                bugs = [end for end in ended if isinstance(end, Exception)]
                assert not bugs, bugs

    def work(self, fetch: FetchFile) -> WorkOnFiles:
        return WorkOnFiles(
            self.files,
            fetch,
            self.store,
            self.news,
            self.figures,
            keep=KEEP,
            now=time.monotonic,
            every_s=0.02,
        )

    async def killed_while_it_writes(self) -> None:
        """Let a replica take what is due, and be killed while it writes: its claim stays."""
        fast, slow = self.store, SlowMediaStore()
        self.store = slow
        async with self.fetching() as fetch:
            (claimed,) = await self.files.claim(limit=1, lease=LEASE)
            attempt = asyncio.create_task(fetch.attempt(claimed))
            await slow.began.wait()
            attempt.cancel()
            await asyncio.wait([attempt])
        self.store = fast

    async def ended(self, message: CareMessage, *, hurry: bool = True) -> InboundMedia:
        """Wait until it is told how a file ended; waits between tries are over at once."""

        async def told() -> list[InboundMedia]:
            if hurry:
                await self.execute(HURRY)
            return self.news.of(message)

        return (await until(told, within_s=20))[0]

    async def states(self) -> dict[str, str]:
        async with self.database.database.connection() as connection:
            return {row["message_ref"]: row["state"] for row in await connection.fetch(STATES)}

    async def key_of(self, message: CareMessage) -> MediaKey:
        async with self.database.database.connection() as connection:
            return media_key(await connection.fetchval(KEY_OF, message.event_id))

    async def everything(self) -> str:
        async with self.database.database.connection() as connection:
            return "\n".join(row[0] for row in await connection.fetch(ROWS))

    async def execute(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - whatever it takes
        async with self.database.database.connection() as connection:
            await connection.execute(statement, *values)
