"""One request at a time of an ASGI application, without a socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Scope

SHOP: Final = "shop-key-0123456789abcdef"
DESK: Final = "desk-key-0123456789abcdef"
CARE: Final = "care-key-0123456789abcdef"
"""Of a client that may ask for care alone."""
READER: Final = "reader-key-0123456789abcdef"
PHONE: Final = "+393331234567"

Headers = Sequence[tuple[str, str]]
AnyJson: TypeAlias = Any
"""A JSON value a test looks into."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> AnyJson:
        """Parse the body."""
        return orjson.loads(self.body)


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
