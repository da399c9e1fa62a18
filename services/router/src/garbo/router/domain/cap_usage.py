"""What every cap says of a person now: the numbers `decide` rests on, without a request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.router.domain import caps
from garbo.router.domain.matter import Matter
from garbo.router.domain.policy import Policy, RateRule
from garbo.router.domain.request import Subject
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace

MOST_CAMPAIGNS: Final = 50
"""Campaigns of the newest sends; a person has seldom more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One send that stands in a cap's window, and the first instant whose window no longer holds it."""

    send: Send
    frees_at_us: int | None


@dataclass(frozen=True, slots=True)
class CapUsage:
    """One cap or gap in one of its scopes."""

    rule: RateRule
    brand: str | None
    campaign: str | None
    used: int
    free_at_us: int | None
    """The least instant this rule alone permits; None: never."""
    standing: tuple[Standing, ...]
    """Oldest first."""


def cap_usages(
    policy: Policy, state: RecipientState, subject: Subject, *, brands: Sequence[str], now_us: int
) -> list[CapUsage]:
    """Give each cap of the policy: for each brand, or each campaign sent, where it counts them apart.

    `subject` says all else: priority, zones, channel.
    """
    found: list[CapUsage] = []
    for rule in policy.rules:
        if not isinstance(rule, RateRule):
            continue
        for brand in brands if rule.per_brand else (None,):
            for campaign in _campaigns(rule, state) if rule.per_campaign else (None,):
                asked = replace(subject, brand=brand or subject.brand, campaign=campaign)
                found.append(_capacity(rule, Matter(policy, state, asked, now_us), brand=brand))
    return found


def _capacity(rule: RateRule, matter: Matter, *, brand: str | None) -> CapUsage:
    now_us = matter.now_us
    first_us = caps.first_inside_us(rule, matter, now_us)
    inside = sorted((s for s in caps.counted(rule, matter) if s.at_us >= first_us), key=_by_instant)
    return CapUsage(
        rule=rule,
        brand=brand,
        campaign=matter.subject.campaign,
        used=caps.used(rule, matter, now_us),
        free_at_us=caps.free_us(rule, matter, now_us),
        standing=tuple(Standing(send, _leaves_us(rule, matter, send)) for send in inside),
    )


def _leaves_us(rule: RateRule, matter: Matter, send: Send) -> int | None:
    """Ask the rule itself: with this send alone and room for one, it permits once the send has left."""
    alone = replace(matter.state, sends=(send,), campaign_sends=())
    matter_alone = Matter(matter.policy, alone, matter.subject, matter.now_us)
    return caps.free_us(replace(rule, limit=1, keep_for=None), matter_alone, matter.now_us)


def _campaigns(rule: RateRule, state: RecipientState) -> Iterable[str]:
    sends = sorted((*state.sends, *state.campaign_sends), key=_by_instant, reverse=True)
    sent = dict.fromkeys(send.campaign for send in sends if send.campaign and rule.counts.matches(send))
    return list(sent)[:MOST_CAMPAIGNS]


def _by_instant(send: Send) -> int:
    return send.at_us
