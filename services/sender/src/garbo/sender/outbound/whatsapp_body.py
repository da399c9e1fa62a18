"""A grant as the body of `POST /{number}/messages`.

Source: Meta, Cloud API "Send messages" (read 2026-09). `to` always has its `+`: without it the platform may
prepend the business number's own country code and reach a wrong person. Exactly one of `to` and `recipient`.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson

from garbo.common.events.grants import SendGranted
from garbo.sender.domain.queued_send import Draft
from garbo.sender.domain.wanted_media import KINDS, wanted_of

_SHOWING: Final = KINDS | {"template", "interactive"}


def draft_of(grant: SendGranted, fetches: Callable[[str], bool] = lambda _: False) -> Draft:
    """Write the body but for the attempt's id: a JSON object, made once however often it is posted.

    Links of which `fetches` says so are fetched here; what the platform has not got is listed beside.
    """
    body: dict[str, Any] = {"messaging_product": "whatsapp", **_recipient(grant)}
    body |= grant.content.model_dump(mode="json", exclude_none=True)
    if grant.reply_to:
        body["context"] = {"message_id": grant.reply_to}
    wanted = wanted_of(body, fetches) if grant.content.type in _SHOWING else None
    return Draft(orjson.dumps(body), wanted.text if wanted else None)


def body_of(draft: bytes, *, attempt_id: str) -> bytes:
    """Write the body of one attempt; its id comes back with each status."""
    return b'%s,"biz_opaque_callback_data":"%s"}' % (draft[:-1], attempt_id.encode())


def _recipient(grant: SendGranted) -> dict[str, str]:
    to = grant.to
    if to.group_id:
        return {"recipient_type": "group", "to": to.group_id}
    if to.user_id:
        return {"recipient_type": "individual", "recipient": to.user_id}
    return {"recipient_type": "individual", "to": to.phone or ""}
