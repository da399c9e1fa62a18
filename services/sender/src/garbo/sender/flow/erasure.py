"""People who were erased are forgotten here, too, and everybody's messages after a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from garbo.common.events.erasure import ContactErased
from garbo.sender.ports.memories import Memories

AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Forget:
    """Obeys erasures at once, and retention in bounded rounds."""

    memories: Memories
    keep: timedelta

    async def obey(self, erasures: Sequence[ContactErased]) -> None:
        """Forget people. The same again changes nothing."""
        await self.memories.forget([contact for erased in erasures for contact in erased.all_ids])

    async def tidy(self) -> bool:
        """Delete what is past its keep; tells whether there may be more.

        What came about an erased person after the news of it, or was being written then, is forgotten, too.
        """
        await self.memories.forget([])
        return await self.memories.drop_old(keep=self.keep, limit=AT_ONCE)
