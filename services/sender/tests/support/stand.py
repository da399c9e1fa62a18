"""One stand over the fake memory and over PostgreSQL: what one suite holds both to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from garbo.common.events.grants import SendGranted
from garbo.common.events.results import SendResult
from garbo.sender.domain.outcomes import Outcome
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.ports import Attempts, AttemptStatus, FinishedAttempt, Past, PlannedAttempt
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.memory import MemoryAttempts
from services.sender.tests.support.postgres import SenderDatabase

Play = Callable[[SendGranted], Awaitable[None]]
Stored = tuple[str, str | None]
"""The state of a message's first attempt, and the message's result; None while it is open."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A memory of attempts, and the router's side of the grants in it."""

    attempts: Attempts
    book: Play
    revoke: Play
    rebook: Play
    claim: Play
    """Let a grant be claimed, by whom nobody knows."""
    stored: Callable[[SendGranted], Awaitable[Stored]]

    async def begun(self, *, n: int = 1, grant: SendGranted | None = None) -> SendGranted:
        """Begin an attempt, of a new grant unless one is given."""
        if grant is None:
            grant = a_grant()
            await self.book(grant)
        answer = await self.attempts.begin([PlannedAttempt(grant, n, n > 1, "00-a-b-01")])
        assert answer[grant.message_id].outcome == "begun"
        return grant

    async def ended(self, grant: SendGranted, outcome: Outcome, *, n: int = 1) -> SendResult | None:
        """Record the answer to an attempt."""
        finished = FinishedAttempt(grant, f"{grant.message_id}.{n}", outcome, 200)
        return (await self.attempts.record([finished])).get(grant.message_id)

    async def past(self, grant: SendGranted) -> Past:
        """Let the grant come again."""
        _, past = await self.attempts.recall([grant])
        return past.get(grant.message_id, Past())

    async def status(self, grant: SendGranted, status: str, *, code: int | None = None) -> list[SendResult]:
        """Let a status of the first attempt come."""
        at = datetime.now(UTC).replace(microsecond=0)
        seen = AttemptStatus(f"{grant.message_id}.1", status, "ref.s", code, at)
        return [settled.result for settled in await self.attempts.settle([seen])]


def memory_stand() -> Stand:
    """Stand on the fake."""
    memory = MemoryAttempts()

    async def book(grant: SendGranted) -> None:
        memory.claims.pop(grant.grant_id, None)
        memory.booked[grant.grant_id] = grant.message_id

    async def revoke(grant: SendGranted) -> None:
        memory.claims[grant.grant_id] = "revoked"

    async def claim(grant: SendGranted) -> None:
        memory.claims[grant.grant_id] = "already_dispatched"

    async def stored(grant: SendGranted) -> Stored:
        result = memory.results.get(grant.message_id)
        return memory.attempts[f"{grant.message_id}.1"].state, result.outcome if result else None

    return Stand(memory, book, revoke, book, claim, stored)


def postgres_stand(door: SenderDatabase) -> Stand:
    """Stand on a database."""
    return Stand(
        PostgresAttempts(door.database), door.book, door.revoke, door.rebook, door.claim, door.stored
    )
