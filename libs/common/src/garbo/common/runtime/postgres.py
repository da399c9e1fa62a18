"""A PostgreSQL pool in which nothing waits for ever, and what its errors mean."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from garbo.common.errors import Reject, RetryLater, StartRefused
from garbo.common.runtime.background import Background

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

ACQUIRE_S: Final = 5.0
"""Longer than this without a free connection means the database is the bottleneck."""
COMMAND_S: Final = 15.0
"""No statement of ours needs longer; a locked table must surface, not hang."""
CONNECT_S: Final = 10.0
ASK_EVERY_S: Final = 2.0
SESSION: Final = {
    "timezone": "UTC",  # days of partitions are UTC days
    "idle_in_transaction_session_timeout": "20s",  # a process that stalls in a transaction loses its locks
}

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InternalClientError,  # an answer broken off, which asyncpg cannot make out
    asyncpg.FatalPostgresError,
    asyncpg.PostgresConnectionError,  # 08
    asyncpg.TransactionRollbackError,  # 40: deadlock, serialization
    asyncpg.InsufficientResourcesError,  # 53: disk, memory, connections
    asyncpg.ObjectNotInPrerequisiteStateError,  # 55: a lock not to be had
    asyncpg.OperatorInterventionError,  # 57: shutdown, crash, start, cancelled
    asyncpg.PostgresSystemError,  # 58: its disk fails
    asyncpg.SnapshotTooOldError,  # 72
    asyncpg.ConfigFileError,  # F0
    asyncpg.InternalServerError,  # XX: what a dying server says last
    asyncpg.ReadOnlySQLTransactionError,  # 25006: a standby, after a failover
    asyncpg.IdleInTransactionSessionTimeoutError,  # 25P03
    asyncpg.TransactionTimeoutError,  # 25P04
)
"""The server is away or cannot now: nothing is wrong with what was asked. By SQLSTATE class.
Source: PostgreSQL 18, appendix A."""
LOCKED_OUT: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,  # 28: a password that is being changed
    asyncpg.InvalidCatalogNameError,  # 3D: a database that is being restored
)
"""A wrong setting at the start; later the operator is at work, and it passes."""
UNSTORABLE: Final = (
    asyncpg.DataError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.ProgramLimitExceededError,  # such as a text longer than an index holds
)

log = structlog.get_logger()


class Database:
    """A pool of connections, as a component."""

    def __init__(
        self, dsn: str, *, service: str, size: int = 8, session: Mapping[str, str] | None = None
    ) -> None:
        self._dsn, self._service, self._size = dsn, service, size
        self._session = {**SESSION, **(session or {})}
        self._pool: Pool | None = None
        self._asking = Background("ask postgres", self._keep_asking)
        self._answers = False

    async def start(self) -> None:
        """Connect; keeps trying for the start budget. Raises `StartRefused` when the DSN itself is wrong."""
        while self._pool is None:
            try:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=1,
                    max_size=self._size,
                    timeout=CONNECT_S,
                    command_timeout=COMMAND_S,
                    server_settings={"application_name": f"garbo-{self._service}", **self._session},
                )
            except AWAY:
                log.warning("database does not answer yet")
                await asyncio.sleep(0.5)
            except (asyncpg.PostgresError, ValueError, asyncpg.InterfaceError) as error:
                raise StartRefused(
                    f"GARBO_POSTGRES_DSN: the database refuses the connection ({type(error).__name__})."
                ) from None
        self._answers = True
        await self._asking.start()

    async def stop(self) -> None:
        """Close: returned connections politely, held ones after 5 s."""
        await self._asking.stop()
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(ACQUIRE_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def wait_failed(self) -> BaseException:
        """Return when nobody asks the database any more: `healthy` would say yesterday's news."""
        return await self._asking.wait_failed()

    @property
    def healthy(self) -> bool:
        """Whether the database answered when it was last asked, at most a few seconds ago."""
        return self._answers and self._pool is not None and not self._pool.is_closing()

    async def _keep_asking(self) -> None:
        """Find out whether the database is there, also while nobody else asks."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            try:
                async with asyncio.timeout(ACQUIRE_S), self.connection() as connection:
                    self._answers = await connection.fetchval("SELECT true")
            except (RetryLater, TimeoutError):
                self._answers = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        """Borrow a connection (autocommit). Transient failures become `RetryLater`."""
        if self._pool is None:
            raise RetryLater("database_closed")
        with transient_as_retry():
            async with self._pool.acquire(timeout=ACQUIRE_S) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Connection"]:
        """Borrow a connection inside a READ COMMITTED transaction. Transient failures become `RetryLater`."""
        async with self.connection() as connection, connection.transaction():
            yield connection


@contextmanager
def transient_as_retry() -> Iterator[None]:
    """Turn what PostgreSQL says, or what asyncpg makes of its silence, into what to do.

    The server is away, dying, full, read-only or busy: `RetryLater`. A value the database cannot hold:
    `Reject("unstorable")`. Anything else is a bug and passes.
    """
    try:
        yield
    except UNSTORABLE as error:
        raise Reject("unstorable") from error
    except (*AWAY, *LOCKED_OUT) as error:
        raise RetryLater(f"postgres:{type(error).__name__}") from error
    except asyncpg.InterfaceError as error:
        if any(word in str(error) for word in ("connection", "pool")):  # closed, lost, given back
            raise RetryLater("postgres:connection") from error
        raise
