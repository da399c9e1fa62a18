"""Counts and funnels as the query API shows them."""

from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from typing_extensions import TypedDict

from garbo.analytics.domain.funnel import Counts, Funnel
from garbo.analytics.inbound.http.words import failure_in_words, label

Count = Literal[
    "messages",
    "requested",
    "decided",
    "allowed",
    "denied",
    "deferred",
    "accepted",
    "delivered",
    "read",
    "replied",
    "failed",
    "unknown",
    "inbound",
    "opted_out",
    "reused",
    "foreign",
]
Step = Literal[
    "requested",
    "decided",
    "allowed",
    "accepted",
    "delivered",
    "read",
    "replied",
    "failed",
    "unknown",
    "inbound",
    "opted_out",
]
COUNTS: Final[tuple[Count, ...]] = get_args(Count)
STEPS: Final[tuple[Step, ...]] = get_args(Step)


class ReasonView(TypedDict):
    """How many were held back, or wait, for one reason."""

    reason: str
    label: str
    count: int


class ReasonsView(TypedDict):
    """How many were held back, or wait, and why."""

    total: int
    by_reason: list[ReasonView]


class FailureView(TypedDict):
    """How many failed with one code of the platform, or one word of ours."""

    code: str
    words: str
    count: int


class PointView(TypedDict):
    """The messages begun in the stretch of time that begins `at`."""

    at: datetime
    requested: int
    held_back: int
    waiting: int
    accepted: int


class SeriesView(TypedDict):
    """The span in stretches of `width_s`."""

    width_s: int
    points: list[PointView]


class FunnelView(TypedDict):
    """The messages begun in a span of time, step by step."""

    since: datetime
    until: datetime
    lane: str | None
    steps: dict[Step, int]
    held_back: ReasonsView
    waiting: ReasonsView
    failed_by_code: list[FailureView]
    series: SeriesView


def counts_view(totals: Counts) -> dict[Count, int]:
    """Show the counts of all messages ever."""
    return {name: sum(count for (step, _), count in totals.items() if step == name) for name in COUNTS}


def funnel_view(funnel: Funnel) -> FunnelView:
    """Show a funnel: its steps, what was held back or waits and why, what failed, and a series to draw."""
    return {
        "since": funnel.since,
        "until": funnel.until,
        "lane": funnel.lane,
        "steps": {step: funnel.of(step) for step in STEPS},
        "held_back": _reasons_view(funnel, "denied"),
        "waiting": _reasons_view(funnel, "deferred"),
        "failed_by_code": [
            {"code": code, "words": failure_in_words(code), "count": count}
            for code, count in funnel.by_detail("failed")
        ],
        "series": {"width_s": int(funnel.width.total_seconds()), "points": _points(funnel)},
    }


def _reasons_view(funnel: Funnel, step: str) -> ReasonsView:
    by_reason: list[ReasonView] = [
        {"reason": reason, "label": label(reason), "count": count} for reason, count in funnel.by_detail(step)
    ]
    return {"total": funnel.of(step), "by_reason": by_reason}


def _points(funnel: Funnel) -> list[PointView]:
    def at(instant: datetime, *steps: str) -> int:
        return sum(funnel.points.get((instant, step), 0) for step in steps)

    count = -(-(funnel.until - funnel.since) // funnel.width)
    instants = [funnel.since + timedelta(seconds=n * funnel.width.total_seconds()) for n in range(count)]
    return [
        {
            "at": instant,
            "requested": at(instant, "requested"),
            "held_back": at(instant, "denied"),
            "waiting": at(instant, "deferred"),
            "accepted": at(instant, "accepted"),
        }
        for instant in instants
    ]
