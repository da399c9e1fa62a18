"""The wiring of files that are sent: given by clients, or fetched where a link leads."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from garbo.common.errors import RetryLater
from garbo.common.events.grants import SendGranted
from garbo.common.runtime.background import Background
from garbo.common.runtime.lifecycle import Component
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.upkeep import Upkeep
from garbo.sender.app.media import Media
from garbo.sender.domain.media_keys import MediaKey
from garbo.sender.domain.queued_send import Draft
from garbo.sender.flow.media_library import MediaLibrary
from garbo.sender.flow.media_uploads import MediaUploads
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.send_queue import SendQueue
from garbo.sender.inbound.media import GivenFiles
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.postgres_media import PostgresMediaFiles
from garbo.sender.outbound.postgres_media_needs import PostgresMediaNeeds
from garbo.sender.outbound.telemetry import media_worked
from garbo.sender.outbound.whatsapp_body import draft_of
from garbo.sender.outbound.whatsapp_uploads import WhatsAppUploads
from garbo.sender.ports.media_store import Stored
from garbo.sender.settings import SenderSettings

_NONE: Final = RetryLater("no_media_store")


@dataclass(frozen=True, slots=True)
class SentMedia:
    """What takes files in and what uploads them; the parts in their start order."""

    given: GivenFiles
    draft_of: Callable[[SendGranted], Draft]
    """What is posted of a grant: links of listed hosts are fetched here, where there is a store."""
    work: tuple[Component, ...]

    @classmethod
    def of(
        cls,
        settings: SenderSettings,
        database: Database,
        graph: GraphClient,
        media: Media,
        queue: SendQueue,
        pauses: Pauses,
    ) -> "SentMedia":
        """Put it together. Without a store nothing is taken, and what was uploaded before is still sent."""
        store, fetch = media.store, media.fetch
        library = MediaLibrary(PostgresMediaFiles(database), store or NoStore())
        uploads = MediaUploads(
            PostgresMediaNeeds(database),
            library=library,
            fetches=fetch,
            platform=WhatsAppUploads(graph),
            refuse=queue.refuse,
            held=pauses.held,
            note=media_worked,
        )
        tidy = Background("media files", Upkeep("media files", library.tidy).run)
        given = GivenFiles(library if store else None, keep=timedelta(days=settings.file_keep_days))
        drafts = partial(draft_of, fetches=fetch.takes) if store else draft_of
        return cls(given, drafts, (tidy, Background("media uploads", uploads.run)))


class NoStore:
    """The store of an installation that has none: nothing is known of what it would hold."""

    async def put(self, key: MediaKey, parts: AsyncIterator[bytes], *, most_bytes: int) -> Stored:
        """Keep nothing."""
        del key, parts, most_bytes
        raise _NONE

    def open(self, key: MediaKey) -> AsyncIterator[bytes]:
        """Give nothing."""
        del key
        raise _NONE

    async def delete(self, keys: Collection[MediaKey]) -> None:
        """Delete nothing."""
        del keys
        raise _NONE

    async def exists(self, key: MediaKey) -> bool:
        """Know nothing."""
        del key
        raise _NONE

    async def sweep(self, *, older_than: timedelta) -> int:
        """Find nothing."""
        del older_than
        return 0
