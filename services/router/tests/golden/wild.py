"""Histories nobody judges: everything the router takes in, by dice, with what it told and stored as bytes.

The model's histories (tests/model) are compared with an oracle and leave out what the oracle does not know:
merges, erasure, suppression lists, budgets, gathering, fallbacks, replies, another number. Here all of it is
played, and one digest a history says whether a byte of it differs from when the digests were written: of each
record, in the order of its message, and of each row. Not in it: the order among messages, and Kafka's keys.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import orjson

from garbo.common.business import Business
from garbo.common.errors import Reject
from garbo.common.events.base import Event
from garbo.common.events.requests import SendRequested
from garbo.router.domain.grant import Grant
from garbo.router.domain.policy import Policy
from garbo.router.outbound.postgres.codecs import json_bytes, state_bytes
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory_jobs import InMemoryBudgetLeases, InMemoryJobStore, InMemoryOutbox
from services.router.tests.support.router import Router


class Wild:
    """One history: people, a clock, a sender that answers anything, and all that was told."""

    def __init__(self, policies: Sequence[Policy], known: Business) -> None:
        self.policies, self.ids = policies, count(1)
        self.now = datetime(2026, 6, 1, 10, tzinfo=UTC)
        self.store = InMemoryJobStore(self.now)
        self.store.know(seeds(known))
        stock, outbox = InMemoryBudgetLeases(self.store), InMemoryOutbox(self.store)
        self.router = Router(self.store, policies[0], business=known, budget_leases=stock)
        self.work = Jobs(self.router, self.store, stock, outbox)
        self.asked: list[SendRequested] = []
        self.heard: list[Event] = []
        self.dropped = 0

    def next_id(self) -> UUID:
        """Give an id that the next run gives as well."""
        return UUID(int=(1 << 100) + next(self.ids))

    async def hear(self, *events: Event) -> None:
        """Let events come in one batch; one that is refused is refused the next time, too."""
        self.heard.extend(events)
        for event in events if len(events) > 1 else ():
            with suppress(Reject):
                await self.router.hear(event)
        try:
            await self.router.hear(*events)
        except Reject as refused:
            self.dropped += 1
            self.router.meter.decisions.append(("reject", refused.why, str(len(events))))

    def grant(self, dice: Random, *states: str) -> Grant | None:
        """Pick a grant."""
        grants = [g for g in self.store.tables.grants.values() if g.state in states]
        return dice.choice(grants) if grants else None

    def put(self, grant: Grant) -> None:
        """Store a grant as the sender's claim leaves it."""
        self.store.tables.grants[grant.message_id] = grant

    def digest(self) -> str:
        """Hash all that was told and all that is stored, in the order it was."""
        made = hashlib.sha256()
        for part in self._parts():
            made.update(part)
            made.update(b"\n")
        return made.hexdigest()[:24]

    def _parts(self) -> Iterable[bytes]:
        for told in sorted(self.router.publisher.told, key=_message_told_of):
            yield f"{told.topic.name} {told.event.event_id} {told.trace}".encode()
            yield told.content
        tables = self.store.tables
        for contact_id, state in tables.states.items():
            yield f"{contact_id} {state.version}".encode() + state_bytes(state)
        rows: tuple[Any, ...] = (*tables.grants.values(), *tables.deferred.values())
        yield from sorted(repr(msgspec.structs.astuple(row)).encode() for row in rows)
        for decision in tables.decisions.values():
            inputs = decision.inputs and json_bytes(decision.inputs)
            yield repr((*msgspec.structs.astuple(decision)[:-1], inputs)).encode()
        for evidence in tables.evidence.values():
            yield repr(msgspec.structs.astuple(evidence)).encode()
        for key, sends in sorted(tables.counted.items(), key=repr):
            yield repr((key, [msgspec.structs.astuple(send) for send in sends])).encode()
        leases = sorted(msgspec.structs.astuple(row) for row in tables.leases.values())
        yield repr((leases, sorted(tables.cancelled.items()), sorted(tables.swept))).encode()
        meter = self.router.meter
        yield repr(
            (sorted(meter.decisions), meter.repeats_count, meter.resurrected_count, meter.care)
        ).encode()
        yield repr((sorted(self.work.meter.verdicts), sorted(self.work.meter.reasons), self.dropped)).encode()


def _message_told_of(told: Any) -> str:  # noqa: ANN401 - a record to publish
    """Order as readers rely on it: what is told of one message in its order; messages in any."""
    return str(orjson.loads(told.content).get("message_id"))
