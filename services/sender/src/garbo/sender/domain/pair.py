"""How often one number may write to one person: once each 6 s, and up to 45 at once, borrowed from later.

GCRA: `tat` is the instant at which nothing is borrowed any more. Instants are integer microseconds.

tat - now     up to 174 s   up to 264 s   more
who may go    both lanes    care          nobody
"""

from typing import Final

from garbo.common.events.decisions import Lane

EVERY_US: Final = 6_000_000
EVERY_S: Final = EVERY_US / 1_000_000
BURST: Final[dict[Lane, int]] = {"care": 45, "promo": 30}
"""How many may go at once; what promo may not borrow is kept for care."""
MOST_AHEAD_US: Final = BURST["care"] * EVERY_US
"""No `tat` is further ahead, unless the clock has stepped back."""
