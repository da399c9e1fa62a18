"""`/webhooks/whatsapp`: the handshake, and what the platform tells."""

import re
from time import perf_counter
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope

from garbo.common.errors import RetryLater
from garbo.common.runtime.door.bodies import NoBody, header_values, read_body
from garbo.common.runtime.door.peers import holder_of
from garbo.common.runtime.operations import Answer, Parameter, operation
from garbo.common.runtime.throttled_log import ThrottledLog
from garbo.ingest.flow.webhooks import Taken, TakeWebhooks
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.inbound.metrics import EVENT_AGE_S, WEBHOOK_KEPT, WEBHOOKS, parts_of, signed_by
from garbo.ingest.inbound.room import MAX_WEBHOOK_BYTES, PLATFORM, Room

SIGNATURE: Final = b"x-hub-signature-256"
PATH: Final = "/webhooks/whatsapp"
HANDSHAKE: Final = {
    "mode": "`subscribe`.",
    "challenge": "What is echoed.",
    "verify_token": "Ours.",
}
_CHALLENGE: Final = re.compile(r"[0-9A-Za-z_-]{1,128}")
_KEPT: Final = Response(status_code=200)
_REFUSED: Final = Response(status_code=401)
_CLOSE: Final = {"connection": "close"}
_NO_ROOM: Final = Response(status_code=503, headers={"retry-after": "1"})
_UNREADABLE: Final = {
    NoBody.TOO_LARGE: Response(status_code=413, headers=_CLOSE),
    NoBody.TOO_SLOW: Response(status_code=408, headers=_CLOSE),
    NoBody.DISPLACED: Response(status_code=408, headers=_CLOSE),
    NoBody.NO_ROOM: _NO_ROOM,
    NoBody.ENCODED: Response(status_code=415),
    NoBody.GONE: None,
}
MAX_REASONS_LOGGED: Final = 5

log = structlog.get_logger()


class WebhookEndpoint:
    """HTTP's side of webhooks. Only 200 counts for the platform; anything else it sends again, for 7 days."""

    def __init__(self, flow: TakeWebhooks, room: Room, freshness: Freshness) -> None:
        self._flow, self._room, self._freshness = flow, room, freshness
        self._log = ThrottledLog()

    @operation(
        "GET",
        PATH,
        parameters=tuple(Parameter(f"hub.{name}", str, words) for name, words in HANDSHAKE.items()),
        answers={
            200: Answer(str, "The challenge.", "text/plain"),
            403: Answer(words="The token is not ours."),
        },
    )
    async def verify_webhook(self, scope: Scope, _: Receive) -> Response:
        """Echo the challenge when the token is ours, else 403."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        mode, challenge, token = (asked.get(f"hub.{name}", [""]) for name in HANDSHAKE)
        fits = len(mode) == len(challenge) == len(token) == 1 and _CHALLENGE.fullmatch(challenge[0])
        if not self._flow.knows(token[0]) or not fits or mode[0] != "subscribe":
            self._log.warning("handshake refused", kind="handshake")
            return Response(status_code=403)
        return PlainTextResponse(challenge[0])

    @operation(
        "POST",
        PATH,
        parameters=(Parameter("X-Hub-Signature-256", str, "HMAC by the app secret.", "header"),),
        body=dict[str, Any],
        answers={
            200: Answer(words="Kafka has every part."),
            401: Answer(words="It is signed by none of our app secrets."),
            408: Answer(words="The body did not come whole in time, or too slowly while others waited."),
            413: Answer(words="The body is larger than the platform's largest."),
            415: Answer(words="The body is compressed."),
        },
    )
    async def take_webhook(self, scope: Scope, receive: Receive) -> Response | None:
        """Take what the platform tells.

        Whoever sends unsigned or unreadable bodies is told nothing more than a status. Without a signature
        of the right form nothing is read.
        """
        began = perf_counter()
        signatures = header_values(scope["headers"], SIGNATURE)
        if not self._flow.may_be_signed(signatures):
            return self._refused("unsigned")
        body = await self._read(scope, receive)
        if isinstance(body, NoBody):
            self._refused(body.value)
            return _UNREADABLE[body]
        secret = self._flow.secret_of(body, signatures)
        if secret is None:
            return self._refused("unsigned")
        seat = self._room.platform.take(PLATFORM, len(body))
        if seat is None:
            self._refused(NoBody.NO_ROOM.value)
            return _NO_ROOM
        with seat:
            taken = await self._kept(body, secret)
        self._freshness.heard_of(taken.numbers)
        _record(taken, size=len(body), seconds=perf_counter() - began)
        return _KEPT

    async def _read(self, scope: Scope, receive: Receive) -> bytes | NoBody:
        seat = self._room.strangers.take(holder_of(scope.get("client")))
        if seat is None:
            return NoBody.NO_ROOM
        with seat:
            return await read_body(
                scope["headers"], receive, seat=seat, max_bytes=MAX_WEBHOOK_BYTES, pace=self._room.pace
            )

    async def _kept(self, body: bytes, secret: int) -> Taken:
        try:
            return await self._flow.take(body, secret=secret)
        except RetryLater:
            WEBHOOKS.labels("retry_later").inc()
            raise

    def _refused(self, why: str) -> Response:
        WEBHOOKS.labels(why).inc()
        self._log.warning("webhook refused", kind=why, why=why)
        return _REFUSED


def _record(taken: Taken, *, size: int, seconds: float) -> None:
    WEBHOOK_KEPT.inc()
    signed_by(taken.secret).inc()
    for kind, count in taken.parts.items():
        parts_of(kind).inc(count)
    for age_s in taken.ages_s:
        EVENT_AGE_S.observe(age_s)
    why = {"dead_letter_reasons": sorted(set(taken.reasons))[:MAX_REASONS_LOGGED]} if taken.reasons else {}
    log.info("webhook kept", bytes=size, ms=round(seconds * 1000, 1), parts=taken.parts, **why)
