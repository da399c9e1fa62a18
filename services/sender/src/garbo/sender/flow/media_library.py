"""The brands' files: taken in, found again, and ended when their time is over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from garbo.sender.domain.file_types import HEAD_BYTES, contradicts
from garbo.sender.domain.media_keys import media_key
from garbo.sender.domain.shown_files import LARGEST_BYTES, is_animated
from garbo.sender.ports.media import MediaFile, MediaFiles
from garbo.sender.ports.media_store import MediaStore

STORED_WITHIN: Final = timedelta(hours=1)
"""What has not been kept by then was broken off."""
AT_ONCE: Final = 100


class NotThatType(Exception):  # noqa: N818 - it names what was found
    """A file does not begin as files of its type do; nothing of it is kept."""


class EmptyFile(Exception):  # noqa: N818 - as above
    """There is not one byte."""


@dataclass(frozen=True, slots=True)
class MediaLibrary:
    """The files, and the store where their bytes lie."""

    files: MediaFiles
    store: MediaStore

    async def take(
        self, brand: str, mime_type: str, parts: AsyncIterator[bytes], *, keep: timedelta
    ) -> MediaFile:
        """Keep a file of a brand, so long from now on; the same content again is the same file.

        Raises `TooLarge`, `NotThatType`, `EmptyFile`, and what `parts` raises; then nothing of it stays.
        """
        key = media_key(f"sent/{brand}/{uuid4().hex}")
        await self.files.begin(key, within=STORED_WITHIN)
        head = bytearray()
        stored = await self.store.put(key, _looked_at(parts, mime_type, head), most_bytes=LARGEST_BYTES)
        file = MediaFile(
            brand=brand,
            sha256=stored.sha256,
            key=key,
            mime_type=mime_type,
            size_bytes=stored.size_bytes,
            animated=is_animated(bytes(head)),
            kept_until=datetime.now(UTC),
        )
        return await self.files.keep(file, keep=keep)

    async def tidy(self) -> bool:
        """End what is over and delete what is left; tells whether there may be more."""
        ended = await self.files.end_old(limit=AT_ONCE)
        keys = await self.files.leftovers(limit=AT_ONCE)
        if keys:
            await self.store.delete(keys)
            await self.files.cleared(keys)
        return AT_ONCE in (ended, len(keys))


async def _looked_at(parts: AsyncIterator[bytes], mime_type: str, head: bytearray) -> AsyncIterator[bytes]:
    """Pass a file on once its beginning has been seen and is that of its type."""
    looked = False
    async for part in parts:
        if not looked:
            head += part
            if len(head) < HEAD_BYTES:
                continue
            _look(mime_type, head)
            looked = True
            yield bytes(head)
        else:
            yield part
    if not looked:
        _look(mime_type, head)
        yield bytes(head)


def _look(mime_type: str, head: bytearray) -> None:
    if not head:
        raise EmptyFile
    if contradicts(mime_type, bytes(head)):
        raise NotThatType
