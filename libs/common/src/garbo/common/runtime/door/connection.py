"""One connection: what uvicorn does not bound is bounded here, before the application hears of it.

Built on uvicorn's protocol for httptools: `data_received` feeds the parser, which calls `on_...` back.
"""

import asyncio
from typing import Any, Final, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from garbo.common.runtime.door.connections import Connections
from garbo.common.runtime.door.hosts import AllowedHosts, name_of
from garbo.common.runtime.door.peers import holder_of
from garbo.common.runtime.door.refusal import DoorRefusal, RefusedRequest

_HOST: Final = b"host"
_BODY: Final = (b"content-length", b"transfer-encoding")
_WITHOUT_FLUSH: Final = (DoorRefusal.NOT_READ, DoorRefusal.DISPLACED)
"""What was written is given up as well, or the socket would stay until it is read."""


class Connection(HttpToolsProtocol):
    """A connection that is bounded in bytes and seconds, and asked by a name of ours."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections: Connections,
        hosts: AllowedHosts,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all, self._limits, self._hosts = connections, connections.limits, hosts
        self.holder = ""
        self._head_from_s: float | None = None
        """Since when headers are due; None: nothing of a next request has come."""
        self._silent = True
        self._in_head = True
        self._unread = False
        """A body is on its way."""
        self._piece_by_s = 0.0
        """When its next piece is due."""
        self._bytes_aside = 0
        """Came since the last piece of a body, and are none."""
        self._head_size_bytes = 0
        self._drained_bytes = 0
        self._drain_until_s: float | None = None
        self._write_until_s: float | None = None
        self._closing_until_s: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it in, or say that there is no room."""
        super().connection_made(cast("asyncio.Transport", transport))  # uvloop's is one by its shape alone
        self.holder = holder_of(self.client)
        self._head_from_s = self.loop.time()
        if not self._all.enter(self):
            self.refuse(DoorRefusal.NO_ROOM)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, if it is not too much."""
        if self.transport.is_closing():
            return
        self._silent = False
        self._bytes_aside += len(data)
        if self._in_head and self._head_from_s is None:
            self._head_from_s = self.loop.time()
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here: the request is answered as what it is, and then no other one.
            self.cycle.keep_alive = False
            return
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause.refusal if isinstance(cause, RefusedRequest) else DoorRefusal.NOT_HTTP)
            return
        if self._bytes_aside > self._limits.head_bytes:
            self.refuse(DoorRefusal.HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin the next request."""
        if len(self.pipeline) >= self._limits.pipelined:
            raise RefusedRequest(DoorRefusal.PIPELINED)
        super().on_message_begin()
        self._head_size_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        super().on_url(url)
        self._grow_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Trailers are passed over: what is decided by headers is decided already."""
        self._grow_head(len(name) + len(value))
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request over, if it names a host of ours."""
        self._refuse_other_hosts()
        if self.parser.should_upgrade() and any(name in _BODY for name, _ in self.headers):
            raise RefusedRequest(DoorRefusal.UPGRADE)  # the parser would pass the body over
        super().on_headers_complete()
        self._in_head, self._unread = False, True
        self._piece_by_s = self.loop.time() + self._limits.piece_s
        self._head_from_s = self._drain_until_s = None
        self._bytes_aside = self._drained_bytes = 0
        self._all.works(self)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body, or pass over it when nobody wants it any more."""
        self._bytes_aside = 0
        self._piece_by_s = self.loop.time() + self._limits.piece_s
        if self.cycle.response_complete:
            self._drained_bytes += len(body)
            if self._drained_bytes > self._limits.drain_bytes:
                raise RefusedRequest(DoorRefusal.NOT_DRAINED)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        super().on_message_complete()
        self._in_head, self._unread = True, False
        self._bytes_aside = 0
        self._drain_until_s = None

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        super().on_response_complete()
        if not self.cycle.response_complete:
            return  # the next one was sent on and is in hand now
        if self._unread:
            self._drain_until_s = self.loop.time() + self._limits.drain_s
        self._all.rests(self)

    def pause_writing(self) -> None:
        """Give the peer a while to read what it asked for."""
        super().pause_writing()
        self._write_until_s = self._written_by_s()
        self._all.rests(self)

    def resume_writing(self) -> None:
        """Note that it reads."""
        super().resume_writing()
        self._write_until_s = None
        if self._is_in_hand():
            self._all.works(self)

    def overdue(self, now_s: float) -> DoorRefusal | None:
        """Say why its time is over, if it is."""
        if self.transport.is_closing():
            self._closing_until_s = self._closing_until_s or self._written_by_s()
            return DoorRefusal.NOT_READ if now_s > self._closing_until_s else None
        if self._write_until_s is not None and now_s > self._write_until_s:
            return DoorRefusal.NOT_READ
        if self._drain_until_s is not None and now_s > self._drain_until_s:
            return DoorRefusal.NOT_DRAINED
        if self._unread and self._is_in_hand():
            if self.flow.read_paused:  # it is we who do not read
                self._piece_by_s = now_s + self._limits.piece_s
            return DoorRefusal.BODY_SILENT if now_s > self._piece_by_s else None
        if self._head_from_s is not None and now_s > self._head_from_s + self._limits.head_s:
            return DoorRefusal.SILENT if self._silent else DoorRefusal.HEAD_TOO_SLOW
        return None

    def refuse(self, refusal: DoorRefusal) -> None:
        """End the connection, with an answer where one can still be given."""
        self._all.count(refusal, self.holder)
        if refusal in _WITHOUT_FLUSH or self._is_answering():
            self.transport.abort()
            return
        if refusal.status and not self.transport.is_closing():
            self.transport.write(self._raw(refusal))
        self.transport.close()

    def _is_answering(self) -> bool:
        """Say whether what is written now would be taken for the answer of another request."""
        if not self._is_in_hand():
            return False
        return bool(self.pipeline) or self.cycle.response_started or not self.cycle.more_body

    def _is_in_hand(self) -> bool:
        latest = cast("RequestResponseCycle | None", self.cycle)
        return latest is not None and not latest.response_complete

    def _raw(self, refusal: DoorRefusal) -> bytes:
        body = refusal.body()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        return STATUS_LINE[refusal.status] + lines + b"\r\n" + body

    def _grow_head(self, size_bytes: int) -> None:
        self._head_size_bytes += size_bytes
        if self._head_size_bytes > self._limits.head_bytes or len(self.headers) > self._limits.headers_count:
            raise RefusedRequest(DoorRefusal.HEAD_TOO_LARGE)

    def _written_by_s(self) -> float:
        left_bytes = self.transport.get_write_buffer_size()
        return self.loop.time() + self._limits.write_s + left_bytes / self._limits.write_bytes_per_s

    def _refuse_other_hosts(self) -> None:
        """Raise `RefusedRequest` unless one host of ours is named.

        HTTP/1.0 may name none: no browser speaks it.
        """
        given = [value for name, value in self.headers if name == _HOST]
        if len(given) > 1 or (not given and self.parser.get_http_version() != "1.0"):
            raise RefusedRequest(DoorRefusal.NO_HOST)
        for authority in (*given, *self._take_authority()):
            name = name_of(authority)
            if name is None:
                raise RefusedRequest(DoorRefusal.NO_HOST)
            if not self._hosts.allows(name):
                raise RefusedRequest(DoorRefusal.WRONG_HOST)

    def _take_authority(self) -> tuple[bytes, ...]:
        """Give the host of an absolute target, which is what the Host header then means (RFC 9112, 3.2.2)."""
        target = httptools.parse_url(self.url)
        if not target.host:
            return ()
        port = b":%d" % target.port if target.port else b""
        host = b"[%s]" % target.host if b":" in target.host else target.host
        authority = bytes(host + port)
        self.headers[:] = [(n, authority if n == _HOST else v) for n, v in self.headers]
        return (authority,)
