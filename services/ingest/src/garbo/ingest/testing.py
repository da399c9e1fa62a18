"""For tests that need no broker and no socket: a typed fake of the event log, and one request at a time."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Scope

from garbo.common.errors import RetryLater
from garbo.ingest.domain.parts import ACCOUNT, Found
from garbo.ingest.ports import DeadLetter

SHOP: Final = "shop-key-0123456789abcdef"
DESK: Final = "desk-key-0123456789abcdef"
READER: Final = "reader-key-0123456789abcdef"
PHONE: Final = "+393331234567"

Headers = Sequence[tuple[str, str]]
AnyJson: TypeAlias = Any
"""A JSON value a test looks into."""


@dataclass
class MemoryEventLog:
    """An `EventLog` that keeps entries in a list; refuses everything while `down`."""

    entries: list[Found | DeadLetter] = field(default_factory=list)
    down: bool = False

    async def append(self, entries: Sequence[Found | DeadLetter]) -> None:
        """Keep all entries, or raise `RetryLater` and keep none."""
        if self.down:
            raise RetryLater("down")
        self.entries.extend(entries)

    @property
    def found(self) -> list[Found]:
        """Give the events kept, in order."""
        return [entry for entry in self.entries if isinstance(entry, Found)]

    @property
    def dead(self) -> list[DeadLetter]:
        """Give the dead letters kept, in order."""
        return [entry for entry in self.entries if isinstance(entry, DeadLetter)]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> AnyJson:
        """Parse the body."""
        return orjson.loads(self.body)


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


async def ask(
    app: ASGIApp, request: str, *, body: bytes | Sequence[bytes] = b"", headers: Headers = ()
) -> Answer | None:
    """Make one request (`"POST /v1/messages"`) of an ASGI application; None when it gives no answer.

    A body in pieces arrives in pieces, and after the last one whoever asked hangs up.
    """
    method, _, target = request.partition(" ")
    url = urlsplit(target)
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": url.path,
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    incoming = _pieces(body)
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return _answer(sent) if sent else None


async def post(
    app: ASGIApp,
    body: AnyJson,
    *,
    key: str | None = SHOP,
    path: str = "messages",
    idempotency: Sequence[str] = (),
) -> Answer:
    """Submit a body as the client whose API key this is."""
    headers = [("Idempotency-Key", value) for value in idempotency]
    if key:
        headers.append(("Authorization", f"Bearer {key}"))
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await ask(app, f"POST /v1/{path}", body=raw, headers=headers)
    if answer is None:
        raise AssertionError("no answer")
    return answer


def _pieces(body: bytes | Sequence[bytes]) -> list[Message]:
    if isinstance(body, bytes):
        return [{"type": "http.request", "body": body, "more_body": False}]
    return [{"type": "http.request", "body": piece, "more_body": True} for piece in body]


def _answer(sent: Sequence[Message]) -> Answer:
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
