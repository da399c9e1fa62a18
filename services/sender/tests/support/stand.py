"""The machine of attempts on a real PostgreSQL, step by step: what tests hold it to."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.events.results import SendResult
from garbo.sender.domain.outcomes import Outcome
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_queue import PostgresQueue
from garbo.sender.ports.attempts import (
    AttemptStatus,
    BeginResult,
    FinishedAttempt,
    PlannedAttempt,
    RefusedGrant,
)
from services.sender.tests.support.builders import a_grant, a_send
from services.sender.tests.support.postgres import SenderDatabase

Stored = tuple[str, str | None]
"""The state of a message's first attempt, and the message's result; None while it is open."""
TRACE: Final = "00-a-b-01"
STORED: Final = """
SELECT coalesce(f.state, m.state) AS attempt,
       CASE WHEN m.state NOT IN ('open', 'dispatching') THEN m.state END AS result
  FROM sender.message AS m LEFT JOIN sender.former_attempt AS f ON f.message_id = m.message_id AND f.n = 1
 WHERE m.message_id = $1
"""
AGE: Final = "UPDATE sender.message SET started_at = started_at - $2::interval WHERE message_id = $1"


@dataclass(frozen=True, slots=True)
class Stand:
    """A memory of attempts, the queue before it, and the router's side of the grants in it."""

    door: SenderDatabase

    @property
    def attempts(self) -> PostgresAttempts:
        return PostgresAttempts(self.door.database)

    @property
    def queue(self) -> PostgresQueue:
        return PostgresQueue(self.door.database)

    async def come(self, grant: SendGranted) -> str:
        """Let a grant be read; give what is to be done with it."""
        [taken] = await self.queue.take_in([a_send(grant)])
        return taken.answer

    async def begin(self, grant: SendGranted) -> BeginResult:
        """Begin an attempt, if that may be."""
        [answer] = await self.attempts.begin([PlannedAttempt(a_send(grant), TRACE)])
        return answer

    async def begun(self, grant: SendGranted | None = None) -> SendGranted:
        """Begin an attempt, of a new grant unless one is given; it was read before."""
        if grant is None:
            grant = a_grant()
            await self.door.book(grant)
        await self.come(grant)
        answer = await self.begin(grant)
        assert answer.outcome == "begun", answer
        return grant

    async def ended(self, grant: SendGranted, outcome: Outcome, *, n: int = 1) -> SendResult | None:
        """Record the answer to an attempt."""
        finished = FinishedAttempt(a_send(grant), n, outcome, 200)
        return (await self.attempts.record([finished])).get(grant.message_id)

    async def refused(self, grant: SendGranted, reason: str) -> SendResult | None:
        """Say of a grant in the queue that it is not sent."""
        return (await self.attempts.refuse([RefusedGrant(a_send(grant), reason)])).get(grant.message_id)

    async def result(self, grant: SendGranted) -> SendResult | None:
        """Give the message's result."""
        return (await self.attempts.results([grant.message_id])).get(grant.message_id)

    async def status(
        self, grant: SendGranted, status: str, *, code: int | None = None, n: int = 1
    ) -> list[SendResult]:
        """Let a status of an attempt come."""
        at = datetime.now(UTC).replace(microsecond=0)
        attempt_id = attempt_id_of(MessageId(grant.message_id), n)
        seen = AttemptStatus(attempt_id, status, "ref.s", code, at)
        return [settled.result for settled in await self.attempts.settle([seen])]

    async def abandoned(self, grant: SendGranted) -> list[SendResult]:
        """Let recovery find what is under way."""
        gone = await self.attempts.abandon(older_than=timedelta(0), limit=100)
        return [result for result in gone if result.message_id == grant.message_id]

    async def age(self, grant: SendGranted, by: timedelta) -> None:
        """Let an attempt have been started so much earlier."""
        async with self.door.database.connection() as connection:
            await connection.execute(AGE, grant.message_id, by)

    async def stored(self, grant: SendGranted) -> Stored:
        """Read the first attempt's state and the message's result."""
        async with self.door.database.connection() as connection:
            row = await connection.fetchrow(STORED, grant.message_id)
        assert row is not None
        return row["attempt"], row["result"]
