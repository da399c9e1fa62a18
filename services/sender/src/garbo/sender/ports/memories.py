"""What is kept of people and of long ago."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID


class Memories(Protocol):
    """What is kept of people and of long ago. Each method is one transaction; all raise `RetryLater`."""

    async def forget(self, contact_ids: Sequence[UUID]) -> None:
        """Put `ERASED_CONTACT` in the place of these people, and of all who were erased lately.

        Forget, too, by which message of the platform they would be known.
        """
        ...

    async def drop_old(self, *, keep: timedelta, limit: int) -> bool:
        """Delete messages and pairs older than that, `limit` of each; tells whether there may be more."""
        ...
