"""The sender has read a template, or all templates of an account, from the platform."""

from dataclasses import dataclass

from garbo.common.events.template_observed import TemplateObserved
from garbo.router.domain.templates import observed_category
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets
from garbo.router.flow.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class TemplateObservedHandler:
    """Keeps what was read: requests are compared with it, and the latest category decides their class."""

    event: TemplateObserved
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse nothing: accounts and templates nobody here uses harm nobody."""

    @property
    def targets(self) -> EventTargets:
        """Nobody."""
        return EventTargets()

    @property
    def may_revoke(self) -> bool:
        """No: what is granted leaves, and the platform has the last word."""
        return False

    def apply(self, uow: UnitOfWork, _found: FoundTargets) -> None:
        """Note it; an older reading changes nothing."""
        uow.observed.append(self.event)
        if category := observed_category(self.event):
            uow.templates.append(category)
