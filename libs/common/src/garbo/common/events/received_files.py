"""Files that people send: as the platform names them, and what became of each (`garbo.inbound.media.v1`).

Source: Meta, Cloud API "Media messages object" and "Media" (read 2026-11): an id lives 7 days.
"""

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import Field

from garbo.common.events.base import NULL_IS_ABSENT, Event, Part
from garbo.common.events.instants import Instant

FileKind = Literal["image", "video", "audio", "document", "sticker"]
KINDS: Final[Mapping[str, FileKind]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "document": "document",
    "sticker": "sticker",
}
"""By the platform's type of the message."""
FileType = Literal[
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/3gpp",
    "audio/aac",
    "audio/amr",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/opus",
    "application/pdf",
    "text/plain",
    "text/csv",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
]
"""Types whose files can be told by their bytes: no others are kept."""
MEDIA_ID: Final = r"^[0-9A-Za-z_-]{1,128}$"
"""It stands in the path of a call."""
_TYPE: Final = re.compile(r"[0-9a-z!#$&^_.+-]{1,64}/[0-9a-z!#$&^_.+-]{1,128}")
_UNKNOWN_TYPE: Final = "application/octet-stream"
_HASH_BYTES: Final = 32


class ReceivedFile(Part):
    """A file of a customer's message, at the platform; what they named it is theirs and stays there."""

    media_id: Annotated[str, Field(pattern=MEDIA_ID)]
    """The platform's id: good for 7 days, with the business's token alone."""
    kind: FileKind
    mime_type: str
    """As declared, in small letters and without parameters."""
    sha256: str | None = None
    """As declared, in hex."""
    voice: Annotated[bool, NULL_IS_ABSENT] = False
    """A voice note."""

    @classmethod
    def of_message(cls, kind: str, raw: Mapping[str, Any]) -> Self | None:
        """Read the file of a message as the platform sent it; None where there is none to be had."""
        said, file_kind = raw.get(kind), KINDS.get(kind)
        if file_kind is None or not isinstance(said, dict):
            return None
        media_id = said.get("id")
        if not isinstance(media_id, str) or not re.fullmatch(MEDIA_ID, media_id):
            return None
        declared = bare_type(said.get("mime_type"))
        return cls(
            media_id=media_id,
            kind=file_kind,
            mime_type=declared or _UNKNOWN_TYPE,
            sha256=hash_of(said.get("sha256")),
            voice=kind == "voice" or said.get("voice") is True,
        )


def bare_type(said: object) -> str | None:
    """Read a media type without its parameters; None when it is none."""
    bare = said.partition(";")[0].strip().lower() if isinstance(said, str) else ""
    return bare if _TYPE.fullmatch(bare) else None


def hash_of(said: object) -> str | None:
    """Read a SHA-256, which webhooks write in base64 and the API in hex; None when it is none."""
    if not isinstance(said, str):
        return None
    if re.fullmatch(r"[0-9a-fA-F]{64}", said):
        return said.lower()
    try:
        raw = a2b_base64(said.encode(), strict_mode=True)
    except (NotBase64, ValueError):
        return None
    return raw.hex() if len(raw) == _HASH_BYTES else None


class InboundMedia(Event):
    """What became of a file a customer sent, of a brand that keeps them. Told once, or again after a crash.

    Who wants the content reads it from the media store by its `key`, while it is there.
    """

    message_ref: str
    """`ce_id` of the message in `garbo.inbound.message.v1` and `garbo.conversation.care.v1`."""
    contact_id: UUID
    brand: str
    number: str
    kind: FileKind
    outcome: Literal["stored", "refused", "gone"]
    """gone: the platform has it no more, or could not give it for 7 days."""
    reason: str | None = None
    """A stable word, unless it is stored: type_not_kept, too_large, not_its_type, wrong_hash, not_kept ...;
    gone: forgotten, or why it could not be had at last."""
    key: str | None = None
    """Of a stored file: its name in the store, of ours alone."""
    mime_type: str | None = None
    """Of a stored file: what was declared and its bytes agree with."""
    size_bytes: int | None = None
    sha256: str | None = None
    """Of a stored file's content, in hex."""
    kept_until: Instant | None = None
    """Of a stored file: it is deleted then, or earlier with the person."""
    occurred_at: Instant
    """When the message was sent, by the platform's clock."""
    ended_at: Instant

    @property
    def event_id(self) -> str:
        """The message's id and the outcome."""
        return f"{self.message_ref}:{self.outcome}"

    @property
    def happened_at(self) -> datetime:
        """When it was stored or given up."""
        return self.ended_at
