"""The least of HTTP the Graph API needs: whole bodies in, bytes out, and a connection that breaks.

Bare ASGI, because load runs send thousands of requests a second through here.
"""

from typing import Final

from starlette.types import Receive, Send

MAX_BODY_BYTES: Final = 256 * 1024
_JSON: Final = (b"content-type", b"application/json; charset=UTF-8")


class BodyTooLarge(Exception):  # noqa: N818 - it says what is wrong with the request
    """The request's body is longer than any message can be."""


async def read_body(receive: Receive) -> bytes:
    """Read the whole body. Raises `BodyTooLarge`."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
    return body


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send one JSON answer."""
    headers = [_JSON, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def drop_connection(receive: Receive) -> None:
    """Break the connection without an answer, as a network does.

    ASGI has no word for it; uvicorn's `receive` is a method of the object that holds the transport.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
