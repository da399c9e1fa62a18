"""The ids of what was taken lately, with what was said under them: a reused id is told at once.

Of one process and of the last while only. The router knows all ids and has the last word (`id_reused`).
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

import orjson

from garbo.ingest.domain.faults import Fault
from garbo.ingest.domain.submissions import Form, Refusal, S

MOST_IDS: Final = 50_000
"""Some 10 MB."""
_ADVICE: Final = (
    "is already the id of another body (the same Idempotency-Key, or the same id): send the first body again,"
    " or take a new key"
)


class RecentIds:
    """Bounded: the oldest id is forgotten first."""

    def __init__(self, *, most: int = MOST_IDS) -> None:
        self._most = most
        self._said: dict[tuple[str, str, str], bytes] = {}

    def refusal(self, events: Sequence[S], form: Form[S], *, alone: bool) -> Refusal | None:
        """Name the events whose id stands for something else, here or in an earlier submission."""
        if form.id_field is None:
            return None
        said: dict[tuple[str, str, str], bytes] = {}
        faults, known = [], []
        for place, event in enumerate(events):
            key, digest = _key(event, form), _digest(event, form)
            if self._said.get(key, said.setdefault(key, digest)) != digest:
                faults.append(Fault(None if alone else place, (form.id_field,), _ADVICE))
                known.append(event)
        return Refusal("reused", faults, known) if faults else None

    def remember(self, events: Sequence[S], form: Form[S]) -> None:
        """Keep the ids of what was taken."""
        if form.id_field is None:
            return
        for event in events:
            self._said.setdefault(_key(event, form), _digest(event, form))
        while len(self._said) > self._most:
            del self._said[next(iter(self._said))]


def _key(event: S, form: Form[S]) -> tuple[str, str, str]:
    chosen: UUID = getattr(event, form.id_field or "")
    return form.name, event.client, str(chosen)


def _digest(event: S, form: Form[S]) -> bytes:
    """Hash what was asked, as the router does: canonical JSON without the instants that are filled in."""
    body = event.model_dump(mode="json", exclude=set(form.clock_fields), exclude_none=True)
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
