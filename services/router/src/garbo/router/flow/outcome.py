"""What was decided of one request, before it is written down."""

from collections.abc import Iterable, Sequence

from garbo.common.events.ids import ContactId
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.events.wire import decode
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import to_us
from garbo.router.domain.request import Request
from garbo.router.domain.state import WINDOW_US, RecipientState
from garbo.router.domain.values import Value, replace
from garbo.router.flow.request import ResolvedRequest
from garbo.router.ports.contacts import Contact
from garbo.router.ports.store import Deferred

CampaignOfContact = tuple[ContactId, str, str]
"""Recipient, brand and campaign."""


class Outcome(Value, frozen=True):
    """One request, its decision, and the state it was decided from."""

    ask: ResolvedRequest
    contact: Contact
    request: Request
    decision: Decision
    state: RecipientState
    leases: tuple[int, ...] = ()
    """Of which budget slices it took one each."""

    @property
    def campaign(self) -> CampaignOfContact | None:
        """Recipient and campaign of a request that would wait."""
        if self.decision.verdict != "defer" or self.request.campaign is None:
            return None
        return self.contact.contact_id, self.request.brand, self.request.campaign

    @property
    def age(self) -> tuple[int, int]:
        """By what the newest is found."""
        return self.request.requested_at_us, self.request.request_id.int

    def has_written(self, now_us: int) -> bool:
        """Say whether the person has written to a number of the brand in the last 24 h."""
        instants = (self.state.inbound_at_us.get(number, 0) for number in self.request.numbers.all)
        return max(instants, default=0) + WINDOW_US > now_us

    def denied(self, reason: str) -> "Outcome":
        """Give the same request denied, whenever it would have been permitted."""
        blank = Decision(
            verdict="deny",
            reason=reason,
            message_class=self.decision.message_class,
            category=self.decision.category,
            demoted=self.decision.demoted,
            reclassified=self.decision.reclassified,
            template_unknown=self.decision.template_unknown,
            results=self.decision.results,
        )
        return replace(self, decision=blank)

    def waits(self, now_us: int) -> Deferred:
        """Write down that it waits, and for how long already."""
        ask, decision = self.ask, self.decision
        free_at_us = decision.next_allowed_at_us or now_us
        return Deferred(
            message_id=ask.message_id,
            contact_id=self.contact.contact_id,
            due_at_us=decision.due_at_us or free_at_us,
            free_at_us=free_at_us,
            first_decided_at_us=now_us,
            expires_at_us=self.request.expires_at_us,
            brand=self.request.brand,
            campaign=self.request.campaign,
            priority=self.request.priority,
            reason=decision.reason,
            request=ask.stored(),
            trace=ask.trace,
        )


def superseded(
    outcomes: Sequence[Outcome], waiting: Iterable[Deferred]
) -> tuple[list[Outcome], list[Deferred]]:
    """Deny, of the requests of one campaign to one person that would wait, all but the newest.

    Gives the outcomes as they are then, and those that wait already and must go.
    """
    newest: dict[CampaignOfContact, tuple[int, int]] = {}
    for outcome in outcomes:
        if campaign := outcome.campaign:
            newest[campaign] = max(newest.get(campaign, outcome.age), outcome.age)
    others = [(w, c) for w in waiting if w.campaign and (c := (w.contact_id, w.brand, w.campaign)) in newest]
    ages = {w.message_id: _age(w) for w, _ in others}
    for other, campaign in others:
        newest[campaign] = max(newest[campaign], ages[other.message_id])
    kept = [
        o.denied("superseded") if (campaign := o.campaign) and o.age < newest[campaign] else o
        for o in outcomes
    ]
    return kept, [w for w, campaign in others if ages[w.message_id] < newest[campaign]]


def _age(waiting: Deferred) -> tuple[int, int]:
    event = decode(SEND_REQUESTED, waiting.request)
    return to_us(event.requested_at), event.request_id.int
