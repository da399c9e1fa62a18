"""One status of a webhook becomes one `MessageStatus`.

Source: Meta, webhooks reference "status" (read 2026-11).
"""

from garbo.common.errors import Reject
from garbo.common.events.base import Json
from garbo.common.events.statuses import MessageStatus, PlatformError
from garbo.common.events.topics import MESSAGE_STATUS
from garbo.ingest.domain.parts import Found, Origin
from garbo.ingest.domain.values import Value, identifier, identifier_or_none, instant, part_of, person, words


def read_status(status: Value, origin: Origin) -> Found:
    """Read one status; raises `Reject` with the field at fault. The recipient may be missing: ids join it."""
    if not isinstance(status, dict):
        raise Reject("invalid:status")
    wamid = identifier(status.get("id"), field="id")
    in_group = status.get("recipient_type") == "group"
    prefix = "recipient_participant" if in_group else "recipient"
    address, user_id = status.get(f"{prefix}_id"), status.get(f"{prefix}_user_id")
    recipient = person(
        address=address,
        user_id=user_id,
        parent_user_id=status.get(f"{prefix}_parent_user_id"),
        contact=origin.contact_of(address, user_id),
    )
    group = identifier_or_none(status.get("recipient_id")) if in_group else None
    pricing = part_of(status, "pricing")
    event = MessageStatus(
        wamid=wamid,
        status=identifier(status.get("status"), field="status"),
        waba=origin.account_id(),
        number=origin.number_id(),
        recipient=recipient,
        participant=origin.key_of(recipient.address, otherwise=wamid) if in_group else None,
        attempt_id=identifier_or_none(status.get("biz_opaque_callback_data")),
        category=words(pricing, "category"),
        billing=words(pricing, "type"),
        errors=_errors(status),
        occurred_at=instant(status.get("timestamp"), field="timestamp"),
        received_at=origin.received_at,
        raw=status,
    )
    key = origin.key_of(("group_id", group) if group else recipient.address, otherwise=wamid)
    return Found(MESSAGE_STATUS, event, key)


def _errors(status: Json) -> tuple[PlatformError, ...]:
    """Read the errors that have a code (a number, seen once as a string); the others stay in `raw`."""
    listed = status.get("errors")
    errors = listed if isinstance(listed, list) else []
    return tuple(
        PlatformError(
            code=int(code),
            title=words(error, "title"),
            details=words(part_of(error, "error_data"), "details") or words(error, "message"),
        )
        for error in errors
        if isinstance(error, dict) and (code := _code(error)) is not None
    )


def _code(error: Json) -> str | None:
    code = identifier_or_none(error.get("code"))
    return code if code and code.isascii() and code.isdecimal() and len(code) < 10 else None  # noqa: PLR2004
