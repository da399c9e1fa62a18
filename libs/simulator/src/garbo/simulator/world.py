"""The whole simulated world, wired: one object that the HTTP interface and the process share."""

from dataclasses import dataclass, field
from pathlib import Path

from garbo.common.runtime.background import Background
from garbo.common.runtime.lifecycle import Component
from garbo.simulator.agenda import Agenda
from garbo.simulator.control import Control, ControlState
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.api import GraphApi
from garbo.simulator.graph.messages import Messages, Platform
from garbo.simulator.graph.nodes.directory import Nodes
from garbo.simulator.graph.nodes.uploads import Uploads
from garbo.simulator.graph.standing import Standing
from garbo.simulator.graph.usage import Usage
from garbo.simulator.ledger import Ledger
from garbo.simulator.network import Network
from garbo.simulator.operations import Operations
from garbo.simulator.population.crowd import Crowd
from garbo.simulator.population.customers import Customers
from garbo.simulator.reviews import Reviews
from garbo.simulator.wamids import Wamids
from garbo.simulator.webhooks.courier import Courier
from garbo.simulator.webhooks.outbox import Outbox


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """What a world is made from."""

    accounts: Accounts
    seed: str = "garbo"
    same_ids: bool = False
    """Mint the same message ids in each run: for one run alone, since ids must not come again."""
    customers: int = 200
    ledger: Path | None = None
    control: ControlState = field(default_factory=ControlState)


@dataclass(frozen=True, slots=True)
class World:
    """Meta and the customers."""

    accounts: Accounts
    agenda: Agenda
    control: Control
    ledger: Ledger
    outbox: Outbox
    courier: Courier
    crowd: Crowd
    network: Network
    reviews: Reviews
    operations: Operations
    graph: GraphApi

    def components(self) -> list[Component]:
        """Give what makes it move, in start order."""
        return [
            self.ledger,
            self.accounts.media,
            Background("agenda", self.agenda.run),
            Background("courier", self.courier.run),
            self.crowd,
        ]


def make_world(plan: WorldPlan) -> World:
    """Wire a world; nothing moves yet. Opens the ledger."""
    agenda = Agenda()
    control = Control(plan.control, seed=plan.seed)
    outbox = Outbox(accounts=plan.accounts, agenda=agenda, control=control, seed=plan.seed)
    crowd = Crowd(
        customers=Customers(seed=plan.seed, count=plan.customers),
        accounts=plan.accounts,
        wamids=Wamids(plan.seed if plan.same_ids else None),
        control=control,
        agenda=agenda,
        outbox=outbox,
    )
    network = Network(control=control, crowd=crowd, outbox=outbox, agenda=agenda, seed=plan.seed)
    reviews = Reviews(accounts=plan.accounts, agenda=agenda, control=control, outbox=outbox, network=network)
    platform = Platform(
        accounts=plan.accounts,
        control=control,
        standing=Standing(accounts=plan.accounts, control=control, seed=plan.seed),
        usage=Usage(control),
        ledger=Ledger(plan.ledger),
        customers=crowd.customers,
        network=network,
        wamids=crowd.wamids,
    )
    nodes = Nodes(plan.accounts, reviews=reviews, uploads=Uploads(plan.accounts, seed=plan.seed))
    return World(
        accounts=plan.accounts,
        agenda=agenda,
        control=control,
        ledger=platform.ledger,
        outbox=outbox,
        courier=Courier(outbox=outbox, app_secret=plan.accounts.app.secret),
        crowd=crowd,
        network=network,
        reviews=reviews,
        operations=Operations(accounts=plan.accounts, outbox=outbox),
        graph=GraphApi(platform=platform, messages=Messages(platform), nodes=nodes),
    )
