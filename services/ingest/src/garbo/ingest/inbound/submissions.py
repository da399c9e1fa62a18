"""`/v1/messages`, `/v1/consents`, `/v1/cases` ...: what other services submit over HTTP."""

import re
from collections.abc import Sequence
from typing import Any, Final, Generic

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope

from garbo.common.errors import Reject
from garbo.common.runtime.door.bodies import NoBody, header_values, read_body
from garbo.common.runtime.door.keys import bearer_of
from garbo.common.runtime.http import JSONBytes, later, problem
from garbo.common.runtime.throttled_log import ThrottledLog
from garbo.ingest.domain.publisher import Publisher
from garbo.ingest.domain.submissions import Form, Refusal, S
from garbo.ingest.flow.submissions import TakeSubmissions
from garbo.ingest.inbound.metrics import SUBMISSIONS
from garbo.ingest.inbound.room import MAX_SUBMISSION_BYTES, Room

MAX_FAULTS: Final = 100
_KEY: Final = re.compile(rb"[!-~]{1,255}")
_LARGEST: Final = f"{MAX_SUBMISSION_BYTES // 1024 // 1024} MiB"
_UNREADABLE: Final = {
    NoBody.TOO_LARGE: (413, "Too large", f"Send at most {_LARGEST} at once: split the array."),
    NoBody.TOO_SLOW: (408, "Too slow", "The body did not come whole in time: send it again."),
    NoBody.ENCODED: (415, "Compressed", "Send the body without Content-Encoding."),
}
_REJECTED: Final = {
    "not_json": (400, "Not JSON", "Send one JSON object, or an array of them, as UTF-8."),
    "too_deep": (400, "Nested too deep", "Send JSON of at most 64 levels."),
    "too_many_values": (413, "Too large", "Send at most 250,000 values at once: split the array."),
    "record_too_large": (413, "Too large", "One element is larger than 256 KiB: make it smaller."),
}

log = structlog.get_logger()


class SubmissionEndpoint(Generic[S]):
    """HTTP's side of one kind of submission. 202 means: Kafka has all of it. Errors are RFC 9457 problems."""

    def __init__(self, flow: TakeSubmissions, form: Form[S], room: Room) -> None:
        self._flow = flow
        self._form: Form[S] = form
        self._room = room
        self._log = ThrottledLog()

    async def take(self, scope: Scope, receive: Receive) -> Response | None:
        """Answer one submission."""
        publisher = self._publisher(scope)
        if isinstance(publisher, Response):
            answer: Response | None = publisher
            self._log.warning("submission refused", kind=str(publisher.status_code), path=scope["path"])
        else:
            answer = await self._taken(scope, receive, publisher)
            if answer is not None:
                log.info("submission answered", path=scope["path"], status=answer.status_code)
        if answer is not None:
            SUBMISSIONS.labels(scope["path"], str(answer.status_code)).inc()
        return answer

    async def _taken(self, scope: Scope, receive: Receive, publisher: Publisher) -> Response | None:
        keys = header_values(scope["headers"], b"idempotency-key")
        if len(keys) > 1 or not all(_KEY.fullmatch(key) for key in keys):
            return problem(400, "Bad Idempotency-Key", "Send one, of 1 to 255 visible ASCII characters.")
        seat = self._room.clients.take(publisher.id)
        if seat is None:
            return _no_room()
        with seat:
            body = await read_body(
                scope["headers"], receive, seat=seat, max_bytes=MAX_SUBMISSION_BYTES, pace=self._room.pace
            )
            if isinstance(body, NoBody):
                return _not_read(body)
            key = keys[0].decode("ascii") if keys else None
            return await self._answered(body, publisher, key)

    async def _answered(self, body: bytes, publisher: Publisher, idempotency_key: str | None) -> Response:
        try:
            taken = await self._flow.take(
                body, self._form, publisher=publisher, idempotency_key=idempotency_key
            )
        except Reject as rejected:
            return problem(*_REJECTED[rejected.why])
        return self._refused(taken) if isinstance(taken, Refusal) else self._accepted(taken)

    def _accepted(self, taken: Sequence[S]) -> Response:
        """Answer with the ids by which each can be asked for later."""
        return JSONBytes({self._form.name: self._named(taken)}, status_code=202)

    def _refused(self, refusal: Refusal) -> Response:
        """List the faults; where an id is reused, also the ids that the first answer named."""
        known = {self._form.name: self._named(refusal.known)} if refusal.known else {}
        return _problem_of(refusal, **known)

    def _named(self, events: Sequence[Any]) -> list[dict[str, str]]:
        return [{field: str(getattr(one, field)) for field in self._form.shown} for one in events]

    def _publisher(self, scope: Scope) -> Publisher | Response:
        """Tell whose key came with the request, or why it does not open this door."""
        key = bearer_of(scope["headers"])
        publisher = self._flow.publisher_of(key) if key else None
        if publisher is None:
            refusal = problem(
                401, "No valid API key", "Send the header Authorization: Bearer <your API key>."
            )
            refusal.headers["www-authenticate"] = "Bearer"
            return refusal
        if not publisher.may_publish:
            return problem(
                403, "Not allowed", "This key's client has no scope `publish`: see the business file."
            )
        return publisher


def _not_read(why: NoBody) -> Response | None:
    """Say why there is no body; None to whoever has gone."""
    if why is NoBody.GONE:
        return None
    return problem(*_UNREADABLE[why]) if why in _UNREADABLE else _no_room()


def _no_room() -> Response:
    return later("Too many requests in hand", "Send the same request again in a second, fewer at once.")


def _problem_of(refusal: Refusal, **known: object) -> Response:
    """List the faults: where each is, and what to do about it."""
    faults = [
        ({} if fault.index is None else {"index": fault.index})
        | {"field": fault.field, "pointer": f"#{fault.pointer}", "detail": fault.detail}
        for fault in refusal.faults[:MAX_FAULTS]
    ]
    more = {"errors": faults, "errors_count": len(refusal.faults), **known}
    if refusal.why == "reused":
        detail = "Nothing was taken. Something else was taken before under the ids that `errors` lists."
        return problem(409, "Id reused", detail, **more)
    if refusal.why == "forbidden":
        detail = "Nothing was taken. This key may not do what `errors` lists."
        return problem(403, "Not allowed", detail, **more)
    return problem(
        422, "Not valid", "Nothing was taken. Correct what `errors` lists and send it again.", **more
    )
