"""What is kept of files that are sent: whose they are, what the platform calls them, who waits for them."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from garbo.sender.domain.media_keys import MediaKey
from garbo.sender.domain.outcomes import Answer
from garbo.sender.domain.queued_send import QueuedSend


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A brand's file in the store."""

    brand: str
    sha256: str
    key: MediaKey
    mime_type: str
    size_bytes: int
    animated: bool
    kept_until: datetime

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"sha256:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Need:
    """What messages of one number and brand wait for next, and what is known of it."""

    number: str
    brand: str
    source: str
    sha256: str | None = None
    """None: its link is to be fetched first."""
    settled: bool = False
    """The platform has it, or it will not be had: those that wait for it can go on."""
    due: bool = False
    """Nobody fetches or uploads it, and it is time to."""

    @property
    def work(self) -> str:
        """Name what is to be done for it, the same in every process."""
        if self.sha256 is None:
            return f"fetch:{self.brand}:{self.source}"
        return f"upload:{self.number}:{self.brand}:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of messages that waited for one thing."""

    count: int
    refused: Sequence[tuple[QueuedSend, str]]
    """These are not sent, each with the reason."""


class MediaFiles(Protocol):
    """The brands' files. Each method is one transaction; all raise `RetryLater`."""

    async def begin(self, key: MediaKey, *, within: timedelta) -> None:
        """Note that a file is about to be stored; when it has not been kept by then, it is left over."""
        ...

    async def keep(self, file: MediaFile, *, keep: timedelta) -> MediaFile:
        """Keep a stored file, so long from now on; where the brand has its content, the one that it has."""
        ...

    async def find(self, brand: str, sha256: str) -> MediaFile | None:
        """Find a brand's file."""
        ...

    async def end_old(self, *, limit: int) -> int:
        """Let files end whose time is over and that no message waits for; says how many."""
        ...

    async def leftovers(self, *, limit: int) -> Sequence[MediaKey]:
        """Name what the store may hold and nobody needs."""
        ...

    async def cleared(self, keys: Sequence[MediaKey]) -> None:
        """Note that the store holds these no more."""
        ...


class MediaNeeds(Protocol):
    """Who waits for which files. Each method is one transaction; all raise `RetryLater`."""

    async def needs(self, after: Need | None, *, limit: int) -> Sequence[Need]:
        """Give what is waited for, each once, in an order of its own, behind the one given."""
        ...

    async def settle(self, need: Need, *, limit: int) -> Settled:
        """Let the first messages go on that wait for something: they may leave, or want something else."""
        ...

    async def let_go(self, *, limit: int) -> None:
        """Let messages go on that waited behind others of the same person which are gone."""
        ...

    async def first_link(self, need: Need) -> str | None:
        """Give the link that is to be fetched; None: nobody waits for it any more."""
        ...

    async def claim(self, need: Need, *, lease: timedelta) -> int | None:
        """Take a piece of work; gives how often it was tried before, or None when somebody else has it."""
        ...

    async def renew(self, need: Need, *, lease: timedelta) -> None:
        """Go on with it."""
        ...

    async def fetched(self, need: Need, sha256: str, *, good_for: timedelta) -> None:
        """Note to which of the brand's files a link led."""
        ...

    async def uploaded(self, need: Need, media_id: str, *, good_for: timedelta) -> None:
        """Note what the platform calls a file."""
        ...

    async def put_off(self, need: Need, after: timedelta, *, fault: str | None = None) -> None:
        """Give a piece of work back until then; with a fault all who wait for it are refused meanwhile."""
        ...


class MediaUploading(Protocol):
    """The platform's door for files."""

    async def upload(
        self, number: str, file: MediaFile, content: Callable[[], AsyncIterator[bytes]]
    ) -> Answer:
        """Upload a file of a number. Every way it can end is a value."""
        ...
