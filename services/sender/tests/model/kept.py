"""What the database keeps of one message, for the model: ids are places, instants are before or after."""

from typing import Final, NamedTuple
from uuid import UUID

from garbo.common.events.decisions import Lane
from garbo.common.events.results import SendResult

STATES: Final = ("open", "dispatching", "accepted", "failed", "unknown", "not_sent")
TELLING: Final = ("ambiguous", "unsettled", "interrupted")
"""Reasons the machine itself looks at, or gives."""


class Row(NamedTuple):
    """`sender.message`."""

    grant: int
    epoch: int
    state: str
    n: int
    grant_n: int
    resent: int
    is_old: bool
    """Its attempt was started longer ago than anything waits."""
    reason: str | None
    by: str | None
    """The status that decided it."""


class Former(NamedTuple):
    """`sender.former_attempt`."""

    n: int
    state: str


class Waiting(NamedTuple):
    """`sender.waiting`."""

    grant: int
    epoch: int
    parked: str
    """no, later, due or never: until when it is not looked at."""
    is_late: bool
    """Its lease has ended."""


class Grant(NamedTuple):
    """The router's own row of a grant."""

    epoch: int
    state: str


class Kept(NamedTuple):
    """All of it."""

    lane: Lane
    row: Row | None = None
    formers: tuple[Former, ...] = ()
    waiting: Waiting | None = None
    grants: tuple[Grant | None, Grant | None] = (Grant(1, "reserved"), None)
    """The first day's, and the next day's."""
    is_over: bool = False
    """The leases have ended."""
    is_erased: bool = False


class Told(NamedTuple):
    """A result, as it is published."""

    outcome: str
    n: int
    grant: int
    epoch: int
    reason: str | None
    is_marked: bool
    """A possible duplicate."""


def message_id(place: int) -> UUID:
    """Name the message at this place of a batch."""
    return UUID(int=0x1000 + place)


def contact_id(place: int) -> UUID:
    """Name its person."""
    return UUID(int=0x2000 + place)


def grant_id(place: int, grant: int) -> UUID:
    """Name one of its grants."""
    return UUID(int=0x3000 + 16 * place + grant)


def told(result: SendResult, place: int) -> Told:
    """See a result as the model does."""
    n = int(result.attempt_id.rpartition(".")[2]) if result.attempt_id else 0
    grant = result.grant_id.int - grant_id(place, 0).int
    epoch = result.epoch or 0
    return Told(result.outcome, n, grant, epoch, result.reason, result.possible_duplicate)


def reason_of(state: str, reason: str | None) -> str | None:
    """Keep of a reason what matters."""
    if reason is None or reason in TELLING or state == "not_sent":
        return reason
    return "said"
