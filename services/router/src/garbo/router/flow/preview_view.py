"""What one request would be answered for each of many people."""

from uuid import UUID

from pydantic import AwareDatetime

from garbo.common.events.decisions import Check, MessageClass, Verdict
from garbo.router.flow.shown import Shown


class PersonPreview(Shown):
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


class Verdicts(Shown):
    """How many of each."""

    allow: int = 0
    defer: int = 0
    deny: int = 0


class PeoplePreview(Shown):
    """What one request would be answered now for each person, each alone. Nothing was written."""

    now: AwareDatetime
    policy_version: str
    totals: Verdicts
    people: tuple[PersonPreview, ...]
