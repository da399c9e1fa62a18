"""The machine itself: each step is the real function on the real SQL; the state is written and read back.

A step is a pure function of what is kept, so its answer is remembered. Several messages may go through
one call: what becomes of each must be what becomes of it alone.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import asyncpg

from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.common.runtime.postgres import Database
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Outcome, Unknown
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_memories import PostgresMemories
from garbo.sender.outbound.postgres_queue import PostgresQueue
from garbo.sender.ports.attempts import AttemptStatus, FinishedAttempt, PlannedAttempt, RefusedGrant
from services.sender.tests.model.kept import (
    Kept,
    Told,
    contact_id,
    grant_id,
    message_id,
    told,
)
from services.sender.tests.model.stored import DAY, FAR, read, write

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

NUMBER: Final = "1"
OUTCOMES: Final[dict[str, Outcome]] = {
    "accepted": Accepted("ref"),
    "failed": Failed(131026, "undeliverable"),
    "not_yet": NotYet(None, "unreachable"),
    "unknown": Unknown("timeout"),
}


class Act(NamedTuple):
    """What is done with a message. `grant` and `epoch` are those of the copy in somebody's memory."""

    name: str
    grant: int = 0
    epoch: int = 0
    n: int = 0
    word: str = ""
    """An outcome, or a status."""


class Seen(NamedTuple):
    """What is kept after it, and what it answered."""

    kept: Kept
    answer: Any


class OneConnection(Database):
    """A database of one connection, whose transactions are ours to roll back."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        super().__init__("", service="sender")
        self._one: Any = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        yield self._one

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Connection"]:
        yield self._one


@dataclass
class Machine:
    """See the module."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    most_resends: int
    calls: int = 0
    known: dict[tuple[Kept, Act], Seen] = field(default_factory=dict)
    """Every step that was taken, and what came of it."""

    def __post_init__(self) -> None:
        database = OneConnection(self.connection)
        self._attempts = PostgresAttempts(database, most_resends=self.most_resends)
        self._queue, self._memories = PostgresQueue(database), PostgresMemories(database)

    async def step(self, kept: Kept, act: Act) -> Seen:
        """Do it with one message."""
        key = (kept, act)
        if key not in self.known:
            [self.known[key]] = await self.together([kept], [act])
        return self.known[key]

    async def together(self, kepts: Sequence[Kept], acts: Sequence[Act]) -> list[Seen]:
        """Do the same thing with several messages in one call."""
        self.calls += 1
        work = self.connection.transaction()
        await work.start()
        try:
            for place, kept in enumerate(kepts):
                await write(self.connection, place, kept)
            answers = await getattr(self, f"_{acts[0].name}")(kepts, acts)
            after = [await read(self.connection, place, kept) for place, kept in enumerate(kepts)]
        finally:
            await work.rollback()
        if acts[0].name == "erase":
            after = [kept._replace(is_erased=True) for kept in after]
        return [Seen(kept, answer) for kept, answer in zip(after, answers, strict=True)]

    # The steps: each gives an answer for each message

    async def _take(self, kepts: Sequence[Kept], acts: Sequence[Act]) -> list[Any]:
        taken = await self._queue.take_in([_send(p, k, a) for p, (k, a) in _places(kepts, acts)])
        found = await self._attempts.results(
            [message_id(p) for p, one in enumerate(taken) if one.answer == "told"]
        )
        return [(one.answer, _told(found, place)) for place, one in enumerate(taken)]

    async def _load(self, kepts: Sequence[Kept], _: Sequence[Act]) -> list[Any]:
        loaded = await self._queue.load(NUMBER, kepts[0].lane, shards=[0], after=0, most=9, but=[])
        found = {one.send.message_id: one for one in loaded}
        results = await self._attempts.results([m for m, one in found.items() if one.is_decided])
        answers: list[Any] = []
        for place in range(len(kepts)):
            one = found.get(message_id(place))
            copy = (_grant_of(one.send, place), one.send.epoch) if one and not one.is_decided else None
            answers.append((copy, _told(results, place)))
        return answers

    async def _begin(self, kepts: Sequence[Kept], acts: Sequence[Act]) -> list[Any]:
        planned = [PlannedAttempt(_send(p, k, a), None) for p, (k, a) in _places(kepts, acts)]
        answers = await self._attempts.begin(planned)
        refused = [message_id(p) for p, one in enumerate(answers) if one.outcome == "refused"]
        found = await self._attempts.results(refused)
        return [(one.outcome, one.n, _told(found, place)) for place, one in enumerate(answers)]

    async def _record(self, kepts: Sequence[Kept], acts: Sequence[Act]) -> list[Any]:
        ended = [FinishedAttempt(_send(p, k, a), a.n, OUTCOMES[a.word]) for p, (k, a) in _places(kepts, acts)]
        found = await self._attempts.record(ended)
        return [_told(found, place) for place in range(len(kepts))]

    async def _late(self, kepts: Sequence[Kept], _: Sequence[Act]) -> list[Any]:
        late = await self._queue.late(kepts[0].lane, [0], limit=9)
        found = (
            await self._attempts.refuse([RefusedGrant(send, "lease_expired") for send in late])
            if late
            else {}
        )
        there = {send.message_id for send in late}
        return [(message_id(place) in there, _told(found, place)) for place in range(len(kepts))]

    async def _settle(self, kepts: Sequence[Kept], acts: Sequence[Act]) -> list[Any]:
        seen = [
            AttemptStatus(
                attempt_id_of(MessageId(message_id(place)), act.n),
                act.word,
                "ref",
                131026 if act.word == "failed" else None,
                datetime.now(UTC),
            )
            for place, act in enumerate(acts)
        ]
        found = {one.result.message_id: one.result for one in await self._attempts.settle(seen)}
        return [_told(found, place) for place in range(len(kepts))]

    async def _abandon(self, kepts: Sequence[Kept], _: Sequence[Act]) -> list[Any]:
        gone = await self._attempts.abandon(older_than=timedelta(minutes=1), limit=9)
        return [_told({r.message_id: r for r in gone}, place) for place in range(len(kepts))]

    async def _unsettled(self, kepts: Sequence[Kept], _: Sequence[Act]) -> list[Any]:
        gone = await self._attempts.unsettled(older_than=timedelta(hours=1), limit=9)
        return [_told({r.message_id: r for r in gone}, place) for place in range(len(kepts))]

    async def _wake(self, kepts: Sequence[Kept], _: Sequence[Act]) -> list[Any]:
        await self._queue.wake(kepts[0].lane, [0])
        return [None] * len(kepts)

    async def _forget(self, kepts: Sequence[Kept], acts: Sequence[Act]) -> list[Any]:
        await self._queue.forget([_result(place, act) for place, act in enumerate(acts)])
        return [None] * len(kepts)

    async def _erase(self, kepts: Sequence[Kept], _: Sequence[Act]) -> list[Any]:
        await self._memories.forget([contact_id(place) for place in range(len(kepts))])
        return [None] * len(kepts)


