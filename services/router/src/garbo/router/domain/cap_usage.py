"""What every cap says of a person now: the numbers `decide` rests on, without a request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Subject
from garbo.router.domain.rules.cap import CountedSend
from garbo.router.domain.selectors import Selector
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace

MOST_CAMPAIGNS: Final = 50
"""Campaigns of the newest sends; a person has seldom more."""


@dataclass(frozen=True, slots=True)
class CapUsage:
    """One cap or gap in one of its scopes."""

    rule: str
    kind: Literal["cap", "gap"]
    brand: str | None
    campaign: str | None
    window: str
    limit: int
    used: int
    full: bool
    allowed_from_us: int | None
    """Of a full one, the least instant it permits; None: never."""
    sends: tuple[CountedSend, ...]
    """Oldest first."""


def cap_usages(
    policy: Policy, state: RecipientState, subject: Subject, *, brands: Sequence[str], now_us: int
) -> Iterator[CapUsage]:
    """Give each cap of the policy: for each brand, or each campaign sent, where it counts them apart.

    `subject` says all else: priority, zones, channel.
    """
    for cap in policy.caps:
        for brand in brands if cap.per_brand else (None,):
            for campaign in _campaigns(cap.counts, state) if cap.per_campaign else (None,):
                asked = replace(subject, brand=brand or subject.brand, campaign=campaign)
                context = EvaluationContext(policy, state, asked, now_us)
                result = cap.evaluate(context, now_us)
                yield CapUsage(
                    rule=cap.reach.id,
                    kind=cap.type,
                    brand=brand,
                    campaign=campaign,
                    window=cap.window.text,
                    limit=cap.limit,
                    used=result.used or 0,
                    full=not result.ok,
                    allowed_from_us=result.allowed_from_us,
                    sends=cap.counted_sends(context),
                )


def _campaigns(counts: Selector, state: RecipientState) -> list[str]:
    sends = sorted((*state.sends, *state.campaign_sends), key=_by_instant, reverse=True)
    sent = dict.fromkeys(send.campaign for send in sends if send.campaign and counts.matches(send))
    return list(sent)[:MOST_CAMPAIGNS]


def _by_instant(send: Send) -> int:
    return send.at_us
