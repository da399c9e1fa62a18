"""One try to fetch one file: asked for, looked at as it comes, and in the store only if all of it is good."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from garbo.common.business import KeptFiles
from garbo.common.clock import Clock
from garbo.common.errors import RetryLater
from garbo.sender.domain.file_types import HEAD_BYTES, agrees
from garbo.sender.domain.incoming_files import (
    LARGE_BYTES,
    ClaimedFile,
    FileEnd,
    KeptFile,
    LaterFile,
    RefusedFile,
    after_failure,
    refusal_of,
    within_s,
)
from garbo.sender.ports.fetches import Fetched, FetchFailed, FetchRefused
from garbo.sender.ports.incoming_files import FoundFile, IncomingFiles, NotFound, PlatformFiles
from garbo.sender.ports.media_store import MediaStore, TooLarge

LARGE_AT_ONCE: Final = 2
BUSY: Final = LaterFile("busy", 5.0)
"""Too many large ones are under way: no try of this one."""
LEASE_MORE: Final = timedelta(seconds=45)
"""Beyond the time a file may take, into the store included: to clean up, and to write down the end."""


class _Unfit(Exception):  # noqa: N818 - it says what is wrong with the content
    """The content is not what was declared."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class FetchFile:
    """Tries once. Nothing stands in the store unless the try ends as a `KeptFile`."""

    files: IncomingFiles
    platform: PlatformFiles
    store: MediaStore
    rules_of: Callable[[str], KeptFiles | None]
    clock: Clock
    _large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LARGE_AT_ONCE))

    async def attempt(self, claimed: ClaimedFile) -> FileEnd | LaterFile:
        """Give how it ended. Never raises for what the platform, the network or the store does."""
        file, rules = claimed.file, self.rules_of(claimed.file.brand)
        if rules is None or (why := refusal_of(rules, file.mime_type, None)):
            return RefusedFile("not_kept" if rules is None else why or "not_kept")
        found = await self.platform.find(file.number, file.media_id)
        if isinstance(found, NotFound):
            return self._failed(claimed, found.reason, found.after_s)
        if why := refusal_of(rules, found.mime_type or file.mime_type, found.size_bytes):
            return RefusedFile(why)
        if (found.size_bytes or rules.most_bytes) <= LARGE_BYTES:
            return await self._fetch(claimed, found, rules)
        if self._large.locked():
            return BUSY
        async with self._large:
            return await self._fetch(claimed, found, rules)

    async def _fetch(self, claimed: ClaimedFile, found: FoundFile, rules: KeptFiles) -> FileEnd | LaterFile:
        file, most_bytes = claimed.file, found.size_bytes or rules.most_bytes
        budget_s = within_s(most_bytes)
        try:
            if not await self.files.extend(claimed, timedelta(seconds=budget_s) + LEASE_MORE):
                return LaterFile("claim_lost", 0.0)
            async with self.platform.get(
                file.number, found.url, most_bytes=most_bytes, within_s=budget_s
            ) as fetched:
                parts = _checked(fetched, file.mime_type, file.sha256 or found.sha256)
                stored = await self.store.put(file.key, parts, most_bytes=most_bytes)
        except (TooLarge, FetchRefused) as refused:
            return self._refused(claimed, found, refused)
        except FetchFailed as failed:
            return self._failed(claimed, failed.why, failed.after_s)
        except _Unfit as unfit:
            return self._failed(claimed, unfit.why)
        except RetryLater:
            return self._failed(claimed, "store_away")
        return KeptFile(stored.size_bytes, stored.sha256)

    def _refused(
        self, claimed: ClaimedFile, found: FoundFile, refused: TooLarge | FetchRefused
    ) -> FileEnd | LaterFile:
        """Say that a file is too large, for the brand or for what was declared, or what was in the way."""
        why = "too_large" if isinstance(refused, TooLarge) else refused.why
        if why != "too_large":
            return self._failed(claimed, why)
        return self._failed(claimed, "wrong_size") if found.size_bytes else RefusedFile(why)

    def _failed(self, claimed: ClaimedFile, why: str, after_s: float | None = None) -> FileEnd | LaterFile:
        return after_failure(claimed, why, now=self.clock.now(), after_s=after_s)


async def _checked(fetched: Fetched, mime_type: str, sha256: str | None) -> AsyncIterator[bytes]:
    """Give the content as it comes; raises `_Unfit` for what it is not, at the latest before its end."""
    digest, head, seen = hashlib.sha256(), bytearray(), False
    async for part in fetched.parts():
        digest.update(part)
        if seen:
            yield part
            continue
        head += part
        if len(head) >= HEAD_BYTES:
            seen = True
            yield _fit(head, mime_type)
    if not seen:
        yield _fit(head, mime_type)
    if sha256 is not None and digest.hexdigest() != sha256:
        raise _Unfit("wrong_hash")


def _fit(head: bytearray, mime_type: str) -> bytes:
    if not agrees(mime_type, bytes(head)):
        raise _Unfit("not_its_type")
    return bytes(head)
