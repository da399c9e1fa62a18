"""The stored past, person by person: a cursor that neither holds rows nor the database's horizon."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

import asyncpg

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_us
from garbo.router.domain.replay import PastRequest
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.codecs import read_inputs
from garbo.router.ports.queries import PastCount, SimulationRunning

CONNECT_S: Final = 10.0
STATEMENT_S: Final = 300
"""Sorting a big past is one statement; nothing else takes a second."""
ROWS_AT_ONCE: Final = 2_000
ONE_AT_A_TIME: Final = "SELECT pg_try_advisory_lock(hashtext('router.simulation'))"
POLICY_BODY: Final = "SELECT body FROM router.policy WHERE version = $1"
# decided_at is written a little after the instant the decision was made for: a day more finds the partition.
HOW_MANY: Final = """
SELECT count(*) AS stored, count(facts) AS known FROM router.decision
WHERE decided_on BETWEEN $1::timestamptz::date AND $2::timestamptz::date + 1
  AND decided_at >= $1 AND decided_at <= $2
"""
# The verdict is read out of the first record's bytes here, so that the records themselves are never sorted.
# WITH HOLD: the rows are put aside at once, and no snapshot keeps the tables from being vacuumed meanwhile.
CURSOR: Final = """
DECLARE past NO SCROLL CURSOR WITH HOLD FOR
SELECT contact_id, decided_at, facts,
       substring(records[1] FROM position('"verdict":"'::bytea IN records[1]) + 11 FOR 5) AS verdict
FROM router.decision
WHERE decided_on BETWEEN $1::timestamptz::date AND $2::timestamptz::date + 1
  AND decided_at >= $1 AND decided_at <= $2 AND contact_id IS NOT NULL AND facts IS NOT NULL
ORDER BY contact_id, decided_at
"""
FETCH: Final = f"FETCH {ROWS_AT_ONCE} FROM past"
VERDICTS: Final[dict[bytes, Any]] = {b"allow": "allow", b"defer": "defer", b'deny"': "deny"}


class PostgresPast:
    """One connection of its own, for one simulation at a time."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, dsn: str) -> "PostgresPast":
        """Connect; raises `SimulationRunning` when another one runs, `RetryLater` when nobody answers."""
        try:
            connection = await asyncpg.connect(
                dsn,
                timeout=CONNECT_S,
                server_settings={
                    "application_name": "garbo-router-simulation",
                    "statement_timeout": f"{STATEMENT_S}s",
                    "max_parallel_workers_per_gather": "0",
                    "work_mem": "64MB",
                },
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise RetryLater(f"postgres:{type(error).__name__}") from error
        if not await connection.fetchval(ONE_AT_A_TIME):
            await connection.close()
            raise SimulationRunning
        return cls(connection)

    async def close(self) -> None:
        """Let go, also of what was put aside."""
        await self._connection.close(timeout=CONNECT_S)

    async def policy_body(self, version: str) -> str | None:
        """Give a policy that was in force once, as it was written."""
        body: str | None = await self._connection.fetchval(POLICY_BODY, version)
        return body

    async def count(self, since: datetime, until: datetime) -> PastCount:
        """Count what was decided in the period."""
        row = await self._connection.fetchrow(HOW_MANY, since, until)
        return PastCount(row["stored"], row["known"]) if row else PastCount(0, 0)

    async def people(
        self, since: datetime, until: datetime
    ) -> AsyncIterator[tuple[ContactId, list[PastRequest]]]:
        """Give each person's requests in the order of time."""
        await self._connection.execute(CURSOR, since, until)
        person: ContactId | None = None
        past: list[PastRequest] = []
        while rows := await self._connection.fetch(FETCH):
            for row in rows:
                if row["contact_id"] != person:
                    if person is not None:
                        yield person, past
                    person, past = ContactId(row["contact_id"]), []
                past.append(_past_request(row))
        if person is not None:
            yield person, past


def _past_request(row: asyncpg.Record) -> PastRequest:
    facts = read_inputs(row["facts"])
    return PastRequest(
        at_us=to_us(row["decided_at"]),
        request=replace(facts.request, contact=str(row["contact_id"])),
        given=facts.given,
        verdict=VERDICTS[row["verdict"]],
    )
