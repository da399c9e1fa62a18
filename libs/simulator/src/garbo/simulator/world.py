"""The whole simulated world, wired: one object that the HTTP interface and the process share."""

from dataclasses import dataclass, field
from pathlib import Path

from garbo.common.runtime.background import Background
from garbo.common.runtime.lifecycle import Component
from garbo.simulator.agenda import Agenda
from garbo.simulator.control import Control, ControlState
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.api import GraphApi
from garbo.simulator.ledger import Ledger
from garbo.simulator.network import Network
from garbo.simulator.population.crowd import Crowd
from garbo.simulator.population.customers import Customers
from garbo.simulator.webhooks.courier import Courier
from garbo.simulator.webhooks.outbox import Outbox


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """What a world is made from."""

    accounts: Accounts
    webhook_url: str
    app_secret: str = field(repr=False)
    seed: str = "garbo"
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
    graph: GraphApi

    def components(self) -> list[Component]:
        """Give what makes it move, in start order."""
        return [
            self.ledger,
            Background("agenda", self.agenda.run),
            Background("courier", self.courier.run),
            self.crowd,
        ]


def make_world(plan: WorldPlan) -> World:
    """Wire a world; nothing moves yet. Opens the ledger."""
    agenda = Agenda()
    control = Control(plan.control, seed=plan.seed)
    ledger = Ledger(plan.ledger)
    outbox = Outbox(agenda=agenda, control=control, seed=plan.seed)
    customers = Customers(seed=plan.seed, count=plan.customers)
    crowd = Crowd(
        customers=customers,
        accounts=plan.accounts,
        control=control,
        agenda=agenda,
        outbox=outbox,
        seed=plan.seed,
    )
    network = Network(control=control, crowd=crowd, outbox=outbox, agenda=agenda, seed=plan.seed)
    graph = GraphApi(
        accounts=plan.accounts, control=control, ledger=ledger, customers=customers, network=network
    )
    courier = Courier(outbox=outbox, url=plan.webhook_url, app_secret=plan.app_secret)
    return World(plan.accounts, agenda, control, ledger, outbox, courier, crowd, network, graph)
