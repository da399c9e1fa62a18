"""Caps and gaps: which sends count, how many stand in the window, and when the next is free.

With limit n the n-th newest send is what must leave the window, also when a cap was lowered and more than n
stand in it. An open send stands at its latest possible instant, which may lie ahead of now.
"""

from bisect import bisect_left
from typing import Final, assert_never

from garbo.router.domain.calendar import period_us
from garbo.router.domain.instants import NEVER_US
from garbo.router.domain.matter import Matter
from garbo.router.domain.policy import Calendar, Lifetime, RateRule, Rolling
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.zones import wall_clocks

EVER_US: Final = -NEVER_US


def counted(rule: RateRule, matter: Matter) -> list[Send]:
    """Give the sends a rule counts for this request, in no order."""
    state, subject, counts = matter.state, matter.subject, rule.counts
    sends = _with_campaign_sends(state) if rule.per_campaign and state.campaign_sends else state.sends
    if counts.by_class:
        classes = counts.classes
        chosen = [send for send in sends if send.message_class in classes]
    else:
        chosen = [send for send in sends if counts.matches(send)]
    if rule.per_brand:
        chosen = [send for send in chosen if send.brand == subject.brand]
    if rule.per_campaign:
        chosen = [send for send in chosen if send.campaign == subject.campaign]
    match matter.policy.counting.consume:
        case "reserved":
            return chosen
        case "accepted":
            return [send for send in chosen if not send.open]
        case "delivered":
            return [send for send in chosen if send.delivered]


def instants(rule: RateRule, matter: Matter) -> list[int]:
    """Give the instants of the counted sends, oldest first."""
    what = rule.counts.classes if rule.counts.by_class else rule.reach.id
    key = (what, rule.per_brand, rule.per_campaign)
    known = matter.instants.get(key)
    if known is None:
        known = matter.instants[key] = sorted([send.at_us for send in counted(rule, matter)])
    return known


def free_us(rule: RateRule, matter: Matter, from_us: int) -> int | None:
    """Give the least instant, `from_us` or later, at which the rule permits; None when it never does."""
    return used_and_free_us(rule, matter, from_us)[1]


def used(rule: RateRule, matter: Matter, at_us: int) -> int:
    """Count the sends that stand in the window of an instant, and those ahead of it."""
    return used_and_free_us(rule, matter, at_us)[0]


def used_and_free_us(rule: RateRule, matter: Matter, at_us: int) -> tuple[int, int | None]:
    """Answer both at once: what stands in the window of an instant, and when the rule permits from there."""
    counted_us, room = instants(rule, matter), _room(rule, matter)
    inside = len(counted_us) - bisect_left(counted_us, first_inside_us(rule, matter, at_us))
    if room <= 0:
        return inside, None
    if inside < room:
        return inside, at_us
    leaves_us = _leaves_us(rule, matter, counted_us[-room])
    return inside, None if leaves_us is None else max(at_us, leaves_us)


def first_inside_us(rule: RateRule, matter: Matter, at_us: int) -> int:
    """Give the first instant that is inside the window of an instant; of several zones the widest window."""
    match rule.window:
        case Rolling(span_us=span_us):
            return at_us - span_us + 1
        case Calendar():
            return min(start_us for start_us, _ in _periods(rule.window, matter, at_us))
        case Lifetime():
            return EVER_US
    assert_never(rule.window)


def _room(rule: RateRule, matter: Matter) -> int:
    """Say which of the newest sends must have left: with 1 the newest, with the limit the limit-th newest.

    A message of several parts needs several slots; a gap is one whatever the number of parts. The last slots
    may be kept for those of higher priority.
    """
    keep = rule.keep_for
    kept = keep.slots if keep is not None and matter.subject.priority < keep.min_priority else 0
    return rule.limit - kept - (matter.slots if rule.kind == "cap" else 1) + 1


def _leaves_us(rule: RateRule, matter: Matter, at_us: int) -> int | None:
    """Give the first instant whose window no longer holds a send of `at_us`, in any zone."""
    match rule.window:
        case Rolling(span_us=span_us):
            return at_us + span_us
        case Calendar():
            return max(next_us for _, next_us in _periods(rule.window, matter, at_us))
        case Lifetime():
            return None
    assert_never(rule.window)


def _periods(window: Calendar, matter: Matter, at_us: int) -> list[tuple[int, int]]:
    return [
        period_us(window.unit, zone, at_us, week_starts_on=matter.policy.week_starts_on)
        for zone in wall_clocks(window.zone, matter.subject.zones)
    ]


def _with_campaign_sends(state: RecipientState) -> tuple[Send, ...]:
    """Add what the campaign's own table remembers; of one message the row knows better."""
    known = {send.message_id for send in state.sends}
    return (*state.sends, *(send for send in state.campaign_sends if send.message_id not in known))
