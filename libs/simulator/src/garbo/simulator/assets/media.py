"""Files the platform keeps for a while: uploaded by the business, or sent by a customer.

Source: Meta, "Media" (read 2026-11): uploads live 30 days, ids from webhooks 7, an address 5 minutes.
"""

import hmac
import os
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import IO, Final

UPLOADED_FOR_S: Final = 30 * 86_400.0
INBOUND_FOR_S: Final = 7 * 86_400.0
URL_FOR_S: Final = 300.0
MIB: Final = 1024 * 1024
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"),
    "document": (
        "application/pdf",
        "text/plain",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "image": ("image/jpeg", "image/png"),
    "sticker": ("image/webp",),
    "video": ("video/mp4", "video/3gpp"),
}
MOST_BYTES: Final = {"audio": 16 * MIB, "document": 100 * MIB, "image": 5 * MIB, "video": 16 * MIB}
STICKER_BYTES: Final = 100 * 1024
ANIMATED_BYTES: Final = 500 * 1024
_BEGINS: Final = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/webp": b"RIFF",
    "application/pdf": b"%PDF",
}


def kind_of(mime_type: str) -> str | None:
    """Tell which kind of message takes such a file; None: the platform takes it for none."""
    bare = mime_type.partition(";")[0].strip().lower()
    return next((kind for kind, types in KINDS.items() if bare in types), None)


def most_bytes(kind: str, content: bytes) -> int:
    """Tell how large a file of this kind may be; a sticker that moves may be larger."""
    if kind == "sticker":
        return ANIMATED_BYTES if b"ANIM" in content[:64] else STICKER_BYTES
    return MOST_BYTES[kind]


@dataclass(frozen=True, slots=True)
class Media:
    """One file, without its bytes."""

    id: str
    waba: str
    number_id: str
    mime_type: str
    sha256: bytes
    size_bytes: int
    place: int
    """Where its bytes begin in the store's file."""
    expires_at: float
    filename: str | None = None
    whole: bool = True
    """Its bytes begin as files of its type do."""

    @property
    def kind(self) -> str:
        """Which kind of message takes it."""
        return kind_of(self.mime_type) or "document"

    def suits(self, kind: str) -> bool:
        """Tell whether a message of this kind can show it."""
        return self.whole and kind in ("document", self.kind)

    @property
    def webhook_hash(self) -> str:
        """The hash as webhooks write it."""
        return b64encode(self.sha256).decode()


class MediaStore:
    """All files, by id; their bytes lie in a nameless temporary file."""

    def __init__(self, *, seed: str) -> None:
        self._seed = seed
        self._file: IO[bytes] | None = None
        self._end = 0
        self._minted = 0
        self._by_id: dict[str, Media] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[Media]:
        """All of them."""
        return iter(list(self._by_id.values()))

    def keep(self, content: bytes, media: Media) -> Media:
        """Keep a file; one without an id gets one."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the store
        self._file.write(content)
        kept = replace(
            media,
            id=media.id or self._mint(),
            place=self._end,
            size_bytes=len(content),
            sha256=sha256(content).digest(),
            whole=content.startswith(_BEGINS.get(media.mime_type, b"")),
        )
        self._end += len(content)
        self._by_id[kept.id] = kept
        return kept

    def get(self, media_id: str) -> Media | None:
        """Find a file that is still there."""
        media = self._by_id.get(media_id)
        return media if media and media.expires_at > time.time() else None

    def of(self, media_id: str, waba: str) -> Media | None:
        """Find a file of this account."""
        media = self.get(media_id)
        return media if media and media.waba == waba else None

    def content(self, media: Media) -> bytes:
        """Read its bytes."""
        if self._file is None:
            return b""
        return os.pread(self._file.fileno(), media.size_bytes, media.place)

    def expire(self, media_id: str, expires_at: float) -> None:
        """Let a file end at an instant (epoch seconds)."""
        self._by_id[media_id] = replace(self._by_id[media_id], expires_at=expires_at)

    def forget(self, media_id: str) -> bool:
        """Forget a file; False when there was none."""
        return self._by_id.pop(media_id, None) is not None

    def forget_all(self) -> int:
        """Forget every file, as Meta now and then does; gives how many."""
        count = len(self._by_id)
        self._by_id.clear()
        return count

    def sign(self, media_id: str, until: int) -> str:
        """Sign a download's address."""
        return hmac.new(self._seed.encode(), f"{media_id}/{until}".encode(), sha256).hexdigest()[:40]

    async def start(self) -> None:
        """Nothing to do: the file is opened when it is needed."""

    async def stop(self) -> None:
        """Let go of the bytes."""
        if self._file is not None:
            self._file.close()

    def _mint(self) -> str:
        self._minted += 1
        digest = sha256(f"{self._seed}/media/{self._minted}".encode()).digest()
        return str(10**15 + int.from_bytes(digest[:8], "big") % (9 * 10**15))
