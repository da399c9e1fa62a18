"""Files of customers: which are wanted, where the platform has them, where their end is told."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from garbo.common.events.received_files import InboundMedia
from garbo.sender.domain.incoming_files import ClaimedFile, FileEnd, LaterFile, WantedFile
from garbo.sender.domain.media_keys import MediaKey
from garbo.sender.ports.fetches import Fetched


@dataclass(frozen=True, slots=True)
class FoundFile:
    """Where the platform has a file: its address is good for some minutes."""

    url: str
    mime_type: str | None
    sha256: str | None
    """In hex."""
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class NotFound:
    """The platform did not say where: `forgotten`, or a word for what was in the way."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class DoomedFile:
    """A file that is to be deleted."""

    message_ref: str
    key: MediaKey
    is_last: bool
    """Nobody may write it any more: what is deleted now stays deleted."""


class PlatformFiles(Protocol):
    """The platform's files."""

    async def find(self, number: str, media_id: str) -> FoundFile | NotFound:
        """Ask where a file is. Never raises for what the platform or the network does."""
        ...

    def get(
        self, number: str, url: str, *, most_bytes: int, within_s: float
    ) -> AbstractAsyncContextManager[Fetched]:
        """Fetch it with the number's token; raises as `ports.fetches` says, also while it is read."""
        ...


class IncomingFiles(Protocol):
    """The files of all replicas. Each method is one transaction; all raise `RetryLater`."""

    async def want(self, files: Sequence[WantedFile]) -> None:
        """Note that these are to be fetched: each message once for ever, none of who was erased."""
        ...

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[ClaimedFile]:
        """Take what is due, the longest waiting first; whoever does not end it in time loses it to others."""
        ...

    async def extend(self, claimed: ClaimedFile, lease: timedelta) -> bool:
        """Hold a claim for so long from now; False when it is lost."""
        ...

    async def postpone(self, claimed: ClaimedFile, later: LaterFile, *, counts: bool = True) -> None:
        """Give a claim back, to be tried later; what does not count was no try."""
        ...

    async def end(self, claimed: ClaimedFile, end: FileEnd, *, keep: timedelta) -> bool:
        """Write down how it ended; it is to be told from then on. False when the claim is lost."""
        ...

    async def is_unwanted(self, message_ref: str) -> bool:
        """Say whether what lies in the store of this message must not: it was erased, or refused."""
        ...

    async def take_untold(self) -> Sequence[tuple[str, datetime, InboundMedia]]:
        """Take what is not told yet, each with its claim; not `told` in time, others take it."""
        ...

    async def told(self, told: Sequence[tuple[str, datetime]]) -> None:
        """Note that these are told."""
        ...

    async def expire(self, *, limit: int) -> bool:
        """Doom what is past its time; forget what ended long ago. Tells whether there may be more."""
        ...

    async def take_doomed(self, *, limit: int) -> Sequence[DoomedFile]:
        """Take what is to be deleted now; not `shredded` in time, it comes again."""
        ...

    async def shredded(self, message_refs: Sequence[str]) -> None:
        """Note that these lie in the store no more."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Count what is `wanted` and what is `doomed`."""
        ...


class FileNews(Protocol):
    """Where is told what became of files."""

    async def publish(self, news: Sequence[InboundMedia]) -> None:
        """Return when all are safe, else raise `RetryLater`."""
        ...


class FileFigures(Protocol):
    """What is shown of files."""

    def tried(self, outcome: str, reason: str, *, seconds: float, size_bytes: int) -> None:
        """Count one try: stored, refused, gone or later."""
        ...

    def waiting(self, counts: Mapping[str, int]) -> None:
        """Show how many are `wanted`, and how many `doomed`."""
        ...
