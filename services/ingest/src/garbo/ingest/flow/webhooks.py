"""Take a webhook: verify, split, keep. What is not kept is not acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from garbo.common.clock import Clock
from garbo.common.errors import Reject
from garbo.common.events.jsontext import parse_json
from garbo.common.events.platform import PlatformChange
from garbo.ingest.domain.parts import Broken, Found, Part
from garbo.ingest.domain.signature import has_form, signing_secret, verify_token_matches
from garbo.ingest.domain.webhook import split_webhook
from garbo.ingest.ports import DeadLetter, EventLog

BROKEN: Final = "dead_letter"


@dataclass(frozen=True, slots=True)
class Taken:
    """A webhook that was kept: how many parts of which kind, how old they were, which secret signed it."""

    parts: Mapping[str, int]
    """Count by the event's class name; `dead_letter` for what could not be understood."""
    ages_s: Sequence[float]
    """Seconds from the platform's instant of each message and status to now."""
    secret: int
    reasons: Sequence[str] = ()
    """Why parts went to the dead-letter topic."""


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What the platform and we both know."""

    app_secrets: Sequence[bytes]
    """Newest first; several while one is rotated, or for several apps."""
    verify_token: str


class TakeWebhooks:
    """The use case behind `/webhooks/whatsapp`."""

    def __init__(self, *, log: EventLog, clock: Clock, secrets: WebhookSecrets, hash_key: bytes) -> None:
        self._log = log
        self._clock = clock
        self._secrets = secrets
        self._hash_key = hash_key

    def knows(self, verify_token: str) -> bool:
        """Tell whether a handshake's token is ours."""
        return verify_token_matches(verify_token, self._secrets.verify_token)

    def may_be_signed(self, signatures: Sequence[bytes]) -> bool:
        """Tell, before there is a body, whether it could be signed."""
        return has_form(signatures)

    def secret_of(self, body: bytes, signatures: Sequence[bytes]) -> int | None:
        """Tell which of our app secrets signed the body, by its place in the list; None: none."""
        return signing_secret(body, signatures, self._secrets.app_secrets)

    async def take(self, body: bytes, *, secret: int) -> Taken:
        """Keep every part of a body that this secret signed.

        A signed body that cannot be read is kept whole as a dead letter, because refusing it would only
        bring it back for 7 days. So is one of which a part is too large as we would write it; the other
        parts are kept as events all the same. Raises `RetryLater` when it is not sure that all of it is kept.
        """
        now = self._clock.now()
        try:
            parts = split_webhook(parse_json(body), received_at=now, hash_key=self._hash_key)
        except Reject as rejected:
            await self._log.append([DeadLetter(body, rejected.why)])
            return Taken({BROKEN: 1}, (), secret, (rejected.why,))
        return _taken(await self._keep(parts, body), secret, now)

    async def _keep(self, parts: Sequence[Part], body: bytes) -> Sequence[Part]:
        """Keep the parts, or those that fit and beside them the whole body; tell what each has become."""
        try:
            await self._log.append([_entry(part) for part in parts])
        except Reject as rejected:
            fitting = [part for part in parts if self._log.fits(_entry(part))]
            if len(fitting) == len(parts):  # Kafka takes less than we measure by, and tells not of which
                fitting = []
            whole = DeadLetter(body, rejected.why)
            await self._log.append([*map(_entry, fitting), whole])
            return [*fitting, Broken({}, whole.reason)]
        return parts


def _entry(part: Part) -> Found | DeadLetter:
    return DeadLetter(orjson.dumps(part.webhook), part.reason) if isinstance(part, Broken) else part


def _taken(parts: Sequence[Part], secret: int, now: datetime) -> Taken:
    kinds: dict[str, int] = {}
    ages_s: list[float] = []
    reasons: list[str] = []
    for part in parts:
        if isinstance(part, Broken):
            kind = BROKEN
            reasons.append(part.reason)
        else:
            kind = type(part.event).__name__
            if not isinstance(part.event, PlatformChange):
                ages_s.append((now - part.event.happened_at).total_seconds())
        kinds[kind] = kinds.get(kind, 0) + 1
    return Taken(kinds, ages_s, secret, reasons)
