"""`/v1/messages`, `/v1/consents`, `/v1/cases` ...: what other services submit over HTTP."""

import re
from collections.abc import Sequence
from typing import Any, Final, Generic

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope

from garbo.common.errors import Reject
from garbo.common.runtime.http import JSONBytes, problem
from garbo.ingest.domain.submissions import Form, Publisher, Refusal, S
from garbo.ingest.flow.submissions import TakeSubmissions
from garbo.ingest.inbound.body import MAX_SUBMISSION_BYTES, Unreadable, header_values, read_body
from garbo.ingest.inbound.metrics import SUBMISSIONS

MAX_FAULTS: Final = 100
_BEARER: Final = re.compile(rb"(?i)bearer +([!-~]{8,256})")
_KEY: Final = re.compile(rb"[!-~]{1,255}")
_LARGEST: Final = f"{MAX_SUBMISSION_BYTES // 1024 // 1024} MiB"
_UNREADABLE: Final = {
    Unreadable.TOO_LARGE: (413, "Too large", f"Send at most {_LARGEST} at once: split the array."),
    Unreadable.TOO_SLOW: (408, "Too slow", "The body did not come whole in time: send it again."),
    Unreadable.ENCODED: (415, "Compressed", "Send the body without Content-Encoding."),
}
_REJECTED: Final = {
    "not_json": (400, "Not JSON", "Send one JSON object, or an array of them, as UTF-8."),
    "too_deep": (400, "Nested too deep", "Send JSON of at most 64 levels."),
    "record_too_large": (413, "Too large", "One element is larger than 256 KiB: make it smaller."),
}

log = structlog.get_logger()


class SubmissionEndpoint(Generic[S]):
    """HTTP's side of one kind of submission. 202 means: Kafka has all of it. Errors are RFC 9457 problems."""

    def __init__(self, flow: TakeSubmissions, form: Form[S], *, body_timeout_s: float) -> None:
        self._flow = flow
        self._form: Form[S] = form
        self._body_timeout_s = body_timeout_s

    async def take(self, scope: Scope, receive: Receive) -> Response | None:
        """Answer one submission."""
        answer = await self._taken(scope, receive)
        if answer is not None:
            SUBMISSIONS.labels(scope["path"], str(answer.status_code)).inc()
            log.info("submission answered", path=scope["path"], status=answer.status_code)
        return answer

    async def _taken(self, scope: Scope, receive: Receive) -> Response | None:
        publisher = self._publisher(scope)
        if isinstance(publisher, Response):
            return publisher
        keys = header_values(scope, b"idempotency-key")
        if len(keys) > 1 or not all(_KEY.fullmatch(key) for key in keys):
            return problem(400, "Bad Idempotency-Key", "Send one, of 1 to 255 visible ASCII characters.")
        body = await read_body(scope, receive, limit=MAX_SUBMISSION_BYTES, timeout_s=self._body_timeout_s)
        if isinstance(body, Unreadable):
            return None if body is Unreadable.GONE else problem(*_UNREADABLE[body])
        key = keys[0].decode("ascii") if keys else None
        try:
            taken = await self._flow.take(body, self._form, publisher=publisher, idempotency_key=key)
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
        given = header_values(scope, b"authorization")
        form = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
        publisher = self._flow.publisher_of(form[1].decode("ascii")) if form else None
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
