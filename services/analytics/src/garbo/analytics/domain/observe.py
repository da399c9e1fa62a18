"""What each record of a topic says of a message."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from garbo.analytics.domain.facts import ASKED, Fact, merge
from garbo.common.events.base import Event
from garbo.common.events.content import TemplateContent
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.engagement import CareMessage, PromoEngaged
from garbo.common.events.ids import message_of_attempt, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.requests import SendRequested
from garbo.common.events.results import SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.submitted import InvalidRequest


@dataclass(frozen=True, slots=True)
class Inbound:
    """A customer wrote: that, when and of which kind; never what."""

    platform_message_ref: str
    kind: str
    occurred_at: datetime
    contact_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ForeignStatus:
    """A status of a message that Garbo did not send."""

    platform_message_ref: str
    status: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Engagement:
    """A reaction to a promo."""

    engagement_id: str
    action: str
    contact_id: UUID
    message_id: UUID | None
    campaign: str | None
    occurred_at: datetime


@dataclass(slots=True)
class Observed:
    """What a batch of records says, each message once."""

    facts: dict[UUID, Fact] = field(default_factory=dict)
    inbound: dict[str, Inbound] = field(default_factory=dict)
    foreign: dict[tuple[str, str], ForeignStatus] = field(default_factory=dict)
    engagements: dict[tuple[str, str], Engagement] = field(default_factory=dict)

    def add_fact(self, fact: Fact) -> None:
        """Join a partial fact to what the batch already says of the message."""
        before = self.facts.get(fact.message_id)
        self.facts[fact.message_id] = merge(before, fact) if before else fact

    def add_inbound(self, inbound: Inbound) -> None:
        """Keep one record a message; the one that knows the contact."""
        before = self.inbound.get(inbound.platform_message_ref)
        if before is None or before.contact_id is None:
            self.inbound[inbound.platform_message_ref] = inbound


def observe(events: Iterable[Event]) -> Observed:
    """Read a batch of records of any of the topics this service knows; others are passed over."""
    seen = Observed()
    for event in events:
        match event:
            case SendRequested():
                seen.add_fact(_of_request(event))
            case DecisionMade():
                seen.add_fact(_of_decision(event))
            case SendResult():
                seen.add_fact(_of_result(event))
            case MessageStatus():
                _add_status(seen, event)
            case InboundMessage():
                seen.add_inbound(Inbound(event.event_id, event.kind, event.occurred_at))
            case CareMessage():
                _add_care_message(seen, event)
            case PromoEngaged():
                _add_engagement(seen, event)
    return seen


def _of_request(event: SendRequested) -> Fact:
    told = not isinstance(event, InvalidRequest)  # what is wrong in one is stood in for
    template = event.content.template.name if isinstance(event.content, TemplateContent) else None
    return Fact(
        message_id=event.message_id,
        request_id=event.request_id,
        client=event.client,
        contact_id=event.to.contact_id if told else None,
        number=event.number,
        content_type=event.content.type if told else None,
        template=template if told else None,
        requested_at=event.requested_at,
        sequence=ASKED,
        version=UUID(bytes=event.body_hash()[:16]),
        brand=event.brand,
        purpose=event.purpose,
        campaign=event.campaign,
        lane="promo" if event.purpose == "promo" else "care",
    )


def _of_decision(event: DecisionMade) -> Fact:
    if event.sequence == 0:  # an answer about a second submission: it replaces nothing
        return Fact(
            message_id=event.message_id,
            request_id=event.request_id,
            client=event.client,
            reused_at=event.decided_at,
        )
    told: dict[str, Any] = {name: getattr(event, name) for name in _AS_DECIDED}
    told[_VERDICT_AT[event.verdict]] = event.decided_at
    return Fact(
        **told,
        number=event.grant.number if event.grant else None,
        current_at=event.decided_at,
        version=event.decision_id,
        lane=_lane(event),
        used_count=event.used,
        limit_count=event.limit,
        window_span=event.window,
    )


_VERDICT_AT: Final = {"allow": "granted_at", "defer": "deferred_at", "deny": "denied_at"}
_AS_DECIDED: Final = (
    *("message_id", "request_id", "client", "contact_id", "requested_at", "decided_at", "sequence"),
    *("brand", "purpose", "campaign", "message_class", "category", "verdict", "final", "reason"),
    *("rule", "then_rule", "next_allowed_at", "due_at", "expires_at", "provisional", "demoted"),
    *("reclassified", "overridden", "checks", "policy_version"),
)
"""What a fact takes from a decision under the same name."""


def _lane(event: DecisionMade) -> str:
    if event.grant:
        return event.grant.lane
    return "promo" if (event.message_class or event.purpose) == "promo" else "care"


_OUTCOME_AT: Final = {
    "accepted": "accepted_at",
    "failed": "failed_at",
    "unknown": "unknown_at",
    "not_sent": "not_sent_at",
}


def _of_result(event: SendResult) -> Fact:
    failed, not_sent = event.outcome == "failed", event.outcome == "not_sent"
    return Fact(
        message_id=event.message_id,
        contact_id=event.contact_id,
        number=event.number,
        platform_message_ref=event.platform_message_ref,
        code=event.code if failed else None,
        failure=event.reason if failed else None,
        not_sent_reason=event.reason if not_sent else None,
        attempted_at=event.started_at,
        possible_duplicate=event.possible_duplicate,
        unsettled_at=event.recorded_at if event.is_unsettled else None,
        **{_OUTCOME_AT[event.outcome]: event.recorded_at},  # type: ignore[arg-type] # instants, all of them
    )


_STATUS_AT: Final = {
    "sent": "sent_at",
    "delivered": "delivered_at",
    "read": "read_at",
    "played": "read_at",
    "failed": "failed_at",
}


def _add_status(seen: Observed, event: MessageStatus) -> None:
    message_id = message_of_attempt(event.attempt_id) if event.attempt_id else None
    ref = platform_message_ref(event.wamid)
    if message_id is None:
        key = (ref, event.status)
        seen.foreign.setdefault(key, ForeignStatus(*key, event.occurred_at))
    elif event.status in _STATUS_AT:
        error = event.errors[0] if event.errors and event.status == "failed" else None
        seen.add_fact(
            Fact(
                message_id=message_id,
                number=event.number,
                platform_message_ref=ref,
                code=error.code if error else None,
                billed_category=event.category,
                billing=event.billing,
                **{_STATUS_AT[event.status]: event.occurred_at},  # type: ignore[arg-type] # instants
            )
        )


def _add_care_message(seen: Observed, event: CareMessage) -> None:
    seen.add_inbound(Inbound(event.event_id, event.kind, event.occurred_at, event.contact_id))
    if event.answers:
        seen.add_fact(Fact(message_id=event.answers, replied_at=event.occurred_at))


def _add_engagement(seen: Observed, event: PromoEngaged) -> None:
    engagement = Engagement(
        event.engagement_id,
        event.action,
        event.contact_id,
        event.message_id,
        event.campaign,
        event.occurred_at,
    )
    seen.engagements.setdefault((event.engagement_id, event.action), engagement)
    if event.message_id and event.action == "replied":
        seen.add_fact(Fact(message_id=event.message_id, replied_at=event.occurred_at))
    if event.message_id and event.action == "opted_out":
        seen.add_fact(Fact(message_id=event.message_id, opted_out_at=event.occurred_at))