def _places(kepts: Sequence[Kept], acts: Sequence[Act]) -> enumerate[tuple[Kept, Act]]:
    return enumerate(zip(kepts, acts, strict=True))


def _told(found: Any, place: int) -> Told | None:  # noqa: ANN401 - a mapping by message
    result = found.get(message_id(place))
    return told(result, place) if result else None


def _grant_of(send: QueuedSend, place: int) -> int:
    return send.grant_id.int - grant_id(place, 0).int


def _send(place: int, kept: Kept, act: Act) -> QueuedSend:
    """Give the copy of a grant that somebody holds."""
    return QueuedSend(
        message_id=message_id(place),
        seq=0,
        shard=0,
        lane=kept.lane,
        number=NUMBER,
        contact_id=contact_id(place),
        grant_id=grant_id(place, act.grant),
        epoch=act.epoch,
        not_before=DAY + timedelta(days=act.grant),
        valid_until=DAY if kept.is_over else DAY + FAR,
        window_until=None,
        brand="b",
        campaign=None,
        template=None,
        category=None,
        address_kind="phone",
        address="+1",
        body=b"{}",
        traceparent=None,
    )


def _result(place: int, act: Act) -> SendResult:
    """Give as much of a result as forgetting needs."""
    return SendResult.model_construct(
        message_id=message_id(place), grant_id=grant_id(place, act.grant), epoch=act.epoch, outcome=act.word
    )
