"""Access tokens: whose they are, what they may, how long.

Source: Meta, Graph API "Debug token" and WhatsApp "Access tokens" (read 2026-11).
"""

import time
from dataclasses import dataclass
from typing import Final

from garbo.simulator.assets.asset import Asset

MESSAGING: Final = "whatsapp_business_messaging"
MANAGEMENT: Final = "whatsapp_business_management"


class TokenFacts(Asset):
    """What can be turned at a token."""

    valid: bool = True
    """False: revoked."""
    expires_at: float = 0
    """Epoch seconds; 0: never."""
    issued_at: int = 1_790_000_000
    scopes: tuple[str, ...] = (MANAGEMENT, MESSAGING)
    app_id: str | None = None
    """The app it was made for; None: this one."""

    @property
    def expired(self) -> bool:
        """Tell whether its time is over."""
        return 0 < self.expires_at <= time.time()

    @property
    def plain(self) -> bool:
        """Tell whether nothing about it needs a look at each send."""
        return self.valid and not self.expires_at and MESSAGING in self.scopes


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever calls with a token."""

    token: str
    facts: TokenFacts
    accounts: frozenset[str]
    """The business accounts it reaches."""
    is_app: bool = False
    """It is the app's own token."""
