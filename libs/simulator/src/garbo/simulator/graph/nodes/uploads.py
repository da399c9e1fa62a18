"""Resumable uploads: a session, its bytes in as many calls as it takes, a handle at the end.

Source: Meta, Graph API "Resumable Upload" (read 2026-11).
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

import orjson
from starlette.types import Receive, Scope
from starlette.types import Send as Answering

from garbo.simulator.assets.media import MIB
from garbo.simulator.graph.access import holder_of, query_of, token_of
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.errors import GraphError, Refusal, plain_error, unknown_object
from garbo.simulator.graph.http import answer
from garbo.simulator.graph.nodes.call import Call, Json

PREFIX: Final = "upload:"
LARGEST_BYTES: Final = 100 * MIB
MOST_SESSIONS: Final = 64
_TYPES: Final = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")


class Session:
    """One upload: what it shall be and what came of it."""

    def __init__(self, *, length_bytes: int, mime_type: str, key: str) -> None:
        self.length_bytes = length_bytes
        self.mime_type = mime_type
        self.key = key
        self.content = bytearray()

    @property
    def handle(self) -> str:
        """What a template names as its example once all bytes are there."""
        return f"4::{urlsafe_b64encode(self.mime_type.encode()).decode()}:{sha256(self.content).hexdigest()}"


class Uploads:
    """`POST /{app}/uploads`, `POST` and `GET /upload:{session}`; of many the oldest are forgotten."""

    def __init__(self, accounts: Accounts, *, seed: str) -> None:
        self._accounts = accounts
        self._seed = seed
        self._sessions: dict[str, Session] = {}
        self._opened = 0

    async def open(self, call: Call) -> Json:
        """Open a session for a file of a length and type."""
        length, mime_type = call.text("file_length", most=12), call.text("file_type", most=64)
        if not length.isdecimal() or not 1 <= int(length) <= LARGEST_BYTES:
            raise Refusal(plain_error(f"(#100) Param file_length must be 1 to {LARGEST_BYTES}"))
        if mime_type not in _TYPES:
            raise Refusal(plain_error(f"(#100) Param file_type must be one of {', '.join(_TYPES)}"))
        self._opened += 1
        digest = sha256(f"{self._seed}/upload/{self._opened}".encode()).hexdigest()
        name, key = PREFIX + digest[:32], digest[32:]
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[name] = Session(length_bytes=int(length), mime_type=mime_type, key=key)
        return {"id": f"{name}?sig={key}"}

    async def serve(self, scope: Scope, receive: Receive, send: Answering, name: str) -> None:
        """Answer what is asked of a session: how far it is, or more bytes."""
        query = query_of(scope)
        holder_of(self._accounts, token_of(scope, query))
        session = self._sessions.get(name)
        if session is None or query.get("sig") != session.key:
            raise Refusal(unknown_object(name, scope["method"].lower()))
        if scope["method"] == "GET":
            shown = {"id": f"{name}?sig={session.key}", "file_offset": len(session.content)}
            await answer(send, 200, orjson.dumps(shown))
            return
        offset = dict(scope["headers"]).get(b"file_offset", b"0")
        if offset != str(len(session.content)).encode():
            raise Refusal(_offset(len(session.content)))
        await self._take(session, receive)
        if len(session.content) == session.length_bytes:
            await answer(send, 200, orjson.dumps({"h": session.handle}))
        else:
            raise Refusal(_offset(len(session.content)))

    async def _take(self, session: Session, receive: Receive) -> None:
        """Keep what comes, also of a body that breaks off."""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            session.content += message.get("body", b"")
            more = message.get("more_body", False)
            if len(session.content) > session.length_bytes:
                session.content.clear()
                raise Refusal(plain_error("(#100) There are more bytes than file_length says"))


def _offset(expected: int) -> GraphError:
    return plain_error(f"(#100) The upload stands at file_offset {expected}: go on from there")
