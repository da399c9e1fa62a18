"""What the platform says of templates and of people: a category, a marketing preference, another user id."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from garbo.common.events.platform import PlatformChange
from garbo.router.domain.instants import to_us
from garbo.router.domain.templates import template_change
from garbo.router.flow.events.consent import ConsentEvent
from garbo.router.flow.events.contact import changed_identity
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets
from garbo.router.flow.events.preference import (
    FIELD,
    Preferred,
    preference_of,
    resume_by_platform,
    stop_by_platform,
)
from garbo.router.flow.identity import Identity
from garbo.router.flow.unit_of_work import UnitOfWork

USER_ID_UPDATE: Final = "user_id_update"


@dataclass(frozen=True)
class PlatformChangeHandler:
    """The platform changed something that is not a message."""

    event: PlatformChange
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse nothing: fields nobody here knows change nothing."""

    @cached_property
    def targets(self) -> EventTargets:
        """Whose preference or user id it is; of a template it is nobody's."""
        return EventTargets(self._contact())

    @cached_property
    def preference(self) -> Preferred | None:
        """What somebody set in the platform."""
        return preference_of(self.event.field, self.event.value)

    @property
    def may_revoke(self) -> bool:
        """A stop takes promos back."""
        return self.preference == "stop"

    def apply(self, uow: UnitOfWork, found: FoundTargets) -> None:
        """Note a template's category, or a preference. Who has another user id was found by both."""
        change = self.event
        if template := template_change(change):
            uow.templates.append(template)
        contact_id, number = found.contact_id, change.number
        brand = self.context.directory.brand_of(number or "")
        if self.preference is None or contact_id is None or number is None or brand is None:
            return
        at_us = min(to_us(change.happened_at), uow.snapshot.now_us)
        if self.preference == "stop":
            event = ConsentEvent(change.change_id, "withdrawn", FIELD, at_us, brand, number)
            stop_by_platform(uow, contact_id, event, number=number, trace=self.trace)
        else:
            event = ConsentEvent(change.change_id, "given", FIELD, at_us, brand, number)
            resume_by_platform(uow, contact_id, event, number=number)

    def _contact(self) -> Identity | None:
        change = self.event
        if change.person is None:
            return None
        if self.preference is not None:
            return self.context.identity_of(change.person)
        if change.field == USER_ID_UPDATE:
            return changed_identity(self.context, change.person, change.changed_to)
        return None
