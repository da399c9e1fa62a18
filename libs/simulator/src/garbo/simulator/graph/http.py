"""The least of HTTP the Graph API needs: whole bodies in, bytes out.

Bare ASGI, because load runs send thousands of requests a second through here.
"""

from collections.abc import Iterable
from typing import Final

from starlette.types import Receive, Send

Header = tuple[bytes, bytes]
MAX_BODY_BYTES: Final = 256 * 1024
JSON: Final[Header] = (b"content-type", b"application/json; charset=UTF-8")


class BodyTooLarge(Exception):  # noqa: N818 - it says what is wrong with the request
    """The request's body is longer than any message can be."""


async def read_body(receive: Receive, *, most: int = MAX_BODY_BYTES) -> bytes:
    """Read the whole body. Raises `BodyTooLarge`."""
    message = await receive()
    first: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return first
    body = bytearray(first)
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            raise BodyTooLarge
    return bytes(body)


async def answer(
    send: Send, status: int, body: bytes, *, headers: Iterable[Header] = (), kind: Header = JSON
) -> None:
    """Send one answer; JSON unless its kind says otherwise."""
    every = [kind, (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})
