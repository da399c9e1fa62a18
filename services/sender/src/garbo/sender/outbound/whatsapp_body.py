"""A grant as the body of `POST /{number}/messages`.

Source: Meta, Cloud API "Send messages" (read 2026-09). `to` always has its `+`: without it the platform may
prepend the business number's own country code and reach a wrong person. Exactly one of `to` and `recipient`.
"""

from typing import Any

import orjson

from garbo.common.events.grants import SendGranted


def body_of(grant: SendGranted, *, attempt_id: str) -> bytes:
    """Write the body; the attempt id comes back with each status."""
    body: dict[str, Any] = {"messaging_product": "whatsapp", **_recipient(grant)}
    body |= grant.content.model_dump(mode="json", exclude_none=True)
    if grant.reply_to:
        body["context"] = {"message_id": grant.reply_to}
    body["biz_opaque_callback_data"] = attempt_id
    return orjson.dumps(body)


def _recipient(grant: SendGranted) -> dict[str, str]:
    to = grant.to
    if to.group_id:
        return {"recipient_type": "group", "to": to.group_id}
    if to.user_id:
        return {"recipient_type": "individual", "recipient": to.user_id}
    return {"recipient_type": "individual", "to": to.phone or ""}
