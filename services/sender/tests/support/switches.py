"""A business of two brands, its keys, and switches in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from pydantic import SecretStr

from garbo.common.business import Brand, Business, Client, Number
from garbo.common.errors import RetryLater
from garbo.sender.domain.pauses import Order, Pause, PauseOrder, ResumeOrder
from garbo.sender.inbound.media import GivenFiles

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)


def _hash(client: str) -> str:
    return sha256(f"a-key-of-{client}".encode()).hexdigest()


NO_FILES = GivenFiles(None, keep=timedelta(days=1))
BUSINESS: Final = Business(
    brands=(
        Brand(id="acme", care_number="1", promo_number="1"),
        Brand(id="other", care_number="2", promo_number="2"),
    ),
    numbers=(
        Number(id="1", display="+1", waba="100", brand="acme", token=SecretStr("t")),
        Number(id="2", display="+2", waba="200", brand="other", token=SecretStr("t")),
        Number(id="3", display="+3", waba="300", brand="acme", token=SecretStr("t")),
        Number(id="4", display="+4", waba="300", brand="other", token=SecretStr("t")),
    ),
    clients=(
        Client(id="ops", keys_sha256=(_hash("ops"),), brands=("acme",), purposes=(), scopes=("admin",)),
        Client(
            id="shop", keys_sha256=(_hash("shop"),), brands=("acme",), purposes=(), scopes=("publish", "read")
        ),
    ),
)


@dataclass
class MemorySwitches:
    """What is in force, in a list."""

    business: Business = BUSINESS
    in_hand: list[Pause] = field(default_factory=list)
    away: bool = False

    async def order(self, orders: Sequence[Order]) -> Sequence[Pause]:
        """See `Switches`."""
        if self.away:
            raise RetryLater("database_away")
        ended: list[Pause] = []
        for one in orders:
            thing = (one.scope, one.name)
            found = [p for p in self.in_hand if p.thing == thing]
            self.in_hand = [p for p in self.in_hand if p.thing != thing]
            if isinstance(one, ResumeOrder):
                ended += found
            elif isinstance(one, PauseOrder):
                self.in_hand.append(
                    Pause(one.scope, one.name, one.source, one.reason, one.by, NOW, one.until, None)
                )
        return ended

    async def in_force(self) -> Sequence[Pause]:
        """See `Switches`."""
        return self.in_hand
