"""A media store in memory, and what tests of all stores need."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta

from garbo.common.errors import RetryLater
from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.outbound.folder_store import FolderStore
from garbo.sender.outbound.s3_store import Bucket, S3Store
from garbo.sender.ports.media_store import MediaStore, NotStored, Stored, TooLarge
from tests.support.own_s3 import ACCESS_KEY, SECRET_KEY, OwnS3

KEY = media_key("shop/106540352242922/2026/11/29/ab/abcdef")
OTHER = media_key("shop/106540352242922/2026/11/29/ab/abcdee")
LARGE = 64 * 1024 * 1024


async def parts_of(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def content_of(store: MediaStore, key: MediaKey) -> bytes:
    return b"".join([part async for part in store.open(key)])


def bucket_of(s3: OwnS3, name: str, *, secret: str = SECRET_KEY, prefix: str = "garbo/media") -> Bucket:
    return Bucket(name, prefix, endpoint=s3.endpoint, access_key=ACCESS_KEY, secret_key=secret)


@asynccontextmanager
async def started(store: FolderStore | S3Store) -> AsyncIterator[MediaStore]:
    try:
        await store.start()
        yield store
    finally:
        await store.stop()


class MemoryMediaStore:
    """`MediaStore` in memory; `away` while it does not answer."""

    def __init__(self) -> None:
        self.files: dict[MediaKey, bytes] = {}
        self.away = False

    async def put(self, key: MediaKey, parts: AsyncIterator[bytes], *, most_bytes: int) -> Stored:
        self._answer()
        content = bytearray()
        async for part in parts:
            content += part
            if len(content) > most_bytes:
                raise TooLarge
        self._answer()
        self.files[media_key(key)] = bytes(content)
        return Stored(len(content), hashlib.sha256(content).hexdigest())

    async def open(self, key: MediaKey) -> AsyncIterator[bytes]:
        self._answer()
        if media_key(key) not in self.files:
            raise NotStored
        yield self.files[key]

    async def delete(self, keys: Collection[MediaKey]) -> None:
        self._answer()
        for key in keys:
            self.files.pop(media_key(key), None)

    async def exists(self, key: MediaKey) -> bool:
        self._answer()
        return media_key(key) in self.files

    async def sweep(self, *, older_than: timedelta) -> int:  # noqa: ARG002 - nothing is half written
        self._answer()
        return 0

    def _answer(self) -> None:
        if self.away:
            raise RetryLater("the media store does not answer")


class SlowMediaStore(MemoryMediaStore):
    """Takes everything, and has it only when it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.goes_on = asyncio.Event(), asyncio.Event()

    async def put(self, key: MediaKey, parts: AsyncIterator[bytes], *, most_bytes: int) -> Stored:
        self.began.set()
        await self.goes_on.wait()
        return await super().put(key, parts, most_bytes=most_bytes)
