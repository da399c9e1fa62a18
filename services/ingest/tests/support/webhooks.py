"""Webhooks as the platform writes and signs them."""

import hmac

from garbo.ingest.domain.parts import ACCOUNT
from services.ingest.tests.support.http import AnyJson


def text_message(**more: AnyJson) -> dict[str, AnyJson]:
    """Make one text message as it stands in a webhook, with fields replaced or added."""
    text = {"type": "text", "text": {"body": "ciao"}}
    return {"from": "16505551234", "id": "w1", "timestamp": "1790000000"} | text | more


def webhook_of(*messages: AnyJson, **value: AnyJson) -> dict[str, AnyJson]:
    """Make a webhook body of messages, with other fields of the value replaced or added."""
    inside = {"metadata": {"phone_number_id": "100"}, "messages": list(messages), **value}
    entry = {"id": "1", "changes": [{"field": "messages", "value": inside}]}
    return {"object": ACCOUNT, "entry": [entry]}


def signed(body: bytes, secret: str) -> tuple[str, str]:
    """Sign a body as the platform does: the header's name and value."""
    return "X-Hub-Signature-256", f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}"
