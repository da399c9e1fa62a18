"""The wiring of files: from where they are fetched, and where they lie."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from garbo.common.business import Brand, KeptFiles
from garbo.common.clock import SystemClock
from garbo.common.errors import StartRefused
from garbo.common.runtime.background import Background
from garbo.common.runtime.deliver import Lane
from garbo.common.runtime.lifecycle import Component
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.published import WithTokens
from garbo.sender.domain.web_addresses import AllowedHosts
from garbo.sender.flow.file_fetch import FetchFile
from garbo.sender.flow.file_work import WorkOnFiles
from garbo.sender.flow.incoming_files import WantFiles
from garbo.sender.inbound.incoming_files import incoming_files
from garbo.sender.outbound.file_figures import FileInstruments
from garbo.sender.outbound.folder_store import FolderStore
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.guarded_fetch import GuardedFetch
from garbo.sender.outbound.kafka import Publisher
from garbo.sender.outbound.kafka_files import KafkaFileNews
from garbo.sender.outbound.numbers_in_force import NumbersInForce
from garbo.sender.outbound.postgres_incoming import PostgresIncomingFiles
from garbo.sender.outbound.whatsapp_media import WhatsAppMedia
from garbo.sender.ports.media_store import MediaStore
from garbo.sender.settings import SenderSettings

LOOKASIDE: Final = "lookaside.fbsbx.com"
"""From where Meta gives customers' files."""


class StartedStore(MediaStore, Component, Protocol):
    """A store that is a part of the process."""


@dataclass(frozen=True, slots=True)
class Media:
    """What is done with files; `parts` in their start order."""

    fetch: GuardedFetch
    """For links of messages."""
    store: StartedStore | None
    parts: tuple[Component, ...]
    lanes: tuple[Lane[Any], ...] = ()

    @classmethod
    def of(
        cls,
        settings: SenderSettings,
        numbers: NumbersInForce,
        graph: GraphClient,
        database: Database,
        producer: Publisher,
    ) -> "Media":
        """Put it together. Raises `StartRefused` where files are to be kept, and there is nowhere to."""
        fetch, store = _fetch(settings, numbers), store_of(settings)
        if store is None:
            _refuse_without_store(numbers.brands)
            return cls(fetch, None, (fetch,))
        files, given = PostgresIncomingFiles(database), GuardedFetch(lambda: platform_hosts(settings))

        def rules_of(brand: str) -> KeptFiles | None:
            return next((one.media for one in numbers.brands if one.id == brand), None)

        work = WorkOnFiles(
            files,
            FetchFile(files, WhatsAppMedia(given, graph), store, rules_of, SystemClock()),
            store,
            KafkaFileNews(producer),
            FileInstruments(),
            keep=timedelta(days=settings.media_keep_days),
            now=time.monotonic,
        )
        lane = incoming_files(WantFiles(files, rules_of))
        parts = (fetch, given, store, Background("files", work.run))
        return cls(fetch, store, parts, (lane,))


def with_room_for_files(read: WithTokens, settings: SenderSettings) -> WithTokens:
    """Give a business file back; raises `StartRefused` where it keeps files, and there is nowhere to."""
    if settings.media_store is None:
        _refuse_without_store(read.business.brands)
    return read


def _refuse_without_store(brands: Iterable[Brand]) -> None:
    """Raise `StartRefused` for a brand that keeps files; ours would be lost after 7 days."""
    keeps = next((brand.id for brand in brands if brand.media.keep_incoming), None)
    if keeps is not None:
        raise StartRefused(
            f"GARBO_MEDIA_STORE is not set, and brand {keeps} keeps incoming files: set it to a folder or a "
            "bucket, such as file:///var/lib/garbo/media, or take media.keep_incoming out of the brand."
        )


def platform_hosts(settings: SenderSettings) -> AllowedHosts:
    """Give the hosts the platform's files come from: those that may see a token."""
    host = (urlsplit(settings.graph_url).hostname or "").lower()
    ours = () if settings.live else (settings.graph_url.rstrip("/").lower(), *settings.fetch_origins)
    return AllowedHosts(frozenset({LOOKASIDE, host, *settings.media_hosts}), frozenset(ours))


def store_of(settings: SenderSettings) -> StartedStore | None:
    """Make the store that `GARBO_MEDIA_STORE` names."""
    if settings.media_store is None:
        return None
    parts = urlsplit(settings.media_store)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    # Here, because botocore takes half a second and 10 MB, and few have a bucket.
    from garbo.sender.outbound.s3_store import Bucket, S3Store  # noqa: PLC0415

    access, secret = settings.media_s3_access_key, settings.media_s3_secret_key
    return S3Store(
        Bucket(
            name=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=settings.media_s3_endpoint,
            region=settings.media_s3_region,
            access_key=access.get_secret_value() if access else None,
            secret_key=secret.get_secret_value() if secret else None,
        )
    )


def _fetch(settings: SenderSettings, numbers: NumbersInForce) -> GuardedFetch:
    origins = frozenset(settings.fetch_origins)
    return GuardedFetch(lambda: AllowedHosts(frozenset(numbers.business.media.fetch_from), origins))
