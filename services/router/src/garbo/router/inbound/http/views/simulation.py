"""What a simulation says: the past under two policies, side by side."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

from pydantic import AwareDatetime

from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.replay import ReplayOutcome
from garbo.router.flow.queries.comparison import ChangedRequest, Comparison, Difference, Tally, UnderPolicy
from garbo.router.flow.queries.waits import Waits
from garbo.router.inbound.http.views.view import View, instant

DELAY_STEPS_US: Final = (MINUTE_US, HOUR_US, 6 * HOUR_US, 12 * HOUR_US, DAY_US, 2 * DAY_US, 3 * DAY_US)


class PolicyName(View):
    """A policy, as its file names it."""

    name: str
    version: str


class OutcomeCounts(View):
    """What became of requests under one policy."""

    sent: int = 0
    """Allowed at once or after a wait."""
    waited: int = 0
    """Those of `sent` that waited first."""
    denied: int = 0
    waiting: int = 0
    """Still deferred when the replay ends."""


class ChangeCounts(View):
    """What the other policy changes, in messages or in people."""

    more: int = 0
    """Messaged only under the other policy."""
    fewer: int = 0
    """Messaged only under the current one."""
    later: int = 0
    earlier: int = 0
    same: int = 0


class RequestGroup(View):
    """The requests of one class, of one campaign, or all of them."""

    name: str
    requests: int
    current: OutcomeCounts
    other: OutcomeCounts
    messages: ChangeCounts


class RuleHits(View):
    """How often a rule had the say under one policy."""

    denied: int = 0
    deferred: int = 0


class RuleEffect(View):
    """One rule under both policies; one that a policy does not have has no hits there."""

    rule: str
    current: RuleHits
    other: RuleHits


class DelayStep(View):
    """How many messages waited up to so long (and longer than the step before)."""

    up_to_s: int | None
    """None: longer than all steps."""
    messages: int


class Delays(View):
    """How long messages that were sent after a wait had waited."""

    messages: int
    p50_s: int | None = None
    p90_s: int | None = None
    p99_s: int | None = None
    longest_s: int | None = None
    steps: tuple[DelayStep, ...] = ()


class OutcomeView(View):
    """The end of one request under one policy."""

    verdict: Literal["allow", "defer", "deny"]
    reason: str
    rule: str | None = None
    sent_at: AwareDatetime | None = None


class Example(View):
    """One request whose end differs."""

    change: Difference
    contact_id: UUID
    message_id: UUID
    client: str
    request_id: UUID
    message_class: str | None
    campaign: str | None = None
    asked_at: AwareDatetime
    current: OutcomeView
    other: OutcomeView


class Agreement(View):
    """How well the replay of the current policy meets what was really decided, by first answers."""

    same: int
    of: int
    share: float | None
    """None when nothing was replayed."""


class SimulationReport(View):
    """The past under the current policy and under the other one, replayed the same way."""

    kind: Literal["report"] = "report"
    since: AwareDatetime
    until: AwareDatetime
    brands: tuple[str, ...] | None
    """Whose requests are compared; null for all there are."""
    current_policy: PolicyName
    other_policy: PolicyName
    requests: int
    contacts: int
    skipped: int
    """Stored decisions without what they were made from: refused at the door, or older than this version."""
    messages: RequestGroup
    people: ChangeCounts
    """People with at least one such message; one person may be in several."""
    by_class: tuple[RequestGroup, ...]
    by_campaign: tuple[RequestGroup, ...]
    """The 200 with the most changes."""
    by_rule: tuple[RuleEffect, ...]
    current_delays: Delays
    other_delays: Delays
    agreement: Agreement
    examples: tuple[Example, ...]
    """Up to 100."""
    notes: tuple[str, ...]
    """What the replay cannot know."""
    took_s: float = 0.0


def simulation_report(
    comparison: Comparison, *, skipped: int, took_s: float = 0.0, warnings: Sequence[str] = ()
) -> SimulationReport:
    """Tell what a simulation found, and what is to be known about it."""
    period, current, other = comparison.period, comparison.current, comparison.other
    requests = comparison.total.requests
    share = comparison.agreed / requests if requests else None
    return SimulationReport(
        since=to_datetime(period.since_us),
        until=to_datetime(period.until_us),
        brands=period.brands,
        current_policy=_policy_name(current.policy),
        other_policy=_policy_name(other.policy),
        requests=requests,
        contacts=comparison.contacts,
        skipped=skipped,
        messages=_group("all", comparison.total),
        people=ChangeCounts.model_validate(comparison.people),
        by_class=_groups(comparison.by_class),
        by_campaign=_groups(comparison.by_campaign),
        by_rule=tuple(
            RuleEffect(rule=rule, current=_hits(current, rule), other=_hits(other, rule))
            for rule in comparison.rules
        ),
        current_delays=_delays(current.waits),
        other_delays=_delays(other.waits),
        agreement=Agreement(same=comparison.agreed, of=requests, share=share),
        examples=tuple(_example(changed) for changed in comparison.examples),
        notes=(*comparison.notes, *(f"warning: {warning}" for warning in warnings)),
        took_s=round(took_s, 3),
    )


def _policy_name(policy: Policy) -> PolicyName:
    return PolicyName(name=policy.name, version=policy.version)


def _groups(tallies: Mapping[str, Tally]) -> tuple[RequestGroup, ...]:
    return tuple(_group(name, tally) for name, tally in tallies.items())


def _group(name: str, tally: Tally) -> RequestGroup:
    return RequestGroup(
        name=name,
        requests=tally.requests,
        current=OutcomeCounts.model_validate(tally.current),
        other=OutcomeCounts.model_validate(tally.other),
        messages=ChangeCounts.model_validate(tally.changes),
    )


def _hits(side: UnderPolicy, rule: str) -> RuleHits:
    return RuleHits(denied=side.says[rule, "denied"], deferred=side.says[rule, "deferred"])


def _delays(waits: Waits) -> Delays:
    if not waits.messages:
        return Delays(messages=0)
    ends_s = (*(step_us // SECOND_US for step_us in DELAY_STEPS_US), None)
    counts = waits.up_to(DELAY_STEPS_US)
    return Delays(
        messages=waits.messages,
        p50_s=waits.quantile_s(0.5),
        p90_s=waits.quantile_s(0.9),
        p99_s=waits.quantile_s(0.99),
        longest_s=waits.longest_s,
        steps=tuple(DelayStep(up_to_s=end_s, messages=n) for end_s, n in zip(ends_s, counts, strict=True)),
    )


def _example(changed: ChangedRequest) -> Example:
    request = changed.asked.request
    return Example(
        change=changed.change,
        contact_id=changed.contact_id,
        message_id=request.message_id,
        client=request.client,
        request_id=request.request_id,
        message_class=changed.current.message_class,
        campaign=request.campaign,
        asked_at=to_datetime(changed.asked.at_us),
        current=_outcome(changed.current),
        other=_outcome(changed.other),
    )


def _outcome(outcome: ReplayOutcome) -> OutcomeView:
    return OutcomeView(
        verdict=outcome.last,
        reason=outcome.reason,
        rule=outcome.rule,
        sent_at=instant(outcome.sent_at_us),
    )
