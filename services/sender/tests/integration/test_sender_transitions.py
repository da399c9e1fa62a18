"""The life of one attempt as one table: the SQL decides it."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import pytest

from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.results import SendResult
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.postgres import sender_database_on
from services.sender.tests.support.stand import Stand, Stored
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration

ACCEPTED: Final = ("accepted", "accepted")
FAILED: Final = ("failed", "failed")
UNKNOWN: Final = ("unknown", "unknown")
OPEN_AGAIN: Final = ("rejected", None)
NOT_SENT: Final = ("not_sent", "not_sent")
DECIDED: Final[dict[str, Stored]] = {
    "accepted": ACCEPTED,
    "delivered": ACCEPTED,
    "failed": FAILED,
    "undelivered": FAILED,
    "unknown": UNKNOWN,
    "abandoned": UNKNOWN,
}
"""What happens to an open attempt: an answer (accepted, failed, unknown, not_yet), a status with its id
(delivered, undelivered), recovery that finds it (abandoned)."""
EVENTS: Final = (*DECIDED, "not_yet")
TABLE: Final[dict[str, dict[str, Stored]]] = {
    "dispatching": DECIDED | {"not_yet": OPEN_AGAIN},
    "unknown": DECIDED | {"not_yet": NOT_SENT},
    "abandoned": DECIDED | {"not_yet": NOT_SENT},
    "accepted": dict.fromkeys(EVENTS, ACCEPTED),
    "failed for good": dict.fromkeys(EVENTS, FAILED),
    "rejected for now": dict.fromkeys(EVENTS, OPEN_AGAIN),
    "rejected after unknown": dict.fromkeys(EVENTS, NOT_SENT),
}
"""By state and event, for a promo: the attempt's state, the message's result. The first decision stands."""
STARTS: Final[dict[str, tuple[str, ...]]] = {
    "dispatching": (),
    "unknown": ("unknown",),
    "abandoned": ("abandoned",),
    "accepted": ("accepted",),
    "failed for good": ("failed",),
    "rejected for now": ("not_yet",),
    "rejected after unknown": ("unknown", "not_yet"),
}
"""How an attempt gets into each state."""


@pytest.fixture(scope="module")
async def stand(postgres: SharedPostgres) -> AsyncIterator[Stand]:
    """One for all: each test has a message of its own."""
    async with sender_database_on(postgres) as database:
        yield Stand(database)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, to which things happen."""

    stand: Stand
    grant: SendGranted

    async def on(self, event: str) -> list[str]:
        """Let it happen; give the outcomes that are handed back to be published."""
        happen = _HAPPEN[event]
        return [result.outcome for result in await happen(self.stand, self.grant)]


async def _after(stand: Stand, lane: Lane, *events: str) -> Attempt:
    grant = a_grant(lane=lane)
    await stand.door.book(grant)
    attempt = Attempt(stand, await stand.begun(grant))
    for event in events:
        await attempt.on(event)
    return attempt


@pytest.mark.parametrize("lane", ["care", "promo"])
@pytest.mark.parametrize(
    ("start", "event"), [(start, event) for start, row in TABLE.items() for event in row]
)
async def test_state_and_event_give_state_and_result(
    stand: Stand, start: str, event: str, lane: Lane
) -> None:
    state, result = TABLE[start][event]
    if lane == "care" and (state, result) == NOT_SENT:
        state, result = (
            OPEN_AGAIN  # it goes on; that it may have arrived is told, and no promo is sent after that
        )
    attempt = await _after(stand, lane, *STARTS[start])
    published = await attempt.on(event)
    assert await stand.stored(attempt.grant) == (state, result)
    assert published in ([], [result])


@pytest.mark.parametrize("seed", range(40))
async def test_the_first_decision_stands_in_any_order_of_events(stand: Stand, seed: int) -> None:
    dice = random.Random(seed)
    events = dice.choices(EVENTS, k=dice.randint(0, 6))
    attempt = await _after(stand, "promo", *events)
    state, _ = await stand.stored(attempt.grant)
    decisions = [e for e in events if e not in ("unknown", "abandoned")]
    if not decisions:
        assert state == ("unknown" if events else "dispatching")
    elif decisions[0] == "not_yet":
        assert state == ("rejected" if events[0] == "not_yet" else "not_sent")
    else:
        assert state == ("accepted" if decisions[0] in ("accepted", "delivered") else "failed")


async def _abandoned(stand: Stand, grant: SendGranted) -> list[SendResult]:
    return await stand.abandoned(grant)


def _answered(outcome: Accepted | Failed | NotYet | Unknown) -> "_Happen":
    async def happen(stand: Stand, grant: SendGranted) -> list[SendResult]:
        result = await stand.ended(grant, outcome)
        return [result] if result else []

    return happen


def _status(status: str, *, code: int | None = None) -> "_Happen":
    async def happen(stand: Stand, grant: SendGranted) -> list[SendResult]:
        return await stand.status(grant, status, code=code)

    return happen


_Happen = Callable[[Stand, SendGranted], Awaitable[list[SendResult]]]
_HAPPEN: Final[dict[str, _Happen]] = {
    "accepted": _answered(Accepted("ref.a")),
    "failed": _answered(Failed(132001, "template_unknown")),
    "not_yet": _answered(NotYet(None, "unreachable")),
    "unknown": _answered(Unknown("timeout")),
    "abandoned": _abandoned,
    "delivered": _status("delivered"),
    "undelivered": _status("failed", code=131026),
}
