"""`/webhooks/whatsapp`: the handshake, and what the platform tells."""

import re
from time import perf_counter
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope

from garbo.common.errors import RetryLater
from garbo.common.runtime.operations import Answer, Parameter, operation
from garbo.ingest.flow.webhooks import Taken, TakeWebhooks
from garbo.ingest.inbound.body import MAX_WEBHOOK_BYTES, Unreadable, header_values, read_body
from garbo.ingest.inbound.metrics import EVENT_AGE_S, WEBHOOK_KEPT, WEBHOOKS, parts_of, signed_by
from garbo.ingest.inbound.throttled_log import ThrottledLog

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
_UNREADABLE: Final = {
    Unreadable.TOO_LARGE: Response(status_code=413, headers={"connection": "close"}),
    Unreadable.TOO_SLOW: Response(status_code=408, headers={"connection": "close"}),
    Unreadable.ENCODED: Response(status_code=415),
    Unreadable.GONE: None,
}
MAX_REASONS_LOGGED: Final = 5

log = structlog.get_logger()


class WebhookEndpoint:
    """HTTP's side of webhooks. Only 200 counts for the platform; anything else it sends again, for 7 days."""

    def __init__(self, flow: TakeWebhooks, *, body_timeout_s: float) -> None:
        self._flow = flow
        self._body_timeout_s = body_timeout_s
        self._unsigned = ThrottledLog(every_s=1)

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
            log.warning("handshake refused")
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
            408: Answer(words="The body did not come whole in time."),
            413: Answer(words="The body is larger than the platform's largest."),
            415: Answer(words="The body is compressed."),
        },
    )
    async def take_webhook(self, scope: Scope, receive: Receive) -> Response | None:
        """Take what the platform tells.

        Whoever sends unsigned or unreadable bodies is told nothing more than a status.
        """
        began = perf_counter()
        body = await read_body(scope, receive, limit=MAX_WEBHOOK_BYTES, timeout_s=self._body_timeout_s)
        if isinstance(body, Unreadable):
            WEBHOOKS.labels(body.value).inc()
            log.warning("webhook not read", why=body.value)
            return _UNREADABLE[body]
        try:
            taken = await self._flow.take(body, header_values(scope, SIGNATURE))
        except RetryLater:
            WEBHOOKS.labels("retry_later").inc()
            raise
        if taken is None:
            WEBHOOKS.labels("unsigned").inc()
            self._unsigned.warning("webhook refused: not signed by any of our app secrets", bytes=len(body))
            return _REFUSED
        _record(taken, size=len(body), seconds=perf_counter() - began)
        return _KEPT


def _record(taken: Taken, *, size: int, seconds: float) -> None:
    WEBHOOK_KEPT.inc()
    signed_by(taken.secret).inc()
    for kind, count in taken.parts.items():
        parts_of(kind).inc(count)
    for age_s in taken.ages_s:
        EVENT_AGE_S.observe(age_s)
    why = {"dead_letter_reasons": sorted(set(taken.reasons))[:MAX_REASONS_LOGGED]} if taken.reasons else {}
    log.info("webhook kept", bytes=size, ms=round(seconds * 1000, 1), parts=taken.parts, **why)
