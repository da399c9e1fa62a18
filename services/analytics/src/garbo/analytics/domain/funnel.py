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
class FunnelCounter:
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


def counters_of(fact: Fact) -> frozenset[FunnelCounter]:
    """Name the counters a message stands in."""
    minute, lane = minute_of(fact.begun_at), fact.lane or ""
    return frozenset(FunnelCounter(minute, lane, step, detail) for step, detail in _steps(fact))


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


def difference(changes: Iterable[tuple[Fact | None, Fact]]) -> dict[FunnelCounter, int]:
    """Say what changed facts (before, after) do to the counters; counters that stay are left out."""
    tally: Tally[FunnelCounter] = Tally()
    for before, after in changes:
        tally.update(counters_of(after))
        if before:
            tally.subtract(counters_of(before))
    return {counter: count for counter, count in tally.items() if count}


def count_once(new: Iterable[Inbound | ForeignStatus | Engagement]) -> dict[FunnelCounter, int]:
    """Count what is counted when it is first seen, and never changes."""
    return dict(Tally(_counter_of(item) for item in new))


def _counter_of(item: Inbound | ForeignStatus | Engagement) -> FunnelCounter:
    minute = minute_of(item.occurred_at)
    match item:
        case Inbound():
            return FunnelCounter(minute, "", "inbound")
        case ForeignStatus():
            return FunnelCounter(minute, "", "foreign", item.status)
        case Engagement():
            return FunnelCounter(minute, "promo", item.action if item.action != "replied" else "engaged")
