"""The funnel: which counters a message stands in, and what a change of it does to them."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from garbo.analytics.domain.facts import Fact
from garbo.analytics.domain.observe import Engagement, ForeignStatus, Inbound

POINTS: Final = 60
"""The most points a series has."""
MINUTE: Final = timedelta(minutes=1)
DRAWN: Final = ("requested", "denied", "deferred", "accepted")
"""The steps a series is made of."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One counter: messages begun in this minute, in this lane, that reached this step."""

    minute: datetime
    lane: str
    step: str
    detail: str = ""
    """The reason held back for, or the code failed with."""


Counts = Mapping[tuple[str, str], int]
"""How many, by step and detail."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """The counts of one span of time, and how they came about in it."""

    since: datetime
    until: datetime
    lane: str | None
    counts: Counts
    width: timedelta
    points: Mapping[tuple[datetime, str], int]
    """How many, by begin of a stretch of `width` and step."""

    def of(self, *steps: str) -> int:
        """Sum these steps, whatever the detail."""
        return sum(count for (step, _), count in self.counts.items() if step in steps)

    def by_detail(self, step: str) -> list[tuple[str, int]]:
        """Split a step by its detail, the greatest first."""
        found = [(d, count) for (s, d), count in self.counts.items() if s == step and count]
        return sorted(found, key=lambda item: (-item[1], item[0]))


def width_of(span: timedelta) -> timedelta:
    """Give the stretch of time one point of a series stands for: whole minutes, `POINTS` at most."""
    minutes = -(-span // MINUTE)
    return MINUTE * max(1, -(-minutes // POINTS))


def minute_of(instant: datetime) -> datetime:
    """Cut an instant to its minute."""
    return instant.replace(second=0, microsecond=0)


def places(fact: Fact) -> frozenset[Place]:
    """Name the counters a message stands in."""
    minute, lane = minute_of(fact.begun_at), fact.lane or ""
    return frozenset(Place(minute, lane, step, detail) for step, detail in _steps(fact))


def _steps(fact: Fact) -> Iterator[tuple[str, str]]:
    reached = {
        "messages": fact.request_id,
        "requested": fact.content_type,
        "decided": fact.decided_at,
        "allowed": fact.verdict == "allow",
        "accepted": fact.on_platform_at,
        "delivered": fact.on_phone_at,
        "read": fact.read_at,
        "replied": fact.replied_at,
        "unknown": fact.is_unknown,
        "reused": fact.reused_at,
    }
    yield from ((step, "") for step, yes in reached.items() if yes)
    if fact.verdict == "deny":
        yield "denied", fact.reason or ""
    if fact.verdict == "defer":
        yield "deferred", fact.reason or ""
    if fact.failed_at and not fact.on_phone_at:
        yield "failed", str(fact.code) if fact.code is not None else fact.failure or ""


def difference(changes: Iterable[tuple[Fact | None, Fact]]) -> dict[Place, int]:
    """Say what changed facts (before, after) do to the counters; counters that stay are left out."""
    tally: Tally[Place] = Tally()
    for before, after in changes:
        tally.update(places(after))
        if before:
            tally.subtract(places(before))
    return {place: count for place, count in tally.items() if count}


def once(new: Iterable[Inbound | ForeignStatus | Engagement]) -> dict[Place, int]:
    """Count what is counted when it is first seen, and never changes."""
    return dict(Tally(_place(item) for item in new))


def _place(item: Inbound | ForeignStatus | Engagement) -> Place:
    minute = minute_of(item.occurred_at)
    match item:
        case Inbound():
            return Place(minute, "", "inbound")
        case ForeignStatus():
            return Place(minute, "", "foreign", item.status)
        case Engagement():
            return Place(minute, "promo", item.action if item.action != "replied" else "engaged")
