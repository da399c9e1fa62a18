"""Files of customers: what is known of each, how one try can end, and when the next one is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from garbo.common.business import KeptFiles
from garbo.common.events.received_files import FileKind
from garbo.sender.domain.media_keys import MediaKey, media_key

ID_LIVES: Final = timedelta(days=7)
"""The platform forgets a customer's file then. Source: Meta, "Media" (read 2026-11)."""
WAITS_S: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0)
"""After the first try, the second ... and the last one ever after: some 90 tries in 7 days."""
SEEN_GONE: Final = 3
"""The platform says "no such object" also of what a token may not see: so often it must, to be believed."""
WRONG: Final = frozenset({"wrong_hash", "wrong_size", "not_its_type"})
WRONG_AGAIN: Final = 3
"""Content that is not what was declared is fetched so often: it may have been broken on its way."""
LEAST_PER_S: Final = 128 * 1024
"""Bytes: who is slower is cut off, and tried again."""
SLACK_S: Final = 30.0
LARGE_BYTES: Final = 10 * 1024 * 1024
"""Above it a file is large: few are fetched at once."""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file that is to be fetched."""

    message_ref: str
    contact_id: UUID
    brand: str
    number: str
    media_id: str
    kind: FileKind
    mime_type: str
    sha256: str | None
    occurred_at: datetime
    trace: str | None = None

    @property
    def key(self) -> MediaKey:
        """What it is called in the store: the same at each try, so that nothing of a killed one is lost."""
        day, ref = self.occurred_at.strftime("%Y/%m/%d"), self.message_ref
        brand = self.brand.replace(":", "_")
        return media_key(f"{brand}/{self.number}/{day}/{ref[:2]}/{ref}")


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A file that this process is fetching, for as long as it holds the claim."""

    file: WantedFile
    tries: int
    """This one included."""
    claim: UUID
    gives_up_at: datetime


@dataclass(frozen=True, slots=True)
class KeptFile:
    """It lies in the store."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """It will not be kept: `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class GoneFile:
    """The platform has it no more, or could not give it in time."""

    reason: str


@dataclass(frozen=True, slots=True)
class LaterFile:
    """It is tried again."""

    reason: str
    after_s: float


FileEnd = KeptFile | RefusedFile | GoneFile
"""How a file can end."""


def refusal_of(rules: KeptFiles | None, mime_type: str, size_bytes: int | None) -> str | None:
    """Say why a file is not kept, by what is declared of it; None where nothing speaks against it."""
    if rules is None or not rules.keep_incoming:
        return "not_kept"
    if mime_type not in rules.types:
        return "type_not_kept"
    return "too_large" if size_bytes is not None and size_bytes > rules.most_bytes else None


def after_failure(
    claimed: ClaimedFile, reason: str, *, now: datetime, after_s: float | None = None
) -> LaterFile | GoneFile | RefusedFile:
    """Say what becomes of a file after a try that did not fetch it."""
    if reason == "forgotten" and claimed.tries >= SEEN_GONE:
        return GoneFile(reason)
    if reason in WRONG and claimed.tries >= WRONG_AGAIN:
        return RefusedFile(reason)
    wait_s = max(WAITS_S[min(claimed.tries, len(WAITS_S)) - 1], after_s or 0.0)
    if now + timedelta(seconds=wait_s) >= claimed.gives_up_at:
        return GoneFile(reason)
    return LaterFile(reason, wait_s)


def within_s(most_bytes: int) -> float:
    """Give how long fetching so much may take."""
    return SLACK_S + most_bytes / LEAST_PER_S
