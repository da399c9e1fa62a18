"""Examples of what is told of customers' files."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from garbo.common.events.ids import platform_message_ref
from garbo.common.events.received_files import InboundMedia, ReceivedFile

_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
A_FILE: Final = ReceivedFile(media_id="1013859600285441", kind="image", mime_type="image/jpeg", sha256=_HASH)


def a_stored_file(wamid: str, *, contact_id: UUID, number: str, at: datetime) -> InboundMedia:
    """Tell that the file of a message is stored."""
    ref = platform_message_ref(wamid)
    return InboundMedia(
        message_ref=ref,
        contact_id=contact_id,
        brand="acme",
        number=number,
        kind="image",
        outcome="stored",
        key=f"acme/{number}/{at:%Y/%m/%d}/{ref[:2]}/{ref}",
        mime_type="image/jpeg",
        size_bytes=81_337,
        sha256=_HASH,
        kept_until=at + timedelta(days=30),
        occurred_at=at,
        ended_at=at + timedelta(seconds=2),
    )
