"""Take submissions of other services: all of a body, or nothing of it."""

import secrets
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from garbo.common.clock import Clock
from garbo.common.events.jsontext import MAX_VALUES_COUNT, parse_json
from garbo.common.events.template_registry import TemplateRegistry
from garbo.ingest.domain.parts import Found
from garbo.ingest.domain.publisher import Publisher
from garbo.ingest.domain.submissions import (
    Filler,
    Form,
    Refusal,
    S,
    names_ids,
    read_submissions,
    record_key,
    uuid7,
)
from garbo.ingest.flow.recent_ids import RecentIds
from garbo.ingest.ports import EventLog, Publishers

RANDOM_BITS: Final = 74


class TakeSubmissions:
    """The use case behind `/v1/messages`, `/v1/reads` and what else is submitted: `FORMS`.

    Keeps no state but the ids of the last while, to tell a reused one: to know a repeat is the router's work.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        clock: Clock,
        publishers: Publishers,
        templates: TemplateRegistry,
        hash_key: bytes,
    ) -> None:
        self._log = log
        self._templates = templates
        self._clock = clock
        self._publishers = publishers
        self._hash_key = hash_key
        self._recent = RecentIds()

    def publisher_of(self, key: str) -> Publisher | None:
        """Tell whose API key this is."""
        return self._publishers.of_key(key)

    async def take(
        self, body: bytes, form: Form[S], *, publisher: Publisher, idempotency_key: str | None
    ) -> Sequence[S] | Refusal:
        """Keep everything a body asks, and return it; or a refusal, and nothing was kept.

        Raises `Reject` (`not_json`, `too_deep`, `too_many_values`, `record_too_large`) and `RetryLater`: then
        some of it may be kept, and sending the same body with the same `Idempotency-Key` again is right.
        """
        filler = Filler(publisher, idempotency_key, self._clock.now(), self._new_id, self._templates)
        said = parse_json(body, most_values=MAX_VALUES_COUNT)
        read = read_submissions(said, form, filler)
        if isinstance(read, Refusal):
            return read
        chosen = idempotency_key is not None or names_ids(said, form)
        if chosen and (refusal := self._recent.refusal(read, form, alone=not isinstance(said, list))):
            return refusal
        entries = [Found(form.topic, event, record_key(event, self._hash_key)) for event in read]
        await self._log.append(entries)
        if chosen:
            self._recent.remember(read, form)
        return read

    def _new_id(self) -> UUID:
        return uuid7(self._clock.now(), secrets.randbits(RANDOM_BITS))
