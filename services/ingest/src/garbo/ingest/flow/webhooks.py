"""Take a webhook: verify, split, keep. What is not kept is not acknowledged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from garbo.common.clock import Clock
from garbo.common.errors import Reject
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.jsontext import parse_json
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import WITH_TEXT
from garbo.ingest.domain.parts import Broken, Found, Part
from garbo.ingest.domain.signature import has_form, signing_secret, verify_token_matches
from garbo.ingest.domain.webhook import split_webhook
from garbo.ingest.ports import DeadLetter, EventLog, ReceivedBody

BROKEN: Final = "dead_letter"
READ_AGAIN_WITHIN: Final = WITH_TEXT
"""As long as a body is kept, and less than readers remember what they have read (the router: 8 days)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A webhook that was kept: how many parts of which kind, how old they were, which secret signed it."""

    parts: Mapping[str, int]
    """Count by the event's class name; `dead_letter` for what could not be understood."""
    ages_s: Sequence[float]
    """Seconds from the platform's instant of each message and status to now."""
    secret: int
    numbers: frozenset[str]
    """The business numbers that messages and statuses were about."""
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

    def use(self, secrets: WebhookSecrets) -> None:
        """Go by other secrets from now on."""
        self._secrets = secrets

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
        came = ReceivedBody(body, self._clock.now())
        kept = await self._keep(self._split(came), came, beside=[came])
        return _taken(kept, secret, came.received_at)

    async def take_again(self, bodies: Sequence[ReceivedBody]) -> Mapping[str, int]:
        """Read again what came in then, as it is read today; tell how many parts of which kind that made.

        What it holds is kept as if it had come then: who has read it before knows it by its ids.
        Raises `Reject` when nothing of one can be read, or it came too long ago for that (of several: give
        each alone); `RetryLater` as `take`.
        """
        read = [(came, self._again(came)) for came in bodies]
        if len(read) == 1:
            ((came, parts),) = read
            return _kinds(await self._keep(parts, came))
        await self._log.append([_entry(part, came) for came, parts in read for part in parts])
        return _kinds([part for _, parts in read for part in parts])

    def _again(self, came: ReceivedBody) -> Sequence[Part]:
        if self._clock.now() - came.received_at > READ_AGAIN_WITHIN:
            raise Reject("too_old")
        parts = self._split(came)
        if len(parts) == 1 and isinstance(parts[0], Broken):
            raise Reject(parts[0].reason)
        return parts

    def _split(self, came: ReceivedBody) -> Sequence[Part]:
        try:
            return split_webhook(parse_json(came.body), received_at=came.received_at, hash_key=self._hash_key)
        except Reject as rejected:
            return [Broken(None, rejected.why)]
        except Exception as error:  # noqa: BLE001 - as for a part: a bug of our reader is this body's alone
            return [Broken(None, f"unreadable:{type(error).__name__}")]

    async def _keep(
        self, parts: Sequence[Part], came: ReceivedBody, *, beside: Sequence[ReceivedBody] = ()
    ) -> Sequence[Part]:
        """Keep the parts, or those that fit and beside them the whole body; tell what each has become."""
        entries = [_entry(part, came) for part in parts]
        try:
            await self._log.append([*beside, *entries])
        except Reject as rejected:
            fitting = [part for part, entry in zip(parts, entries, strict=True) if self._log.fits(entry)]
            if len(fitting) == len(parts):  # Kafka takes less than we measure by, and tells not of which
                fitting = []
            became = [*fitting, Broken(None, rejected.why)]
            await self._log.append([_entry(part, came) for part in became])
            return became
        return parts


def _entry(part: Part, came: ReceivedBody) -> Found | DeadLetter:
    if not isinstance(part, Broken):
        return part
    body = came.body if part.webhook is None else orjson.dumps(part.webhook)
    return DeadLetter(body, part.reason, came.received_at)


def _taken(parts: Sequence[Part], secret: int, now: datetime) -> Taken:
    reasons = [part.reason for part in parts if isinstance(part, Broken)]
    events = [part.event for part in parts if isinstance(part, Found)]
    of_numbers = [event for event in events if isinstance(event, InboundMessage | MessageStatus)]
    ages_s = [(now - event.happened_at).total_seconds() for event in of_numbers]
    return Taken(_kinds(parts), ages_s, secret, frozenset(event.number for event in of_numbers), reasons)


def _kinds(parts: Sequence[Part]) -> Mapping[str, int]:
    return dict(Counter(BROKEN if isinstance(p, Broken) else type(p.event).__name__ for p in parts))
