"""Where files lie: a folder or an S3-compatible store."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from garbo.sender.domain.media_keys import MediaKey


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies in the store."""

    size_bytes: int
    sha256: str
    """Of its content, in hex."""


class TooLarge(Exception):  # noqa: N818 - it names what was refused
    """The content was larger than the caller would have; nothing of it was kept."""


class NotStored(Exception):  # noqa: N818 - it names what was found
    """There is no file of this key."""


class MediaStore(Protocol):
    """Keeps files by keys of ours. All raise `RetryLater` while the store is away."""

    async def put(self, key: MediaKey, parts: AsyncIterator[bytes], *, most_bytes: int) -> Stored:
        """Keep all of `parts` under this key, in the place of what was there; return when it is safe.

        Whatever ends it, the key never shows a part of a file. Raises `TooLarge` as soon as there is more
        than `most_bytes`, and whatever `parts` raises; then nothing of it is kept.
        """
        ...

    def open(self, key: MediaKey) -> AsyncIterator[bytes]:
        """Give a file's content in parts; raises `NotStored` before the first. Close what you leave."""
        ...

    async def delete(self, keys: Collection[MediaKey]) -> None:
        """Delete these files; what is not there is deleted already."""
        ...

    async def exists(self, key: MediaKey) -> bool:
        """Say whether there is a file of this key."""
        ...

    async def sweep(self, *, older_than: timedelta) -> int:
        """Remove what writers that were killed left half written that long ago; say how many."""
        ...
