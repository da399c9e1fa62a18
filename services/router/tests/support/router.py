"""A router without its edges: flows over a store, with everything it tells within reach."""

from dataclasses import dataclass, field

from garbo.common.business import Business
from garbo.common.events.base import Event
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.grants import SendGranted
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, SEND_CARE, SEND_PROMO
from garbo.router.domain.policy import Policy
from garbo.router.flow.decide_requests import DecideRequests
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.apply_events import ApplyEvents
from garbo.router.flow.events.handler import ReceivedEvent
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.request import ReceivedRequest
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.jobs import Outbox
from garbo.router.ports.store import Store
from services.router.tests.support.build import HASH_KEY, business
from services.router.tests.support.memory import InMemoryStore, RecordingPublisher
from services.router.tests.support.memory_jobs import InMemoryOutbox
from services.router.tests.support.meter import CountingMeter


@dataclass
class Router:
    """The flows and what they tell."""

    store: Store
    policy: Policy
    business: Business = field(default_factory=business)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    meter: CountingMeter = field(default_factory=CountingMeter)
    budget_leases: BudgetLeases | None = None
    outbox: Outbox | None = None

    @property
    def dependencies(self) -> Dependencies:
        """Give what every use case works with."""
        return Dependencies(
            store=self.store,
            publisher=self.publisher,
            meter=self.meter,
            policies=PolicyInForce(self.policy),
            directory=Directory(self.business),
            hash_key=HASH_KEY,
            budget_leases=self.budget_leases,
        )

    @property
    def requests(self) -> DecideRequests:
        """Give the use case."""
        return DecideRequests(self.dependencies)

    @property
    def events(self) -> ApplyEvents:
        """Give the use case."""
        return ApplyEvents(self.dependencies)

    async def ask(self, *requests: SendRequested) -> list[DecisionMade]:
        """Decide requests in one batch; give what was told about them."""
        before = len(self.publisher.told)
        await self.requests.decide([ReceivedRequest(request) for request in requests])
        return self.publisher.of(DECISION_MADE, after=before)

    async def hear(self, *events: Event) -> None:
        """Apply events in one batch, and tell what they changed."""
        await self.events.take([ReceivedEvent(event) for event in events])
        await self.tell()

    async def tell(self) -> None:
        """Tell what waits in the outbox."""
        outbox = self.outbox
        if outbox is None and isinstance(self.store, InMemoryStore):
            outbox = InMemoryOutbox(self.store)
        if outbox is not None:
            async with outbox.oldest(1_000) as parcels:
                await self.publisher.publish([parcel.outgoing for parcel in parcels])

    @property
    def granted(self) -> list[SendGranted]:
        """Give every grant told so far."""
        return self.publisher.of(SEND_CARE, SEND_PROMO)

    @property
    def decided(self) -> list[DecisionMade]:
        """Give every decision told so far."""
        return self.publisher.of(DECISION_MADE)
