"""Everything of a webhook that is neither a message nor a status becomes a `PlatformChange`, kept raw.

Also what looks like a message and is none: `smb_message_echoes` were written by the business itself, and
`history` is an import of old chats. Neither may open a customer service window.
"""

from datetime import datetime

from garbo.common.events.base import Json
from garbo.common.events.ids import change_id_of
from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import PLATFORM_CHANGE
from garbo.ingest.domain.parts import Found, Origin


def read_change(value: Json, origin: Origin, *, field: str, occurred_at: datetime | None) -> Found:
    """Keep a change as it came; raises `Reject` when the account is not named."""
    waba = origin.account_id()
    event = PlatformChange(
        change_id=change_id_of(waba, field, value),
        waba=waba,
        field=field,
        number=origin.number,
        value=value,
        occurred_at=occurred_at,
        received_at=origin.received_at,
    )
    return Found(PLATFORM_CHANGE, event, origin.number or waba)
