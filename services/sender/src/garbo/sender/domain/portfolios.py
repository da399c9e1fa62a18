"""How many people a portfolio may write to first in 24 h. Pure.

Source: Meta, "Messaging limits" (read 2026-11): unique people in any 24 hours, per business portfolio, by
templates outside the customer service window. What answers a customer does not count.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from garbo.common.events.decisions import Lane
from garbo.common.events.platform import PlatformChange
from garbo.sender.domain.deadlines import SEND_BUDGET, is_within_window
from garbo.sender.domain.outcomes import Failed, NotYet, Outcome
from garbo.sender.domain.queued_send import QueuedSend

HELD_FOR: Final = timedelta(hours=24) + 2 * SEND_BUDGET
"""A place is taken when an attempt begins, and the platform counts when it accepts."""
CARE_RATIO: Final = 0.1
"""So much of the limit is care's alone: promo must not use up the day of who waits for an answer."""
_LIMIT_FIELD: Final = "max_daily_conversations_per_business"
_TIER: Final = re.compile(r"(?:TIER_)?([0-9]{1,9})([KM]?)")
_TIMES: Final = {"": 1, "K": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class PeopleLimit:
    """How many people may be written to first in 24 h; `most` None: as many as there are."""

    most: int | None

    def most_of(self, lane: Lane) -> int | None:
        """Give how many there may be when a message of this lane takes the last place."""
        if self.most is None or lane == "care":
            return self.most
        return self.most - math.ceil(self.most * CARE_RATIO)


@dataclass(frozen=True, slots=True)
class ListedPortfolios:
    """Whose each number and account is, and what the business file says of the limits.

    A number without a portfolio has its account's: it shares its limit with the account's other numbers.
    """

    of_number: Mapping[str, str] = field(default_factory=dict)
    of_account: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, PeopleLimit] = field(default_factory=dict)


def limit_told(change: PlatformChange) -> PeopleLimit | None:
    """Read what the platform tells of a portfolio's limit; None: it tells nothing that is understood.

    A number or a word such as `TIER_2K`; `TIER_UNLIMITED` and -1 are no limit.
    """
    if change.field != "business_capability_update":
        return None
    return people_limit(change.value.get(_LIMIT_FIELD))


def people_limit(said: Any) -> PeopleLimit | None:  # noqa: ANN401 - the platform's own word
    """Read a limit as the platform writes it; None: it is not understood."""
    word = str(said).strip().upper()
    if word in ("TIER_UNLIMITED", "UNLIMITED", "-1"):
        return PeopleLimit(None)
    found = _TIER.fullmatch(word)
    people = int(found[1]) * _TIMES[found[2]] if found else 0
    return PeopleLimit(people) if people else None


def begins_conversation(send: QueuedSend, *, now: datetime) -> bool:
    """Whether a send that leaves at `now` counts: to one person, a template, and nobody wrote in 24 h."""
    return send.template is not None and not send.is_to_group and not is_within_window(send, now=now)


def is_unsent(outcome: Outcome) -> bool:
    """Whether an outcome says that nobody was reached."""
    return isinstance(outcome, Failed | NotYet)


def parked_for(portfolio: str) -> str:
    """Say why a message is parked that finds no place."""
    return f"portfolio:{portfolio}"
