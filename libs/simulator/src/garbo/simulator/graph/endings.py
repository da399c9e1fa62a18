"""The ways a request can end: with its answer, with something that is none, or with nothing at all."""

import asyncio
import socket
import struct
from collections.abc import Iterable
from typing import Any, Final

from starlette.types import Receive
from starlette.types import Send as Answering

from garbo.simulator.faults import Fault
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.http import JSON, Header, answer
from garbo.simulator.metrics import REFUSED

_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
)
_NO_MESSAGES: Final = b'{"messaging_product":"whatsapp","contacts":[]}'
_LINGER: Final = struct.pack("ii", 1, 0)


async def refuse(send: Answering, error: GraphError, headers: Iterable[Header] = ()) -> None:
    """Answer with an error, and count it."""
    REFUSED.labels(str(error.code)).inc()
    await answer(send, error.http_status, error.body(), headers=headers)


async def go_wrong(fault: Fault, receive: Receive, send: Answering, whole: bytes = b"{}") -> None:
    """End a request as a fault says; `whole` is the answer it would have had."""
    match fault.way:
        case "error":
            await refuse(send, graph_error(fault.code))
        case "gateway":
            await answer(send, 502, _PAGE, kind=_HTML)
        case "html":
            await answer(send, 200, _PAGE, kind=_HTML)
        case "empty":
            await answer(send, 200, b"")
        case "truncated":
            await answer(send, 200, whole[: len(whole) // 2])
        case "no_messages":
            await answer(send, 200, _NO_MESSAGES)
        case "half_body":
            await _half(receive, send, whole)
        case "hang":
            await asyncio.sleep(fault.hang_ms / 1000)
            await drop_connection(receive)
        case _:
            await drop_connection(receive, reset=fault.way == "reset")


async def drop_connection(receive: Receive, *, reset: bool = False) -> None:
    """Break the connection without an answer, as a network does; `reset`: the peer sees ECONNRESET."""
    transport = _transport(receive)
    if transport is None:
        return
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    transport.abort()
    await _gone(receive)


async def _half(receive: Receive, send: Answering, whole: bytes) -> None:
    headers = [JSON, (b"content-length", str(len(whole)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": whole[: len(whole) // 2], "more_body": True})
    transport = _transport(receive)
    if transport is not None:
        transport.close()  # what was written still leaves
        await _gone(receive)


def _transport(receive: Receive) -> Any:  # noqa: ANN401 - a transport of uvicorn's loop
    """Find the connection: ASGI has no word for it; uvicorn's `receive` is a method of what holds it."""
    return getattr(getattr(receive, "__self__", None), "transport", None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
