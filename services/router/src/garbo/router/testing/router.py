"""A router without its edges: flows over a store, with everything it tells within reach."""

from dataclasses import dataclass, field

from garbo.common.business import Business
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.grants import SendGranted
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, SEND_CARE, SEND_PROMO
from garbo.router.domain.policy import Policy
from garbo.router.flow.ask import Asked
from garbo.router.flow.directory import Directory
from garbo.router.flow.events import Heard, RouterEvent, TakeEvents
from garbo.router.flow.means import Means
from garbo.router.flow.policies import Policies
from garbo.router.flow.requests import DecideRequests
from garbo.router.ports import Store
from garbo.router.testing.build import HASH_KEY, business
from garbo.router.testing.memory import CountingMeter, InMemoryStore, RecordingAnnouncer
from garbo.router.testing.memory_work import InMemoryOutbox
from garbo.router.work_ports import Outbox, Stock


@dataclass
class Router:
    """The flows and what they tell."""

    store: Store
    policy: Policy
    business: Business = field(default_factory=business)
    announcer: RecordingAnnouncer = field(default_factory=RecordingAnnouncer)
    meter: CountingMeter = field(default_factory=CountingMeter)
    stock: Stock | None = None
    outbox: Outbox | None = None

    @property
    def means(self) -> Means:
        """Give what every use case works with."""
        return Means(
            store=self.store,
            announcer=self.announcer,
            meter=self.meter,
            policies=Policies(self.policy),
            directory=Directory(self.business),
            hash_key=HASH_KEY,
            stock=self.stock,
        )

    @property
    def requests(self) -> DecideRequests:
        """Give the use case."""
        return DecideRequests(self.means)

    @property
    def events(self) -> TakeEvents:
        """Give the use case."""
        return TakeEvents(self.means)

    async def ask(self, *requests: SendRequested) -> list[DecisionMade]:
        """Decide requests in one batch; give what was told about them."""
        before = len(self.announcer.told)
        await self.requests.decide([Asked(request) for request in requests])
        return self.announcer.of(DECISION_MADE, after=before)

    async def hear(self, *events: RouterEvent) -> None:
        """Apply events in one batch, and tell what they changed."""
        await self.events.take([Heard(event) for event in events])
        await self.tell()

    async def tell(self) -> None:
        """Tell what waits in the outbox."""
        outbox = self.outbox
        if outbox is None and isinstance(self.store, InMemoryStore):
            outbox = InMemoryOutbox(self.store)
        if outbox is not None:
            async with outbox.oldest(1_000) as parcels:
                await self.announcer.announce([parcel.announcement for parcel in parcels])

    @property
    def granted(self) -> list[SendGranted]:
        """Give every grant told so far."""
        return self.announcer.of(SEND_CARE, SEND_PROMO)

    @property
    def decided(self) -> list[DecisionMade]:
        """Give every decision told so far."""
        return self.announcer.of(DECISION_MADE)
