"""A campaign is called off: from the commit on nothing of it is allowed, and no grant of it is claimed."""

from dataclasses import dataclass

from garbo.common.events.contacts import CampaignChanged
from garbo.router.flow.events.handler import EventContext, EventTargets, FoundTargets, refuse
from garbo.router.flow.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class CampaignHandler:
    """Notes that a campaign was called off; what of it has not left is taken back by `CancelCampaigns`."""

    event: CampaignChanged
    trace: str | None
    context: EventContext

    def check(self) -> None:
        """Refuse a campaign that is not this client's to change."""
        event, directory = self.event, self.context.directory
        refuse(directory.brand_refusal(client=event.client, brand=event.brand))
        refuse(directory.purpose_refusal(client=event.client, purpose="promo"))

    @property
    def targets(self) -> EventTargets:
        """Nobody in particular."""
        return EventTargets()

    @property
    def may_revoke(self) -> bool:
        """Not here: a campaign may hold many people."""
        return False

    def apply(self, uow: UnitOfWork, _found: FoundTargets) -> None:
        """Note it; of two notes the first one stands."""
        uow.cancelled.add((self.event.brand, self.event.campaign))
