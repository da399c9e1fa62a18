"""What one request would be answered for each of many people."""

from collections import Counter
from uuid import UUID

from pydantic import AwareDatetime

from garbo.common.events.decisions import Check, DecisionMade, MessageClass, Verdict
from garbo.common.priority import yielding
from garbo.router.domain.instants import to_datetime
from garbo.router.flow.queries.preview import PeoplePreview
from garbo.router.inbound.http.views.view import View


class PersonPreviewView(View):
    """What one of them would be answered now."""

    index: int
    """The place in `to`."""
    contact_id: UUID | None = None
    """Null where nobody is known yet by this address."""
    verdict: Verdict
    message_class: MessageClass | None = None
    reason: str
    rule: str | None = None
    then_rule: str | None = None
    next_allowed_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    provisional: bool = False
    checks: tuple[Check, ...] = ()


class VerdictCounts(View):
    """How many of each."""

    allow: int = 0
    defer: int = 0
    deny: int = 0


class PeoplePreviewView(View):
    """What one request would be answered now for each person, each alone. Nothing was written."""

    now: AwareDatetime
    policy_version: str
    totals: VerdictCounts
    people: tuple[PersonPreviewView, ...]


async def people_preview_view(preview: PeoplePreview) -> PeoplePreviewView:
    """Show what each person would be answered; a thousand of them take turns with other work."""
    people = [_person(index, decision) async for index, decision in yielding(enumerate(preview.decisions))]
    counts = Counter(decision.verdict for decision in preview.decisions)
    return PeoplePreviewView(
        now=to_datetime(preview.now_us),
        policy_version=preview.policy_version,
        totals=VerdictCounts(allow=counts["allow"], defer=counts["defer"], deny=counts["deny"]),
        people=tuple(people),
    )


def _person(index: int, decision: DecisionMade) -> PersonPreviewView:
    return PersonPreviewView(
        index=index,
        contact_id=decision.contact_id,
        verdict=decision.verdict,
        message_class=decision.message_class,
        reason=decision.reason,
        rule=decision.rule,
        then_rule=decision.then_rule,
        next_allowed_at=decision.next_allowed_at,
        due_at=decision.due_at,
        provisional=decision.provisional,
        checks=decision.checks,
    )
